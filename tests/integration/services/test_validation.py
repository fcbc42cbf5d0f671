"""Hours against registers, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import ReadingReview, RegisterReading, ReviewReason
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from lk_portal.services.validation import disagreements
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 48
HOURLY_WH = 500


async def registers(database: Database, meter_id: int, *values: tuple[int, int]) -> None:
    """What the register showed so many hours ago."""
    rows = [
        {
            "meter_id": meter_id,
            "quantity": Quantity.A_PLUS,
            "zone": 0,
            "taken_at": NOW - hours_ago * HOUR,
            "value_wh": value_wh,
        }
        for hours_ago, value_wh in values
    ]
    async with database.writing() as connection:
        await connection.execute(insert(table_of(RegisterReading)), rows)


async def hours(database: Database, point_id: int, *, value_wh: int, without: range = range(0)) -> None:
    rows = [
        IntervalRow(
            point_id,
            Quantity.A_PLUS,
            to_milliseconds(NOW - ago * HOUR),
            3600,
            value_wh,
            3600,
            Quality.MEASURED,
            0,
        )
        for ago in range(1, HOURS + 1)
        if ago not in without
    ]
    await import_intervals(database, rows, clock=lambda: NOW)


@pytest.mark.parametrize(
    ("value_wh", "is_told"), [(HOURLY_WH, False), (520, False), (HOURLY_WH * 2, True), (200, True)]
)
async def test_hours_are_set_beside_the_register(database: Database, value_wh: int, is_told: bool) -> None:
    placed = await factories.a_metered_point(database)
    await registers(database, placed.meter_id, (HOURS, 100_000), (24, 105_000), (1, 123_500))
    await hours(database, placed.point_id, value_wh=value_wh)

    found = await disagreements(database, now=NOW)

    assert [one.serial for one in found] == ([placed.serial] if is_told else [])
    for one in found:
        assert (one.quantity, one.register_wh) == (Quantity.A_PLUS, 23_500)
        assert one.intervals_wh == 47 * value_wh
        assert (one.start, one.end) == (NOW - HOURS * HOUR, NOW - HOUR)


async def test_a_hole_may_say_less_but_never_more(database: Database) -> None:
    less, more = [await factories.a_metered_point(database) for _ in range(2)]
    for placed in (less, more):
        await registers(database, placed.meter_id, (HOURS, 0), (1, 23_500))
    await hours(database, less.point_id, value_wh=HOURLY_WH, without=range(10, 30))
    await hours(database, more.point_id, value_wh=3 * HOURLY_WH, without=range(10, 30))

    assert [one.serial for one in await disagreements(database, now=NOW)] == [more.serial]


async def test_ratios_belong_to_the_installation(database: Database) -> None:
    placed = await factories.a_metered_point(database, ct_ratio=Decimal(20))
    await registers(database, placed.meter_id, (HOURS, 0), (1, 1_175))
    await hours(database, placed.point_id, value_wh=HOURLY_WH)

    assert await disagreements(database, now=NOW) == ()

    other = await factories.a_metered_point(database, ct_ratio=Decimal(200))
    await registers(database, other.meter_id, (HOURS, 0), (1, 11_750))
    await hours(database, other.point_id, value_wh=HOURLY_WH)
    [found] = await disagreements(database, now=NOW)
    assert (found.serial, found.register_wh) == (other.serial, 2_350_000)


async def test_what_is_told_elsewhere_is_not_told_twice(database: Database) -> None:
    """A register that fell; a value under review; a meter that stood somewhere else."""
    fell, doubted, moved = [await factories.a_metered_point(database) for _ in range(3)]
    await registers(database, fell.meter_id, (HOURS, 900_000), (1, 10))
    await registers(database, doubted.meter_id, (HOURS, 0), (1, 90_000_000))
    review = {
        "meter_id": doubted.meter_id,
        "quantity": Quantity.A_PLUS,
        "zone": 0,
        "taken_at": NOW - HOUR,
        "value_wh": 90_000_000,
        "previous_at": NOW - HOURS * HOUR,
        "previous_wh": 0,
        "reason": ReviewReason.SPIKE,
        "is_open": True,
        "is_rebased": False,
    }
    async with database.writing() as connection:
        await connection.execute(insert(table_of(ReadingReview)).values(**review))
    for placed in (fell, doubted):
        await hours(database, placed.point_id, value_wh=HOURLY_WH)
    elsewhere = await factories.meter(database)
    await registers(database, elsewhere, (HOURS, 0), (1, 90_000_000))

    assert await disagreements(database, now=NOW) == ()

    await registers(database, moved.meter_id, (HOURS, 0), (1, 90_000))
    await hours(database, moved.point_id, value_wh=HOURLY_WH)
    assert [one.serial for one in await disagreements(database, now=NOW)] == [moved.serial]


async def test_only_the_window_is_looked_at(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await registers(database, placed.meter_id, (HOURS, 0), (1, 90_000))
    await hours(database, placed.point_id, value_wh=HOURLY_WH)

    assert len(await disagreements(database, now=NOW)) == 1
    assert await disagreements(database, now=NOW, window=timedelta(minutes=30)) == ()
    assert await disagreements(database, now=NOW + timedelta(days=8)) == ()
