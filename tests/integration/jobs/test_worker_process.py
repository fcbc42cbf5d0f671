"""`lk worker` as people run it: killed, joined by others, stopped."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from sqlalchemy import text

from lk_portal.services.database import Database
from lk_portal.settings import Settings
from tests.integration.jobs.polled_lines import (
    assert_nothing_lost_or_doubled,
    connect,
    each_was_read,
    scalar,
    settings_for,
    simulated_line,
    until,
    worker_process,
)


async def statuses(settings: Settings) -> dict[str, str]:
    """Status of every batch, read from DBOS's own table; none before it exists."""
    jobs = Database(settings.jobs_address)
    table = "workflow_status" if jobs.is_sqlite else "dbos.workflow_status"
    try:
        async with jobs.reading() as connection:
            rows = await connection.execute(
                text(f"SELECT workflow_uuid, status FROM {table} WHERE queue_name = 'polling'")
            )
            return {row[0]: row[1] for row in rows}
    except Exception:
        return {}
    finally:
        await jobs.close()


async def test_kill_in_the_middle_of_a_cycle_loses_and_doubles_nothing(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    settings = settings_for(database_address, tmp_path)
    # Every question takes a while: a batch is under way for some seconds.
    async with simulated_line(7, latency_s=0.1) as line:
        await connect(database, line)
        killed = await _kill_while_reading(settings, tmp_path / "log")
        async with worker_process(settings, tmp_path / "log") as process:
            await until(each_was_read(database, 2))
            await until(lambda: _is_done(settings, killed))
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    await assert_nothing_lost_or_doubled(database)


async def _kill_while_reading(settings: Settings, log: Path) -> str:
    """Start a worker, kill it once a batch is being read; gives the batch's id."""
    reading: list[str] = []

    async def is_reading() -> bool:
        reading[:] = [job for job, status in (await statuses(settings)).items() if status == "PENDING"]
        return bool(reading)

    async with worker_process(settings, log) as process:
        await until(is_reading)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return reading[0]


async def _is_done(settings: Settings, job: str) -> bool:
    return (await statuses(settings)).get(job) == "SUCCESS"


@pytest.mark.postgres
async def test_workers_share_one_queue(postgres_address: str, tmp_path: Path) -> None:
    database = Database(postgres_address)
    first, second = (settings_for(postgres_address, tmp_path / name) for name in ("one", "two"))
    async with simulated_line(4, latency_s=0.05) as line:
        await connect(database, line)
        async with (
            worker_process(first, tmp_path / "one.log") as one,
            worker_process(second, tmp_path / "two.log"),
        ):
            await until(each_was_read(database, 2))
            attempts = int(await scalar(database, "SELECT max(attempts) FROM meter_connection"))
            batches = len(await statuses(first))
            one.send_signal(signal.SIGTERM)
            assert await one.wait() == 0
            done = int(await scalar(database, "SELECT min(successes) FROM meter_connection"))
            await until(each_was_read(database, done + 1))

    assert attempts <= batches  # no batch was read by both
    await assert_nothing_lost_or_doubled(database)
    await database.close()


async def test_a_worker_without_migrations_says_so(tmp_path: Path) -> None:
    settings = settings_for(f"sqlite:///{tmp_path / 'empty.sqlite3'}", tmp_path)

    async with worker_process(settings, tmp_path / "log") as process:
        assert await process.wait() == 1

    told = (tmp_path / "log").read_text()
    assert "lk migrate" in told
    assert len(told.splitlines()) == 1
