"""The demo's simulated meters, in a process of their own: `python -m lk_portal.services.demo_meters`.

They live and die with `lk demo`: the process ends when its standard input does, which the kernel closes
even when the demo is killed. `services.demo_process` starts it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import datetime

from pymodbus.framer import FramerType

from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import SimulatedGateway, SimulatedMeter
from lk_portal.metering.simulator.fleet import start_all, stop_all
from lk_portal.services import demo_plan
from lk_portal.services.demo_history import CURVES_BEGIN, curve_of

FRAMERS = {"modbus-tcp": FramerType.SOCKET, "modbus-rtu-over-tcp": FramerType.RTU}
MAPS = {
    meter.serial: meter.map_name
    for subscriber in demo_plan.SUBSCRIBERS
    for account in subscriber.accounts
    for point in account.points
    for meter in point.meters
}
READY = "ready"
"""First word of the line the process writes when its meters answer; their ports follow."""


def gateways(ports: Iterable[int], *, replaced_at: datetime) -> list[SimulatedGateway]:
    """The lines of the plan on the given ports (0: a free one), not yet started."""
    return [
        SimulatedGateway(_meters(line.serials, replaced_at), port=port, framer=FRAMERS[line.protocol])
        for line, port in zip(demo_plan.LINES, ports, strict=True)
    ]


def _meters(serials: Iterable[str], replaced_at: datetime) -> list[SimulatedMeter]:
    return [_meter(serial, device_id, replaced_at) for device_id, serial in enumerate(serials, start=1)]


def _meter(serial: str, device_id: int, replaced_at: datetime) -> SimulatedMeter:
    is_new = serial == demo_plan.REPLACING_METER.serial
    curve = curve_of(serial, installed_at=replaced_at if is_new else CURVES_BEGIN)
    return SimulatedMeter(serial, MAPS[serial], device_id=device_id, curve=curve)


async def serve(ports: Iterable[int], *, replaced_at: datetime) -> None:
    """Answer until standard input ends; tell the ports first."""
    load_maps()
    lines = gateways(ports, replaced_at=replaced_at)
    await start_all(lines)
    sys.stdout.write(" ".join([READY, *(str(line.port) for line in lines)]) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await stop_all(lines)


def main() -> None:
    """Arguments: when the meter was replaced (ISO 8601 with offset), then the ports."""
    replaced_at = datetime.fromisoformat(sys.argv[1])
    asyncio.run(serve([int(port) for port in sys.argv[2:]], replaced_at=replaced_at))


if __name__ == "__main__":
    main()
