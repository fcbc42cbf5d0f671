"""Intervals from files, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from lk_portal.errors import InputError, StorageError
from lk_portal.metering.types import Quality
from lk_portal.models import AuditEntry, DayRollup, Installation, Interval, IntervalVersion
from lk_portal.services.database import Database
from lk_portal.services.imports import intervals as module
from lk_portal.services.imports.intervals import import_intervals_file
from lk_portal.services.imports.source import BadLinesError
from lk_portal.services.imports.work import Phase
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.faults import break_table
from tests.integration.services.imports.files import HOUR, INTERVALS, count, hour_line, job, named, write

START = datetime(2026, 10, 30, 18, tzinfo=UTC)


async def stored(database: Database) -> list[tuple[Any, ...]]:
    one = table_of(Interval).c
    query = select(one.point_id, one.start, one.duration_s, one.value_wh, one.covered_s, one.quality)
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(query.order_by(one.point_id, one.start))]


async def run(database: Database, path: Path, *lines: str) -> Any:
    return await import_intervals_file(job(database, write(path, INTERVALS, lines)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "intervals.csv"


async def test_rows_become_intervals_and_sums(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    lines = [hour_line(point.serial, START + n * HOUR, 100 + n) for n in range(24)]

    report = await run(database, path, *lines)

    assert (report.rows, report.inserted, report.replaced, report.conflict_count) == (24, 24, 0, 0)
    assert await stored(database) == [
        (point.point_id, START + n * HOUR, 3600, 100 + n, 3600, Quality.MEASURED) for n in range(24)
    ]
    async with database.reading() as connection:
        (day,) = (await connection.execute(select(table_of(DayRollup).c.total_wh))).all()
        actions = (await connection.execute(select(table_of(AuditEntry).c.action))).scalars().all()
    assert day[0] == sum(range(100, 124))
    assert actions == ["command:intervals:import"]


async def test_the_same_file_twice_changes_nothing(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    lines = [hour_line(point.serial, START + n * HOUR, n) for n in range(30)]
    await run(database, path, *lines)
    before = await stored(database)

    report = await run(database, path, *lines, *lines[:5])

    assert (report.rows, report.inserted, report.replaced, report.conflict_count) == (35, 0, 0, 0)
    assert await stored(database) == before


@pytest.mark.parametrize("chunk", [1, 7, 1000])
async def test_the_order_and_the_size_of_the_pieces_do_not_matter(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", chunk)
    first, second = await factories.a_metered_point(database), await factories.a_metered_point(database)
    lines = [hour_line(p.serial, START + n * HOUR, n) for n in range(15) for p in (first, second)]

    await run(database, path, *reversed(lines))

    assert [row[3] for row in await stored(database)] == [*range(15), *range(15)]


async def test_times_of_any_offset_and_holes(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    report = await run(
        database,
        path,
        f"{point.serial},A_PLUS,2026-10-31T00:00:00+06:00,2026-10-31T01:00:00+06:00,5,estimated",
        f"{point.serial},A_PLUS,2026-10-30T19:00:00Z,2026-10-31T01:30:00+06:00,,missing",
        f"{point.serial},A_PLUS,2026-10-30 19:30:00+00:00,2026-10-30 20:00:00+00:00,7,edited",
    )

    assert report.inserted == 3
    assert [row[2:] for row in await stored(database)] == [
        (3600, 5, 3600, Quality.ESTIMATED),
        (1800, 0, 0, Quality.MISSING),
        (1800, 7, 1800, Quality.EDITED),
    ]


async def test_better_values_replace_worse_ones_which_are_kept(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    await run(database, path, hour_line(point.serial, START, 50, "estimated"))

    report = await run(database, path, hour_line(point.serial, START, 60))

    assert (report.inserted, report.replaced) == (0, 1)
    async with database.reading() as connection:
        kept = (await connection.execute(select(table_of(IntervalVersion).c.value_wh))).scalars().all()
    assert kept == [50]


async def test_contradictions_are_told_by_serial_number_and_left_out(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    await run(database, path, hour_line(point.serial, START, 50))

    report = await run(
        database, path, hour_line(point.serial, START, 51), hour_line(point.serial, START + HOUR, 52)
    )

    assert [(c.serial, c.at, c.stored_wh, c.given_wh) for c in report.conflicts] == [
        (point.serial, START, 50, 51)
    ]
    assert (report.conflict_count, report.inserted) == (1, 1)
    assert [row[3] for row in await stored(database)] == [50, 52]


BAD = [
    ("meter_serial", "there is no such meter", {"serial": "nothing"}),
    ("meter_serial", "there is no such meter", {"serial": ""}),
    ("quantity", "must be one of {words}", {"quantity": "A+"}),
    ("start", "no time such as 2026-01-31T23:00:00+06:00", {"start": "yesterday"}),
    ("start", "the offset is missing, such as +06:00 or Z", {"start": "2026-10-31T00:00:00"}),
    ("start", "the offset is missing, such as +06:00 or Z", {"start": "2026-10-31"}),
    ("start", "times are of whole seconds", {"start": "2026-10-30T18:00:00.5+00:00"}),
    ("start", "too long ago", {"start": "0001-01-01T00:00:00+06:00"}),
    ("end", "an interval lasts from one second to one hour", {"end": "2026-10-30T18:00:00Z"}),
    ("end", "an interval lasts from one second to one hour", {"end": "2026-10-30T19:00:01Z"}),
    ("end", "an interval lasts from one second to one hour", {"end": "2026-10-30T17:00:00Z"}),
    ("end", "lies in the future", {"start": "2026-11-24T11:30:00Z", "end": "2026-11-24T12:30:00Z"}),
    ("value_wh", "no whole number from 0 to {most}", {"value": ""}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "-1"}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "1.5"}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "1_000"}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "\u0661"}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "9" * 5000}),
    ("value_wh", "no whole number from 0 to {most}", {"value": "1000000000001"}),
    ("quality", "must be one of {words}", {"quality": "Measured"}),
    (
        "start",
        "the meter stood at no metering point then",
        {"start": "2019-10-30T18:00:00Z", "end": "2019-10-30T19:00:00Z"},
    ),
]


@pytest.mark.parametrize(("column", "reason", "cells"), BAD, ids=[f"{c}: {r} {x}"[:60] for c, r, x in BAD])
async def test_a_bad_cell_is_named_and_nothing_is_written(
    sqlite_database: Database, path: Path, column: str, reason: str, cells: dict[str, str]
) -> None:
    point = await factories.a_metered_point(sqlite_database)
    whole = {
        "serial": point.serial,
        "quantity": "A_PLUS",
        "start": "2026-10-30T18:00:00Z",
        "end": "2026-10-30T19:00:00Z",
        "value": "7",
        "quality": "measured",
    }
    good = hour_line(point.serial, START + 5 * HOUR, 1)

    with pytest.raises(BadLinesError) as raised:
        await run(sqlite_database, path, good, ",".join({**whole, **cells}.values()), good)

    assert named(raised.value) == [(3, column, reason)]
    assert await stored(sqlite_database) == []
    report = await run(sqlite_database, path, good, ",".join(whole.values()))
    assert report.inserted == 2


async def test_a_bad_line_near_the_end_of_many_leaves_nothing(
    sqlite_database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = await factories.a_metered_point(sqlite_database)
    lines = [hour_line(point.serial, START - n * HOUR, n) for n in range(50_000)]
    lines[-2] = lines[-2].replace("measured", "guessed")
    told: list[tuple[Phase, int]] = []

    with pytest.raises(BadLinesError) as raised:
        await import_intervals_file(job(sqlite_database, write(path, INTERVALS, lines), told=told))

    assert named(raised.value) == [(50_000, "quality", "must be one of {words}")]
    assert await count(sqlite_database, "interval") == 0
    assert {phase for phase, _rows in told} == {Phase.CHECKED}
    assert told[-1] == (Phase.CHECKED, 50_000)


async def test_a_failure_while_writing_leaves_nothing(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails in the second piece: the first one is gone too."""
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    point = await factories.a_metered_point(database)
    lines = [hour_line(point.serial, START + n * HOUR, n) for n in range(6)]
    await break_table(database, "audit_entry")

    with pytest.raises(StorageError):
        await run(database, path, *lines)

    assert await stored(database) == []
    assert await count(database, "day_rollup") == 0


async def test_a_dry_run_tells_and_writes_nothing(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    await run(database, path, hour_line(point.serial, START, 1))
    lines = [hour_line(point.serial, START + n * HOUR, 2) for n in range(3)]

    report = await import_intervals_file(job(database, write(path, INTERVALS, lines), is_dry_run=True))

    assert (report.rows, report.inserted, report.conflict_count) == (3, 2, 1)
    assert [row[3] for row in await stored(database)] == [1]
    assert await count(database, "audit_entry") == 1


async def test_a_row_belongs_to_the_meter_that_stood_there(database: Database, path: Path) -> None:
    old = await factories.a_metered_point(database)
    swapped = START + 2 * HOUR + timedelta(minutes=20)
    installation = table_of(Installation)
    async with database.writing() as connection:
        await connection.execute(installation.update().values(removed_at=swapped))
    new = await factories.meter(database, serial="NEW-1")
    await factories.installation(database, meter_id=new, point_id=old.point_id, installed_at=swapped)
    elsewhere = await factories.a_metered_point(database, installed_at=swapped)
    await factories.installation(
        database, meter_id=old.meter_id, point_id=(await _point(database)), installed_at=swapped + 5 * HOUR
    )

    await run(
        database,
        path,
        hour_line(old.serial, START, 1),
        hour_line(old.serial, START + 8 * HOUR, 2),
        hour_line("NEW-1", START + 3 * HOUR, 3),
        # The hour in which it was installed: it stood there at the hour's end.
        hour_line(elsewhere.serial, START + 2 * HOUR, 4),
    )

    by_value = {row[3]: row[0] for row in await stored(database)}
    assert by_value[1] == by_value[3] == old.point_id
    assert by_value[4] == elsewhere.point_id
    assert by_value[2] not in (old.point_id, elsewhere.point_id)
    with pytest.raises(BadLinesError) as raised:
        await run(database, path, hour_line(old.serial, START + 5 * HOUR, 1))
    assert named(raised.value) == [(2, "start", "the meter stood at no metering point then")]


async def _point(database: Database) -> int:
    address = await factories.premises(database)
    return await factories.point(database, account_id=await factories.account(database, premises_id=address))


async def test_lines_that_overlap_each_other_are_named(database: Database, path: Path) -> None:
    point = await factories.a_metered_point(database)
    half = timedelta(minutes=30)

    def line(start: datetime, length: timedelta) -> str:
        return f"{point.serial},A_PLUS,{start.isoformat()},{(start + length).isoformat()},5,measured"

    with pytest.raises(BadLinesError) as raised:
        await run(
            database,
            path,
            line(START + 2 * HOUR, HOUR),
            line(START + half, half),
            line(START, HOUR),
            line(START + HOUR, HOUR),
        )
    assert named(raised.value) == [(3, "start", "another line has a part of this time")]
    assert await stored(database) == []

    mixed = [line(START, half), line(START + half, half), line(START + HOUR, HOUR), line(START, half)]
    assert (await run(database, path, *mixed)).inserted == 3


async def test_a_wrong_file_is_refused(database: Database, path: Path) -> None:
    file = write(path, "start,end", [])

    with pytest.raises(InputError):
        await import_intervals_file(job(database, file))


async def test_a_file_of_unknown_meters_asks_for_each_once(sqlite_database: Database, path: Path) -> None:
    lines = [hour_line(f"X{n}", START, 1) for n in range(1200)]

    with pytest.raises(BadLinesError) as raised:
        await run(sqlite_database, path, *lines)

    assert raised.value.data == {"count": 1200}
    assert len(raised.value.lines) == 100
    async with sqlite_database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM interval"))).scalar_one() == 0
