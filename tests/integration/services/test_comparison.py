"""A period beside an earlier one, on both databases: only what both have in full is compared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.comparison import Against, Comparison, comparison
from lk_portal.services.consumption import Basis, Grain, Period, consumption
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.periods import ReadingDays
from tests import factories

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OMSK = ZoneInfo("Asia/Omsk")


async def fill(
    database: Database,
    placed: factories.MeteredPoint,
    first: date,
    last: date,
    value: int,
    *,
    tz: ZoneInfo = OMSK,
) -> None:
    """The same energy in each hour of these local days, both included."""
    start, end = Period(Grain.DAY, first).bounds(tz)[0], Period(Grain.DAY, last).bounds(tz)[1]
    await import_intervals(
        database,
        [
            IntervalRow(placed.point_id, 1, to_milliseconds(start + n * HOUR), 3600, value, 3600, 1, 0)
            for n in range((end - start) // HOUR)
        ],
        clock=lambda: NOW,
    )


async def ask(
    database: Database, placed: factories.MeteredPoint, period: Period, against: Against
) -> Comparison:
    found = await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial,
        quantity=Quantity.A_PLUS,
        period=period,
        now=NOW,
    )
    return await comparison(database, found, subscriber_id=placed.subscriber_id, against=against, now=NOW)


async def test_a_month_so_far_against_the_same_days_of_the_month_before(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await fill(database, placed, date(2026, 10, 1), date(2026, 10, 31), 10)
    await fill(database, placed, date(2026, 11, 1), date(2026, 11, 23), 15)
    found = await ask(database, placed, Period(Grain.MONTH, date(2026, 11, 1)), Against.PREVIOUS)

    assert (found.common, found.elapsed) == (23, 24)
    assert (found.now_wh, found.then_wh) == (23 * 24 * 15, 23 * 24 * 10)
    assert found.difference_wh == 23 * 24 * 5
    assert [bar.total_wh if bar else None for bar in found.matched] == [240] * 30


async def test_holes_of_either_side_are_left_out_of_both(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await fill(database, placed, date(2026, 9, 1), date(2026, 9, 10), 10)
    await fill(database, placed, date(2026, 10, 5), date(2026, 10, 31), 20)
    found = await ask(database, placed, Period(Grain.MONTH, date(2026, 10, 1)), Against.PREVIOUS)

    assert (found.common, found.elapsed) == (6, 31)
    assert (found.now_wh, found.then_wh) == (6 * 480, 6 * 240)
    assert found.matched[30] is None, "September has no 31st"


async def test_a_year_is_compared_by_days_and_not_by_months(database: Database) -> None:
    """Neither March is whole, but twenty of their days are in both."""
    placed = await factories.a_metered_point(database)
    await fill(database, placed, date(2025, 3, 1), date(2025, 3, 25), 10)
    await fill(database, placed, date(2026, 3, 6), date(2026, 3, 31), 11)
    for against in Against:
        found = await ask(database, placed, Period(Grain.YEAR, date(2026, 1, 1)), against)

        assert found.common == 20
        assert (found.now_wh, found.then_wh) == (20 * 24 * 11, 20 * 24 * 10)
        assert found.elapsed == 328
        assert found.matched[2] is not None
        assert found.matched[2].total_wh == 25 * 240


async def test_a_billing_month_has_its_days_beside_those_of_the_same_number(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await fill(database, placed, date(2026, 8, 25), date(2026, 9, 24), 10)
    await fill(database, placed, date(2026, 9, 25), date(2026, 10, 24), 30)
    period = Period.containing(
        Grain.MONTH, date(2026, 10, 1), basis=Basis.BILLING, reading_days=ReadingDays(25)
    )
    found = await ask(database, placed, period, Against.PREVIOUS)

    assert found.common == found.elapsed == 30
    assert found.other.period.start == date(2026, 8, 25)
    assert all(bar is not None for bar in found.matched)


async def test_hours_of_a_day_meet_by_the_clock_on_the_wall(database: Database) -> None:
    """A day of 25 hours has one more than the day before: that one is compared with nothing."""
    berlin = ZoneInfo("Europe/Berlin")
    placed = await factories.a_metered_point(database, timezone="Europe/Berlin")
    await fill(database, placed, date(2026, 10, 24), date(2026, 10, 25), 10, tz=berlin)
    found = await ask(database, placed, Period(Grain.DAY, date(2026, 10, 25)), Against.PREVIOUS)

    assert (len(found.matched), found.common, found.elapsed) == (25, 24, 25)
    assert found.matched.index(None) == 3
    assert found.now_wh == found.then_wh == 240


async def test_before_the_meter_there_is_nothing_to_compare_with(database: Database) -> None:
    placed = await factories.a_metered_point(
        database, installed_at=Period(Grain.DAY, date(2026, 10, 1)).bounds(OMSK)[0]
    )
    await fill(database, placed, date(2026, 10, 1), date(2026, 10, 31), 10)
    found = await ask(database, placed, Period(Grain.MONTH, date(2026, 10, 1)), Against.YEAR)

    assert (found.common, found.now_wh, found.then_wh) == (0, 0, 0)
    assert found.other.expected_s == 0


async def test_somebody_else_s_meter_is_not_compared(database: Database) -> None:
    placed, stranger = [await factories.a_metered_point(database) for _ in range(2)]
    found = await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial,
        quantity=Quantity.A_PLUS,
        period=Period(Grain.MONTH, date(2026, 10, 1)),
        now=NOW,
    )

    with pytest.raises(NotFoundError):
        await comparison(database, found, subscriber_id=stranger.subscriber_id, against=Against.YEAR, now=NOW)
