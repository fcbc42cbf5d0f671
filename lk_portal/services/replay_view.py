"""What is missing of a meter's data, and what asking its archive has come to. For staff's pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import LoadProfile, Quantity
from lk_portal.models import ArchiveReplay, Meter
from lk_portal.models.types import from_milliseconds
from lk_portal.services.archive_fill import Fate
from lk_portal.services.database import Database
from lk_portal.services.holes import Hole, holes_of
from lk_portal.services.read_context import Placement, placements_of
from lk_portal.services.replays import LOOK_BACK, NAMED, Part, line_of, profile_on
from lk_portal.services.tables import table_of

NOT_YET = timedelta(hours=1)
"""What was counted in the last hour may still be on its way."""
MOST_HOLES = 20

_wish, _meter = table_of(ArchiveReplay), table_of(Meter)
_c = _wish.c


@dataclass(frozen=True, slots=True)
class LastReplay:
    """The newest wish of a meter.

    Attributes:
        is_open: It is not done yet.
        since: Of the holes, aware UTC.
        until: Their end.
        due_at: Not before this it is done, aware UTC.
        at: When it was tried last; None: not yet.
        error_code: Why it failed; "" of none.
        error: In the words of who met it, English.
        filled: How many slots were filled.
        left: How many were not.
        parts: What became of which.
    """

    is_open: bool
    since: datetime
    until: datetime
    due_at: datetime
    at: datetime | None
    error_code: str
    error: str
    filled: int
    left: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """What is missing of a meter's data, and what its archive could do about it.

    Attributes:
        is_polled: Somebody reads the meter; if not, nobody can read its archive.
        profile: What it keeps; None: nothing that can be read.
        holes: The newest, newest first.
        count: How many there are in `LOOK_BACK`.
        last: The newest wish.
    """

    is_polled: bool
    profile: LoadProfile | None
    holes: tuple[Hole, ...]
    count: int
    last: LastReplay | None


async def archive_of(
    database: Database, *, serial: str, now: datetime, default_interval_s: int
) -> ArchiveView:
    """The holes of the last days of a meter that is polled, and how filling them goes.

    Raises:
        NotFoundError: There is no such meter.
    """
    line = await line_of(database, serial, now, default_interval_s)
    profile = profile_on(line) if line else None
    async with database.reading() as connection:
        row = (await connection.execute(NAMED.where(_meter.c.serial == serial))).one_or_none()
        if row is None:
            raise NotFoundError
        places = [place for _, place in await placements_of(connection, [row.id])]
        last = (await connection.execute(_last_of(row.id))).one_or_none()
        delay = max(NOT_YET, timedelta(seconds=row.interval_s or default_interval_s))
        holes = await _holes(connection, places, profile, now=now, until=now - delay)
    newest = tuple(reversed(holes))
    return ArchiveView(
        line is not None, profile, newest[:MOST_HOLES], len(holes), _last(last) if last else None
    )


def _last(row: Any) -> LastReplay:
    parts = tuple(
        Part(
            quantity=Quantity(one["quantity"]),
            start=from_milliseconds(one["start"]),
            end=from_milliseconds(one["end"]),
            fate=Fate(one["fate"]),
            slots=one["slots"],
            archive_wh=one["archive_wh"],
            register_wh=one["register_wh"],
        )
        for one in row.outcomes
    )
    return LastReplay(
        row.finished_at is None,
        row.since,
        row.until,
        row.due_at,
        row.tried_at,
        row.error_code,
        row.error,
        row.filled,
        row.left,
        parts,
    )


async def _holes(
    connection: AsyncConnection,
    places: Iterable[Placement],
    profile: LoadProfile | None,
    *,
    now: datetime,
    until: datetime,
) -> tuple[Hole, ...]:
    quantities = profile.quantities if profile else frozenset({Quantity.A_PLUS})
    return await holes_of(connection, places, quantities, since=now - LOOK_BACK, until=until)


def _last_of(meter_id: int) -> Any:
    # One that is open counts as newer than all that are done.
    order = (_c.finished_at.is_(None).desc(), _c.asked_at.desc(), _c.id.desc())
    return select(_wish).where(_c.meter_id == meter_id).order_by(*order).limit(1)
