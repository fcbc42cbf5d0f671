"""The worker does what staff sends in by itself; killed at any point, each file is written once."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

import pytest
from dbos import DBOS
from sqlalchemy import text

from lk_portal.jobs import Worker
from lk_portal.jobs import importing as import_job
from lk_portal.models import ImportStatus
from lk_portal.services.database import Database
from lk_portal.services.imports import runs
from lk_portal.services.imports.run_work import GIVEN_UP, MOST_ATTEMPTS, Fate, claim, work_on
from tests.integration.jobs.imported import (
    ask_to_write,
    assert_nothing_written,
    assert_written_once,
    make_lease_end,
    registry_file,
    run_row,
    send,
    until_it_is,
)
from tests.integration.jobs.polled_lines import portal_for, scalar, settings_for, until, worker_process
from tests.integration.services.imports.import_work import claimed, work

FEW, SOME, MANY = 3, 500, 20_000
"""Many take a second or more to be checked."""
ENDLESS = """
CREATE VIEW endless AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c
"""
SLOW_SEALS = """
CREATE TRIGGER slow_seals BEFORE INSERT ON seal BEGIN SELECT max(n) FROM endless; END
"""
WAITING_FOR_SEALS = "FROM pg_locks WHERE relation = 'seal'::regclass AND NOT granted"


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def is_begun(database: Database, run_id: int, *, attempt: int = 1) -> Callable[[], Awaitable[bool]]:
    """A condition: somebody is at the file."""

    async def check() -> bool:
        row = await run_row(database, run_id)
        return bool(row.claimed_by and row.attempts == attempt and _files_of(row.claimed_by))

    return check


def is_being_written(database: Database, address: str) -> Callable[[], Awaitable[bool]]:
    """A condition: the transaction of the import is under way."""

    async def check() -> bool:
        if not database.is_sqlite:
            return bool(await scalar(database, f"SELECT count(*) {WAITING_FOR_SEALS}"))
        return await asyncio.to_thread(_is_locked, address)

    return check


def _is_locked(address: str) -> bool:
    """Whether there is one writer for longer than it takes to tell of rows."""
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout=1000")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False


@asynccontextmanager
async def seals_locked(database: Database) -> AsyncIterator[None]:
    """While the block lasts an import stops half way: others wait for seals, or write one for ever."""
    if database.is_sqlite:
        async with database.writing() as connection:
            await connection.execute(text(ENDLESS))
            await connection.execute(text(SLOW_SEALS))
        yield
        async with database.writing() as connection:
            await connection.execute(text("DROP TRIGGER slow_seals"))
            await connection.execute(text("DROP VIEW endless"))
        return
    async with database.writing() as connection:
        await connection.execute(text("LOCK TABLE seal IN EXCLUSIVE MODE"))
        yield


async def kill(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


async def test_the_worker_checks_and_writes_what_is_sent_in(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    portal = portal_for(settings_for(database_address, tmp_path))
    run_id = await send(portal, registry_file(tmp_path, FEW))
    async with running(Worker(portal, queue_poll_s=0.1)):
        await until_it_is(database, run_id, ImportStatus.CHECKED)
        await assert_nothing_written(database)
        await ask_to_write(portal, run_id)
        await until_it_is(database, run_id, ImportStatus.DONE)
        jobs = await DBOS.list_workflows_async(queue_name=import_job.QUEUE)
    await portal.close()

    await assert_written_once(database, run_id, FEW)
    assert {str(job.input["args"]) for job in jobs if job.input} == {f"([{run_id}],)"}  # ids only


async def test_killed_in_the_middle_of_the_check_it_is_checked_anew(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    settings = settings_for(database_address, tmp_path)
    portal = portal_for(settings)
    run_id = await send(portal, registry_file(tmp_path, MANY))
    async with worker_process(settings, tmp_path / "log") as process:
        await until(is_begun(database, run_id))
        await kill(process)
    row = await run_row(database, run_id)
    assert (row.status, row.attempts, bool(row.claimed_by)) == (ImportStatus.CHECKING, 1, True)
    assert _files_of(row.claimed_by)

    async with worker_process(settings, tmp_path / "log"):
        await until_it_is(database, run_id, ImportStatus.CHECKED)
    assert not _files_of(row.claimed_by)
    assert (await run_row(database, run_id)).rows == MANY
    await assert_nothing_written(database)
    await portal.close()


def _files_of(worker: str) -> list[Path]:
    """What a worker has on the disk of the file it is at."""
    return list(Path(gettempdir()).glob(f"lk-import-{worker}-*"))


async def test_killed_in_the_middle_of_the_writing_it_is_written_once(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    settings = settings_for(database_address, tmp_path)
    portal = portal_for(settings)
    run_id = await send(portal, registry_file(tmp_path, SOME))
    assert await work(portal) == [Fate.SETTLED]
    async with worker_process(settings, tmp_path / "log") as process, seals_locked(database):
        await ask_to_write(portal, run_id)
        await until(is_being_written(database, database_address))
        await kill(process)
    await assert_nothing_written(database)
    assert (await run_row(database, run_id)).status is ImportStatus.WRITING

    async with worker_process(settings, tmp_path / "log"):
        await until_it_is(database, run_id, ImportStatus.DONE)
    await assert_written_once(database, run_id, SOME)
    await portal.close()


@pytest.mark.postgres
async def test_another_node_goes_on_when_the_lease_of_a_dead_one_is_over(
    postgres_address: str, tmp_path: Path
) -> None:
    database = Database(postgres_address)
    here, there = (settings_for(postgres_address, tmp_path / name) for name in ("here", "there"))
    portal = portal_for(here)
    run_id = await send(portal, registry_file(tmp_path, SOME))
    assert await work(portal) == [Fate.SETTLED]
    async with worker_process(here, tmp_path / "here.log") as process, seals_locked(database):
        await ask_to_write(portal, run_id)
        await until(is_being_written(database, postgres_address))
        await kill(process)
    dead = (await run_row(database, run_id)).claimed_by

    async with worker_process(there, tmp_path / "there.log") as process:
        await asyncio.sleep(3)
        row = await run_row(database, run_id)
        assert (row.claimed_by, row.status) == (dead, ImportStatus.WRITING)
        await make_lease_end(database)
        await until_it_is(database, run_id, ImportStatus.DONE)
    await assert_written_once(database, run_id, SOME)
    await portal.close()
    await database.close()


@pytest.mark.postgres
async def test_two_nodes_do_each_file_once(postgres_address: str, tmp_path: Path) -> None:
    database = Database(postgres_address)
    first, second = (settings_for(postgres_address, tmp_path / name) for name in ("one", "two"))
    portal = portal_for(first)
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    async with worker_process(first, logs[0]), worker_process(second, logs[1]):
        run_id = await send(portal, registry_file(tmp_path, SOME))
        await until_it_is(database, run_id, ImportStatus.CHECKED)
        await ask_to_write(portal, run_id)
        await until_it_is(database, run_id, ImportStatus.DONE)
    told = "".join(log.read_text() for log in logs)
    assert told.count("import.begun") == 2  # once to check, once to write
    await assert_written_once(database, run_id, SOME)
    await portal.close()
    await database.close()


@pytest.mark.postgres
async def test_of_many_that_claim_a_file_at_once_one_gets_it(postgres_address: str, tmp_path: Path) -> None:
    portal = portal_for(settings_for(postgres_address, tmp_path))
    nodes = [Database(postgres_address) for _node in range(4)]
    run_id = await send(portal, registry_file(tmp_path, FEW))
    now = portal.clock()
    claims = [
        claim(node, run_id, worker=f"{n}-{at}", now=now) for n, node in enumerate(nodes) for at in "abc"
    ]
    got = [one for one in await asyncio.gather(*claims) if one is not None]
    assert len(got) == 1
    assert (await run_row(portal.database, run_id)).claimed_by == got[0].worker
    for database in (*nodes, portal.database):
        await database.close()


@pytest.mark.postgres
async def test_one_that_lost_the_file_while_it_was_writing_leaves_nothing(
    postgres_address: str, tmp_path: Path
) -> None:
    portal, other = (portal_for(settings_for(postgres_address, tmp_path)) for _node in range(2))
    run_id = await send(portal, registry_file(tmp_path, FEW))
    assert await work(portal) == [Fate.SETTLED]
    await ask_to_write(portal, run_id)
    first = await claimed(portal, run_id)
    async with seals_locked(other.database):
        writing = asyncio.create_task(work_on(portal, first))
        await until(is_being_written(other.database, postgres_address))
        late = portal.clock() + 2 * runs.LEASE  # as if the first one had been asleep for minutes
        second = await claim(other.database, run_id, worker="two", now=late)
        assert second is not None
    assert await writing is Fate.LOST
    await assert_nothing_written(other.database)
    assert await work_on(other, second) is Fate.SETTLED
    await assert_written_once(other.database, run_id, FEW)
    await portal.close()
    await other.close()


@pytest.mark.postgres
async def test_a_database_that_was_away_for_a_moment_does_not_refuse_the_file(
    postgres_address: str, tmp_path: Path
) -> None:
    portal, other = (portal_for(settings_for(postgres_address, tmp_path)) for _node in range(2))
    run_id = await send(portal, registry_file(tmp_path, FEW))
    assert await work(portal) == [Fate.SETTLED]
    await ask_to_write(portal, run_id)
    first = await claimed(portal, run_id)
    async with seals_locked(other.database):
        writing = asyncio.create_task(work_on(portal, first))
        await until(is_being_written(other.database, postgres_address))
        waiting = (
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'seal'::regclass AND NOT granted"
        )
        await scalar(other.database, waiting)
        assert await writing is Fate.PUT_OFF
    await assert_nothing_written(other.database)
    late = portal.clock() + 2 * runs.LEASE
    second = await claim(other.database, run_id, worker="two", now=late)
    assert second is not None
    assert second.attempt == 2
    assert await work_on(portal, second) is Fate.SETTLED
    await assert_written_once(other.database, run_id, FEW)
    await portal.close()
    await other.close()


async def test_a_worker_that_is_stopped_gives_the_file_back(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    settings = settings_for(sqlite_address, tmp_path)
    portal = portal_for(settings)
    run_id = await send(portal, registry_file(tmp_path, MANY))
    async with worker_process(settings, tmp_path / "log") as process:
        await until(is_begun(sqlite_database, run_id))
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    row = await run_row(sqlite_database, run_id)
    assert (row.status, row.attempts, row.claimed_by) == (ImportStatus.CHECKING, 0, "")
    async with worker_process(settings, tmp_path / "log"):
        await until_it_is(sqlite_database, run_id, ImportStatus.CHECKED)
    await portal.close()


async def test_a_file_that_kills_each_worker_is_refused(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    settings = settings_for(sqlite_address, tmp_path)
    portal = portal_for(settings)
    run_id = await send(portal, registry_file(tmp_path, MANY))
    for death in range(1, MOST_ATTEMPTS + 1):
        async with worker_process(settings, tmp_path / "log") as process:
            await until(is_begun(sqlite_database, run_id, attempt=death))
            await kill(process)
    async with worker_process(settings, tmp_path / "log"):
        await until_it_is(sqlite_database, run_id, ImportStatus.REFUSED)
    row = await run_row(sqlite_database, run_id)
    assert (row.problem, row.data) == (GIVEN_UP, {"count": "3"})
    assert await scalar(sqlite_database, "SELECT count(*) FROM import_file") == 0
    await portal.close()


async def test_how_far_it_is_can_be_seen_from_another_node(
    database: Database, database_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lk_portal.services.imports.run_work.TELL_S", 0.05)
    portal = portal_for(settings_for(database_address, tmp_path))
    run_id = await send(portal, registry_file(tmp_path, MANY))
    seen = set()

    async def is_checked() -> bool:
        found = await runs.run_of(database, run_id, now=datetime.now(UTC))
        if found.is_under_way and not found.is_waiting:
            assert not found.is_left
            seen.add(found.rows)
        return found.status is ImportStatus.CHECKED

    async with running(Worker(portal, queue_poll_s=0.1)):
        await until(is_checked)
    assert [rows for rows in seen if 0 < rows < MANY]
    await portal.close()
