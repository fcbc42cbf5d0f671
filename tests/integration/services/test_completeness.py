"""The map of holes against days that are known, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert

from lk_portal.metering.types import Quantity
from lk_portal.models import DayRollup
from lk_portal.services.completeness import DAYS, GatewayDays, completeness
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests import factories

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
"""One in the morning of the 25th in Omsk, where the utility counts 24 November to the end."""
DAY_S = 86_400


async def days_of(database: Database, point_id: int, covered: dict[int, int]) -> None:
    """What a point has of so many days ago."""
    rows = [
        {
            "point_id": point_id,
            "quantity": Quantity.A_PLUS,
            "day": TODAY - timedelta(days=back),
            "covered_s": covered_s,
            **dict.fromkeys(("total_wh", "t1_wh", "t2_wh", "t3_wh", "t4_wh", "estimated_s"), 0),
        }
        for back, covered_s in covered.items()
    ]
    async with database.writing() as connection:
        await connection.execute(insert(table_of(DayRollup)), rows)


async def a_line(database: Database, *points: factories.MeteredPoint) -> int:
    line = await factories.gateway(database)
    for point in points:
        await factories.connection(database, meter_id=point.meter_id, gateway_id=line)
    return line


async def rows_of(database: Database, *, most: int = 10, gateway_id: int | None = None) -> list[GatewayDays]:
    found = await completeness(database, now=NOW, today=TODAY, most=most, gateway_id=gateway_id)
    assert found.days[-1] == TODAY
    assert len(found.days) == DAYS
    return list(found.rows)


async def test_nothing_is_expected_of_no_meters(database: Database) -> None:
    [whole] = await rows_of(database)

    assert whole.share is None
    assert set(whole.shares) == {None}


async def test_holes_are_shares_of_what_should_be_there(database: Database) -> None:
    full, half = [await factories.a_metered_point(database) for _ in range(2)]
    good, bad = await a_line(database, full), await a_line(database, half)
    await days_of(database, full.point_id, dict.fromkeys(range(DAYS), DAY_S))
    await days_of(database, half.point_id, {1: DAY_S // 2, 2: DAY_S})

    whole, worst, best = await rows_of(database)

    assert (worst.gateway_id, best.gateway_id) == (bad, good)
    assert worst.shares[-4:] == (0.0, 1.0, 0.5, 0.0)
    assert set(best.shares) == {1.0}
    assert whole.shares[-3:] == (1.0, 0.75, pytest.approx(0.5))
    assert [row.gateway_id for row in await rows_of(database, most=1)] == [0, bad]
    assert (await rows_of(database, gateway_id=good))[0].share == 1.0


async def test_before_a_meter_came_nothing_is_missed(database: Database) -> None:
    new = await factories.a_metered_point(database, installed_at=NOW - timedelta(days=3))
    await a_line(database, new)
    await days_of(database, new.point_id, {2: DAY_S, 1: DAY_S, 0: DAY_S})

    _whole, row = await rows_of(database)

    assert row.shares[0] is None
    assert row.shares[-3:] == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(("hours", "share"), [(25, 1.0), (24, 0.96)])
async def test_a_day_of_25_hours_is_full_with_25(database: Database, hours: int, share: float) -> None:
    berlin = await factories.a_metered_point(database, timezone="Europe/Berlin")
    await a_line(database, berlin)
    long_day, today = date(2026, 10, 25), date(2026, 10, 26)
    await days_of(database, berlin.point_id, {(TODAY - long_day).days: hours * 3600})

    now = datetime(2026, 10, 26, 12, tzinfo=UTC)
    found = await completeness(database, now=now, today=today, most=1)

    assert found.days[-2] == long_day
    assert found.rows[1].shares[-2] == pytest.approx(share)


async def test_what_somebody_elses_meter_gave_before_hides_no_hole(database: Database) -> None:
    """A replaced meter: the point has data of the old one, which are not the new gateway's."""
    point = await factories.a_metered_point(database, installed_at=NOW - timedelta(days=2))
    await a_line(database, point)
    await days_of(database, point.point_id, dict.fromkeys(range(3, DAYS), DAY_S))

    _whole, row = await rows_of(database)

    assert row.share == 0.0
