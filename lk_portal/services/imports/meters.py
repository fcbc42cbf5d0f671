"""Which meters a file speaks of, and where each of them stood when. For `services.imports` only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, select

from lk_portal.errors import N_
from lk_portal.models import Installation, Meter
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.imports.source import CellError
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable

AT_ONCE = 500
FOR_EVER_MS = 1 << 62


class Place(NamedTuple):
    """A meter at a point in [since, until), ms since 1970."""

    since_ms: int
    until_ms: int
    point_id: int


@dataclass(slots=True)
class KnownMeter:
    """A meter that exists, and where it stood, oldest first."""

    meter_id: int
    places: list[Place] = field(default_factory=list)

    def point_at(self, at_ms: int) -> int | None:
        """Where it stood at a moment."""
        return next((one.point_id for one in self.places if one.since_ms <= at_ms < one.until_ms), None)


class Meters(dict[str, KnownMeter]):
    """The meters of a file by serial number; `learn` asks the database for those that are new."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._asked: set[str] = set()

    async def learn(self, serials: Iterable[str]) -> None:
        """Get to know all of `serials` that exist."""
        fresh = sorted(serial for serial in set(serials) - self._asked if is_storable(serial))
        if not fresh:
            return
        # What was no meter is forgotten again, or a file of nothing else would fill the memory.
        self._asked = self.keys() | set(fresh)
        for start in range(0, len(fresh), AT_ONCE):
            async with self._database.reading() as connection:
                rows = await connection.execute(_PLACES, {"serials": fresh[start : start + AT_ONCE]})
                for serial, meter_id, point_id, since, until in rows:
                    known = self.setdefault(serial, KnownMeter(meter_id))
                    if point_id is not None:
                        until_ms = FOR_EVER_MS if until is None else to_milliseconds(until)
                        known.places.append(Place(to_milliseconds(since), until_ms, point_id))

    def named(self, serial: str) -> KnownMeter:
        """The meter of that serial number.

        Raises:
            CellError: There is none.
        """
        found = self.get(serial)
        if found is None:
            raise CellError("meter_serial", N_("there is no such meter"))
        return found


_meter, _place = table_of(Meter), table_of(Installation)
_PLACES = (
    select(_meter.c.serial, _meter.c.id, _place.c.point_id, _place.c.installed_at, _place.c.removed_at)
    .outerjoin(_place, _place.c.meter_id == _meter.c.id)
    .where(_meter.c.serial.in_(bindparam("serials", expanding=True)))
    .order_by(_meter.c.serial, _place.c.installed_at)
)
