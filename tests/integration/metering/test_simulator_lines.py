"""Simulated lines on real ports: values of the clock, faults at run time, whole fleets, and the poller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerType

from lk_portal.errors import ConfigurationError, DeviceError, MeterTimeoutError, UnreachableError
from lk_portal.metering.base import adapter_for
from lk_portal.metering.derive import Reading, Verdict, judge
from lk_portal.metering.maps import map_named
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.metering.simulator import (
    Faults,
    LoadCurve,
    SimulatedClock,
    SimulatedGateway,
    SimulatedMeter,
    run_simulator,
    serial_of,
    simulate_fleet,
    targets,
)
from lk_portal.metering.simulator.fleet import start_all, stop_all
from lk_portal.metering.simulator.meter import JUMP_BACK, JUMP_TWH
from lk_portal.metering.types import Quantity
from tests.integration.metering.metering_lines import (
    BENCHES,
    NOW,
    MemorySink,
    assert_agrees,
    free_port,
    gateway_target,
    meter_target,
    simulated_line,
)

SDM630 = map_named("eastron-sdm630")


async def read_wh(line: SimulatedGateway) -> int:
    adapter = adapter_for(gateway_target("modbus-tcp", line.port))
    snapshot = await adapter.read_registers(meter_target())
    await adapter.close()
    return next(r.value_wh for r in snapshot.registers if r.quantity is Quantity.A_PLUS)


async def test_a_line_refuses_what_the_meter_does_not_have() -> None:
    async with simulated_line("modbus-tcp") as line:
        client = AsyncModbusTcpClient("127.0.0.1", port=line.port, timeout=10, retries=0)
        await client.connect()
        assert not (await client.read_input_registers(0x48, count=8, device_id=1)).isError()
        assert (await client.read_input_registers(0x46, count=2, device_id=1)).exception_code == 2
        assert (await client.read_input_registers(0x4E, count=4, device_id=1)).exception_code == 2
        assert (await client.read_holding_registers(0x48, count=8, device_id=1)).exception_code == 1
        assert (await client.write_register(0x48, 1, device_id=1)).exception_code == 1
        client.close()


async def test_registers_follow_an_accelerated_clock_and_never_fall() -> None:
    clock = SimulatedClock(3600 * 100, start=NOW)
    meter = SimulatedMeter("SIM00001", SDM630.name, curve=LoadCurve(3, base_wh=0))
    async with SimulatedGateway([meter], clock=clock) as line:
        values = []
        for _ in range(4):
            values.append(await read_wh(line))
            await asyncio.sleep(0.01)
    assert values == sorted(set(values))


async def test_a_jump_is_told_from_growth() -> None:
    async with simulated_line("modbus-tcp") as line:
        before = await read_wh(line)
        verdicts = []
        for faults in (Faults(), JUMP_BACK, JUMP_TWH):
            line.meters[1].faults = faults
            now = Reading(NOW + timedelta(minutes=1), await read_wh(line))
            verdicts.append(
                judge(
                    Reading(NOW, before),
                    now,
                    capacity_wh=SDM630.registers[0].capacity_wh,
                    max_power_w=SDM630.max_power_w,
                ).verdict
            )
    assert verdicts == [Verdict.ACCEPT, Verdict.RESET, Verdict.SPIKE]


async def test_a_register_wraps_at_its_capacity() -> None:
    capacity_wh = SDM630.registers[0].capacity_wh
    curve = LoadCurve(1, base_wh=0)
    meter = SimulatedMeter("SIM00001", SDM630.name, curve=curve)
    meter.offset_wh = capacity_wh - curve.register_wh(NOW) - 2000
    async with SimulatedGateway([meter], clock=lambda: NOW) as line:
        before = await read_wh(line)
        meter.offset_wh += 4000
        after = await read_wh(line)
    found = judge(
        Reading(NOW, before),
        Reading(NOW + timedelta(hours=1), after),
        capacity_wh=capacity_wh,
        max_power_w=SDM630.max_power_w,
    )
    assert found.verdict is Verdict.ROLLOVER
    assert abs(found.delta_wh - 4000) <= 1024  # a float32 near 10 GWh is coarse


async def test_a_line_answers_one_question_at_a_time() -> None:
    async with simulated_line("modbus-tcp", meters=3) as line:
        line.latency_s = 0.03
        adapters = [adapter_for(gateway_target("modbus-tcp", line.port)) for _ in range(3)]
        started = asyncio.get_running_loop().time()
        await asyncio.gather(
            *(adapter.read_registers(meter_target(n)) for n, adapter in enumerate(adapters, 1))
        )
        assert asyncio.get_running_loop().time() - started >= 0.09
        assert line.questions == 3
        for adapter in adapters:
            await adapter.close()


@pytest.mark.parametrize("protocol", sorted(BENCHES))
@pytest.mark.parametrize("gateways", [None, 4])
async def test_two_hundred_meters_in_one_process(protocol: str, gateways: int | None) -> None:
    fleet = simulate_fleet(200, "eastron-sdm630", gateways=gateways, protocol=protocol, clock=lambda: NOW)
    await start_all(fleet)
    sink = MemorySink()
    poller = Poller(sink)
    try:
        outcomes = await poller.poll(targets(fleet, timeout_s=5))
    finally:
        await poller.close()
        await stop_all(fleet)
    assert len(fleet) == (gateways or 200)
    assert sum(len(batch) for batch in sink.batches) == 200
    meters = [meter for line in fleet for meter in line.meters.values()]
    assert [meter.serial for meter in meters] == [serial_of(n) for n in range(1, 201)]
    by_id = {outcome.meter_id: outcome for outcome in outcomes}
    for meter_id, meter in enumerate(meters, start=1):
        snapshot = by_id[meter_id].snapshot
        assert snapshot is not None
        assert_agrees(snapshot, meter)


async def test_the_poller_reads_the_sound_meters_of_a_line_among_the_sick() -> None:
    async with simulated_line("modbus-rtu-over-tcp", meters=5) as line:
        line.meters[2].faults = Faults(silent=True)
        line.meters[4].faults = Faults(refuse_code=4)
        poller = Poller(MemorySink(), limits=PollLimits(attempts=2, backoff_s=0.01))
        target = targets([line])
        found = {o.meter_id: o.error for o in await poller.poll(target)}
        assert {n: type(error) for n, error in found.items()} == {
            1: type(None),
            2: MeterTimeoutError,
            3: type(None),
            4: DeviceError,
            5: type(None),
        }
        line.meters[2].faults = line.meters[4].faults = Faults()
        assert [o.error for o in await poller.poll(target)] == [None] * 5
        await poller.close()


async def test_a_dead_gateway_delays_neither_its_meters_nor_others() -> None:
    async with simulated_line("modbus-tcp") as line:
        (alive,) = targets([line], timeout_s=1)
        meters = tuple(meter_target(n + 100) for n in range(30))
        dead = gateway_target("modbus-tcp", await free_port(), meters=meters, timeout_s=1)
        poller = Poller(MemorySink(), limits=PollLimits(backoff_s=0.01))
        async with asyncio.timeout(15):  # one after the other they would take 30 s and more
            outcomes = await poller.poll([dead, alive])
        await poller.close()
    errors = [type(outcome.error) for outcome in outcomes]
    assert (errors.count(UnreachableError), errors.count(type(None))) == (30, 1)


async def test_the_command_serves_until_cancelled() -> None:
    served: asyncio.Future[Sequence[SimulatedGateway]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        run_simulator(meters=3, port=0, gateways=2, model="abb-b23", speed=60, ready=served.set_result)
    )
    fleet = await served
    assert [len(line.meters) for line in fleet] == [1, 2]
    poller = Poller(MemorySink())
    assert [o.error for o in await poller.poll(targets(fleet))] == [None] * 3
    await poller.close()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", fleet[0].port)


async def test_ports_follow_each_other() -> None:
    base = await free_port()
    assert [line.port for line in simulate_fleet(3, "abb-b23", base)] == [base, base + 1, base + 2]


async def test_a_taken_port_is_told_and_nothing_is_left_running() -> None:
    async with simulated_line("modbus-tcp") as line:
        fleet = [SimulatedGateway([SimulatedMeter("A", "abb-b23")]) for _ in range(2)]
        fleet[1].port = line.port
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{line.port}"):
            await start_all(fleet)
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", fleet[0].port)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model": "abacus"}, "no register map 'abacus'"),
        ({"protocol": "dlms"}, "no simulated protocol 'dlms'"),
        ({"meters": 300, "gateways": 1}, "300 meters cannot be shared out to 1 gateways"),
        ({"meters": 1, "gateways": 2}, "1 meters cannot be shared out to 2 gateways"),
        ({"meters": 0}, "0 meters cannot be shared out"),
        ({"speed": 0}, "the speed must be above zero"),
    ],
)
async def test_what_does_not_fit_is_refused(changes: dict[str, object], reason: str) -> None:
    options: dict[str, object] = {"meters": 1, "port": 0, **changes}
    with pytest.raises(ConfigurationError, match=reason):
        await run_simulator(**options)  # type: ignore[arg-type]


async def test_a_line_needs_different_addresses() -> None:
    twins = [SimulatedMeter("A", "abb-b23"), SimulatedMeter("B", "abb-b23")]
    with pytest.raises(ConfigurationError, match="different device ids"):
        SimulatedGateway(twins, framer=FramerType.RTU)


async def test_real_time_is_the_default() -> None:
    (line,) = simulate_fleet(1, "abb-b23")
    assert abs(line.clock() - datetime.now(UTC)) < timedelta(seconds=1)
