"""Storing intervals with their rollups, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from lk_portal.errors import InputError, NotFoundError, StorageError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import DayRollup, Interval, MonthRollup, PointFreshness
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.intervals import (
    MAX_CONTRADICTIONS,
    IntervalRow,
    accumulate_intervals,
    import_intervals,
    interval_row,
)
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.faults import break_table, mend_table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
START = datetime(2026, 10, 30, 18, tzinfo=UTC)  # midnight in Omsk


def clock() -> datetime:
    return NOW


def row(point_id: int, hour: int, value_wh: int, **changes: Any) -> IntervalRow:
    start = START + hour * HOUR
    plain = IntervalRow(point_id, 1, to_milliseconds(start), 3600, value_wh, 3600, Quality.MEASURED, 0)
    return plain._replace(**changes)


async def dump(database: Database, *models: Any) -> list[list[tuple[Any, ...]]]:
    found = []
    async with database.reading() as connection:
        for model in models or (Interval, DayRollup, MonthRollup):
            table = table_of(model)
            rows = await connection.execute(select(table).order_by(*table.primary_key))
            found.append([tuple(row) for row in rows])
    return found


async def days_of(database: Database, point_id: int) -> dict[date, tuple[int, ...]]:
    """Total, T1, T2, covered and estimated seconds by day."""
    day = table_of(DayRollup).c
    query = select(day.day, day.total_wh, day.t1_wh, day.t2_wh, day.covered_s, day.estimated_s)
    async with database.reading() as connection:
        rows = await connection.execute(query.where(day.point_id == point_id))
        return {row[0]: tuple(row[1:]) for row in rows}


async def test_rollups_by_local_day_month_and_tariff_zone(database: Database):
    tariff = await factories.tariff(database)
    point = (await factories.a_metered_point(database, tariff_id=tariff)).point_id
    report = await import_intervals(database, [row(point, hour, 100) for hour in range(72)], clock=clock)
    assert (report.rows, report.inserted, report.replaced) == (72, 72, 0)
    full = (2400, 1600, 800, 86_400, 0)
    assert await days_of(database, point) == {
        date(2026, 10, 31): full,
        date(2026, 11, 1): full,
        date(2026, 11, 2): full,
    }
    months = [(r[9], r[0]) for r in (await dump(database, MonthRollup))[0]]
    assert sorted(months) == [(date(2026, 10, 1), 2400), (date(2026, 11, 1), 4800)]


async def test_the_same_rows_again_change_nothing(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    rows = [row(point, hour, hour) for hour in range(50)]
    await import_intervals(database, rows, clock=clock)
    before = await dump(database, Interval, DayRollup, MonthRollup, PointFreshness)
    later = NOW + timedelta(days=1)
    report = await import_intervals(database, [*rows, *rows], clock=lambda: later)
    assert (report.rows, report.inserted, report.replaced, report.contradiction_count) == (100, 0, 0, 0)
    assert await dump(database, Interval, DayRollup, MonthRollup, PointFreshness) == before


async def test_a_contradiction_with_a_measured_value_is_reported_and_changes_nothing(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    await import_intervals(database, [row(point, 0, 100), row(point, 1, 200)], clock=clock)
    before = await dump(database)
    estimated = row(point, 1, 777, quality=Quality.ESTIMATED)
    report = await import_intervals(database, [row(point, 0, 101), estimated], clock=clock)
    found = [(c.point_id, c.quantity, c.start, c.stored_wh, c.given_wh) for c in report.contradictions]
    assert found == [
        (point, Quantity.A_PLUS, START, 100, 101),
        (point, Quantity.A_PLUS, START + HOUR, 200, 777),
    ]
    assert report.contradiction_count == 2
    assert await dump(database) == before


async def test_rows_that_contradict_each_other_are_reported(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    report = await import_intervals(database, [row(point, 0, 100), row(point, 0, 150)], clock=clock)
    assert [(c.stored_wh, c.given_wh) for c in report.contradictions] == [(100, 150)]
    assert (await days_of(database, point))[date(2026, 10, 31)][0] == 100


async def test_contradictions_are_all_counted_and_the_first_are_named(sqlite_database: Database):
    point = (await factories.a_metered_point(sqlite_database)).point_id
    count = MAX_CONTRADICTIONS + 20
    await import_intervals(sqlite_database, [row(point, h, 1) for h in range(count)], clock=clock)
    wrong = [row(point, h, 2) for h in range(count)]
    report = await import_intervals(sqlite_database, wrong, clock=clock, chunk_rows=300)
    assert report.contradiction_count == count
    assert len(report.contradictions) == MAX_CONTRADICTIONS


async def test_half_hours_over_stored_hours_are_not_counted_on_top(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    await import_intervals(database, [row(point, 0, 100), row(point, 1, 100)], clock=clock)
    half = {"duration_s": 1800, "covered_s": 1800}
    start_ms = to_milliseconds(START)
    halves = [row(point, 0, 50, start_ms=start_ms + n * 1_800_000, **half) for n in range(-1, 5)]
    report = await import_intervals(database, halves, clock=clock)
    across = [(c.start - START, c.stored_wh, c.given_wh) for c in report.contradictions]
    assert across == [(HOUR / 2, 100, 50), (HOUR * 3 / 2, 100, 50)]
    assert (report.rows, report.inserted) == (6, 2)
    found = await days_of(database, point)
    assert {day: sums[0] for day, sums in found.items()} == {date(2026, 10, 30): 50, date(2026, 10, 31): 250}


ESTIMATED = {"quality": Quality.ESTIMATED}
EDITED = {"quality": Quality.EDITED}
MISSING = {"quality": Quality.MISSING, "covered_s": 0}
PART = {"covered_s": 1800}


@pytest.mark.parametrize(
    ("stored", "given_changes", "value_wh"),
    [
        (ESTIMATED, {}, 222),
        (MISSING, ESTIMATED, 222),
        (ESTIMATED, EDITED, 222),
        (ESTIMATED, ESTIMATED, 222),
        (EDITED, ESTIMATED, 111),
        (EDITED, {}, 222),
        ({}, EDITED, 111),
        ({}, MISSING, 111),
        (ESTIMATED, MISSING, 111),
        (PART, {}, 222),
        ({}, PART, 111),
    ],
)
async def test_the_better_value_stays(
    database: Database, stored: dict[str, Any], given_changes: dict[str, Any], value_wh: int
):
    point = (await factories.a_metered_point(database)).point_id
    await import_intervals(database, [row(point, 0, 111, **stored)], clock=clock)
    await import_intervals(database, [row(point, 0, 222, **given_changes)], clock=clock)
    assert (await days_of(database, point))[date(2026, 10, 31)][0] == value_wh


async def test_estimated_seconds_and_holes_show_in_the_rollup(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    rows = [row(point, 0, 10), row(point, 1, 20, **ESTIMATED), row(point, 2, 0, **MISSING)]
    await import_intervals(database, rows, clock=clock)
    assert await days_of(database, point) == {date(2026, 10, 31): (30, 0, 0, 7200, 3600)}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [("Europe/Berlin", date(2026, 3, 29), 23), ("Europe/Berlin", date(2026, 10, 25), 25)],
)
async def test_days_of_23_and_25_hours(database: Database, zone: str, day: date, hours: int):
    point = (await factories.a_metered_point(database, timezone=zone)).point_id
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = [midnight + number * HOUR for number in range(-24, hours + 24)]
    rows = [IntervalRow(point, 1, to_milliseconds(at), 3600, 100, 3600, 1, 0) for at in times]
    await import_intervals(database, rows, clock=clock)
    found = await days_of(database, point)
    assert found[day] == (hours * 100, 0, 0, hours * 3600, 0)
    assert found[day + timedelta(days=1)][0] == 2400
    assert found[day - timedelta(days=1)][0] == 2400


async def test_half_hour_offsets_put_the_day_where_it_belongs(database: Database):
    point = (await factories.a_metered_point(database, timezone="Asia/Kolkata")).point_id
    midnight = datetime(2026, 11, 9, 18, 30, tzinfo=UTC)
    edges = [midnight - HOUR, midnight, midnight + 23 * HOUR, midnight + 24 * HOUR]
    rows = [IntervalRow(point, 1, to_milliseconds(at), 3600, 1, 3600, 1, 0) for at in edges]
    await import_intervals(database, rows, clock=clock)
    totals = {day: sums[0] for day, sums in (await days_of(database, point)).items()}
    assert totals == {date(2026, 11, 9): 1, date(2026, 11, 10): 2, date(2026, 11, 11): 1}


async def test_freshness_is_the_end_of_what_is_covered(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    rows = [row(point, 5, 1), row(point, 2, 1), row(point, 9, 0, **MISSING)]
    await import_intervals(database, rows, clock=clock)
    assert (await dump(database, PointFreshness))[0] == [(point, START + 6 * HOUR, NOW)]
    await import_intervals(database, [row(point, 0, 1)], clock=clock)
    assert (await dump(database, PointFreshness))[0] == [(point, START + 6 * HOUR, NOW)]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_repetition_and_chunks_make_no_difference(database_address: str, data: st.DataObject):
    """Qualities differ by hour, so that rows compete only with worse or better ones."""
    hours = data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=25))
    rows = [(hour, quality) for hour in hours for quality in (Quality.MEASURED, Quality.ESTIMATED)]
    rows = data.draw(st.permutations(rows + rows[: len(rows) // 2]))
    chunk = data.draw(st.integers(1, 40))

    async def both() -> None:
        database = Database(database_address)
        try:
            await _compare(database, rows, chunk)
        finally:
            await database.close()

    asyncio.run(both())


async def _compare(database: Database, rows: Sequence[tuple[int, Quality]], chunk: int) -> None:
    """One point gets the rows sorted and at once, another one shuffled and in chunks."""
    tidy = (await factories.a_metered_point(database)).point_id
    messy = (await factories.a_metered_point(database)).point_id

    def of(point: int, pairs: Sequence[tuple[int, Quality]]) -> list[IntervalRow]:
        return [row(point, hour, 100 * hour + quality, quality=quality) for hour, quality in pairs]

    await import_intervals(database, of(tidy, sorted(set(rows))), clock=clock)
    await import_intervals(database, of(messy, rows), clock=clock, chunk_rows=chunk)
    expected = await days_of(database, tidy)
    assert await days_of(database, messy) == expected
    measured = {hour for hour, _ in rows}
    assert sum(sums[0] for sums in expected.values()) == sum(100 * hour + 1 for hour in measured)


async def test_year_is_months_is_days_is_intervals(database: Database):
    tariff = await factories.tariff(database)
    point = (await factories.a_metered_point(database, tariff_id=tariff)).point_id
    rows = [row(point, hour, hour % 17, quality=1 + (hour % 5 == 0)) for hour in range(0, 24 * 100, 3)]
    await import_intervals(database, rows, clock=clock, chunk_rows=97)
    names = ("total_wh", "t1_wh", "t2_wh", "covered_s", "estimated_s")
    sums = ", ".join(f"sum({name})" for name in names)
    async with database.reading() as connection:
        days = (await connection.execute(text(f"SELECT {sums} FROM day_rollup"))).one()
        months = (await connection.execute(text(f"SELECT {sums} FROM month_rollup"))).one()
    assert tuple(map(int, days)) == tuple(map(int, months))
    assert days[0] == sum(r.value_wh for r in rows) == days[1] + days[2]
    assert days[3] == 3600 * len(rows)


async def test_pieces_of_one_hour_add_up(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    parts = [
        row(point, 0, 30, covered_s=1200, flags=1),
        row(point, 0, 40, covered_s=1800, flags=8, quality=Quality.ESTIMATED),
        row(point, 0, 5, covered_s=600),
    ]
    for part in parts:
        async with database.writing() as connection:
            await accumulate_intervals(connection, [part], until_ms={point: part.start_ms}, now=NOW)
    stored = [tuple(r) for r in (await dump(database, Interval))[0]]
    assert stored == [(point, Quantity.A_PLUS, START, 3600, 75, 3600, 0, Quality.ESTIMATED, 9)]
    assert await days_of(database, point) == {date(2026, 10, 31): (75, 0, 0, 3600, 3600)}


async def test_a_piece_for_a_full_hour_is_not_counted_twice(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    await import_intervals(database, [row(point, 0, 100)], clock=clock)
    piece = row(point, 0, 30, covered_s=1200)
    async with database.writing() as connection:
        await accumulate_intervals(connection, [piece], until_ms={point: piece.start_ms}, now=NOW)
    assert (await days_of(database, point))[date(2026, 10, 31)][0] == 100


async def test_an_unknown_point_is_refused_and_nothing_is_kept(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    with pytest.raises(NotFoundError):
        await import_intervals(database, [row(point, 0, 1), row(point + 999, 0, 1)], clock=clock)
    assert await dump(database) == [[], [], []]


async def test_a_failing_database_leaves_nothing_of_the_chunk(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    await break_table(database, "month_rollup")
    with pytest.raises(StorageError):
        await import_intervals(database, [row(point, 0, 1)], clock=clock)
    assert await dump(database, Interval, DayRollup) == [[], []]
    await mend_table(database, "month_rollup")
    await import_intervals(database, [row(point, 0, 1)], clock=clock)
    assert (await days_of(database, point))[date(2026, 10, 31)][0] == 1


async def test_imports_of_one_point_at_once_lose_nothing(database: Database):
    point = (await factories.a_metered_point(database)).point_id
    batches = [[row(point, hour, 1) for hour in range(n, 24, 4)] for n in range(4)]
    await asyncio.gather(*(import_intervals(database, batch, clock=clock) for batch in batches))
    assert (await days_of(database, point))[date(2026, 10, 31)][0] == 24


def test_a_checked_row():
    at = datetime(2026, 11, 24, 10, tzinfo=UTC)
    made = interval_row(
        point_id=3, quantity=Quantity.R_PLUS, start=at, end=at + HOUR, value_wh=5, quality=Quality.MISSING
    )
    assert made == IntervalRow(3, 3, to_milliseconds(at), 3600, 0, 0, Quality.MISSING, 0)


@pytest.mark.parametrize(
    ("shift", "value_wh", "field"),
    [
        (timedelta(0), 1, "end"),
        (timedelta(hours=-1), 1, "end"),
        (timedelta(hours=1, seconds=1), 1, "end"),
        (timedelta(minutes=1, microseconds=1), 1, "start"),
        (HOUR, -1, "value_wh"),
        (HOUR, 10**13, "value_wh"),
    ],
)
def test_impossible_rows_are_refused_with_the_field(shift: timedelta, value_wh: int, field: str):
    with pytest.raises(InputError) as caught:
        interval_row(
            point_id=1,
            quantity=Quantity.A_PLUS,
            start=NOW,
            end=NOW + shift,
            value_wh=value_wh,
            quality=Quality.MEASURED,
        )
    assert caught.value.field == field
