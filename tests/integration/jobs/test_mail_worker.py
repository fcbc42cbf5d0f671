"""The worker sends letters by itself; killed at any point it loses none."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbos import DBOS
from sqlalchemy import text

from lk_portal.jobs import Worker
from lk_portal.jobs import mail as mail_job
from lk_portal.services import letters
from lk_portal.services.database import Database
from tests.integration.jobs.mailed import (
    QUICK,
    letter_row,
    make_due,
    recipients,
    settings_for,
    worker_process,
    write,
)
from tests.integration.jobs.polled_lines import portal_for, until
from tests.smtp_server import Mode, SmtpServer

MANY = [f"person{number}@mail.example" for number in range(45)]


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def test_the_worker_sends_what_is_written(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    with SmtpServer() as server:
        portal = portal_for(settings_for(database_address, tmp_path, server))
        async with running(Worker(portal, queue_poll_s=0.1)) as worker:
            for address in MANY:
                await write(database, to=address)
            await server.has(len(MANY))
            await until(lambda: _nothing_waits(database))
            assert worker.is_planning("mail")
            assert worker.is_alive()
            await until(_no_job_is_open)  # a letter has arrived before its job is over
            jobs = await DBOS.list_workflows_async(queue_name=mail_job.QUEUE)
        await portal.close()

    assert recipients(server) == Counter(MANY)
    assert sum(job.output["sent"] for job in jobs if job.output) == len(MANY)
    assert not any("mail.example" in str(job.input) for job in jobs)  # ids only


async def _no_job_is_open() -> bool:
    return not await DBOS.list_workflows_async(queue_name=mail_job.QUEUE, status=["ENQUEUED", "PENDING"])


async def _nothing_waits(database: Database) -> bool:
    return not (await letters.count_letters(database, now=datetime.now(UTC))).waiting


async def test_a_mail_server_that_is_away_is_no_failure_of_the_worker(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    with SmtpServer() as server:
        server.stop()
        portal = portal_for(settings_for(sqlite_address, tmp_path, server))
        async with running(Worker(portal, queue_poll_s=0.1)) as worker:
            letter_id = await write(sqlite_database)
            await until(lambda: _was_tried(sqlite_database, letter_id))
            assert worker.is_planning("mail")
            server.start()
            await make_due(sqlite_database, datetime.now(UTC))
            await server.has(1)
        await portal.close()


async def _was_tried(database: Database, letter_id: int) -> bool:
    return bool((await letter_row(database, letter_id)).last_error)


async def test_a_stalling_server_does_not_keep_others_waiting_for_ever(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    with SmtpServer(mode=Mode.STALL) as server:
        portal = portal_for(settings_for(sqlite_address, tmp_path, server))
        async with running(Worker(portal, queue_poll_s=0.1, post_limits=QUICK)):
            for address in MANY[:6]:
                await write(sqlite_database, to=address)
            await until(lambda: _failed(sqlite_database, 2))
            server.mode = Mode.ACCEPT
            await until(lambda: _make_all_due_until(sqlite_database, server, 6))
        await portal.close()

    assert recipients(server) == Counter(MANY[:6])


async def _failed(database: Database, count: int) -> bool:
    return (await letters.count_letters(database, now=datetime.now(UTC))).delayed >= count


async def _make_all_due_until(database: Database, server: SmtpServer, count: int) -> bool:
    if (await letters.count_letters(database, now=datetime.now(UTC))).delayed:
        async with database.writing() as connection:
            await connection.execute(
                text("UPDATE letter SET next_attempt_at = 0 WHERE status = 'waiting' AND last_error != ''")
            )
    return len(server.received) >= count and await _nothing_waits(database)


async def test_letters_nobody_takes_are_noticed(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lk_portal.jobs.batches.STUCK_S", 1)
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    async with running(Worker(portal, queue_poll_s=600)) as worker:
        assert worker.is_planning("mail")
        await write(sqlite_database)
        await until(lambda: _is(not worker.is_planning("mail")))
        assert worker.is_alive()
        jobs = await DBOS.list_workflows_async(queue_name=mail_job.QUEUE)
    await portal.close()

    assert len(jobs) == 1


async def _is(condition: bool) -> bool:
    return condition


@pytest.mark.parametrize("part", ["mail", "push", "imports"])
async def test_a_dead_loop_is_noticed(
    sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    async with running(Worker(portal)) as worker:
        signs = worker.signs_of_life()
        assert set(signs) == {"polling", "mail", "push", "imports"}
        assert all(is_alive() for is_alive in signs.values())
        monkeypatch.setattr("lk_portal.jobs.worker.PATIENCE", timedelta(0))
        assert not signs[part]()
        assert signs["polling"]()
    await portal.close()


async def test_finished_mail_jobs_are_forgotten(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = portal_for(settings_for(sqlite_address, tmp_path))
    async with running(Worker(portal, queue_poll_s=0.1)):
        await write(sqlite_database)
        await until(lambda: _nothing_waits(sqlite_database))
        assert await DBOS.list_workflows_async(queue_name=mail_job.QUEUE)
    monkeypatch.setattr("lk_portal.jobs.worker.RETENTION", timedelta(0))
    async with running(Worker(portal)):
        await until(_no_job_is_left)
    await portal.close()


async def _no_job_is_left() -> bool:
    return not await DBOS.list_workflows_async(queue_name=mail_job.QUEUE)


async def test_kill_between_sending_and_marking_repeats_one_letter_and_loses_none(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    addresses = MANY[:8]
    with SmtpServer() as server:
        settings = settings_for(database_address, tmp_path, server)
        async with worker_process(settings, tmp_path / "log") as process:
            server.on_data = _killer(server, process, after=3)
            for address in addresses:
                await write(database, to=address)
            assert await process.wait() == -signal.SIGKILL
            server.on_data = None
        await server.has(4)  # the fourth was taken, but nobody lived to hear so
        assert len(server.received) == 4
        async with worker_process(settings, tmp_path / "log"):
            await server.has(len(addresses))
            await make_due(database, datetime.now(UTC))  # as if the dead one's claim were over
            await until(lambda: _nothing_waits(database))

    counts = recipients(server)
    assert set(counts) == set(addresses)
    (twice,) = [address for address, count in counts.items() if count != 1]
    copies = server.letters_to(twice)
    assert len(copies) == 2
    assert len({letter["Message-ID"] for letter in copies}) == 1


def _killer(server: SmtpServer, process: asyncio.subprocess.Process, *, after: int):  # type: ignore[no-untyped-def]
    """Kills the worker while it waits for the answer to its text."""

    def kill(_raw: bytes) -> None:
        if len(server.received) == after:
            process.send_signal(signal.SIGKILL)

    return kill


async def test_kill_before_anything_was_sent_loses_and_doubles_nothing(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    with SmtpServer(mode=Mode.STALL_GREETING) as server:
        settings = settings_for(database_address, tmp_path, server)
        async with worker_process(settings, tmp_path / "log") as process:
            for address in MANY:
                await write(database, to=address)
            await until(lambda: _is(server.connections > 0))
            process.send_signal(signal.SIGKILL)
            await process.wait()
        server.mode = Mode.ACCEPT
        async with worker_process(settings, tmp_path / "log") as process:
            await server.has(len(MANY))
            await until(lambda: _nothing_waits(database))
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

    assert recipients(server) == Counter(MANY)


async def test_a_worker_that_is_stopped_finishes_its_letter(
    sqlite_database: Database, sqlite_address: str, tmp_path: Path
) -> None:
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with worker_process(settings, tmp_path / "log") as process:
            server.on_data = lambda _raw: process.send_signal(signal.SIGTERM)
            for address in MANY[:5]:
                await write(sqlite_database, to=address)
            assert await process.wait() == 0
            server.on_data = None
        async with worker_process(settings, tmp_path / "log"):
            await until(lambda: _nothing_waits(sqlite_database))

    assert recipients(server) == Counter(MANY[:5])


@pytest.mark.postgres
async def test_two_workers_share_the_letters(postgres_address: str, tmp_path: Path) -> None:
    database = Database(postgres_address)
    with SmtpServer() as server:
        first, second = (settings_for(postgres_address, tmp_path / name, server) for name in ("one", "two"))
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        async with (
            worker_process(first, tmp_path / "one.log"),
            worker_process(second, tmp_path / "two.log"),
        ):
            for address in MANY:
                await write(database, to=address)
            await server.has(len(MANY))
            await until(lambda: _nothing_waits(database))
    await database.close()

    assert recipients(server) == Counter(MANY)
