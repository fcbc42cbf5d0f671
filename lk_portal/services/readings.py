"""Keeps what the poller read: readings, marks, consumption and the state of each connection, all at once.

`ReadingStore` is the poller's sink (metering.base.ReadingSink). A batch is one transaction with a fixed
number of statements: a batch of 250 meters costs hardly more than one meter.
"""

from __future__ import annotations

import random as random_module
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import IntervalFlag, PollOutcome, Quantity, RegisterValue, Snapshot
from lk_portal.models.types import to_milliseconds
from lk_portal.services.connection_status import Random, StatusBook
from lk_portal.services.database import Database
from lk_portal.services.intervals import accumulate_intervals
from lk_portal.services.load_state import keep_relays
from lk_portal.services.read_context import MeterContext, RegisterKey, load_context
from lk_portal.services.readings_rejected import (
    MarkKey,
    RejectionLog,
    rejections_of,
    show_rejections,
    storable,
)
from lk_portal.services.register_steps import Limits, Mark, Step, advance, limits_of
from lk_portal.services.reviews import Doubt, keep_doubts
from lk_portal.services.span_intervals import PlacedSpan, interval_rows
from lk_portal.services.staging import Row, StageTable, fetch, run, stage

Clock = Callable[[], datetime]
SUM_ZONE = 0


class ReadingStore:
    """The sink of the poller over the database."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        default_interval_s: int,
        random: Random = random_module.random,
    ) -> None:
        """Make a store.

        Args:
            database: Where to.
            clock: Gives the time, aware UTC.
            default_interval_s: Seconds between polls of a meter that has no interval of its own.
            random: Gives numbers from 0 to 1, to scatter retries.
        """
        self._database = database
        self._clock = clock
        self._default_interval_s = default_interval_s
        self._random = random
        self._rejected = RejectionLog()

    async def store(self, outcomes: tuple[PollOutcome, ...]) -> None:
        """Keep all of `outcomes` in one transaction; storing the same outcomes again changes nothing.

        Outcomes of meters that do not exist are left out. Every reading is kept as it was read; only
        one taken while the meter stood at a point, newer than the last and possible, becomes consumption.
        One that was refused is told as the connection's last error and, once, in the log.

        Raises:
            StorageError: Nothing was kept; the caller may try again with the same outcomes.
        """
        given = sorted(outcomes, key=lambda outcome: (outcome.finished_at, outcome.meter_id))
        ordered = [storable(outcome) for outcome in given]
        async with self._database.writing() as connection:
            batch = await self._store(connection, ordered)
        # Only now: a batch that was undone comes again.
        self._rejected.note(batch.doubts, batch.marks)
        self._rejected.note_unstorable(given, ordered)

    async def _store(self, connection: AsyncConnection, ordered: list[PollOutcome]) -> ReadingBatch:
        contexts = await load_context(connection, [outcome.meter_id for outcome in ordered])
        book = StatusBook(default_interval_s=self._default_interval_s, random=self._random)
        for outcome in ordered:
            if outcome.meter_id in contexts:
                book.note(outcome, contexts[outcome.meter_id])
        snapshots = _snapshots(ordered, contexts)
        batch = await store_snapshots(connection, snapshots, contexts, now=self._clock())
        await keep_relays(connection, snapshots)
        await book.write(connection)
        await show_rejections(connection, rejections_of(batch.doubts, ordered))
        return batch


def _snapshots(
    outcomes: Iterable[PollOutcome], contexts: Mapping[int, MeterContext]
) -> list[tuple[int, Snapshot]]:
    read = [(o.meter_id, o.snapshot) for o in outcomes if o.snapshot and o.meter_id in contexts]
    return sorted(read, key=lambda item: (item[1].taken_at, item[0]))


@dataclass(slots=True)
class ReadingBatch:
    """What a batch's new readings came to.

    Attributes:
        marks: The registers whose mark or candidate moved, and where to.
        spans: Energy to count.
        doubts: What was refused.
        inserted: How many readings were not known yet.
    """

    marks: dict[MarkKey, Mark] = field(default_factory=dict)
    spans: list[PlacedSpan] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    inserted: int = 0
    _limits: dict[tuple[str, int, int], Limits] = field(default_factory=dict)

    def limits(self, map_name: str, register: RegisterValue) -> Limits:
        """A register's limits, looked up once for all meters of a model."""
        key = (map_name, register.quantity, register.zone)
        found = self._limits.get(key)
        if found is None:
            found = self._limits[key] = limits_of(map_name, register.quantity, register.zone)
        return found


async def store_snapshots(
    connection: AsyncConnection,
    snapshots: list[tuple[int, Snapshot]],
    contexts: Mapping[int, MeterContext],
    *,
    now: datetime,
) -> ReadingBatch:
    """Keep snapshots (meter, what was read), oldest first, and what follows from those not known yet."""
    batch = ReadingBatch()
    if not snapshots:
        return batch
    new = await _insert_readings(connection, snapshots)
    batch.inserted = len(new)
    for meter_id, snapshot in snapshots:
        _advance_meter(batch, contexts[meter_id], snapshot, new)
    await _move_marks(connection, batch.marks)
    await keep_doubts(connection, batch.doubts)
    rows, until_ms = await interval_rows(connection, batch.spans)
    await accumulate_intervals(connection, rows, until_ms=until_ms, now=now)
    return batch


async def _insert_readings(
    connection: AsyncConnection, snapshots: list[tuple[int, Snapshot]]
) -> set[tuple[int, int, int, int]]:
    """Keep the raw values; gives the keys (meter, quantity, zone, ms) of those that were new."""
    rows: list[Row] = []
    for meter_id, snapshot in snapshots:
        at_ms = to_milliseconds(snapshot.taken_at)
        rows += [(meter_id, int(r.quantity), r.zone, at_ms, r.value_wh) for r in snapshot.registers]
    await stage(connection, _STAGE_READING, rows)
    inserted = await fetch(connection, _INSERT_READINGS)
    return {(row[0], row[1], row[2], _ms(row[3])) for row in inserted}


def _ms(stored: int | datetime) -> int:
    """A time as the driver gives it: milliseconds from SQLite, a datetime from PostgreSQL."""
    return stored if isinstance(stored, int) else to_milliseconds(stored)


def _advance_meter(
    batch: ReadingBatch, meter: MeterContext, snapshot: Snapshot, new: set[tuple[int, int, int, int]]
) -> None:
    at_ms = to_milliseconds(snapshot.taken_at)
    place = meter.placement_at(at_ms)
    fresh = [r for r in snapshot.registers if (meter.meter_id, int(r.quantity), r.zone, at_ms) in new]
    if place is None or not fresh:
        return
    limits: dict[RegisterKey, Limits] = {(r.quantity, r.zone): batch.limits(meter.map_name, r) for r in fresh}
    wrapped_wh: dict[Quantity, int] = defaultdict(int)
    for register in [*fresh, *_missing_sums(fresh)]:
        quantity, key = register.quantity, (register.quantity, register.zone)
        limit = limits.get(key) or _sum_limits(limits, quantity, wrapped_wh[quantity])
        step = advance(meter.mark_for(place, key), at_ms, register.value_wh, limit)
        if step is None:
            continue
        meter.marks[key] = batch.marks[meter.meter_id, *key] = step.mark
        batch.doubts += _doubts(meter.meter_id, register, at_ms, step)
        if step.span is not None and step.span.flags & IntervalFlag.ROLLOVER:
            wrapped_wh[quantity] += limit.capacity_wh
        if step.span is not None and register.zone == SUM_ZONE:
            batch.spans.append(PlacedSpan(place, quantity, step.span))


def _doubts(meter_id: int, register: RegisterValue, at_ms: int, step: Step) -> Iterable[Doubt]:
    if step.reason is not None and step.against is not None:
        yield Doubt(
            meter_id,
            register.quantity,
            register.zone,
            step.reason,
            at_ms,
            register.value_wh,
            step.against.at_ms,
            step.against.value_wh,
            step.is_rebased,
        )


def _missing_sums(registers: list[RegisterValue]) -> list[RegisterValue]:
    """For a quantity that has tariff registers but no sum: their sum, which feeds the intervals then."""
    by_tariff: dict[Quantity, int] = defaultdict(int)
    for register in registers:
        by_tariff[register.quantity] += register.value_wh
    with_sum = {register.quantity for register in registers if register.zone == SUM_ZONE}
    return [RegisterValue(q, SUM_ZONE, total) for q, total in by_tariff.items() if q not in with_sum]


def _sum_limits(limits: Mapping[RegisterKey, Limits], quantity: Quantity, wrapped_wh: int) -> Limits:
    """A sum of registers falls by what those of them held that have just wrapped, else it must not fall."""
    powers = (limit.max_power_w for (of, _), limit in limits.items() if of is quantity)
    return Limits(capacity_wh=wrapped_wh, max_power_w=max(powers))


async def _move_marks(connection: AsyncConnection, marks: Mapping[MarkKey, Mark]) -> None:
    rows = [
        (meter_id, int(quantity), zone, mark.at_ms, mark.value_wh,
         mark.candidate_at_ms, mark.candidate_wh, mark.candidate_count)
        for (meter_id, quantity, zone), mark in marks.items()
    ]  # fmt: skip
    if rows:
        await stage(connection, _STAGE_MARK, rows)
        await run(connection, _UPSERT_MARKS)


_STAGE_READING = StageTable(
    "stage_reading",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("zone", "SMALLINT NOT NULL"),
        ("at_ms", "BIGINT NOT NULL"),
        ("value_wh", "BIGINT NOT NULL"),
    ),
)
_STAGE_MARK = StageTable(
    "stage_mark",
    (
        *_STAGE_READING.columns,
        ("candidate_ms", "BIGINT"),
        ("candidate_wh", "BIGINT"),
        ("candidate_count", "INTEGER NOT NULL"),
    ),
    is_plain=False,
)
_INSERT_READINGS = """
INSERT INTO register_reading (meter_id, quantity, zone, taken_at, value_wh)
SELECT meter_id, quantity, zone, MS(at_ms), value_wh FROM stage_reading WHERE true
ON CONFLICT (meter_id, quantity, zone, taken_at) DO NOTHING
RETURNING meter_id, quantity, zone, taken_at
"""
_UPSERT_MARKS = """
INSERT INTO register_mark (meter_id, quantity, zone, taken_at, value_wh,
  candidate_at, candidate_wh, candidate_count)
SELECT meter_id, quantity, zone, MS(at_ms), value_wh, MS(candidate_ms), candidate_wh, candidate_count
FROM stage_mark WHERE true
ON CONFLICT (meter_id, quantity, zone) DO UPDATE SET taken_at = excluded.taken_at,
  value_wh = excluded.value_wh, candidate_at = excluded.candidate_at, candidate_wh = excluded.candidate_wh,
  candidate_count = excluded.candidate_count
"""
