"""Readings and events from files, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lk_portal.metering.types import Severity
from lk_portal.models import Interval, MeterEvent, ReadingReview, RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.imports import readings as module
from lk_portal.services.imports.events import import_events_file
from lk_portal.services.imports.readings import import_readings_file
from lk_portal.services.imports.source import BadLinesError
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.imports.files import EVENTS, HOUR, NOW, READINGS, count, job, named, write

START = datetime(2026, 10, 30, 18, tzinfo=UTC)


def line(serial: str, at: datetime, value_wh: object, zone: object = 0) -> str:
    return f"{serial},A_PLUS,{zone},{at.isoformat()},{value_wh}"


async def run(database: Database, path: Path, *lines: str) -> Any:
    return await import_readings_file(job(database, write(path, READINGS, lines)))


async def energies(database: Database) -> dict[datetime, int]:
    one = table_of(Interval).c
    async with database.reading() as connection:
        rows = await connection.execute(select(one.start, one.value_wh).order_by(one.start))
        return {row.start: row.value_wh for row in rows}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "readings.csv"


@pytest.mark.parametrize("at_once", [1, 5000])
async def test_consumption_follows_whatever_the_order_of_the_file(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "SNAPSHOTS_AT_ONCE", at_once)
    point = await factories.a_metered_point(database)
    lines = [line(point.serial, START + n * HOUR, 1000 + 100 * n) for n in range(5)]

    report = await run(database, path, *[lines[n] for n in (3, 0, 4, 2, 1)])

    assert (report.rows, report.inserted, report.doubtful) == (5, 5, 0)
    assert await energies(database) == {START + n * HOUR: 100 for n in range(4)}


async def test_the_same_file_twice_changes_nothing(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    lines = [line(point.serial, START + n * HOUR, 1000 + 100 * n) for n in range(5)]
    await run(database, path, *lines)
    before = await energies(database)

    report = await run(database, path, *lines, lines[0])

    assert (report.rows, report.inserted, report.conflict_count) == (6, 0, 0)
    assert await energies(database) == before


async def test_one_older_than_the_newest_is_kept_and_counts_nothing(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    await run(database, path, line(point.serial, START + 5 * HOUR, 2000))

    report = await run(database, path, line(point.serial, START, 1000))

    assert report.inserted == 1
    assert await count(database, "register_reading") == 2
    assert await energies(database) == {}


async def test_one_that_falls_goes_to_review(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)

    report = await run(database, path, line(point.serial, START, 5000), line(point.serial, START + HOUR, 10))

    assert (report.inserted, report.doubtful) == (2, 1)
    async with database.reading() as connection:
        reviews = (await connection.execute(select(table_of(ReadingReview).c.value_wh))).scalars().all()
    assert reviews == [10]


async def test_another_value_than_the_stored_one_is_told(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    await run(database, path, line(point.serial, START, 1000), line(point.serial, START, 400, zone=1))

    report = await run(
        database, path, line(point.serial, START, 1001), line(point.serial, START, 400, zone=1)
    )

    assert [(c.serial, c.at, c.stored_wh, c.given_wh) for c in report.conflicts] == [
        (point.serial, START, 1000, 1001)
    ]
    async with database.reading() as connection:
        values = (await connection.execute(select(table_of(RegisterReading).c.value_wh))).scalars().all()
    assert sorted(values) == [400, 1000]


async def test_bad_lines_are_named_and_nothing_is_written(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    good = line(point.serial, START, 1)

    with pytest.raises(BadLinesError) as raised:
        await run(
            database,
            path,
            good,
            line("nothing", START, 1),
            line(point.serial, START, 1, zone=9),
            line(point.serial, START, "x"),
            line(point.serial, NOW + HOUR, 1),
            line(point.serial, datetime(2019, 1, 1, tzinfo=UTC), 1),
            line(point.serial, START, 2),
            "too,few",
        )

    assert named(raised.value) == [
        (3, "meter_serial", "there is no such meter"),
        (4, "zone", "no whole number from 0 to {most}"),
        (5, "value_wh", "no whole number from 0 to {most}"),
        (6, "taken_at", "lies in the future"),
        (7, "taken_at", "the meter stood at no metering point then"),
        (8, "value_wh", "another line has another value for that moment"),
        (9, "", "{count} cells instead of {wanted}"),
    ]
    assert raised.value.data == {"count": 7}
    assert await count(database, "register_reading") == 0
    assert (await run(database, path, good)).inserted == 1


async def test_a_dry_run_of_readings_writes_nothing(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    file = write(path, READINGS, [line(point.serial, START + n * HOUR, n) for n in range(3)])

    report = await import_readings_file(job(database, file, is_dry_run=True))

    assert report.inserted == 3
    assert await count(database, "register_reading") == await count(database, "interval") == 0
    assert await count(database, "register_mark") == 0


async def events(database: Database) -> list[tuple[Any, ...]]:
    one = table_of(MeterEvent).c
    query = select(one.meter_id, one.occurred_at, one.journal, one.code, one.severity, one.received_at)
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(query.order_by(one.id))]


async def test_events_get_their_severity_and_come_once(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    lines = [
        f"{point.serial},2026-10-31T00:00:00+06:00,0,1",
        f"{point.serial},2026-10-31T00:05:00+06:00,0,2",
        f"{point.serial},2026-10-31T00:05:00+06:00,99,4711",
        f"{point.serial},2026-10-31T00:00:00+06:00,0,1",
    ]
    file = write(path, EVENTS, lines)

    assert (await import_events_file(job(database, file, is_dry_run=True))).inserted == 3
    assert await events(database) == []
    first, second = (
        await import_events_file(job(database, file)),
        await import_events_file(job(database, file)),
    )

    assert (first.rows, first.inserted, second.inserted) == (4, 3, 0)
    later = START + timedelta(minutes=5)
    assert await events(database) == [
        (point.meter_id, START, 0, 1, Severity.WARNING, NOW),
        (point.meter_id, later, 0, 2, Severity.INFO, NOW),
        (point.meter_id, later, 99, 4711, Severity.INFO, NOW),
    ]


async def test_bad_events_are_named(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    lines = [
        f"{point.serial},2026-10-31T00:00:00+06:00,0,1",
        "nothing,2026-10-31T00:00:00+06:00,0,1",
        f"{point.serial},2026-10-31,0,1",
        f"{point.serial},2027-10-31T00:00:00+06:00,0,1",
        f"{point.serial},2026-10-31T00:00:00+06:00,256,1",
        f"{point.serial},2026-10-31T00:00:00+06:00,0,-1",
    ]

    with pytest.raises(BadLinesError) as raised:
        await import_events_file(job(database, write(path, EVENTS, lines)))

    assert [(bad_line, column) for bad_line, column, _reason in named(raised.value)] == [
        (3, "meter_serial"),
        (4, "occurred_at"),
        (5, "occurred_at"),
        (6, "journal"),
        (7, "code"),
    ]
    assert await events(database) == []
