"""Tariff zones: which zone a local minute belongs to, by the tariff's versions. For services.

Zones are set in local time of the premises and change by decree, so a tariff has versions by day
(shared/metering.md, "Time, periods, validation", rule 2). Zone 0 means: no tariff, or no span covers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import TariffZone
from lk_portal.services.tables import table_of

NO_ZONE = 0
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class ZoneSpan:
    """A daily span [start_minute, end_minute) in local time; over midnight when the end is not later."""

    zone: int
    start_minute: int
    end_minute: int

    def minutes(self) -> Iterable[int]:
        """The minutes of the day it covers."""
        if self.end_minute > self.start_minute:
            return range(self.start_minute, self.end_minute)
        return (*range(self.start_minute, MINUTES), *range(self.end_minute))


@dataclass(frozen=True, slots=True)
class ZoneVersion:
    """The spans in force from the local day `valid_from` on."""

    valid_from: date
    spans: tuple[ZoneSpan, ...]


@dataclass(frozen=True, slots=True)
class TariffZones:
    """All versions of one tariff, oldest first. Equal tariffs share their caches."""

    versions: tuple[ZoneVersion, ...] = ()

    def zone_at(self, local: datetime) -> int:
        """The zone of a wall-clock time; 0 is none."""
        return self._table(local.date())[local.hour * 60 + local.minute]

    def edges(self, day: date) -> tuple[int, ...]:
        """The minutes of `day`, local, at which the zone changes; midnight is not among them."""
        table = self._table(day)
        return tuple(minute for minute in range(1, MINUTES) if table[minute] != table[minute - 1])

    def _table(self, day: date) -> bytes:
        in_force = [version for version in self.versions if version.valid_from <= day]
        return _minute_table(in_force[-1].spans if in_force else ())


@lru_cache(maxsize=256)
def _minute_table(spans: tuple[ZoneSpan, ...]) -> bytes:
    """The zone of each of the day's 1440 minutes."""
    table = bytearray(MINUTES)
    for span in spans:
        for minute in span.minutes():
            table[minute] = span.zone
    return bytes(table)


NO_TARIFF = TariffZones()

_zone = table_of(TariffZone).c
_ZONES_OF = (
    select(_zone.tariff_id, _zone.valid_from, _zone.zone, _zone.start_minute, _zone.end_minute)
    .where(_zone.tariff_id.in_(bindparam("tariffs", expanding=True)))
    .order_by(_zone.tariff_id, _zone.valid_from, _zone.start_minute)
)


async def load_zones(connection: AsyncConnection, tariffs: Iterable[int]) -> dict[int, TariffZones]:
    """The zones of each tariff by its id; a tariff without zones is absent."""
    wanted = sorted(set(tariffs))
    if not wanted:
        return {}
    rows = (await connection.execute(_ZONES_OF, {"tariffs": wanted})).all()
    return {tariff: _tariff_zones(list(group)) for tariff, group in groupby(rows, key=lambda row: row[0])}


def _tariff_zones(rows: Sequence[Any]) -> TariffZones:
    versions = (
        ZoneVersion(valid_from, tuple(ZoneSpan(*row[2:]) for row in group))
        for valid_from, group in groupby(rows, key=lambda row: row[1])
    )
    return TariffZones(tuple(versions))
