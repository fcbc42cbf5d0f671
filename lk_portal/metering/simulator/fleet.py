"""Many simulated meters at once, and what the command `lk simulate` runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pymodbus.framer import FramerType

from lk_portal.errors import ConfigurationError
from lk_portal.metering.maps import map_named
from lk_portal.metering.simulator.gateway import SimulatedGateway
from lk_portal.metering.simulator.meter import SimulatedClock, SimulatedMeter
from lk_portal.metering.types import GatewayTarget, MeterTarget

FRAMERS = {"modbus-tcp": FramerType.SOCKET, "modbus-rtu-over-tcp": FramerType.RTU}
"""What a gateway speaks, by the name of the portal's protocol."""
_MOST_DEVICES = 247


def serial_of(number: int) -> str:
    """The serial of the simulated meter `number` (from 1); its load curve follows from it."""
    return f"SIM{number:05d}"


def simulate_fleet(
    meters: int,
    map_name: str,
    base_port: int = 0,
    *,
    gateways: int | None = None,
    host: str = "127.0.0.1",
    protocol: str = "modbus-tcp",
    latency_s: float = 0.0,
    clock: Callable[[], datetime] | None = None,
) -> list[SimulatedGateway]:
    """Gateways, not yet started, with `meters` meters shared out evenly behind them.

    Args:
        meters: How many.
        map_name: Their register map.
        base_port: Port of the first gateway, the others follow; 0 picks free ones.
        gateways: How many; as many as meters when not given (one port for each).
        host: Address to listen on.
        protocol: `modbus-tcp` or `modbus-rtu-over-tcp`.
        latency_s: How long an answer takes.
        clock: The meters' time, aware UTC; real time when not given.

    Raises:
        ConfigurationError: The map or the protocol is unknown, or more than 247 meters share a line.
    """
    map_named(map_name)
    if protocol not in FRAMERS:
        raise ConfigurationError(detail=f"no simulated protocol {protocol!r}; known: {', '.join(FRAMERS)}")
    shared_clock = clock or SimulatedClock()
    lines = gateways or meters
    if not 1 <= lines <= meters or meters > lines * _MOST_DEVICES:
        raise ConfigurationError(detail=f"{meters} meters cannot be shared out to {lines} gateways")
    return [
        SimulatedGateway(
            _line(range(line * meters // lines, (line + 1) * meters // lines), map_name),
            host=host,
            port=base_port + line if base_port else 0,
            framer=FRAMERS[protocol],
            latency_s=latency_s,
            clock=shared_clock,
        )
        for line in range(lines)
    ]


def _line(numbers: range, map_name: str) -> list[SimulatedMeter]:
    return [
        SimulatedMeter(serial_of(number + 1), map_name, device_id=device_id)
        for device_id, number in enumerate(numbers, start=1)
    ]


async def start_all(gateways: Sequence[SimulatedGateway]) -> None:
    """Start them; when one cannot, none is left running.

    Raises:
        ConfigurationError: A port is taken.
    """
    try:
        for gateway in gateways:
            await gateway.start()
    except ConfigurationError:
        await stop_all(gateways)
        raise


async def stop_all(gateways: Sequence[SimulatedGateway]) -> None:
    """Stop those that run."""
    for gateway in gateways:
        await gateway.stop()


def targets(
    gateways: Sequence[SimulatedGateway], *, timeout_s: float = 3.0, first_meter_id: int = 1
) -> tuple[GatewayTarget, ...]:
    """What a poller needs to read started `gateways`; meters are numbered on from `first_meter_id`."""
    protocols = {framer: name for name, framer in FRAMERS.items()}
    found, meter_id = [], first_meter_id
    for gateway_id, gateway in enumerate(gateways, start=1):
        meters = []
        for meter in gateway.meters.values():
            meters.append(MeterTarget(meter_id, meter.serial, meter.map_name, meter.device_id))
            meter_id += 1
        protocol = protocols[gateway.framer]
        found.append(
            GatewayTarget(gateway_id, protocol, gateway.host, gateway.port, timeout_s, tuple(meters))
        )
    return tuple(found)


async def run_simulator(
    *,
    meters: int,
    port: int,
    model: str = "eastron-sdm630",
    gateways: int | None = None,
    host: str = "127.0.0.1",
    protocol: str = "modbus-tcp",
    latency_s: float = 0.0,
    speed: float = 1.0,
    start: datetime | None = None,
    ready: Callable[[Sequence[SimulatedGateway]], None] | None = None,
) -> None:
    """Serve simulated meters until cancelled; then close every port.

    Args:
        meters: How many.
        port: Port of the first gateway, the others follow; 0 picks free ones.
        model: Register map of the meters.
        gateways: How many ports; one for each meter when not given.
        host: Address to listen on.
        protocol: `modbus-tcp` or `modbus-rtu-over-tcp`.
        latency_s: How long an answer takes.
        speed: Simulated seconds in a real one. Above about 20 a portal with a real clock will see more
            energy than a meter can carry, and says so.
        start: Simulated time to begin with, aware; now when not given.
        ready: Called with the running gateways.

    Raises:
        ConfigurationError: A name is unknown, a number does not fit, or a port is taken.
    """
    if speed <= 0 or latency_s < 0:
        raise ConfigurationError(detail="the speed must be above zero, the latency not below")
    clock = SimulatedClock(speed, start=start or datetime.now(UTC))
    fleet = simulate_fleet(
        meters,
        model,
        port,
        gateways=gateways,
        host=host,
        protocol=protocol,
        latency_s=latency_s,
        clock=clock,
    )
    await start_all(fleet)
    try:
        if ready is not None:
            ready(fleet)
        await asyncio.Event().wait()
    finally:
        await stop_all(fleet)
