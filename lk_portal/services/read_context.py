"""What must be known of a batch of meters to store their readings. For `services.readings` only.

Everything is loaded by a handful of queries for the whole batch, none per meter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from lk_portal.models import (
    Account,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeteringPoint,
    Premises,
    RegisterMark,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import PointClock, clock_of
from lk_portal.services.register_steps import Mark
from lk_portal.services.staging import is_sqlite
from lk_portal.services.tables import table_of
from lk_portal.services.zones import NO_TARIFF, load_zones

RegisterKey = tuple[int, int]
"""Quantity and zone."""


@dataclass(frozen=True, slots=True)
class Placement:
    """An installation: the meter stands at the point in [since_ms, until_ms), with this ratio."""

    installation_id: int
    point_id: int
    since_ms: int
    until_ms: int | None
    ratio: Decimal
    clock: PointClock

    def has(self, at_ms: int) -> bool:
        """Whether the meter stands there at that moment."""
        return self.since_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


@dataclass(slots=True)
class ConnectionState:
    """How reading a meter has been going; times in ms since 1970."""

    interval_s: int | None
    failures_in_row: int
    last_success_ms: int | None
    last_error_ms: int | None


@dataclass(slots=True)
class MeterContext:
    """One meter of the batch.

    Attributes:
        meter_id: Its key.
        map_name: Its register map; may be unknown.
        connection: None where the meter has none (an archive was imported).
        placements: Where it has stood.
        marks: Its registers' newest accepted values.
        initial: Register values at the beginning of an installation, by installation.
    """

    meter_id: int
    map_name: str
    connection: ConnectionState | None
    placements: list[Placement] = field(default_factory=list)
    marks: dict[RegisterKey, Mark] = field(default_factory=dict)
    initial: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def placement_at(self, at_ms: int) -> Placement | None:
        """Where the meter stood then."""
        return next((place for place in self.placements if place.has(at_ms)), None)

    def mark_for(self, place: Placement, key: RegisterKey) -> Mark | None:
        """What a value read at `place` is compared with: never with one from before the installation."""
        mark = self.marks.get(key)
        if mark is not None and mark.at_ms >= place.since_ms:
            return mark
        initial_wh = self.initial.get((place.installation_id, *key))
        return None if initial_wh is None else Mark(place.since_ms, initial_wh)


async def load_context(connection: AsyncConnection, meters: Sequence[int]) -> dict[int, MeterContext]:
    """The contexts of those of `meters` that exist; they are locked until the transaction ends."""
    wanted = {"meters": sorted(set(meters))}
    if not is_sqlite(connection):  # which has one writer at a time
        await connection.execute(_LOCK, wanted)
    found = {row[0]: _context(*row) for row in await connection.execute(_METERS, wanted)}
    for meter_id, quantity, zone, at, value_wh, *candidate in await connection.execute(_MARKS, wanted):
        candidate_at, candidate_wh, count = candidate
        mark = Mark(_ms(at) or 0, value_wh, _ms(candidate_at), candidate_wh, count)
        found[meter_id].marks[quantity, zone] = mark
    await _load_placements(connection, wanted, found)
    return found


def _context(
    meter_id: int, map_name: str, linked: int | None, interval_s: int | None, failures: int, *times: Any
) -> MeterContext:
    if linked is None:
        return MeterContext(meter_id, map_name, None)
    return MeterContext(meter_id, map_name, ConnectionState(interval_s, failures, *map(_ms, times)))


def _ms(stored: int | datetime | None) -> int | None:
    """A time as the driver gives it: milliseconds from SQLite, a datetime from PostgreSQL."""
    return to_milliseconds(stored) if isinstance(stored, datetime) else stored


async def _load_placements(
    connection: AsyncConnection, wanted: dict[str, list[int]], found: dict[int, MeterContext]
) -> None:
    for meter_id, place in await placements_of(connection, wanted["meters"]):
        found[meter_id].placements.append(place)
    initial = await _load_initial(connection, wanted)
    for meter_id, values in initial.items():
        found[meter_id].initial = values


async def _load_initial(
    connection: AsyncConnection, wanted: dict[str, list[int]]
) -> dict[int, dict[tuple[int, int, int], int]]:
    initial: dict[int, dict[tuple[int, int, int], int]] = defaultdict(dict)
    for row in (await connection.execute(_INITIAL, wanted)).all():
        initial[row[0]][row[1], row[2], row[3]] = row[4]
    return initial


async def placements_of(connection: AsyncConnection, meters: Sequence[int]) -> list[tuple[int, Placement]]:
    """Where meters have stood, as (meter, placement); nothing is locked."""
    rows = (await connection.execute(_PLACEMENTS, {"meters": meters})).all()
    tariffs = await load_zones(connection, {row[8] for row in rows if row[8] is not None})
    found = []
    for meter_id, installation_id, point_id, since, until, ct, vt, timezone, tariff_id in rows:
        clock = clock_of(timezone, tariffs.get(tariff_id, NO_TARIFF))
        place = Placement(installation_id, point_id, to_milliseconds(since), _ms(until), ct * vt, clock)
        found.append((meter_id, place))
    return found


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as the driver gives it: a batch has a thousand marks, and converting them costs as much."""
    return type_coerce(column, NullType())


_meter, _place, _mark = table_of(Meter), table_of(Installation), table_of(RegisterMark)
_link, _initial = table_of(MeterConnection), table_of(InstallationReading)
_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_wanted: BindParameter[Any] = bindparam("meters", expanding=True)

# Two who store the same meter at once wait for each other; ids in order exclude deadlocks. A statement of its
# own, so that those after it see what the other one committed.
_LOCK = (
    select(_meter.c.id).where(_meter.c.id.in_(_wanted)).order_by(_meter.c.id).with_for_update(key_share=True)
)
_METERS = (
    select(
        _meter.c.id,
        _meter.c.map_name,
        _link.c.meter_id,
        _link.c.interval_s,
        _link.c.failures_in_row,
        _raw(_link.c.last_success_at),
        _raw(_link.c.last_error_at),
    )
    .outerjoin(_link, _link.c.meter_id == _meter.c.id)
    .where(_meter.c.id.in_(_wanted))
)
_MARKS = select(
    _mark.c.meter_id,
    _raw(_mark.c.quantity),
    _mark.c.zone,
    _raw(_mark.c.taken_at),
    _mark.c.value_wh,
    _raw(_mark.c.candidate_at),
    _mark.c.candidate_wh,
    _mark.c.candidate_count,
).where(_mark.c.meter_id.in_(_wanted))
_PLACEMENTS = (
    select(
        _place.c.meter_id,
        _place.c.id,
        _place.c.point_id,
        _place.c.installed_at,
        _place.c.removed_at,
        _place.c.ct_ratio,
        _place.c.vt_ratio,
        _premises.c.timezone,
        _point.c.tariff_id,
    )
    .join(_point, _point.c.id == _place.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .where(_place.c.meter_id.in_(_wanted))
)
_INITIAL = (
    select(
        _place.c.meter_id,
        _initial.c.installation_id,
        _initial.c.quantity,
        _initial.c.zone,
        _initial.c.value_wh,
    )
    .join(_initial, _initial.c.installation_id == _place.c.id)
    .where(_place.c.meter_id.in_(_wanted), _initial.c.is_final.is_(False))
)
