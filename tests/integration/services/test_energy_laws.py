"""The laws of energy and time, tried with what nobody would think of.

Any zone of the tz database, any tariff, holes, a replaced meter, days of 23 and 25 hours, days that do not
exist, and any order of arrival.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from lk_portal.metering.derive import hour_starts
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import DayRollup, Meter
from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import day_bounds
from lk_portal.services.consumption import Consumption, Grain, Period, consumption
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from tests import factories

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
TROUBLED = [
    ("Asia/Omsk", date(2014, 10, 20)),  # the last change of Russia's clocks
    ("Europe/Berlin", date(2026, 3, 25)),
    ("Europe/Berlin", date(2026, 10, 20)),
    ("Australia/Lord_Howe", date(2026, 4, 1)),  # clocks go by half an hour
    ("America/Sao_Paulo", date(2018, 11, 1)),  # a midnight that does not exist
    ("America/Havana", date(2025, 10, 30)),  # a midnight that comes twice
    ("Asia/Kathmandu", date(2026, 1, 28)),
    ("Asia/Pyongyang", date(2018, 5, 1)),  # an offset changed by half an hour
    ("Pacific/Apia", date(2011, 12, 27)),  # a day that does not exist
]
DAYS = 9


@dataclass(frozen=True)
class Story:
    """What happened at a metering point."""

    timezone: str
    first: date
    tariff: tuple[tuple[int, int, int], ...]
    holes: float
    seed: int


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A few days around a change of clocks, or anywhere; what was used follows from the seed."""
    anywhere = st.tuples(st.sampled_from(ZONES), st.dates(date(2001, 1, 1), date(2028, 12, 31)))
    timezone, first = draw(st.one_of(st.sampled_from(TROUBLED), anywhere))
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=2, max_size=4)))
    spans = tuple(
        (1 + number % 4, start, cuts[(number + 1) % len(cuts)]) for number, start in enumerate(cuts)
    )
    holes = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    return Story(timezone, first, spans, holes, draw(st.integers(0, 2**16)))


def _hours(timezone: str, first: date) -> list[datetime]:
    """Where the local hours of the story's days begin; the last is the end."""
    tz = ZoneInfo(timezone)
    start, end = day_bounds(first, tz)[0], day_bounds(first + timedelta(days=DAYS), tz)[0]
    return list(hour_starts(start, end, tz))


def _rows(point_id: int, story: Story) -> list[IntervalRow]:
    """Nothing may lie in two local hours, so an hour that clocks cut is two shorter intervals."""
    chance = Random(story.seed)
    rows = []
    for start, end in pairwise(_hours(story.timezone, story.first)):
        value = chance.randrange(5000)
        if chance.random() >= story.holes:
            seconds = (end - start) // timedelta(seconds=1)
            rows.append(
                IntervalRow(
                    point_id,
                    Quantity.A_PLUS,
                    to_milliseconds(start),
                    seconds,
                    value,
                    seconds,
                    Quality.MEASURED,
                    0,
                )
            )
    return rows


async def _tell(database: Database, story: Story) -> tuple[factories.MeteredPoint, list[IntervalRow]]:
    """A point whose meter was replaced in the middle of it, and the rows of its hours, not stored yet."""
    tariff_id = await factories.tariff(database, zones=story.tariff)
    moment = Random(story.seed).choice(_hours(story.timezone, story.first)[1:-1])
    owner = await factories.subscriber(database)
    premises_id = await factories.premises(database, timezone=story.timezone)
    account_id = await factories.account(database, premises_id=premises_id, subscriber_id=owner)
    point_id = await factories.point(database, account_id=account_id, tariff_id=tariff_id)
    old, new = await factories.meter(database), await factories.meter(database, serial="")
    first = await factories.installation(
        database,
        meter_id=old,
        point_id=point_id,
        installed_at=datetime(1990, 1, 1, tzinfo=UTC),
        removed_at=moment,
    )
    await factories.installation(database, meter_id=new, point_id=point_id, installed_at=moment)
    serial = await _serial(database, new)
    placed = factories.MeteredPoint(owner, account_id, point_id, new, serial, first)
    return placed, _rows(point_id, story)


async def _serial(database: Database, meter_id: int) -> str:
    meter = table_of(Meter)
    async with database.reading() as connection:
        return str(await connection.scalar(select(meter.c.serial).where(meter.c.id == meter_id)))


async def _ask(database: Database, placed: factories.MeteredPoint, period: Period) -> Consumption:
    return await consumption(
        database,
        subscriber_id=placed.subscriber_id,
        serial=placed.serial,
        quantity=Quantity.A_PLUS,
        period=period,
        now=NOW,
    )


async def _require_laws(database: Database, story: Story) -> None:
    placed, rows = await _tell(database, story)
    await import_intervals(
        database, Random(story.seed).sample(rows, len(rows)), clock=lambda: NOW, chunk_rows=37
    )
    again = await import_intervals(database, rows, clock=lambda: NOW)
    assert (again.inserted, again.replaced, again.contradiction_count) == (0, 0, 0)

    days = [story.first + timedelta(days=number) for number in range(DAYS)]
    by_day = {day: await _ask(database, placed, Period(Grain.DAY, day)) for day in days}
    months = {day.replace(day=1) for day in days}
    by_month = {month: await _ask(database, placed, Period(Grain.MONTH, month)) for month in months}
    years = {month.year for month in months}
    by_year = [await _ask(database, placed, Period(Grain.YEAR, date(year, 1, 1))) for year in years]

    for day, of_hours in by_day.items():
        in_month = by_month[day.replace(day=1)].bars[day.day - 1]
        assert in_month.total_wh == of_hours.total_wh
        assert in_month.covered_s == of_hours.covered_s
        start, end = day_bounds(day, ZoneInfo(story.timezone))
        assert of_hours.expected_s == (end - start) // timedelta(seconds=1)
    given = sum(row.value_wh for row in rows)
    covered = sum(row.covered_s for row in rows)
    for whole in (by_day.values(), by_month.values(), by_year):
        assert sum(one.total_wh for one in whole) == given
        assert sum(one.covered_s for one in whole) == covered
    for one in (*by_day.values(), *by_month.values(), *by_year):
        for bar in one.bars:
            assert sum(bar.zones_wh) == bar.total_wh, "the tariff covers the whole day"
            assert bar.covered_s <= bar.expected_s
            assert bar.is_hole == (bar.covered_s == 0 and bar.expected_s > 0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
def test_hours_make_days_and_days_make_months_and_zones_make_sums(
    database_address: str, story: Story
) -> None:
    async def tell() -> None:
        database = Database(database_address)
        try:
            await _require_laws(database, story)
        finally:
            await database.close()

    asyncio.run(tell())


async def test_a_value_that_was_lost_on_the_way_would_be_seen(database: Database) -> None:
    """The twin: one Wh more in a day's sum than in its hours breaks the law."""
    first = date(2026, 10, 20)
    story = Story("Europe/Berlin", first, ((1, 0, 1439), (2, 1439, 0)), holes=0, seed=1)
    placed, rows = await _tell(database, story)
    await import_intervals(database, rows, clock=lambda: NOW)
    day = table_of(DayRollup)
    async with database.writing() as connection:
        await connection.execute(update(day).where(day.c.day == first).values(total_wh=day.c.total_wh + 1))

    of_hours = await _ask(database, placed, Period(Grain.DAY, first))
    of_days = await _ask(database, placed, Period(Grain.MONTH, first.replace(day=1)))

    assert of_days.bars[first.day - 1].total_wh == of_hours.total_wh + 1
