"""An import that takes minutes: what it wrote is news when it is there, not when it began."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from lk_portal.services.changes import OVERLAP, Change, changed_since, point_topic, subscriber_topic
from lk_portal.services.database import Database
from lk_portal.services.imports.events import import_events_file
from lk_portal.services.imports.intervals import import_intervals_file
from tests import factories
from tests.integration.services.imports.files import EVENTS, HOUR, INTERVALS, NOW, hour_line, job, write

DAY = timedelta(days=1)
SHORT, LONG = timedelta(seconds=1), timedelta(minutes=5)


async def told(database: Database) -> frozenset[Change]:
    return await changed_since(database, NOW - DAY, now=NOW + DAY)


@pytest.mark.parametrize(("took", "told_at"), [(SHORT, NOW), (LONG, NOW + LONG)])
async def test_intervals(database: Database, tmp_path: Path, took: timedelta, told_at: object) -> None:
    point = await factories.a_metered_point(database)
    file = write(tmp_path / "intervals.csv", INTERVALS, [hour_line(point.serial, NOW - 5 * HOUR, 100)])

    await import_intervals_file(job(database, file, took=took))

    assert await told(database) == {(point_topic(point.point_id), told_at)}
    assert SHORT < OVERLAP < LONG


@pytest.mark.parametrize(("took", "told_at"), [(SHORT, NOW), (LONG, NOW + LONG)])
async def test_events(database: Database, tmp_path: Path, took: timedelta, told_at: object) -> None:
    point = await factories.a_metered_point(database)
    await factories.switching(database, meter_id=point.meter_id, code=3, at=NOW - HOUR)
    at = (NOW - 2 * HOUR).isoformat()
    file = write(tmp_path / "events.csv", EVENTS, [f"{point.serial},{at},0,9"])

    await import_events_file(job(database, file, took=took))

    topic = subscriber_topic(point.subscriber_id)
    assert await told(database) == {(topic, NOW - HOUR), (topic, told_at)}
