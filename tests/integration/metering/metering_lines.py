"""What the metering tests share: simulated lines of every protocol, and a server that says what it is told.

A new adapter joins the conformance test with one entry in `BENCHES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pymodbus.framer import FramerType

import lk_portal.metering.modbus  # noqa: F401 - registers the adapters
from lk_portal.metering.maps import map_named
from lk_portal.metering.simulator import SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import GatewayTarget, MeterTarget, PollOutcome, Snapshot

NOW = datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC)
TIMEOUT_S = 0.6
"""For tests that wait it out, too; a process of tests that is held up for less loses nothing."""
BENCHES = {"modbus-tcp": FramerType.SOCKET, "modbus-rtu-over-tcp": FramerType.RTU}


def meter_target(device_id: int = 1, model: str = "eastron-sdm630") -> MeterTarget:
    return MeterTarget(device_id, f"SIM{device_id:05d}", model, device_id)


def gateway_target(
    protocol: str, port: int, *, meters: tuple[MeterTarget, ...] = (), timeout_s: float = TIMEOUT_S
) -> GatewayTarget:
    return GatewayTarget(1, protocol, "127.0.0.1", port, timeout_s, meters)


def simulated_line(protocol: str, *, meters: int = 1, model: str = "eastron-sdm630") -> SimulatedGateway:
    """A line at a standing clock, not yet started."""
    return SimulatedGateway(
        [SimulatedMeter(f"SIM{n:05d}", model, n) for n in range(1, meters + 1)],
        framer=BENCHES[protocol],
        clock=lambda: NOW,
    )


def assert_agrees(snapshot: Snapshot, meter: SimulatedMeter) -> None:
    """Every register of the map was read, equal to the simulator's value up to the meter's resolution."""
    register_map = map_named(meter.map_name)
    assert len(snapshot.registers) == len(register_map.registers)
    for read in snapshot.registers:
        register = register_map.register(read.quantity, read.zone)
        assert register is not None
        true_wh = meter.value_wh(NOW, read.quantity, read.zone)
        resolution_wh = max(1, true_wh // 2**23) if register.type.is_float else register.scale_wh
        assert abs(read.value_wh - true_wh) <= resolution_wh, read
    assert snapshot.taken_at.tzinfo is UTC


class MemorySink:
    """Keeps what a poller hands over."""

    def __init__(self) -> None:
        self.batches: list[tuple[PollOutcome, ...]] = []

    async def store(self, outcomes: tuple[PollOutcome, ...]) -> None:
        self.batches.append(outcomes)


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted_server(conversation: Conversation) -> AsyncIterator[int]:
    """A raw TCP server for what no well-behaved server would say; yields its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await conversation(reader, writer)
        except OSError:
            pass  # the adapter hung up, as it should
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(converse(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed in the loop's next turn


async def free_port() -> int:
    """A port on which nobody listens."""
    async with scripted_server(_hang_up) as port:
        return port


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
