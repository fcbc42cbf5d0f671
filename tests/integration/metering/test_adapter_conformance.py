"""What every registered adapter must do, whatever protocol it speaks; see `MeterAdapter`.

Each test that shows an error ends with the same adapter reading the value again: an adapter that only ever
failed would pass none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from lk_portal.errors import (
    ConfigurationError,
    DataInvalidError,
    DeviceError,
    MeterError,
    MeterTimeoutError,
    ProtocolError,
    UnreachableError,
    UnsupportedError,
)
from lk_portal.metering.base import MeterAdapter, adapter_for, known_protocols
from lk_portal.metering.maps import known_maps
from lk_portal.metering.simulator import Faults, SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import Capability
from tests.integration.metering.metering_lines import (
    BENCHES,
    TIMEOUT_S,
    assert_agrees,
    free_port,
    gateway_target,
    meter_target,
    simulated_line,
)


@dataclass
class Bench:
    """An adapter before a simulated line of two meters."""

    protocol: str
    line: SimulatedGateway
    adapter: MeterAdapter

    @property
    def meter(self) -> SimulatedMeter:
        return self.line.meters[1]

    async def read_and_compare(self, device_id: int = 1) -> None:
        snapshot = await self.adapter.read_registers(meter_target(device_id))
        assert_agrees(snapshot, self.line.meters[device_id])


@pytest.fixture(params=sorted(BENCHES))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with simulated_line(request.param, meters=2) as line:
        adapter = adapter_for(gateway_target(request.param, line.port))
        yield Bench(request.param, line, adapter)
        await adapter.close()


def test_every_adapter_has_a_bench() -> None:
    assert set(known_protocols()) == set(BENCHES)


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="Unknown protocol carrier-pigeon; known: modbus-rtu"):
        adapter_for(gateway_target("carrier-pigeon", 1))


async def test_keeps_the_contract(bench: Bench) -> None:
    assert isinstance(bench.adapter, MeterAdapter)
    assert Capability.REGISTERS in bench.adapter.capabilities


async def test_reads_what_the_meter_shows(bench: Bench) -> None:
    await bench.read_and_compare(1)
    await bench.read_and_compare(2)
    bench.meter.offset_wh = 5_000
    await bench.read_and_compare(1)


@pytest.mark.parametrize("protocol", sorted(BENCHES))
@pytest.mark.parametrize("model", [known.name for known in known_maps()])
async def test_reads_every_model(protocol: str, model: str) -> None:
    async with simulated_line(protocol, model=model) as line:
        adapter = adapter_for(gateway_target(protocol, line.port))
        assert_agrees(await adapter.read_registers(meter_target(model=model)), line.meters[1])
        await adapter.close()


@pytest.mark.parametrize(
    ("faults", "family"),
    [
        (Faults(silent=True), MeterTimeoutError),
        (Faults(late_s=TIMEOUT_S * 1.5), MeterTimeoutError),
        (Faults(refuse_code=4), DeviceError),
        (Faults(garbage=True), ProtocolError),
        (Faults(short=True), ProtocolError),
        (Faults(nan=True), DataInvalidError),
        (Faults(all_ones=True), DataInvalidError),
    ],
    ids=lambda value: str(value) if isinstance(value, Faults) else value.__name__,
)
async def test_a_fault_is_told_by_its_family_and_passes(
    bench: Bench, faults: Faults, family: type[MeterError]
) -> None:
    await bench.read_and_compare()
    bench.meter.faults = faults
    with pytest.raises(family) as failed:
        await bench.adapter.read_registers(meter_target())
    assert type(failed.value) is family
    assert "{" not in str(failed.value)
    bench.meter.faults = Faults()
    await bench.read_and_compare(2)
    await bench.read_and_compare(1)


async def test_a_refusal_carries_the_meters_number(bench: Bench) -> None:
    bench.meter.faults = Faults(refuse_code=6)
    with pytest.raises(DeviceError) as failed:
        await bench.adapter.read_registers(meter_target())
    assert failed.value.device_code == 6


async def test_an_absent_meter_is_silent_and_its_neighbour_is_read(bench: Bench) -> None:
    with pytest.raises(MeterTimeoutError, match=f"No answer within {TIMEOUT_S} s"):
        await bench.adapter.read_registers(meter_target(9))
    await bench.read_and_compare()


async def test_an_unknown_model_or_address_is_not_supported(bench: Bench) -> None:
    with pytest.raises(UnsupportedError, match="abacus"):
        await bench.adapter.read_registers(meter_target(model="abacus"))
    with pytest.raises(UnsupportedError, match="300"):
        await bench.adapter.read_registers(meter_target(300))
    await bench.read_and_compare()


async def test_a_cancelled_read_leaves_the_adapter_usable(bench: Bench) -> None:
    bench.meter.faults = Faults(late_s=TIMEOUT_S / 2)
    reading = asyncio.create_task(bench.adapter.read_registers(meter_target()))
    await asyncio.sleep(TIMEOUT_S / 10)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    bench.meter.faults = Faults()
    await bench.read_and_compare(2)
    await bench.read_and_compare(1)


async def test_an_unreachable_gateway_is_told_and_found_again(bench: Bench) -> None:
    await bench.read_and_compare()
    port = bench.line.port
    await bench.line.stop()
    for _ in range(2):
        with pytest.raises(UnreachableError, match=f"No connection to 127.0.0.1:{port}: "):
            await bench.adapter.read_registers(meter_target())
    await bench.line.start()
    await bench.read_and_compare()


@pytest.mark.parametrize("protocol", sorted(BENCHES))
async def test_a_first_connection_that_fails_is_tried_again(protocol: str) -> None:
    port = await free_port()
    adapter = adapter_for(gateway_target(protocol, port))
    with pytest.raises(UnreachableError, match="Connection refused"):
        await adapter.read_registers(meter_target())
    line = simulated_line(protocol)
    line.port = port
    async with line:
        assert_agrees(await adapter.read_registers(meter_target()), line.meters[1])
    await adapter.close()


async def test_close_twice_and_before_any_use(bench: Bench) -> None:
    unused = adapter_for(gateway_target(bench.protocol, bench.line.port))
    await unused.close()
    await bench.read_and_compare()
    await bench.adapter.close()
    await bench.adapter.close()
