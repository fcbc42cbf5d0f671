"""The worker inside a process: real DBOS, a real Modbus line, both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from lk_portal.jobs import Worker
from lk_portal.jobs.polling import QUEUE
from lk_portal.services.database import Database
from tests.integration.jobs.polled_lines import (
    assert_nothing_lost_or_doubled,
    connect,
    each_was_read,
    portal_for,
    scalar,
    settings_for,
    simulated_line,
    until,
)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def test_cycles_read_what_is_due_and_store_it(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    async with simulated_line(3) as line:
        await connect(database, line)
        portal = portal_for(settings_for(database_address, tmp_path))
        worker = Worker(portal, queue_poll_s=0.1)
        assert not worker.is_alive()
        async with running(worker):
            await until(each_was_read(database, 2))
            assert worker.is_alive()
            jobs = await DBOS.list_workflows_async(queue_name=QUEUE)
        await portal.close()

    await assert_nothing_lost_or_doubled(database)
    assert all(job.workflow_id.startswith("poll-2") for job in jobs)
    assert {job.status for job in jobs if job.output} == {"SUCCESS"}


async def test_a_worker_may_be_started_again(sqlite_address: str, tmp_path: Path) -> None:
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    names = []
    for _time in range(2):
        async with running(Worker(portal)) as worker:
            names.append(worker.name)
        await worker.stop()
        assert worker.name == ""
    await portal.close()

    assert names[0] == names[1]


async def test_one_process_has_one_worker(sqlite_address: str, tmp_path: Path) -> None:
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    async with running(Worker(portal)):
        with pytest.raises(RuntimeError):
            await Worker(portal).start()
    await portal.close()


async def test_a_worker_that_cannot_start_leaves_nothing_behind(sqlite_address: str, tmp_path: Path) -> None:
    (tmp_path / "workers").write_text("a file where a folder should be")
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    with pytest.raises(OSError, match="workers"):
        await Worker(portal).start()
    (tmp_path / "workers").unlink()

    async with running(Worker(portal)) as worker:
        assert worker.name
    await portal.close()


async def test_batches_nobody_takes_do_not_pile_up_and_are_noticed(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lk_portal.jobs.batches.STUCK_S", 2)
    async with simulated_line(2) as line:
        await connect(sqlite_database, line)
        portal = portal_for(settings_for(sqlite_address, tmp_path))
        async with running(Worker(portal, queue_poll_s=600)) as worker:
            await until(lambda: _has_waiting(1))
            assert worker.is_alive()
            await asyncio.sleep(4.2)  # four more slots
            assert not worker.is_alive()
            waiting = await DBOS.list_workflows_async(queue_name=QUEUE, status=["ENQUEUED", "PENDING"])
        await portal.close()

    assert len(waiting) == 1


async def _has_waiting(count: int) -> bool:
    return len(await DBOS.list_workflows_async(queue_name=QUEUE)) >= count


async def test_a_locked_database_is_tried_again(
    sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lk_portal.services.database.BUSY_TIMEOUT_MS", 100)
    database = Database(sqlite_address)
    async with simulated_line(2) as line:
        await connect(database, line)
        portal = portal_for(settings_for(sqlite_address, tmp_path))
        async with running(Worker(portal, queue_poll_s=0.1)) as worker:
            await until(each_was_read(database, 1))
            await _lock(sqlite_address, seconds=6)
            before = int(await scalar(database, "SELECT min(successes) FROM meter_connection"))
            await until(each_was_read(database, before + 1))
            assert worker.is_alive()
        await portal.close()

    assert "storage.failed" in caplog.messages
    await assert_nothing_lost_or_doubled(database)
    await database.close()


async def _lock(address: str, *, seconds: float) -> None:
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout=5000")
        connection.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(seconds)
        connection.execute("ROLLBACK")


async def test_finished_jobs_are_forgotten(
    database: Database, database_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated_line(1) as line:
        await connect(database, line)
        portal = portal_for(settings_for(database_address, tmp_path))
        async with running(Worker(portal, queue_poll_s=0.1)):
            await until(each_was_read(database, 1))
        monkeypatch.setattr("lk_portal.jobs.worker.RETENTION", timedelta(0))
        settings = settings_for(database_address, tmp_path, poll_interval_s=1800)
        async with running(Worker(portal_for(settings))):
            await until(_nothing_is_left)
        await portal.close()


async def _nothing_is_left() -> bool:
    return not await DBOS.list_workflows_async(queue_name=QUEUE)


async def test_a_dead_line_hurts_only_itself(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    async with simulated_line(2) as line, simulated_line(2, first=10) as dead:
        await connect(sqlite_database, line)
        gone = await connect(sqlite_database, dead)
        await dead.stop()
        portal = portal_for(settings_for(sqlite_address, tmp_path))
        ids = ", ".join(str(point.meter_id) for point in gone)

        async def is_told() -> bool:
            healthy = f"SELECT min(successes) FROM meter_connection WHERE meter_id NOT IN ({ids})"
            failed = f"SELECT min(failures_in_row) FROM meter_connection WHERE meter_id IN ({ids})"
            seen: list[Any] = [await scalar(sqlite_database, query) for query in (healthy, failed)]
            return int(seen[0]) >= 2 and int(seen[1]) >= 1

        async with running(Worker(portal, queue_poll_s=0.1)):
            await until(is_told)
        await portal.close()

    code = await scalar(
        sqlite_database, f"SELECT last_error_code FROM meter_connection WHERE meter_id IN ({ids})"
    )
    assert code == "unreachable"
