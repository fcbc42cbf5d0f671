"""A real simulated line, the rows that lead to it, and what must hold of whatever was polled."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lk_portal.jobs.protocols import load_protocols
from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import LoadCurve, SimulatedGateway, SimulatedMeter
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import Settings, load_settings
from tests import factories

MAP = "schneider-iem3155"
"""It counts single watt-hours; 60 MWh a year are some 9 Wh in 5 seconds."""
PATIENCE_S = 40.0


def settings_for(address: str, data_dir: Path, **values: Any) -> Settings:
    """Settings that poll every five seconds."""
    settings = load_settings(
        database_url=address, data_dir=data_dir, **{"poll_interval_s": 5, "timezone": "Asia/Omsk", **values}
    )
    load_protocols(settings)
    return settings


def simulated_line(meters: int, *, latency_s: float = 0.0, first: int = 1) -> SimulatedGateway:
    """A line of busy meters; not started."""
    load_maps()
    made = []
    for device_id in range(1, meters + 1):
        curve = LoadCurve(first + device_id, annual_wh=60_000_000, utc_offset=timedelta(hours=6))
        made.append(SimulatedMeter(f"S{first + device_id}", MAP, device_id, curve=curve))
    return SimulatedGateway(made, latency_s=latency_s)


async def connect(database: Database, line: SimulatedGateway) -> list[factories.MeteredPoint]:
    """Points and connections for the meters of a started line."""
    gateway_id = await factories.gateway(database, port=line.port)
    points = []
    for device_id in line.meters:
        point = await factories.a_metered_point(database, map_name=MAP)
        await factories.connection(
            database, meter_id=point.meter_id, gateway_id=gateway_id, device_id=device_id
        )
        points.append(point)
    return points


def portal_for(settings: Settings) -> Portal:
    """A portal of its own connections."""
    return Portal.from_settings(settings)


async def until(condition: Callable[[], Awaitable[bool]], *, patience_s: float = PATIENCE_S) -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + patience_s
    while not await condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.1)


async def scalar(database: Database, query: str) -> Any:
    async with database.reading() as connection:
        return await connection.scalar(text(query))


def each_was_read(database: Database, times: int) -> Callable[[], Awaitable[bool]]:
    """A condition: no meter was read less often."""

    async def check() -> bool:
        fewest = await scalar(database, "SELECT min(successes) FROM meter_connection")
        return int(fewest or 0) >= times

    return check


async def assert_nothing_lost_or_doubled(database: Database) -> None:
    """The intervals of each point and quantity are exactly what its register grew by, and a bit of it."""
    query = """
        SELECT i.point_id, i.quantity, sum(i.value_wh) AS counted, min(r.grown) AS grown, sum(i.covered_s)
        FROM interval i
        JOIN installation n ON n.point_id = i.point_id
        JOIN (SELECT meter_id, quantity, max(value_wh) - min(value_wh) AS grown FROM register_reading
              WHERE zone = 0 GROUP BY meter_id, quantity) r
          ON r.meter_id = n.meter_id AND r.quantity = i.quantity
        GROUP BY i.point_id, i.quantity"""
    async with database.reading() as connection:
        rows = (await connection.execute(text(query))).all()
        readings = await connection.scalar(text("SELECT count(*) FROM reading_review"))
    assert rows
    assert readings == 0
    for point_id, quantity, counted, grown, covered_s in rows:
        assert counted == grown, (point_id, quantity)
        assert covered_s <= 2 * 3600
    assert any(row.counted > 0 for row in rows)


@asynccontextmanager
async def worker_process(settings: Settings, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`lk worker` in a process of its own; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "LK_DATABASE_URL": settings.database_url,
        "LK_DATA_DIR": str(settings.data_dir),
        "LK_POLL_INTERVAL_S": str(settings.poll_interval_s),
        "LK_LOCALE": "en",
    }
    with log.open("ab") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lk_portal", "worker", env=environment, stdout=written, stderr=written
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
