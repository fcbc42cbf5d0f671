"""Wishes to fill holes of a meter's data from its own archive ("Дочитать из архива"), and what came of them.

Asking is a row and a time, like "Опросить сейчас": whatever process the worker is in, it finds the meter due,
reads it, and then its archive (`jobs.replaying`). A wish stays open until that has succeeded or cannot.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, ConfigurationError, InputError, MeterError, NotFoundError
from lk_portal.metering.base import profile_of
from lk_portal.metering.types import GatewayTarget, LoadProfile, Quantity
from lk_portal.models import ArchiveReplay, Meter, MeterConnection, RegisterReading
from lk_portal.models.types import to_milliseconds
from lk_portal.services import audit
from lk_portal.services.archive_fill import TAKEN, Fate
from lk_portal.services.connections import ask_now
from lk_portal.services.database import Database
from lk_portal.services.holes import holes_of
from lk_portal.services.polling import due_gateways
from lk_portal.services.read_context import placements_of
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.visit import Visit

ASKED = "desk:connection:replay"
FILLED = "job:connection:replay"
LOOK_BACK = timedelta(days=30)
"""As far as the map of completeness goes."""
AFTER_THE_HOUR = timedelta(minutes=5)
"""The meter writes the record of an interval when it is over."""
MOST_FAILURES = 5
MOST_PARTS = 100
"""More are not kept of one replay; the numbers count them all."""

audit.TEXTS[ASKED] = N_("The utility asked the meter's archive for missing data")
audit.TEXTS[FILLED] = N_("Missing data were filled from the meter's archive")

_wish = table_of(ArchiveReplay)
_c, _meter, _link = _wish.c, table_of(Meter), table_of(MeterConnection)
_reading = table_of(RegisterReading).c


@dataclass(frozen=True, slots=True)
class Replay:
    """An open wish: the holes of a meter in [since, until), aware UTC."""

    replay_id: int
    meter_id: int
    serial: str
    since: datetime
    until: datetime
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What became of neighbouring slots of a hole.

    Attributes:
        quantity: Of which energy.
        start: Aware UTC.
        end: Aware UTC, excluded.
        fate: What became of them.
        slots: How many they are.
        archive_wh: Where archive and register disagree, what the one says: Wh after ratios.
        register_wh: And the other.
    """

    quantity: Quantity
    start: datetime
    end: datetime
    fate: Fate
    slots: int
    archive_wh: int = 0
    register_wh: int = 0


async def ask_for_replay(
    database: Database,
    *,
    serial: str,
    start: datetime,
    end: datetime,
    default_interval_s: int,
    staff_id: int,
    visit: Visit,
) -> None:
    """Let a hole be filled from the meter's archive, as soon as it was polled; it stands in the audit.

    Raises:
        NotFoundError: There is no such meter.
        InputError: It is not polled, keeps no archive, or there is no such hole.
    """
    line = await line_of(database, serial, visit.at, default_interval_s)
    profile = profile_on(line) if line else None
    if profile is None:
        raise InputError(N_("The meter keeps no archive that can be read."))
    if not visit.at - LOOK_BACK - timedelta(days=1) <= start < end <= visit.at:
        raise InputError(N_("This hole is not there any more."))
    async with database.writing() as connection:
        meter_id = int((await connection.execute(NAMED.where(_meter.c.serial == serial))).one().id)
        places = [place for _, place in await placements_of(connection, [meter_id])]
        if not await holes_of(connection, places, profile.quantities, since=start, until=end):
            raise InputError(N_("This hole is not there any more."))
        await ask_now(connection, [meter_id], now=visit.at)
        await _wish_for(connection, meter_id, start, end, due_at=visit.at, now=visit.at, asked_by=staff_id)
        await audit.record(
            connection,
            action=ASKED,
            visit=visit,
            actor=staff_id,
            subject=None,
            meter=serial,
            since=start.isoformat(),
            until=end.isoformat(),
        )


async def wish_after_gaps(
    database: Database, meter_ids: Collection[int], *, polled_from: datetime, now: datetime
) -> int:
    """For those of the meters just polled that had not been read for over an hour, wish to fill that gap.

    Due when the hour is over in which the gap ended: before, the archive has no record of it. Gives how many.

    Args:
        database: Where to.
        meter_ids: Meters that keep an archive and were read now.
        polled_from: When the polling of them began, aware UTC.
        now: Aware UTC.
    """
    before = (
        select(func.max(_reading.taken_at))
        .where(
            _reading.meter_id == _meter.c.id,
            _reading.quantity == Quantity.A_PLUS,
            _reading.zone == 0,
            _reading.taken_at < polled_from,
        )
        .correlate(_meter)
        .scalar_subquery()
    )
    query = select(_meter.c.id, before.label("before")).where(_meter.c.id.in_(meter_ids))
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    gaps = [row for row in rows if row.before is not None and row.before < polled_from - timedelta(hours=1)]
    if not gaps:
        return 0
    hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    async with database.writing() as connection:
        for row in gaps:
            since = max(row.before, now - LOOK_BACK) - timedelta(hours=1)
            await _wish_for(connection, row.id, since, hour, due_at=hour + AFTER_THE_HOUR, now=now)
    return len(gaps)


async def _wish_for(
    connection: AsyncConnection,
    meter_id: int,
    since: datetime,
    until: datetime,
    *,
    due_at: datetime,
    now: datetime,
    asked_by: int | None = None,
) -> None:
    """A new wish, or the open one made wider and due no later."""
    is_open = (_c.meter_id == meter_id) & _c.finished_at.is_(None)
    row = (await connection.execute(select(_wish).where(is_open).with_for_update())).one_or_none()
    if row is None:
        values = {"meter_id": meter_id, "since": since, "until": until, "asked_at": now, "due_at": due_at}
        await connection.execute(insert(_wish).values(asked_by=asked_by, outcomes=[], **_FRESH, **values))
        return
    values = {
        "since": min(since, row.since),
        "until": max(until, row.until),
        "due_at": min(due_at, row.due_at),
        "asked_by": row.asked_by or asked_by,
    }
    if asked_by is not None:
        values |= {"asked_at": now, "tried_at": None, "outcomes": [], **_FRESH}
    await connection.execute(update(_wish).where(_c.id == row.id).values(values))


_FRESH = {"failures": 0, "error_code": "", "error": "", "filled": 0, "left": 0}


async def due_replays(
    database: Database, meter_ids: Collection[int], *, now: datetime, most: int
) -> tuple[Replay, ...]:
    """The open wishes of meters that were just read, the oldest first, at most so many."""
    query = (
        select(_c.id, _c.meter_id, _meter.c.serial, _c.since, _c.until, _c.failures)
        .join(_meter, _meter.c.id == _c.meter_id)
        .where(_c.finished_at.is_(None), _c.due_at <= now)
        .order_by(_c.due_at, _c.id)
    )
    wanted = frozenset(meter_ids)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(Replay(*row) for row in rows if row.meter_id in wanted)[:most]


async def note_failure(database: Database, replay: Replay, error: MeterError, *, now: datetime) -> None:
    """The archive could not be read: what may pass is tried again with a later poll, a few times."""
    failures = replay.failures + 1
    is_over = not error.is_transient or failures >= MOST_FAILURES
    values = {
        "failures": failures,
        "tried_at": now,
        "error_code": error.code,
        "error": str(error).replace("\0", "")[:400],
        "finished_at": now if is_over else None,
    }
    async with database.writing() as connection:
        await connection.execute(update(_wish).where(_c.id == replay.replay_id).values(values))


async def finish(
    connection: AsyncConnection, replay: Replay, parts: Sequence[Part], *, now: datetime
) -> None:
    """What was wished for is done, as far as it is over; in the transaction that has filled the holes.

    One for an hour that is not over yet stays open for that; one that was made wider meanwhile, for all.
    """
    filled = sum(part.slots for part in parts if part.fate in TAKEN)
    left = sum(part.slots for part in parts) - filled
    is_it = _c.id == replay.replay_id
    row = (await connection.execute(select(_wish).where(is_it).with_for_update())).one()
    is_same = (row.since, row.until) == (replay.since, replay.until)
    is_over = replay.until <= now
    values = {
        "finished_at": now if is_same and is_over else None,
        "error_code": "",
        "error": "",
        "tried_at": now,
        "filled": row.filled + filled,
        "left": row.left + left,
        "outcomes": [*row.outcomes, *(_stored(part) for part in parts)][:MOST_PARTS],
    }
    if is_same and not is_over:
        hour = now.replace(minute=0, second=0, microsecond=0)
        values |= {"since": max(hour, replay.since), "due_at": replay.until + AFTER_THE_HOUR}
    await connection.execute(update(_wish).where(is_it).values(values))
    await audit.record(
        connection,
        action=FILLED,
        visit=Visit("", "", now),
        actor=None,
        subject=None,
        meter=replay.serial,
        since=replay.since.isoformat(),
        until=replay.until.isoformat(),
        filled=filled,
        left=left,
        disagreed=sum(part.slots for part in parts if part.fate is Fate.DISAGREES),
    )


def _stored(part: Part) -> dict[str, int | str]:
    return {
        "quantity": int(part.quantity),
        "start": to_milliseconds(part.start),
        "end": to_milliseconds(part.end),
        "fate": part.fate.value,
        "slots": part.slots,
        "archive_wh": part.archive_wh,
        "register_wh": part.register_wh,
    }


async def line_of(
    database: Database, serial: str, now: datetime, default_interval_s: int
) -> GatewayTarget | None:
    """The line of a meter that is polled, with that meter alone."""
    if not is_storable(serial):
        raise NotFoundError
    lines = await due_gateways(database, now=now, default_interval_s=default_interval_s, serials=[serial])
    return lines[0] if lines else None


def profile_on(line: GatewayTarget) -> LoadProfile | None:
    """What the one meter of `line` keeps; None: nothing that this process could read."""
    try:
        return profile_of(line, line.meters[0])
    except ConfigurationError:  # a protocol that only the worker knows
        return None


NAMED = select(_meter.c.id, _link.c.interval_s).join(_link, _link.c.meter_id == _meter.c.id)
