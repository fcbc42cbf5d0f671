"""Interval energies in bulk: imports, backfill and the poller's pieces, with rollups in the same transaction.

For services and commands. Rows are plain integers, for a year of a hundred meters is near a million of
them. Rows that are stored together must be of one grid for a point and quantity; those that lie across
what is stored already are reported and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services import rollups
from lk_portal.services.clocks import PointClock
from lk_portal.services.database import Database
from lk_portal.services.interval_copy import copy_intervals
from lk_portal.services.interval_overlaps import drop_overlapping, is_any_stored
from lk_portal.services.interval_versions import replace_worse
from lk_portal.services.point_clocks import lock_clocks
from lk_portal.services.staging import Row, StageTable, fetch, run, stage

CHUNK_ROWS = 50_000
MAX_CONTRADICTIONS = 1000
MAX_DURATION_S = 3600
MAX_VALUE_WH = 10**12

Clock = Callable[[], datetime]


class IntervalRow(NamedTuple):
    """Energy in [start_ms, start_ms + 1000 duration_s) at a metering point, after ratios.

    Any tuple of this shape will do where rows are taken. `interval_row` makes a checked one.

    Attributes:
        point_id: The metering point.
        quantity: A `Quantity`, or its number.
        start_ms: Milliseconds since 1970, UTC.
        duration_s: At most an hour.
        value_wh: Wh or varh.
        covered_s: How much of it is backed by data; 0 for a missing value.
        quality: A `Quality`, or its number.
        flags: `IntervalFlag`s.
    """

    point_id: int
    quantity: int
    start_ms: int
    duration_s: int
    value_wh: int
    covered_s: int
    quality: int
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A given value that a stored one speaks against: measured, or on another grid. The stored one stays."""

    point_id: int
    quantity: Quantity
    start: datetime
    stored_wh: int
    given_wh: int


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What came of storing rows.

    Attributes:
        rows: How many were given.
        inserted: How many were new.
        replaced: How many took the place of a worse one (estimated, missing, less covered).
        contradictions: The first thousand.
        contradiction_count: All of them.
    """

    rows: int = 0
    inserted: int = 0
    replaced: int = 0
    contradictions: tuple[Contradiction, ...] = field(default=())
    contradiction_count: int = 0

    def __add__(self, other: StoreReport) -> StoreReport:
        """Both together."""
        both = self.contradictions + other.contradictions
        return StoreReport(
            self.rows + other.rows,
            self.inserted + other.inserted,
            self.replaced + other.replaced,
            both[:MAX_CONTRADICTIONS],
            self.contradiction_count + other.contradiction_count,
        )


def interval_row(
    *, point_id: int, quantity: Quantity, start: datetime, end: datetime, value_wh: int, quality: Quality
) -> IntervalRow:
    """A checked row of an import; times are aware, a missing value covers nothing.

    Raises:
        InputError: The times are not whole seconds, more than an hour or less than a second apart;
            the value is negative or absurd.
    """
    duration = end - start
    if not timedelta(seconds=1) <= duration <= timedelta(seconds=MAX_DURATION_S):
        raise InputError(N_("An interval lasts from one second to one hour"), field="end")
    if start.microsecond or end.microsecond:
        raise InputError(N_("Times must be whole seconds"), field="start")
    if not 0 <= value_wh <= MAX_VALUE_WH:
        raise InputError(N_("The value must be from 0 to {most} Wh"), field="value_wh", most=MAX_VALUE_WH)
    seconds = duration // timedelta(seconds=1)
    is_missing = quality is Quality.MISSING
    covered_s, value_wh = (0, 0) if is_missing else (seconds, value_wh)
    return IntervalRow(
        point_id, quantity, to_milliseconds(start), seconds, value_wh, covered_s, quality, flags=0
    )


async def import_intervals(
    database: Database, rows: Iterable[Row], *, clock: Clock, chunk_rows: int = CHUNK_ROWS
) -> StoreReport:
    """Store any number of rows, a transaction for each `chunk_rows`, so that others may write in between.

    The order of rows does not matter and a repetition changes nothing: after an error the same call may
    be made again. A better quality takes the place of a worse one (measured, edited, estimated, missing),
    more coverage that of less; a measured value is never overwritten by another.

    Args:
        database: Where to.
        rows: `IntervalRow`s or tuples of that shape.
        clock: Gives the time, aware UTC.
        chunk_rows: Bounds the memory.

    Raises:
        NotFoundError: There is no such metering point.
        StorageError: The current chunk was not kept, those before it were.
    """
    report = StoreReport()
    for chunk in _chunks(rows, chunk_rows):
        async with database.writing() as connection:
            report += await store_intervals(connection, chunk, now=clock())
    return report


def _chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    source = iter(rows)
    while chunk := list(islice(source, size)):
        yield chunk


async def store_intervals(connection: AsyncConnection, rows: Sequence[Row], *, now: datetime) -> StoreReport:
    """Store `rows` and recompute their days and months, in the caller's transaction. See `import_intervals`.

    Raises:
        NotFoundError: There is no such metering point.
        StorageError: The database could not take them.
    """
    prepared, extent = _prepare_runs(rows, await lock_clocks(connection, {row[0] for row in rows}))
    report = await _insert_or_merge(connection, prepared, extent, now=now)
    if report.inserted or report.replaced:
        await rollups.recompute(connection, prepared.days, prepared.clocks)
        await rollups.set_freshness(connection, extent.until_ms, now=now)
    return report


async def _insert_or_merge(
    connection: AsyncConnection, prepared: _Prepared, extent: _Extent, *, now: datetime
) -> StoreReport:
    count, is_alone = len(prepared.rows), not await is_any_stored(connection, extent.ranges)
    if is_alone and extent.is_unique:
        await copy_intervals(connection, prepared.rows)
        return StoreReport(rows=count, inserted=count)
    await stage(connection, STAGE, prepared.rows)
    crossing = [] if is_alone else await drop_overlapping(connection)
    inserted = await run(connection, _INSERT_NEW)
    report = StoreReport(count, inserted) + _contradicted(crossing, len(crossing))
    return report if inserted == count else report + await _merge(connection, now=now)


async def accumulate_intervals(
    connection: AsyncConnection, rows: Sequence[Row], *, until_ms: Mapping[int, int], now: datetime
) -> None:
    """Add the poller's pieces to their intervals, each (point, quantity, start) at most once in `rows`.

    Values and coverage add up, quality becomes the worse, flags unite. A piece for which the interval has
    no room (its hour came from elsewhere already) is left out rather than counted twice.

    Args:
        connection: In the caller's transaction.
        rows: `IntervalRow`s with the slot's start and duration and the pieces' sums.
        until_ms: For each point, until when it has data now.
        now: Aware UTC, for the freshness.

    Raises:
        NotFoundError: There is no such metering point.
        StorageError: The database could not take them.
    """
    if not rows:
        return
    prepared = _prepare_singly(rows, await lock_clocks(connection, {row[0] for row in rows}))
    await stage(connection, STAGE, prepared.rows)
    await run(connection, _ACCUMULATE)
    await rollups.recompute(connection, prepared.days, prepared.clocks)
    await rollups.set_freshness(connection, until_ms, now=now)


@dataclass(slots=True)
class _Prepared:
    """Rows with their tariff zones, and what they touch.

    Attributes:
        clocks: The clock of each point.
        rows: In the order of the columns of `STAGE`.
        days: (point, quantity, ordinal of the local day).
    """

    clocks: Mapping[int, PointClock]
    rows: list[Row] = field(default_factory=list)
    days: set[tuple[int, int, int]] = field(default_factory=set)


@dataclass(slots=True)
class _Extent:
    """How far rows reach.

    Attributes:
        ranges: The first start and a bound of the last end of each (point, quantity).
        until_ms: The end of each point's last covered interval.
        is_unique: No interval is there twice, as far as is known.
    """

    ranges: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    until_ms: dict[int, int] = field(default_factory=dict)
    is_unique: bool = True

    def add(self, key: tuple[int, int], own: list[Row], starts: set[int]) -> None:
        """Take neighbouring rows of one (point, quantity)."""
        first_ms, end_ms = min(starts), max(starts) + MAX_DURATION_S * 1000
        known = self.ranges.get(key, (first_ms, end_ms))
        # Interleaved rows make many small groups; then it is not worth finding out.
        self.is_unique &= len(starts) == len(own) and key not in self.ranges
        self.ranges[key] = (min(first_ms, known[0]), max(end_ms, known[1]))
        last = max(own, key=_start_of)
        if not last[5]:  # a hole at the end, which is rare
            last = max((row for row in own if row[5]), key=_start_of, default=last)
        if last[5]:
            until_ms = last[2] + last[3] * 1000
            self.until_ms[key[0]] = max(until_ms, self.until_ms.get(key[0], until_ms))


_start_of = itemgetter(2)


def _prepare_runs(rows: Sequence[Row], clocks: Mapping[int, PointClock]) -> tuple[_Prepared, _Extent]:
    """For many rows, which mostly come in runs of one point and quantity."""
    prepared, extent = _Prepared(clocks), _Extent()
    for key, group in groupby(rows, key=itemgetter(0, 1)):
        own, clock = list(group), clocks[key[0]]
        zone_of, day_of = clock.zone_of, clock.day_of
        starts = set(map(_start_of, own))
        zones = map(zone_of.__getitem__, map(_start_of, own))
        prepared.rows += [(*row, zone) for row, zone in zip(own, zones, strict=True)]
        prepared.days.update([(*key, day) for day in set(map(day_of.__getitem__, starts))])
        extent.add(key, own, starts)
    return prepared, extent


def _prepare_singly(rows: Sequence[Row], clocks: Mapping[int, PointClock]) -> _Prepared:
    """For a few rows of many points each."""
    zoned = [(*row, clocks[row[0]].zone_of[row[2]]) for row in rows]
    days = {(row[0], row[1], clocks[row[0]].day_of[row[2]]) for row in rows}
    return _Prepared(clocks, zoned, days)


async def _merge(connection: AsyncConnection, *, now: datetime) -> StoreReport:
    """The rows that were there already: replace the worse ones, name those that contradict."""
    replaced = await replace_worse(connection, now=now)
    found = await fetch(connection, _CONTRADICTIONS)
    return StoreReport(replaced=replaced) + _contradicted(found, found[0][5] if found else 0)


def _contradicted(rows: Sequence[Row], count: int) -> StoreReport:
    """A report of (point, quantity, start in ms, stored Wh, given Wh, ...)."""
    named = (
        Contradiction(row[0], Quantity(row[1]), from_milliseconds(row[2]), row[3], row[4])
        for row in rows[:MAX_CONTRADICTIONS]
    )
    return StoreReport(contradictions=tuple(named), contradiction_count=count)


STAGE = StageTable(
    "stage_interval",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("start_ms", "BIGINT NOT NULL"),
        ("duration_s", "SMALLINT NOT NULL"),
        ("value_wh", "BIGINT NOT NULL"),
        ("covered_s", "SMALLINT NOT NULL"),
        ("quality", "SMALLINT NOT NULL"),
        ("flags", "SMALLINT NOT NULL"),
        ("zone", "SMALLINT NOT NULL"),
    ),
)

# "WHERE true" tells SQLite's parser that the ON after it does not belong to a join.
_INSERT = """
INSERT INTO interval (point_id, quantity, start, duration_s, value_wh, covered_s, quality, flags, zone)
SELECT point_id, quantity, MS(start_ms), duration_s, value_wh, covered_s, quality, flags, zone
FROM stage_interval WHERE true
"""

_INSERT_NEW = _INSERT + "ON CONFLICT (point_id, quantity, start) DO NOTHING"

_ACCUMULATE = (
    _INSERT
    + """
ON CONFLICT (point_id, quantity, start) DO UPDATE SET
  value_wh = interval.value_wh + excluded.value_wh,
  covered_s = interval.covered_s + excluded.covered_s,
  quality = CASE WHEN interval.covered_s > 0 AND interval.quality > excluded.quality
    THEN interval.quality ELSE excluded.quality END,
  flags = interval.flags | excluded.flags
WHERE interval.covered_s + excluded.covered_s <= interval.duration_s
"""
)

_CONTRADICTIONS = f"""
SELECT s.point_id, s.quantity, s.start_ms, i.value_wh, s.value_wh, count(*) OVER () AS found
FROM stage_interval s JOIN interval i
  ON i.point_id = s.point_id AND i.quantity = s.quantity AND i.start = MS(s.start_ms)
WHERE i.quality = 1 AND s.quality <> 4 AND s.value_wh <> i.value_wh AND s.covered_s >= i.covered_s
ORDER BY s.seq LIMIT {MAX_CONTRADICTIONS}
"""  # noqa: S608
