"""Meters polled and stored, beside bare pymodbus that reads the same registers and stores nothing.

200 simulated SDM630, each on a port of its own, in a process of their own; both sides keep their
connections open. 0 ms shows our own cost, 50 ms how many lines are read at once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient

import lk_portal.metering.modbus  # noqa: F401 - registers the adapters
from lk_portal.metering.poller import Poller
from lk_portal.metering.simulator import simulate_fleet
from lk_portal.metering.simulator.fleet import start_all
from lk_portal.metering.types import GatewayTarget
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.services.polling import due_gateways
from lk_portal.services.readings import ReadingStore
from tests import factories
from tests.bench.options import Options
from tests.bench.report import ratio

METERS = 200
MODEL = "eastron-sdm630"
FIRST, COUNT = 0x48, 8
ROUNDS = 15
ROUND_TRIPS = 2


def run(_options: Options) -> None:
    """Measure without latency and with 50 ms."""
    for latency_s in (0.0, 0.05):
        with _meters(latency_s) as ports, tempfile.TemporaryDirectory() as directory:
            asyncio.run(_measure(Path(directory), ports, latency_s))


async def _measure(directory: Path, ports: list[int], latency_s: float) -> None:
    address = f"sqlite:///{directory / 'bench.sqlite3'}"
    migrate(address)
    database = Database(address)
    targets = await _register(database, ports)
    store = ReadingStore(database, clock=_now, default_interval_s=60)
    poller = Poller(store)
    clients = await _connect(ports)
    bare, ours = [], []
    await poller.poll(targets)
    for _ in range(ROUNDS):
        bare.append(await _timed(_read_bare(clients)))
        ours.append(await _timed(_poll(poller, targets)))
    await poller.close()
    for client in clients:
        client.close()
    await database.close()
    _report(bare, ours, latency_s)


def _report(bare: list[float], ours: list[float], latency_s: float) -> None:
    floor, cost = statistics.median(bare), statistics.median(ours)
    detail = f"{METERS} meters: bare {floor * 1000:.0f} ms, polled and stored {cost * 1000:.0f} ms"
    detail += f", best {min(bare) * 1000:.0f} / {min(ours) * 1000:.0f}, {METERS / cost:,.0f} meters/s"
    if latency_s == 0:
        ratio("polled and stored / bare pymodbus, 0 ms", floor / cost, detail, at_least=0.7)
    else:
        ideal = ROUND_TRIPS * latency_s
        ratio(
            "polled and stored at 50 ms / two round trips",
            cost / ideal,
            f"{detail}, bare / two round trips {floor / ideal:.2f}",
            at_most=1.3,
        )


async def _register(database: Database, ports: list[int]) -> tuple[GatewayTarget, ...]:
    for port in ports:
        made = await factories.a_metered_point(database, map_name=MODEL)
        line = await factories.gateway(database, port=port)
        await factories.connection(database, meter_id=made.meter_id, gateway_id=line, device_id=1)
    return await due_gateways(database, now=_now(), default_interval_s=60)


async def _connect(ports: list[int]) -> list[AsyncModbusTcpClient]:
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for port in ports]
    await asyncio.gather(*(client.connect() for client in clients))
    return clients


async def _read_bare(clients: list[AsyncModbusTcpClient]) -> None:
    answers = await asyncio.gather(
        *(client.read_input_registers(FIRST, count=COUNT, device_id=1) for client in clients)
    )
    assert all(len(answer.registers) == COUNT for answer in answers)


async def _poll(poller: Poller, targets: tuple[GatewayTarget, ...]) -> None:
    outcomes = await poller.poll(targets)
    assert len(outcomes) == METERS
    assert all(outcome.error is None for outcome in outcomes), next(o.error for o in outcomes if o.error)


async def _timed(work: object) -> float:
    began = time.perf_counter()
    await work  # type: ignore[misc]
    return time.perf_counter() - began


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _meters(latency_s: float) -> Iterator[list[int]]:
    """The simulated meters in a process of their own; gives their ports."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs, latency_s), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, latency_s: float) -> None:
    asyncio.run(_serve_fleet(pipe, latency_s))


async def _serve_fleet(pipe: Connection, latency_s: float) -> None:
    fleet = simulate_fleet(METERS, MODEL, latency_s=latency_s)
    await start_all(fleet)
    pipe.send([gateway.port for gateway in fleet])
    await asyncio.Event().wait()
