"""Consumption by billing months, on both databases: the same hours as the days, and few rows read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from lk_portal.metering.types import Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.consumption import Basis, Consumption, Grain, Period, consumption
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.periods import ReadingDays
from tests import factories
from tests.integration.services.test_consumption_questions import rows_of, statements

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


THE_25TH = ReadingDays(25)


def billing(grain: Grain, day: date, days: ReadingDays = THE_25TH) -> Period:
    return Period.containing(grain, day, basis=Basis.BILLING, reading_days=days)


async def a_point_with_hours(database: Database, first: date, last: date) -> factories.MeteredPoint:
    """From local midnight to local midnight in Berlin, 10 to 16 Wh an hour, in two tariff zones."""
    tariff = await factories.tariff(database, zones=((1, 420, 1380), (2, 1380, 420)))
    placed = await factories.a_metered_point(database, timezone=BERLIN, tariff_id=tariff)
    start = Period(Grain.DAY, first).bounds(ZoneInfo(BERLIN))[0]
    end = Period(Grain.DAY, last).bounds(ZoneInfo(BERLIN))[0]
    rows = [
        IntervalRow(
            placed.point_id, 1, to_milliseconds(start + n * HOUR), 3600, 10 + n % 7, 3600, 1 + n % 2, 0
        )
        for n in range((end - start) // HOUR)
    ]
    await import_intervals(database, rows, clock=lambda: NOW)
    return placed


async def ask(database: Database, placed: factories.MeteredPoint, period: Period) -> Consumption:
    return await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial,
        quantity=Quantity.A_PLUS,
        period=period,
        now=NOW,
    )


@pytest.mark.parametrize(
    "days",
    [
        *map(ReadingDays, (1, 15, 25, 28)),
        ReadingDays(25, ((date(2026, 10, 1), 10),)),
        ReadingDays(5, ((date(2026, 11, 1), 20),)),
    ],
    ids=str,
)
async def test_days_sum_to_the_billing_month_and_months_to_the_year(database: Database, days: ReadingDays):
    placed = await a_point_with_hours(database, date(2026, 9, 1), date(2026, 11, 24))
    month = billing(Grain.MONTH, date(2026, 10, 20), days)
    found, year = await ask(database, placed, month), await ask(database, placed, month.parent())
    single = [await ask(database, placed, month.of(Grain.DAY, day)) for day in month.slot_days()]

    assert [bar.total_wh for bar in found.bars] == [day.total_wh for day in single]
    assert [bar.covered_s for bar in found.bars] == [day.covered_s for day in single]
    inside = next(bar for bar in year.bars if bar.start == found.bars[0].start)
    assert inside.end == found.bars[-1].end
    assert (inside.total_wh, inside.covered_s) == (found.total_wh, found.covered_s)
    assert inside.zones_wh == tuple(sum(bar.zones_wh[zone] for bar in found.bars) for zone in range(4))
    assert inside.estimated_s == sum(bar.estimated_s for bar in found.bars) > 0
    assert sum(inside.zones_wh) == inside.total_wh > 0


async def test_a_billing_month_over_a_clock_change_has_an_hour_more(database: Database):
    placed = await a_point_with_hours(database, date(2026, 9, 25), date(2026, 11, 24))
    october = await ask(database, placed, billing(Grain.MONTH, date(2026, 10, 25)))

    assert october.bars[0].covered_s == 25 * 3600
    assert october.bars[1].covered_s == 24 * 3600
    assert all(left.end == right.start for left, right in pairwise(october.bars))
    calendar = await ask(database, placed, Period(Grain.MONTH, date(2026, 10, 1)))
    assert calendar.total_wh != october.total_wh


async def test_a_hole_of_a_billing_month_is_a_hole(database: Database):
    placed = await a_point_with_hours(database, date(2026, 8, 25), date(2026, 9, 25))
    year = await ask(database, placed, billing(Grain.YEAR, date(2026, 9, 1)))

    assert [bar.is_hole for bar in year.bars[6:10]] == [True, False, True, False]
    assert year.bars[9].is_open
    assert [bar.expected_s for bar in year.bars[10:]] == [0, 0]


async def test_a_billing_year_reads_its_days_and_nothing_else(database: Database):
    placed = await a_point_with_hours(database, date(2026, 5, 1), date(2026, 11, 24))

    for period, count in (
        (billing(Grain.YEAR, date(2026, 6, 1)), 207),
        (billing(Grain.MONTH, date(2026, 10, 25)), 30),
    ):
        with statements(database) as sent:
            await ask(database, placed, period)
        assert len(sent) == 2
        assert "day_rollup" in sent[1][0]
        assert await rows_of(database, *sent[1]) == count
