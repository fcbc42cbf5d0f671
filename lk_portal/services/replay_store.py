"""Fills holes of a meter's data from its archive: which spans to ask for, and what to keep of the answer.

For `jobs.replaying`. All that a replay changes is one transaction: intervals through the way of imports, with
the rollups; the estimates beside them, so that all together stay what the register says; the outcome; the
audit. A measured value is never replaced by another, so a repetition changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import IntervalFlag, LoadProfile, ProfileRecord, Quality, Quantity
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.archive_fill import (
    Comparison,
    Fate,
    Fill,
    compare,
    fill_of,
    settled,
)
from lk_portal.services.clocks import Slot
from lk_portal.services.database import Database
from lk_portal.services.holes import Slotted, holes_of, runs_of, slotted
from lk_portal.services.intervals import IntervalRow, store_intervals
from lk_portal.services.read_context import MeterContext, Placement, load_context, placements_of
from lk_portal.services.register_growth import Growth, Registers
from lk_portal.services.replays import Part, Replay, finish

MARGIN = timedelta(hours=1)
"""An interval of the archive may begin before the hole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask a meter's archive for.

    Attributes:
        spans: Holes as (start, end), aware UTC, in order; what is older than the archive goes is left out.
        timezone: IANA zone of the premises, for meters whose clock shows local time.
    """

    spans: tuple[tuple[datetime, datetime], ...]
    timezone: str


async def plan_of(database: Database, replay: Replay, profile: LoadProfile, *, now: datetime) -> Plan:
    """What a replay needs of the archive at `now` (aware UTC)."""
    since, until = max(replay.since, now - profile.depth), min(replay.until, now)
    async with database.reading() as connection:
        places = [place for _, place in await placements_of(connection, [replay.meter_id])]
        holes = await holes_of(connection, places, profile.quantities, since=since, until=until)
    current = max(places, key=lambda place: place.since_ms, default=None)
    spans = tuple((hole.start - MARGIN, hole.end + MARGIN) for hole in holes)
    return Plan(tuple(_merged(spans)), current.clock.tz.key if current else "UTC")


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    current: tuple[datetime, datetime] | None = None
    for start, end in spans:
        if current is not None and start <= current[1]:
            current = (current[0], max(end, current[1]))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current


async def keep(
    database: Database,
    replay: Replay,
    profile: LoadProfile,
    records: Sequence[ProfileRecord],
    *,
    now: datetime,
) -> tuple[Part, ...]:
    """Fill what `records` of the archive can fill of the holes, and say what became of each.

    Args:
        database: Where to.
        replay: Which holes.
        profile: Of the meter.
        records: What the archive has of them.
        now: Aware UTC; what is not over yet is not looked at.

    Raises:
        StorageError: Nothing was kept; the same call may be made again.
    """
    parts: list[Part] = []
    async with database.writing() as connection:
        meter = (await load_context(connection, [replay.meter_id]))[replay.meter_id]
        for place in sorted(meter.placements, key=lambda one: one.since_ms):
            for quantity in sorted(profile.quantities):
                own = [one for one in records if one.quantity is quantity]
                filling = _Filling(connection, meter, place, quantity, profile, own, now)
                parts += await filling.fill(replay.since, min(replay.until, now))
        await finish(connection, replay, parts, now=now)
    return tuple(parts)


class _Filling:
    """The holes of one quantity at one place."""

    def __init__(  # noqa: PLR0917 - private, and called once
        self,
        connection: AsyncConnection,
        meter: MeterContext,
        place: Placement,
        quantity: Quantity,
        profile: LoadProfile,
        records: Sequence[ProfileRecord],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._place = place
        self._quantity = quantity
        self._profile = profile
        self._records = records
        self._now = now
        self._registers = Registers(connection, meter, place, quantity)
        self._fates: dict[Slot, tuple[Fate, Comparison | None]] = {}

    async def fill(self, since: datetime, until: datetime) -> list[Part]:
        """Fill the holes of [since, until); gives what became of each, in order."""
        stored = await slotted(
            self._connection, self._place, self._quantity, to_milliseconds(since), to_milliseconds(until)
        )
        holes = {one.slot: one for one in stored if one.is_hole}
        for _, growth, slots in await self._regions(holes):
            await self._fill_region(growth, [holes[slot] for slot in slots])
        return list(self._parts())

    async def _regions(
        self, holes: Iterable[Slot]
    ) -> list[tuple[tuple[int, int], Growth | None, list[Slot]]]:
        """The holes by the readings around them: those between the same two are one matter."""
        found: dict[tuple[int, int], tuple[Growth | None, list[Slot]]] = {}
        for run in runs_of(list(holes)):
            growth = await self._registers.growth_around(run[0].start_ms, run[-1].end_ms)
            key = (growth.start_ms, growth.end_ms) if growth else (run[0].start_ms, run[-1].end_ms)
            found.setdefault(key, (growth, []))[1].extend(run)
        return [(key, growth, slots) for key, (growth, slots) in found.items()]

    async def _fill_region(self, growth: Growth | None, holes: Sequence[Slotted]) -> None:
        fills = {}
        for one in holes:
            fill = fill_of(one.slot, self._records) if one.is_on_grid else Fate.SPLIT
            if isinstance(fill, Fill):
                fills[one.slot] = fill
            else:
                self._fates[one.slot] = (self._why(one.slot, fill), None)
        values = {slot.start_ms: self._registers.scaled(fill.value_wh) for slot, fill in fills.items()}
        region = await self._region(growth)
        comparison = self._compare(growth, region, values)
        if comparison is not None and not comparison.is_agreed:
            self._fates.update(dict.fromkeys(fills, (Fate.DISAGREES, comparison)))
            return
        fate = Fate.UNCHECKED if comparison is None else Fate.FILLED
        self._fates.update(dict.fromkeys(fills, (fate, None)))
        rows = [self._row(slot, values[slot.start_ms], fill.quality) for slot, fill in fills.items()]
        if growth is not None:
            rows += self._estimates(region, values, growth)
        if rows:
            await store_intervals(self._connection, rows, now=self._now)

    def _why(self, slot: Slot, fate: Fate) -> Fate:
        is_old = from_milliseconds(slot.start_ms) < self._now - self._profile.depth
        return Fate.OLD if fate is Fate.ABSENT and is_old else fate

    async def _region(self, growth: Growth | None) -> list[Slotted]:
        if growth is None:
            return []
        return await slotted(self._connection, self._place, self._quantity, growth.start_ms, growth.end_ms)

    def _compare(
        self, growth: Growth | None, region: Sequence[Slotted], values: dict[int, int]
    ) -> Comparison | None:
        if growth is None or not region:
            return None
        # Each record and each register value is rounded, and so is each slot after ratios.
        intervals = (growth.end_ms - growth.start_ms) // (1000 * self._profile.interval.seconds)
        rounding_wh = self._registers.scaled(self._profile.resolution_wh * intervals)
        register_wh = 2 * self._registers.resolution_wh(growth.grown_wh)
        return compare(region, values, growth, resolution_wh=rounding_wh + register_wh + len(region))

    def _estimates(
        self, region: Sequence[Slotted], values: dict[int, int], growth: Growth
    ) -> list[IntervalRow]:
        slots = {one.slot.start_ms: one.slot for one in region}
        return [
            self._row(slots[start_ms], value_wh, Quality.ESTIMATED, IntervalFlag.SPREAD)
            for start_ms, value_wh in settled(region, values, growth).items()
        ]

    def _row(
        self, slot: Slot, value_wh: int, quality: Quality, flag: IntervalFlag = IntervalFlag.ARCHIVE
    ) -> IntervalRow:
        return IntervalRow(
            self._place.point_id,
            int(self._quantity),
            slot.start_ms,
            slot.duration_s,
            value_wh,
            slot.duration_s,
            int(quality),
            int(flag),
        )

    def _parts(self) -> Iterator[Part]:
        """Neighbours with the same fate together."""
        for run in runs_of(list(self._fates)):
            for (fate, comparison), group in groupby(run, key=self._fates.__getitem__):
                slots = list(group)
                yield Part(
                    quantity=self._quantity,
                    start=from_milliseconds(slots[0].start_ms),
                    end=from_milliseconds(slots[-1].end_ms),
                    fate=fate,
                    slots=len(slots),
                    archive_wh=comparison.archive_wh if comparison else 0,
                    register_wh=comparison.register_wh if comparison else 0,
                )
