"""Which points have news, on both databases: the broadcaster must miss none and repeat little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.freshness import changed_since
from lk_portal.services.intervals import IntervalRow, import_intervals
from tests import factories

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def store(database: Database, point_id: int, *, hour: int, value_wh: int, at: datetime) -> None:
    start = to_milliseconds(NOW.replace(microsecond=0) - hour * HOUR)
    await import_intervals(
        database, [IntervalRow(point_id, 1, start, 3600, value_wh, 3600, 1, 0)], clock=lambda: at
    )


async def test_a_point_has_news_since_it_changed_and_no_longer(database: Database) -> None:
    one, other = await factories.a_metered_point(database), await factories.a_metered_point(database)
    assert await changed_since(database, factories.LONG_AGO) == {}

    await store(database, one.point_id, hour=3, value_wh=1, at=NOW)
    await store(database, other.point_id, hour=3, value_wh=1, at=NOW + timedelta(seconds=2))

    assert await changed_since(database, NOW - HOUR) == {
        one.point_id: NOW,
        other.point_id: NOW + timedelta(seconds=2),
    }
    assert set(await changed_since(database, NOW)) == {one.point_id, other.point_id}
    assert set(await changed_since(database, NOW + timedelta(milliseconds=1))) == {other.point_id}
    assert await changed_since(database, NOW + timedelta(seconds=3)) == {}


async def test_a_later_value_is_news_again(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(database, placed.point_id, hour=3, value_wh=1, at=NOW)
    later = NOW + timedelta(minutes=5)

    await store(database, placed.point_id, hour=2, value_wh=1, at=later)

    assert await changed_since(database, NOW) == {placed.point_id: later}
