"""What may be asked of consumption: odd serials, zones of an hour, odd clocks, freshness, other energies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.consumption import Consumption, Grain, Period, consumption, points_of
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from tests import factories

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOVEMBER = Period(Grain.MONTH, date(2026, 11, 1))
YEAR = Period(Grain.YEAR, date(2026, 1, 1))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # 18:00 in Omsk
TODAY = datetime(2026, 11, 23, 18, tzinfo=UTC)  # where the 24th begins there


def hours(
    placed: factories.MeteredPoint,
    start: datetime,
    values: Iterable[int],
    *,
    quantity: Quantity = Quantity.A_PLUS,
    quality: Quality = Quality.MEASURED,
) -> list[IntervalRow]:
    """One interval an hour from `start` on."""
    return [
        IntervalRow(
            placed.point_id, quantity, to_milliseconds(start + number * HOUR), 3600, value, 3600, quality, 0
        )
        for number, value in enumerate(values)
    ]


async def store(database: Database, rows: list[IntervalRow]) -> None:
    await import_intervals(database, rows, clock=lambda: NOW)


async def ask(
    database: Database,
    placed: factories.MeteredPoint,
    period: Period,
    *,
    serial: str | None = None,
    quantity: Quantity = Quantity.A_PLUS,
    now: datetime = NOW,
) -> Consumption:
    return await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial if serial is None else serial,
        quantity=quantity,
        period=period,
        now=now,
    )


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The SQL that readers send while the block runs, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        seen.append((statement, parameters))

    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def rows_of(database: Database, statement: str, parameters: Any) -> int:
    """How many rows a statement gives."""
    async with database.reading() as connection:
        return len((await connection.exec_driver_sql(statement, parameters)).all())


async def test_two_statements_and_few_rows_whatever_the_table_holds(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    months = [datetime(2025 + number // 12, number % 12 + 1, 10, tzinfo=UTC) for number in range(23)]
    october = datetime(2026, 9, 30, 18, tzinfo=UTC)
    rows = [row for month in months for row in hours(placed, month, [1])]
    await store(database, rows + hours(placed, october, [2] * 24 * 54))
    expected = {
        Period(Grain.YEAR, date(2026, 1, 1)): ("month_rollup", 11),
        Period(Grain.YEAR, date(2025, 1, 1)): ("month_rollup", 12),
        Period(Grain.MONTH, date(2026, 10, 1)): ("day_rollup", 31),
        Period(Grain.DAY, date(2026, 10, 5)): ("interval", 24),
    }

    for period, (table, count) in expected.items():
        with statements(database) as sent:
            found = await ask(database, placed, period)
        assert found.total_wh > 0
        assert len(sent) == 2
        assert table in sent[1][0]
        assert await rows_of(database, *sent[1]) == count
    with statements(database) as sent:
        await points_of(database, subscriber_id=placed.subscriber_id)
    assert len(sent) == 1


async def test_a_serial_no_database_can_hold_is_not_found(database: Database) -> None:
    placed = await factories.a_metered_point(database)

    assert (await ask(database, placed, NOVEMBER)).point.serial == placed.serial
    for serial in ("a\0b", "\ud800", "x" * 5000, placed.serial.lower(), placed.serial + " ", "%"):
        with pytest.raises(NotFoundError):
            await ask(database, placed, NOVEMBER, serial=serial)


async def test_an_hour_is_split_where_the_tariff_changes_in_it(database: Database) -> None:
    """Day 7:30-23 and night: the hour from 7 has both, and what has no tariff has no zone."""
    tariff = await factories.tariff(database, zones=((1, 450, 1380), (2, 1380, 450)))
    placed = await factories.a_metered_point(database, tariff_id=tariff)
    plain = await factories.a_metered_point(database)
    half = to_milliseconds(TODAY + 7 * HOUR)
    split = [
        IntervalRow(placed.point_id, 1, half + part * 1_800_000, 1800, value, 1800, Quality.MEASURED, 0)
        for part, value in enumerate((30, 70))
    ]
    await store(database, [*hours(placed, TODAY, [10] * 7), *split, *hours(placed, TODAY + 8 * HOUR, [10])])
    await store(database, hours(plain, TODAY, [10]))

    found = await ask(database, placed, Period(Grain.DAY, date(2026, 11, 24)))
    month = await ask(database, placed, NOVEMBER)

    assert [bar.zones_wh[:2] for bar in found.bars[6:9]] == [(0, 10), (70, 30), (10, 0)]
    assert (found.bars[7].total_wh, found.bars[7].covered_s) == (100, 3600)
    assert month.bars[23].zones_wh == (80, 100, 0, 0)
    assert month.total_wh == found.total_wh == 180
    assert (await ask(database, plain, NOVEMBER)).bars[23].zones_wh == (0, 0, 0, 0)


async def test_hours_of_a_half_hour_zone_begin_at_its_own(database: Database) -> None:
    placed = await factories.a_metered_point(database, timezone="Asia/Kolkata")
    midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    await store(database, hours(placed, midnight, range(1, 25)))

    day = await ask(database, placed, Period(Grain.DAY, date(2026, 11, 23)))
    month = await ask(database, placed, NOVEMBER)

    assert [bar.start for bar in day.bars] == [midnight + number * HOUR for number in range(24)]
    assert [bar.total_wh for bar in day.bars] == list(range(1, 25))
    assert [bar.total_wh for bar in month.bars[21:24]] == [0, 300, 0]


async def test_what_was_not_measured_is_counted_apart(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(database, hours(placed, TODAY, [5, 5]))
    await store(database, hours(placed, TODAY + 2 * HOUR, [5], quality=Quality.ESTIMATED))
    await store(database, hours(placed, TODAY + 3 * HOUR, [5], quality=Quality.EDITED))

    day = await ask(database, placed, Period(Grain.DAY, date(2026, 11, 24)))
    month, year = await ask(database, placed, NOVEMBER), await ask(database, placed, YEAR)

    assert [bar.estimated_s for bar in day.bars[:5]] == [0, 0, 3600, 3600, 0]
    assert month.bars[23].estimated_s == year.bars[10].estimated_s == 7200
    assert month.bars[23].covered_s == year.bars[10].covered_s == 4 * 3600


async def test_each_energy_is_its_own(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    for quantity in Quantity:
        await store(database, hours(placed, TODAY, [10 * quantity], quantity=quantity))

    for quantity in Quantity:
        for period in (Period(Grain.DAY, date(2026, 11, 24)), NOVEMBER, YEAR):
            assert (await ask(database, placed, period, quantity=quantity)).total_wh == 10 * quantity


async def test_what_can_be_expected_ends_with_the_last_reading_if_that_is_fresh(database: Database) -> None:
    """Read at 17:00: at 18:00 all is there, a moment later an hour is missing; at 16:30 nothing is open."""
    placed = await factories.a_metered_point(database)
    await store(database, hours(placed, TODAY, [5] * 17))
    day = Period(Grain.DAY, date(2026, 11, 24))

    fresh = await ask(database, placed, day, now=NOW)
    stale = await ask(database, placed, day, now=NOW + timedelta(seconds=1))
    next_day = await ask(database, placed, day, now=NOW + DAY)

    assert (fresh.covered_s, fresh.expected_s) == (17 * 3600, 17 * 3600)
    assert stale.expected_s == 18 * 3600 + 1
    assert next_day.expected_s == DAY.total_seconds()
    assert [bar.is_open for bar in fresh.bars].index(True) == 18
    assert [bar.is_hole for bar in stale.bars[16:20]] == [False, True, False, False]
    assert [bar.is_hole for bar in next_day.bars] == [False] * 17 + [True] * 7
    assert not any(bar.is_open for bar in next_day.bars)


async def test_before_the_meter_and_after_today_nothing_is_missing(database: Database) -> None:
    placed = await factories.a_metered_point(database, installed_at=TODAY)
    await store(database, hours(placed, TODAY, [5] * 18))
    future = Period(Grain.MONTH, date(2027, 2, 1))

    for period in (future, NOVEMBER.previous(), future.parent(), Period(Grain.DAY, date(2026, 11, 25))):
        found = await ask(database, placed, period)
        assert {(bar.expected_s, bar.is_hole, bar.is_open) for bar in found.bars} == {(0, False, False)}
    assert len((await ask(database, placed, future)).bars) == 28
    shown = await ask(database, placed, NOVEMBER)
    assert [number for number, bar in enumerate(shown.bars, start=1) if bar.expected_s] == [24]
    assert shown.covered_s == shown.expected_s == 18 * 3600
