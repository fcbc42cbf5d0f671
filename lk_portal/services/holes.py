"""Which intervals of a meter's time at a point are not measured. For the services that fill and show holes.

An interval here is a slot of the point's clock: a local hour, or less where a tariff zone changes in it. Not
only what is missing is a hole. After a silence the poller spreads what the register grew by over the hours of
it; that is estimated, and the meter's archive knows better.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import IntervalFlag, Quality, Quantity
from lk_portal.models import Interval
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.clocks import Slot
from lk_portal.services.read_context import Placement
from lk_portal.services.tables import table_of

_interval = table_of(Interval).c


class Backing(StrEnum):
    """What stands behind a slot's energy."""

    MEASURED = "measured"
    """All of it is measured."""
    SETTLED = "settled"
    """A person edited it, or the meter's own archive could say no better."""
    ESTIMATED = "estimated"
    """Some of it is estimated."""
    MISSING = "missing"
    """For some of it there is nothing."""


@dataclass(frozen=True, slots=True)
class Slotted:
    """A slot and what is stored of it.

    Attributes:
        slot: When.
        backing: What stands behind the energy.
        value_wh: What is stored, Wh after ratios.
        covered_s: How much of the slot is backed by any data.
        is_archived: Something of it came from the meter's archive.
        is_on_grid: It is stored as one interval, or not at all.
    """

    slot: Slot
    backing: Backing = Backing.MISSING
    value_wh: int = 0
    covered_s: int = 0
    is_archived: bool = False
    is_on_grid: bool = True

    @property
    def is_hole(self) -> bool:
        """Whether the archive may know better."""
        return self.backing in (Backing.ESTIMATED, Backing.MISSING)


@dataclass(frozen=True, slots=True)
class Hole:
    """Neighbouring slots in which some quantity is not measured.

    Attributes:
        start: Aware UTC.
        end: Aware UTC, excluded.
        missing: Slots for part of which there is nothing.
        estimated: Slots that are estimated.
    """

    start: datetime
    end: datetime
    missing: int
    estimated: int


def slots_of(place: Placement, since_ms: int, until_ms: int) -> Iterator[Slot]:
    """The slots that lie in [since, until) while the meter stood there, in order."""
    since_ms = max(since_ms, place.since_ms)
    until_ms = until_ms if place.until_ms is None else min(until_ms, place.until_ms)
    if since_ms >= until_ms:
        return
    clock = place.clock
    for ordinal in range(clock.day_of[since_ms], clock.day_of[until_ms] + 1):
        for slot in clock.day(ordinal).slots:
            if since_ms <= slot.start_ms and slot.end_ms <= until_ms:
                yield slot


async def slotted(
    connection: AsyncConnection, place: Placement, quantity: Quantity, since_ms: int, until_ms: int
) -> list[Slotted]:
    """What is stored of each slot of [since, until), ms since 1970."""
    slots = list(slots_of(place, since_ms, until_ms))
    if not slots:
        return []
    wanted = _STORED.where(
        _interval.point_id == place.point_id,
        _interval.quantity == quantity,
        _interval.start >= from_milliseconds(slots[0].start_ms),
        _interval.start < from_milliseconds(slots[-1].end_ms),
    )
    rows = (await connection.execute(wanted)).all()
    starts = [to_milliseconds(row.start) for row in rows]
    found, number = [], 0
    for slot in slots:
        own = []
        while number < len(rows) and starts[number] < slot.end_ms:
            if starts[number] >= slot.start_ms:
                own.append(rows[number])
            number += 1
        found.append(_slotted(slot, own))
    return found


def _slotted(slot: Slot, rows: Sequence[Any]) -> Slotted:
    return Slotted(
        slot,
        _backing(slot, rows),
        sum(row.value_wh for row in rows),
        sum(row.covered_s for row in rows),
        any(row.flags & IntervalFlag.ARCHIVE for row in rows),
        all(to_milliseconds(row.start) == slot.start_ms for row in rows),
    )


def _backing(slot: Slot, rows: Sequence[Any]) -> Backing:
    if any(row.quality is Quality.EDITED for row in rows):
        return Backing.SETTLED
    if sum(row.covered_s for row in rows) < slot.duration_s:
        return Backing.MISSING
    guessed = [row for row in rows if row.quality is not Quality.MEASURED]
    if not guessed:
        return Backing.MEASURED
    is_archived = all(row.flags & IntervalFlag.ARCHIVE for row in guessed)
    return Backing.SETTLED if is_archived else Backing.ESTIMATED


async def holes_of(
    connection: AsyncConnection,
    places: Iterable[Placement],
    quantities: Collection[Quantity],
    *,
    since: datetime,
    until: datetime,
) -> tuple[Hole, ...]:
    """The holes of a meter where it stood in [since, until), aware UTC, oldest first."""
    found: list[Hole] = []
    for place in sorted(places, key=lambda one: one.since_ms):
        worst: dict[Slot, Backing] = {}
        for quantity in sorted(quantities):
            for one in await slotted(
                connection, place, quantity, to_milliseconds(since), to_milliseconds(until)
            ):
                if one.is_hole and worst.get(one.slot) is not Backing.MISSING:
                    worst[one.slot] = one.backing
        found += _holes(worst)
    return tuple(found)


def _holes(backings: dict[Slot, Backing]) -> Iterator[Hole]:
    for run in runs_of(backings):
        missing = sum(backings[one] is Backing.MISSING for one in run)
        start, end = from_milliseconds(run[0].start_ms), from_milliseconds(run[-1].end_ms)
        yield Hole(start, end, missing, len(run) - missing)


def runs_of(slots: Collection[Slot]) -> Iterator[list[Slot]]:
    """Neighbouring slots together, in order."""
    run: list[Slot] = []
    for slot in sorted(slots, key=lambda one: one.start_ms):
        if run and slot.start_ms != run[-1].end_ms:
            yield run
            run = []
        run.append(slot)
    if run:
        yield run


_STORED = select(
    _interval.start,
    _interval.value_wh,
    _interval.covered_s,
    _interval.quality,
    _interval.flags,
).order_by(_interval.start)
