"""What an interval was before a better value came is kept, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lk_portal.errors import StorageError
from lk_portal.metering.types import IntervalFlag, Quality
from lk_portal.models import Interval, IntervalVersion
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.faults import break_table, mend_table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
START = datetime(2026, 10, 30, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
ESTIMATED = {"quality": Quality.ESTIMATED, "flags": IntervalFlag.SPREAD}


def row(point_id: int, hour: int, value_wh: int, **changes: Any) -> IntervalRow:
    start_ms = to_milliseconds(START + hour * HOUR)
    plain = IntervalRow(point_id, 1, start_ms, 3600, value_wh, 3600, Quality.MEASURED, 0)
    return plain._replace(**changes)


async def store(database: Database, *rows: IntervalRow, now: datetime = NOW) -> int:
    return (await import_intervals(database, rows, clock=lambda: now)).replaced


async def versions(database: Database) -> list[tuple[Any, ...]]:
    """Point, start, value, covered seconds, quality, flags and when it was replaced."""
    one = table_of(IntervalVersion).c
    query = select(
        one.point_id, one.start, one.value_wh, one.covered_s, one.quality, one.flags, one.replaced_at
    )
    async with database.reading() as connection:
        return [tuple(found) for found in await connection.execute(query.order_by(one.id))]


async def stored(database: Database) -> list[tuple[Any, ...]]:
    one = table_of(Interval).c
    async with database.reading() as connection:
        rows = await connection.execute(select(one.start, one.value_wh, one.quality).order_by(one.start))
        return [tuple(found) for found in rows]


async def test_what_was_replaced_is_kept(database: Database) -> None:
    point = (await factories.a_metered_point(database)).point_id
    await store(database, row(point, 0, 50, **ESTIMATED), row(point, 1, 60, **ESTIMATED), row(point, 2, 70))

    assert await store(database, row(point, 1, 65), row(point, 2, 70), row(point, 3, 80), now=LATER) == 1

    assert await versions(database) == [
        (point, START + HOUR, 60, 3600, Quality.ESTIMATED, IntervalFlag.SPREAD, LATER)
    ]
    assert [found[1] for found in await stored(database)] == [50, 65, 70, 80]


async def test_every_step_is_kept(database: Database) -> None:
    point = (await factories.a_metered_point(database)).point_id
    await store(database, row(point, 0, 0, quality=Quality.MISSING, covered_s=0))
    await store(database, row(point, 0, 40, **ESTIMATED))
    await store(database, row(point, 0, 45, quality=Quality.EDITED))
    await store(database, row(point, 0, 20, covered_s=1800))
    await store(database, row(point, 0, 47))

    kept = [(value, covered, quality) for _p, _s, value, covered, quality, _f, _r in await versions(database)]
    assert kept == [
        (0, 0, Quality.MISSING),
        (40, 3600, Quality.ESTIMATED),
        (45, 3600, Quality.EDITED),
        (20, 1800, Quality.MEASURED),
    ]
    assert await stored(database) == [(START, 47, Quality.MEASURED)]


async def test_of_several_rows_for_one_interval_one_replaces(database: Database) -> None:
    point = (await factories.a_metered_point(database)).point_id
    await store(database, row(point, 0, 50, **ESTIMATED))

    again = [row(point, 0, 55, quality=Quality.EDITED), row(point, 0, 60), row(point, 0, 61)]
    assert await store(database, *again) == 1

    assert [found[2] for found in await versions(database)] == [50]
    assert await stored(database) == [(START, 60, Quality.MEASURED)]


async def test_nothing_is_kept_where_nothing_was_replaced(database: Database) -> None:
    point = (await factories.a_metered_point(database)).point_id
    await store(database, row(point, 0, 50))

    for other in (row(point, 0, 50), row(point, 0, 51), row(point, 0, 52, **ESTIMATED)):
        assert await store(database, other) == 0

    assert await versions(database) == []


async def test_a_value_that_cannot_be_kept_is_not_replaced(database: Database) -> None:
    point = (await factories.a_metered_point(database)).point_id
    await store(database, row(point, 0, 50, **ESTIMATED))
    await break_table(database, "interval_version")

    with pytest.raises(StorageError):
        await store(database, row(point, 0, 60))
    assert await stored(database) == [(START, 50, Quality.ESTIMATED)]

    await mend_table(database, "interval_version")
    await store(database, row(point, 0, 60))
    assert await stored(database) == [(START, 60, Quality.MEASURED)]
    assert {found[2] for found in await versions(database)} == {50}
