"""What the chart shows, and to whom, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import Installation
from lk_portal.models.types import to_milliseconds
from lk_portal.services.consumption import Consumption, consumption, points_of
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.periods import Grain, Period
from lk_portal.services.tables import table_of
from tests import factories

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
START = datetime(2026, 9, 30, 18, tzinfo=UTC)  # October begins in Omsk


async def fill(database: Database, point_id: int, hours: range, *, start: datetime = START) -> None:
    rows = [
        IntervalRow(point_id, 1, to_milliseconds(start + hour * HOUR), 3600, 10 + hour % 7, 3600, 1, 0)
        for hour in hours
    ]
    await import_intervals(database, rows, clock=lambda: NOW)


async def ask(database: Database, placed: factories.MeteredPoint, grain: Grain, day: date) -> Consumption:
    return await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial,
        quantity=Quantity.A_PLUS,
        period=Period.containing(grain, day),
        now=NOW,
    )


async def test_year_month_and_days_agree(database: Database):
    tariff = await factories.tariff(database)
    placed = await factories.a_metered_point(database, tariff_id=tariff)
    await fill(database, placed.point_id, range(24 * 31 + 100))
    october = date(2026, 10, 1)
    year = await ask(database, placed, Grain.YEAR, october)
    month = await ask(database, placed, Grain.MONTH, october)
    days = [await ask(database, placed, Grain.DAY, october + timedelta(days=n)) for n in range(31)]
    expected = sum(10 + hour % 7 for hour in range(24 * 31))
    assert year.bars[9].total_wh == month.total_wh == sum(day.total_wh for day in days) == expected
    assert [bar.total_wh for bar in month.bars] == [day.total_wh for day in days]
    assert [bar.zones_wh for bar in month.bars] == [
        tuple(sum(hour.zones_wh[zone] for hour in day.bars) for zone in range(4)) for day in days
    ]
    assert month.covered_s == month.expected_s == 31 * 86_400
    assert sum(month.bars[0].zones_wh) == month.bars[0].total_wh


async def test_holes_estimates_and_the_future(database: Database):
    placed = await factories.a_metered_point(database, installed_at=START + 2 * HOUR)
    day = datetime(2026, 11, 23, 18, tzinfo=UTC)  # the 24th in Omsk; 18 hours of it are over
    rows = [
        IntervalRow(placed.point_id, 1, to_milliseconds(day + hour * HOUR), 3600, 7, 3600, quality, 0)
        for hour, quality in ((0, Quality.MEASURED), (2, Quality.ESTIMATED))
    ]
    await import_intervals(database, rows, clock=lambda: NOW)
    found = await ask(database, placed, Grain.DAY, date(2026, 11, 24))
    assert len(found.bars) == 24
    assert [bar.total_wh for bar in found.bars[:4]] == [7, 0, 7, 0]
    assert [bar.is_hole for bar in found.bars[:4]] == [False, True, False, True]
    assert [bar.estimated_s for bar in found.bars[:4]] == [0, 0, 3600, 0]
    assert {bar.expected_s for bar in found.bars[18:]} == {0}
    assert not any(bar.is_hole for bar in found.bars[18:])
    assert (found.covered_s, found.expected_s) == (7200, 18 * 3600)
    assert found.data_until == day + 3 * HOUR


async def test_before_the_installation_nothing_is_expected(database: Database):
    placed = await factories.a_metered_point(database, installed_at=START + 36 * HOUR)
    found = await ask(database, placed, Grain.MONTH, date(2026, 10, 1))
    assert [bar.expected_s for bar in found.bars[:3]] == [0, 43_200, 86_400]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
async def test_days_of_23_and_25_hours(database: Database, day: date, hours: int):
    placed = await factories.a_metered_point(database, timezone="Europe/Berlin")
    start = Period(Grain.DAY, day).bounds(ZoneInfo("Europe/Berlin"))[0]
    await fill(database, placed.point_id, range(hours), start=start)
    found = await ask(database, placed, Grain.DAY, day)
    assert [bar.total_wh for bar in found.bars] == [10 + hour % 7 for hour in range(hours)]
    month = await ask(database, placed, Grain.MONTH, day)
    assert month.bars[day.day - 1].total_wh == found.total_wh
    assert month.bars[day.day - 1].expected_s == hours * 3600


async def test_a_foreign_meter_and_an_unknown_one_are_equally_not_found(database: Database):
    mine, theirs = await factories.a_metered_point(database), await factories.a_metered_point(database)
    await fill(database, theirs.point_id, range(24))
    shown = await ask(database, theirs, Grain.MONTH, date(2026, 10, 1))
    assert shown.total_wh > 0
    for serial in (theirs.serial, "unknown", "", "' OR 1=1 --"):
        with pytest.raises(NotFoundError) as caught:
            await consumption(
                database,
                subscriber_id=mine.subscriber_id,
                serial=serial,
                quantity=Quantity.A_PLUS,
                period=Period(Grain.MONTH, date(2026, 10, 1)),
                now=NOW,
            )
        assert (str(caught.value), caught.value.data) == ("Not found", {})


async def test_a_meter_that_moved_away_shows_each_owner_his_own_point(database: Database):
    """The meter stood at one subscriber's and stands at another's now."""
    before = await factories.a_metered_point(database)
    after = await factories.a_metered_point(database)
    place = table_of(Installation)
    swap = START + 48 * HOUR
    async with database.writing() as connection:
        for placed in (before, after):
            ended = place.update().where(place.c.id == placed.installation_id).values(removed_at=swap)
            await connection.execute(ended)
    await factories.installation(
        database, meter_id=before.meter_id, point_id=after.point_id, installed_at=swap
    )
    await fill(database, before.point_id, range(10))
    for owner, point_id, total in ((before, before.point_id, 124), (after, after.point_id, 0)):
        found = await consumption(
            database,
            subscriber_id=owner.subscriber_id,
            serial=before.serial,
            quantity=Quantity.A_PLUS,
            period=Period(Grain.MONTH, date(2026, 10, 1)),
            now=NOW,
        )
        assert (found.point.point_id, found.total_wh) == (point_id, total)


async def test_an_old_meters_serial_leads_to_its_point(database: Database):
    placed = await factories.a_metered_point(database)
    place, swap = table_of(Installation), START + 48 * HOUR
    async with database.writing() as connection:
        await connection.execute(
            update(place).where(place.c.id == placed.installation_id).values(removed_at=swap)
        )
    new = await factories.meter(database, serial="NEW-1")
    await factories.installation(database, meter_id=new, point_id=placed.point_id, installed_at=swap)
    await fill(database, placed.point_id, range(72))
    found = await ask(database, placed, Grain.MONTH, date(2026, 10, 1))
    assert found.point.serial == "NEW-1"
    assert found.total_wh == sum(10 + hour % 7 for hour in range(72))
    (view,) = await points_of(database, subscriber_id=placed.subscriber_id)
    assert (view.point_id, view.serial, view.since) == (placed.point_id, "NEW-1", factories.LONG_AGO)


async def test_points_of_one_subscriber_only(database: Database):
    mine = await factories.a_metered_point(database)
    second = await factories.a_metered_point(database, subscriber_id=mine.subscriber_id)
    await factories.a_metered_point(database)
    found = await points_of(database, subscriber_id=mine.subscriber_id)
    assert [view.point_id for view in found] == [mine.point_id, second.point_id]
    assert found[0].address.startswith("г. Омск, ул. Ленина")
    assert await points_of(database, subscriber_id=999_999) == ()


@pytest.mark.parametrize("grain", list(Grain))
async def test_two_statements_at_most(sqlite_database: Database, grain: Grain):
    placed = await factories.a_metered_point(sqlite_database)
    await fill(sqlite_database, placed.point_id, range(48))
    asked: list[str] = []
    engine = sqlite_database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    found = await ask(sqlite_database, placed, grain, date(2026, 10, 1))
    assert found.total_wh > 0
    assert 1 <= len(asked) <= 2
