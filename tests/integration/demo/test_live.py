"""The demo's meters live, die and come back; what they say continues the history."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from lk_portal.jobs.once import poll_once
from lk_portal.jobs.protocols import load_protocols
from lk_portal.metering.types import Quality
from lk_portal.models.types import to_milliseconds
from lk_portal.services import demo, demo_plan
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.demo_process import MeterProcess
from lk_portal.settings import load_settings

REPLACED_AT = datetime(2026, 5, 12, 5, 20, tzinfo=UTC)
PARENT = """
import sys, time
from datetime import datetime
from lk_portal.services.demo_process import MeterProcess
meters = MeterProcess(replaced_at=datetime.fromisoformat(sys.argv[1]))
meters.start()
print(meters.pid, flush=True)
time.sleep(60)
"""


def until(condition: Callable[[], bool], *, patience_s: float = 15) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def portal(sqlite_address: str, tmp_path: Path) -> Portal:
    settings = load_settings(
        data_dir=tmp_path,
        database_url=sqlite_address,
        environment="demo",
        timezone="Asia/Omsk",
        poll_interval_s=60,
        bcrypt_rounds=4,
    )
    load_protocols(settings)
    return Portal.from_settings(settings)


async def live(portal: Portal) -> None:
    """Poll the demo's meters once, in a process of their own."""
    meters = MeterProcess(replaced_at=await demo.replaced_when(portal.database))
    try:
        await demo.point_lines(portal.database, await asyncio.to_thread(meters.start))
        outcomes = (await poll_once(portal)).outcomes
    finally:
        await asyncio.to_thread(meters.stop)
    assert [str(outcome.error) for outcome in outcomes if outcome.error] == []
    assert len(outcomes) == 4 + demo_plan.NEIGHBOURS


async def last_hours(database: Database, since: datetime) -> list[tuple[int, int, int, int]]:
    """Value, coverage, quality and quantity of the hours from `since` on, all points."""
    query = "SELECT value_wh, covered_s, quality, quantity FROM interval WHERE start >= :since"
    async with database.reading() as connection:
        rows = await connection.execute(text(query), {"since": to_milliseconds(since)})
        return [(row[0], row[1], row[2], row[3]) for row in rows]


async def test_the_first_live_poll_goes_on_without_spike_or_doubled_hour(portal: Portal) -> None:
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    await demo.seed(portal.database, portal.settings, now=now)

    await live(portal)

    assert await _count(portal.database, "SELECT count(*) FROM reading_review") == 0
    passed_s = (datetime.now(UTC) - hour).total_seconds()
    rows = await last_hours(portal.database, hour)
    assert rows
    for value_wh, covered_s, quality, _quantity in rows:
        assert covered_s <= passed_s + 1
        assert value_wh <= 6_000
        assert quality == Quality.MEASURED
    over = "SELECT count(*) FROM interval WHERE covered_s > duration_s"
    assert await _count(portal.database, over) == 0
    await _assert_sums(portal.database)
    await portal.close()


async def test_a_demo_that_stood_still_for_days_estimates_the_gap(portal: Portal) -> None:
    then = datetime.now(UTC) - timedelta(days=3)
    await demo.seed(portal.database, portal.settings, now=then)

    await live(portal)

    rows = await last_hours(portal.database, then.replace(minute=0, second=0, microsecond=0))
    full = [row for row in rows if row[1] == 3600]
    assert len(full) >= 71 * (4 + demo_plan.NEIGHBOURS)
    assert {row[2] for row in full} == {Quality.ESTIMATED}
    assert await _count(portal.database, "SELECT count(*) FROM reading_review") == 0
    await _assert_sums(portal.database)
    await portal.close()


async def _count(database: Database, query: str) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(text(query)) or 0)


async def _assert_sums(database: Database) -> None:
    """A+ of the manual's meter, history and live hours together, is what its register grew by."""
    query = """SELECT (SELECT sum(value_wh) FROM interval i JOIN installation n ON n.point_id = i.point_id
            WHERE n.meter_id = m.id AND i.quantity = 1),
        (SELECT max(value_wh) - min(value_wh) FROM register_reading r
            WHERE r.meter_id = m.id AND quantity = 1 AND zone = 0)
        FROM meter m WHERE m.serial = :serial"""
    async with database.reading() as connection:
        found = await connection.execute(text(query), {"serial": demo_plan.TWO_ZONE_METER.serial})
        total, grown = found.one()
    assert total == grown


def test_dead_meters_are_begun_again_on_the_same_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lk_portal.services.demo_process.RESTART_AFTER_S", 0.1)
    meters = MeterProcess(replaced_at=REPLACED_AT)
    try:
        ports = meters.start()
        first = meters.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: meters.pid not in (None, first) and _answers(ports))
        second = meters.pid
    finally:
        meters.stop()
        meters.stop()

    assert second is not None
    assert not is_running(second)


def _answers(ports: dict[str, int]) -> bool:
    try:
        for port in ports.values():
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_meters_end_with_a_killed_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, REPLACED_AT.isoformat()], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()

    until(lambda: not is_running(child))
