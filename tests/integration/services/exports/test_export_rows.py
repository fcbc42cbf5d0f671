"""The rows of an export, as CSV has them, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lk_portal.errors import InputError, NotFoundError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.database import Database
from lk_portal.services.exports import source
from lk_portal.services.exports.files import FileFormat
from lk_portal.services.exports.rows import Step, Wish
from lk_portal.services.exports.source import find_point
from lk_portal.services.periods import Basis
from tests import factories
from tests.integration.services.exports.exported import HOUR, NOW, Asked, hours, store, sums

MIDNIGHT = datetime(2026, 10, 30, 18, tzinfo=UTC)  # in Omsk, where it is the 31st then
DAY = date(2026, 10, 31)


async def test_the_columns_are_those_of_the_contract(database: Database) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, MIDNIGHT, [1234, 0]))

    text = (await Asked(database, point.serial, DAY, DAY).file(FileFormat.CSV)).decode()

    assert text.splitlines()[:4] == [
        "start,end,quantity,zone,value_kwh,expected_intervals,actual_intervals,quality",
        "2026-10-31T00:00:00+06:00,2026-10-31T01:00:00+06:00,A_PLUS,0,1.234,1,1,measured",
        "2026-10-31T01:00:00+06:00,2026-10-31T02:00:00+06:00,A_PLUS,0,0.000,1,1,measured",
        "2026-10-31T02:00:00+06:00,2026-10-31T03:00:00+06:00,A_PLUS,0,,1,0,missing",
    ]
    assert text.endswith("\n")
    assert len(text.splitlines()) == 25


async def test_a_hole_has_no_value(database: Database) -> None:
    point = await factories.a_metered_point(database)
    marked = hours(point.point_id, MIDNIGHT + 2 * HOUR, [0], quality=Quality.MISSING, covered_s=0)
    await store(database, [*hours(point.point_id, MIDNIGHT, [100, None, None, 400]), *marked])

    by_hour = await Asked(database, point.serial, DAY, DAY).csv()
    (day,) = await Asked(database, point.serial, DAY, DAY, Step.DAY).csv()

    assert sums(by_hour)[:5] == [100, None, None, 400, None]
    assert [row["quality"] for row in by_hour[:4]] == ["measured", "missing", "missing", "measured"]
    assert (day["value_kwh"], day["expected_intervals"], day["actual_intervals"]) == ("0.500", "24", "2")


async def test_the_zones_of_a_tariff_follow_the_sum(database: Database) -> None:
    tariff = await factories.tariff(database)
    point = await factories.a_metered_point(database, tariff_id=tariff)
    await store(database, hours(point.point_id, MIDNIGHT, [100] * 24))

    (total, day, night) = await Asked(database, point.serial, DAY, DAY, Step.DAY).csv()
    by_hour = await Asked(database, point.serial, DAY, DAY).csv()

    assert [(row["zone"], row["value_kwh"]) for row in (total, day, night)] == [
        ("0", "2.400"),
        ("1", "1.600"),
        ("2", "0.800"),
    ]
    assert [row["actual_intervals"] for row in (total, day, night)] == ["24", "16", "8"]
    assert [row["zone"] for row in by_hour] == ["0", "2"] * 7 + ["0", "1"] * 16 + ["0", "2"]


async def test_the_worst_quality_is_told(database: Database) -> None:
    point = await factories.a_metered_point(database)
    rows = hours(point.point_id, MIDNIGHT, [100] * 72)
    rows[30] = rows[30]._replace(quality=Quality.EDITED)
    rows[50] = rows[50]._replace(quality=Quality.ESTIMATED)
    rows[51] = rows[51]._replace(quality=Quality.EDITED)
    await store(database, rows)

    days = await Asked(database, point.serial, DAY, DAY + timedelta(days=2), Step.DAY).csv()

    assert [row["quality"] for row in days] == ["measured", "edited", "estimated"]


@pytest.mark.parametrize(
    ("day", "count", "offsets"),
    [(date(2026, 10, 25), 25, ["+02:00"] * 3 + ["+01:00"] * 22), (date(2026, 3, 29), 23, None)],
)
async def test_a_day_on_which_clocks_change(
    database: Database, day: date, count: int, offsets: list[str] | None
) -> None:
    point = await factories.a_metered_point(database, timezone="Europe/Berlin")
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - (2 if offsets else 1) * HOUR
    await store(database, hours(point.point_id, start, range(1, count + 1)))

    by_hour = await Asked(database, point.serial, day, day).csv()
    (whole,) = await Asked(database, point.serial, day, day, Step.DAY).csv()

    assert sums(by_hour) == list(range(1, count + 1))
    assert sums([whole]) == [sum(range(1, count + 1))]
    assert (whole["expected_intervals"], whole["actual_intervals"]) == (str(count), str(count))
    if offsets:
        assert [row["start"][-6:] for row in by_hour] == offsets


async def test_billing_months(database: Database) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, datetime(2026, 1, 31, 18, tzinfo=UTC), [1] * 24 * 59))
    asked = Asked(database, point.serial, date(2026, 2, 1), date(2026, 3, 31), Step.MONTH)

    calendar = await asked.csv()
    billing = await Asked(
        database, point.serial, asked.first, asked.last, Step.MONTH, basis=Basis.BILLING
    ).csv()

    assert sums(calendar) == [28 * 24, 31 * 24]
    # The 25th is the reading day; what is asked for cuts the first and the last.
    assert [row["start"][:10] for row in billing] == ["2026-02-01", "2026-02-25", "2026-03-25"]
    assert sums(billing) == [24 * 24, 28 * 24, 7 * 24]


async def test_months_are_cut_by_what_is_asked_for(database: Database) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, MIDNIGHT, [1] * 24 * 4))

    rows = await Asked(database, point.serial, DAY, date(2026, 11, 2), Step.MONTH).csv()
    years = await Asked(database, point.serial, date(2025, 1, 1), date(2026, 11, 2), Step.YEAR).csv()

    assert [(row["start"][:10], row["end"][:10]) for row in rows] == [
        ("2026-10-31", "2026-11-01"),
        ("2026-11-01", "2026-11-03"),
    ]
    assert sums(rows) == [24, 48]
    assert [(row["start"][:10], row["value_kwh"]) for row in years] == [
        ("2025-01-01", ""),
        ("2026-01-01", "0.072"),
    ]


async def test_a_hundred_years_have_rows_only_while_a_meter_stood_there(database: Database) -> None:
    installed = datetime(2026, 11, 22, 18, tzinfo=UTC)
    point = await factories.a_metered_point(database, installed_at=installed)
    await store(database, hours(point.point_id, installed, [5] * 3))

    for step, count in ((Step.HOUR, 48), (Step.DAY, 2), (Step.MONTH, 1), (Step.YEAR, 1)):
        rows = await Asked(database, point.serial, date(1990, 1, 1), date(2089, 12, 31), step).csv()
        assert sum(value or 0 for value in sums(rows)) == 15
        assert abs(len(rows) - count) <= 6, step


@pytest.mark.parametrize(("first", "last"), [(date(2019, 1, 1), date(2019, 12, 31)), (date(2027, 1, 1),) * 2])
async def test_before_the_meter_and_in_the_future_there_is_nothing(
    database: Database, first: date, last: date
) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, MIDNIGHT, [100]))

    assert await Asked(database, point.serial, first, last).csv() == []


async def test_a_meter_without_data_has_holes(database: Database) -> None:
    point = await factories.a_metered_point(database)

    rows = await Asked(database, point.serial, DAY, DAY, Step.DAY).csv()

    assert [(row["value_kwh"], row["quality"]) for row in rows] == [("", "missing")]


async def test_a_replacement_is_one_point(database: Database) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, MIDNIGHT, [100] * 48))
    new = await factories.meter(database, serial="NEW-1")
    async with database.writing() as connection:
        await connection.exec_driver_sql(
            "UPDATE installation SET removed_at = "
            + ("1793440800000" if database.is_sqlite else "'2026-10-31T10:00:00Z'")
        )
    await factories.installation(
        database, meter_id=new, point_id=point.point_id, installed_at=datetime(2026, 10, 31, 10, tzinfo=UTC)
    )

    two_days = (DAY, DAY + timedelta(days=1), Step.DAY)
    assert sums(await Asked(database, "NEW-1", *two_days).csv()) == [2400, 2400]
    assert sums(await Asked(database, point.serial, *two_days).csv()) == [2400, 2400]


async def test_another_energy_is_another_export(database: Database) -> None:
    point = await factories.a_metered_point(database)
    await store(database, hours(point.point_id, MIDNIGHT, [100]))
    await store(database, hours(point.point_id, MIDNIGHT, [7], quantity=Quantity.R_MINUS))

    rows = await Asked(database, point.serial, DAY, DAY, quantity=Quantity.R_MINUS).csv()

    assert (rows[0]["quantity"], rows[0]["value_kwh"]) == ("R_MINUS", "0.007")


async def test_rows_are_read_a_few_at_a_time(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, range(100)))
    asked = Asked(sqlite_database, point.serial, DAY, DAY + timedelta(days=5))
    whole = await asked.csv()

    monkeypatch.setitem(source.SLOTS_AT_ONCE, Step.HOUR, 7)

    assert await asked.csv() == whole
    assert sums(whole)[:100] == list(range(100))


async def test_a_foreign_meter_is_found_no_more_than_none(database: Database) -> None:
    own, foreign = await factories.a_metered_point(database), await factories.a_metered_point(database)

    found = await find_point(database, serial=own.serial, subscriber_id=own.subscriber_id)
    assert found.point_id == own.point_id
    for serial in (foreign.serial, "nothing", "", "\0", "\ud800", "' OR 1=1 --"):
        with pytest.raises(NotFoundError):
            await find_point(database, serial=serial, subscriber_id=own.subscriber_id)


@pytest.mark.parametrize(
    ("first", "after"),
    [
        (date(2026, 1, 2), date(2026, 1, 2)),
        (date(2026, 1, 2), date(2025, 1, 2)),
        (date(1989, 12, 31), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2102, 1, 1)),
    ],
)
def test_days_that_make_no_sense_are_refused(first: date, after: date) -> None:
    with pytest.raises(InputError):
        Wish("SN", Quantity.A_PLUS, first, after, Step.DAY)
    assert Wish("SN", Quantity.A_PLUS, date(2026, 1, 1), date(2026, 1, 2), Step.DAY).last.day == 1


async def test_an_hour_that_is_not_over_expects_no_more_than_has_passed(database: Database) -> None:
    point = await factories.a_metered_point(database)
    last = hours(point.point_id, NOW - HOUR / 2, [50], covered_s=900, start_ms=1795521600000 - 3_600_000)
    await store(database, last)

    rows = await Asked(database, point.serial, date(2026, 11, 24), date(2026, 11, 24)).csv()

    assert rows[-1]["start"] == "2026-11-24T17:00:00+06:00"
