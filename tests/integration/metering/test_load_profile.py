"""The load profile of a meter, read over a real socket: what is there comes, the rest stays missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lk_portal.errors import ClockWrongError, MeterError, MeterTimeoutError, UnsupportedError
from lk_portal.metering.base import ProfileAdapter, adapter_for, profile_of
from lk_portal.metering.maps import load_maps
from lk_portal.metering.simulator import ArchiveFaults, Faults, LoadCurve, SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import Capability, MeterTarget, ProfileRecord, Quality, Quantity
from tests.integration.metering.metering_lines import BENCHES, TIMEOUT_S, gateway_target

MODEL = "simulated-profile"
GUIDE = Path(__file__).parents[3] / "docs" / "extending.md"
NOW = datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
START = datetime(2026, 5, 20, 7, tzinfo=UTC)

REGISTERS = """
name = "{name}"
manufacturer = "Test"
model = "T1"
title = "Test meter"
function = "input"
word_order = "little"
max_power_w = 10000
capacity_wh = 100_000_000
sources = ["one", "two"]

[[registers]]
quantity = "A+"
address = 0x10
type = "uint32"
scale_wh = "1"

[profile]
function = "input"
first = 0x1000
records = 100
record_words = 5
interval_s = 3600
newest_address = 0x20
clock_address = 0x21
stamp = "unix32"
stamp_edge = "start"
stamp_offset = 1
clock = "{clock}"

[[profile.values]]
quantity = "A+"
offset = 3
type = "uint32"
scale_wh = "1"
"""


@dataclass
class Bench:
    """An adapter before one simulated meter with a load profile."""

    meter: SimulatedMeter
    line: SimulatedGateway
    adapter: ProfileAdapter

    async def read(self, start: datetime, end: datetime, **options: str) -> tuple[ProfileRecord, ...]:
        return await self.adapter.read_profile(target(self.meter.map_name, **options), start, end)

    def true_wh(self, start: datetime, end: datetime) -> int:
        value_wh = self.meter.curve.value_wh
        return value_wh(end, Quantity.A_PLUS) - value_wh(start, Quantity.A_PLUS)

    def show(self, **faults: object) -> None:
        assert self.meter.archive is not None
        self.meter.archive.faults = ArchiveFaults(**faults)  # type: ignore[arg-type]


def target(model: str = MODEL, **options: str) -> MeterTarget:
    return MeterTarget(1, "SIM00001", model, 1, options)


def a_plus(records: tuple[ProfileRecord, ...]) -> list[ProfileRecord]:
    return [one for one in records if one.quantity is Quantity.A_PLUS]


def starts(records: tuple[ProfileRecord, ...]) -> list[datetime]:
    return [one.start for one in a_plus(records)]


def every(start: datetime, end: datetime, step: timedelta = HALF_HOUR) -> list[datetime]:
    return [start + step * number for number in range((end - start) // step)]


@pytest.fixture(params=sorted(BENCHES))
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    load_maps()
    meter = SimulatedMeter("SIM00001", MODEL, curve=LoadCurve(7))
    async with SimulatedGateway([meter], framer=BENCHES[request.param], clock=lambda: NOW) as line:
        adapter = adapter_for(gateway_target(request.param, line.port))
        assert isinstance(adapter, ProfileAdapter)
        adapter._clock = lambda: NOW  # type: ignore[attr-defined]
        yield Bench(meter, line, adapter)
        await adapter.close()


async def test_the_adapter_says_what_the_model_keeps(bench: Bench) -> None:
    assert Capability.INTERVALS in bench.adapter.capabilities
    found = bench.adapter.profile_of(target())
    assert found is not None
    assert (found.interval, found.depth, found.resolution_wh) == (HALF_HOUR, 93 * DAY, 1)
    assert found.quantities == {Quantity.A_PLUS, Quantity.R_PLUS}


async def test_models_without_a_profile_say_so_and_are_not_asked(bench: Bench) -> None:
    for model in ("eastron-sdm630", "no-such-map"):
        gateway = gateway_target("modbus-tcp", bench.line.port)
        assert profile_of(gateway, target(model)) is None
        with pytest.raises(UnsupportedError):
            await bench.adapter.read_profile(target(model), START, START + DAY)
    assert bench.line.questions == 0
    assert profile_of(gateway, target()) is not None


async def test_every_interval_comes_as_the_registers_counted_it(bench: Bench) -> None:
    records = await bench.read(START, START + DAY)
    assert starts(records) == every(START, START + DAY)
    for one in a_plus(records):
        assert (one.end - one.start, one.quality) == (HALF_HOUR, Quality.MEASURED)
        assert one.value_wh == bench.true_wh(one.start, one.end)
    assert sum(one.value_wh for one in a_plus(records)) == bench.true_wh(START, START + DAY) > 0
    reactive = [one for one in records if one.quantity is Quantity.R_PLUS]
    assert len(reactive) == 48
    assert sum(one.value_wh for one in reactive) > 0


async def test_only_whole_intervals_of_the_span_come(bench: Bench) -> None:
    records = await bench.read(START + timedelta(minutes=1), START + timedelta(minutes=119))
    assert starts(records) == [START + HALF_HOUR, START + 2 * HALF_HOUR]
    assert await bench.read(START, START) == ()


async def test_the_ring_is_read_where_it_closes_and_from_file_to_file(bench: Bench) -> None:
    start = NOW - timedelta(days=92)
    for begin in every(start, NOW, timedelta(days=13)):
        records = await bench.read(begin, begin + timedelta(days=14))
        found = starts(records)
        assert found == every(found[0], found[-1] + HALF_HOUR)
        assert found[0] - begin < HALF_HOUR
        assert sum(one.value_wh for one in a_plus(records)) == bench.true_wh(found[0], found[-1] + HALF_HOUR)


async def test_what_is_older_than_the_ring_or_not_over_yet_is_not_there(bench: Bench) -> None:
    oldest = starts(await bench.read(NOW - timedelta(days=120), NOW - timedelta(days=92)))
    assert oldest[0] == NOW.replace(minute=30, second=0) - 4464 * HALF_HOUR
    newest = starts(await bench.read(NOW - timedelta(hours=2), NOW + DAY))
    assert newest[-1] == NOW.replace(minute=0, second=0)


async def test_a_fresh_ring_has_only_what_there_was(bench: Bench) -> None:
    began = NOW.replace(minute=0, second=0) - timedelta(hours=5)
    bench.show(began=began)
    assert starts(await bench.read(NOW - DAY, NOW)) == every(began, NOW.replace(minute=30, second=0))
    bench.show(began=NOW)
    assert await bench.read(NOW - DAY, NOW) == ()


async def test_time_without_power_is_absent_and_moves_nothing(bench: Bench) -> None:
    dark = (START + 3 * HALF_HOUR, START + 9 * HALF_HOUR)
    later = (START + timedelta(days=5), START + timedelta(days=8))
    bench.show(unpowered=(dark, later))
    records = await bench.read(START, START + DAY)
    assert starts(records) == [at for at in every(START, START + DAY) if not dark[0] <= at < dark[1]]
    assert all(one.value_wh == bench.true_wh(one.start, one.end) for one in a_plus(records))
    assert await bench.read(later[0], later[1]) == ()
    assert starts(await bench.read(later[1], later[1] + HALF_HOUR)) == [later[1]]


async def test_the_meters_own_marks_become_qualities(bench: Bench) -> None:
    bench.show(
        marked=(
            (START, START + HALF_HOUR, 0x0001),
            (START + HALF_HOUR, START + 2 * HALF_HOUR, 0x0004),
            (START + 2 * HALF_HOUR, START + 3 * HALF_HOUR, 0x0100),
        )
    )
    first, second, third = a_plus(await bench.read(START, START + 3 * HALF_HOUR))
    assert (first.quality, first.value_wh) == (Quality.MISSING, 0)
    assert (second.quality, second.value_wh) == (
        Quality.ESTIMATED,
        bench.true_wh(second.start, second.end),
    )
    assert third.quality is Quality.MEASURED


@pytest.mark.parametrize("off_s", [-300, 300])
async def test_nothing_is_taken_by_a_wrong_clock(bench: Bench, off_s: int) -> None:
    bench.show(clock_off=timedelta(seconds=off_s))
    with pytest.raises(ClockWrongError, match="clock is wrong by 300 s"):
        await bench.read(START, START + DAY)
    bench.show(clock_off=timedelta(seconds=off_s // 3))
    assert len(a_plus(await bench.read(START, START + DAY))) == 48


@pytest.mark.parametrize("faults", [Faults(silent=True), Faults(refuse_code=4), Faults(garbage=True)])
async def test_a_failure_is_told_and_the_next_reading_is_whole(bench: Bench, faults: Faults) -> None:
    bench.meter.faults = faults
    with pytest.raises(MeterError):
        await bench.read(START, START + DAY)
    bench.meter.faults = Faults()
    assert len(a_plus(await bench.read(START, START + DAY))) == 48


async def test_a_reading_given_up_leaves_nothing_behind(bench: Bench) -> None:
    bench.meter.faults = Faults(late_s=TIMEOUT_S / 2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(TIMEOUT_S * 0.75):
            await bench.read(START, START + DAY)
    bench.meter.faults = Faults(late_s=5)
    with pytest.raises(MeterTimeoutError):
        await bench.read(START, START + DAY)
    bench.meter.faults = Faults()
    assert len(a_plus(await bench.read(START, START + DAY))) == 48


async def test_a_far_hour_is_found_in_few_questions(bench: Bench) -> None:
    bench.show(unpowered=((NOW - timedelta(days=10), NOW - timedelta(days=9)),))
    start = NOW.replace(minute=0, second=0) - timedelta(days=60)
    assert len(a_plus(await bench.read(start, start + HALF_HOUR))) == 1
    assert bench.line.questions < 20


@pytest.mark.parametrize("clock", ["utc", "local"])
async def test_a_ring_of_registers_is_read_by_its_map_alone(tmp_path: Path, clock: str) -> None:
    name = f"ring-{clock}"
    (tmp_path / f"{name}.toml").write_text(REGISTERS.format(name=name, clock=clock), encoding="utf-8")
    load_maps(tmp_path)
    try:
        meter = SimulatedMeter("SIM00001", name, curve=LoadCurve(7))
        assert meter.archive is not None
        meter.archive.zone = "Asia/Omsk"
        async with SimulatedGateway([meter], clock=lambda: NOW) as line:
            adapter = adapter_for(gateway_target("modbus-tcp", line.port))
            assert isinstance(adapter, ProfileAdapter)
            adapter._clock = lambda: NOW  # type: ignore[attr-defined]
            bench = Bench(meter, line, adapter)
            end = NOW.replace(minute=0, second=0)
            start = end - 3 * DAY
            records = await bench.read(start, end, timezone="Asia/Omsk")
            assert starts(records) == every(start, end, timedelta(hours=1))
            assert sum(one.value_wh for one in records) == bench.true_wh(start, end) > 0
            if clock == "local":
                with pytest.raises(UnsupportedError, match="time zone"):
                    await bench.read(start, end)
            await adapter.close()
    finally:
        load_maps()


async def test_the_profile_of_the_guide_is_read(tmp_path: Path) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    (profile,) = re.findall(r"```toml\n(\[profile\].*?)```", guide, re.DOTALL)
    head = REGISTERS.partition("[profile]")[0].format(name="guide")
    (tmp_path / "guide.toml").write_text(head + profile, encoding="utf-8")
    load_maps(tmp_path)
    try:
        meter = SimulatedMeter("SIM00001", "guide", curve=LoadCurve(7))
        async with SimulatedGateway([meter], clock=lambda: NOW) as line:
            adapter = adapter_for(gateway_target("modbus-tcp", line.port))
            assert isinstance(adapter, ProfileAdapter)
            adapter._clock = lambda: NOW  # type: ignore[attr-defined]
            bench = Bench(meter, line, adapter)
            records = await bench.read(START, START + DAY, timezone="UTC")
            assert starts(records) == every(START, START + DAY)
            await adapter.close()
    finally:
        load_maps()


async def test_function_20_looks_on_the_wire_as_the_standard_says() -> None:
    """By hand, without pymodbus: V1.1b3, 6.14. File 2, records 0 to 6, are one record of the profile."""
    load_maps()
    meter = SimulatedMeter("SIM00001", MODEL, curve=LoadCurve(7))
    async with SimulatedGateway([meter], clock=lambda: NOW) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(bytes.fromhex("0001 0000 000a 01 14 07 06 0002 0000 0007"))
        answer = await asyncio.wait_for(reader.readexactly(6 + 1 + 1 + 1 + 2 + 14), timeout=5)
        writer.write(bytes.fromhex("0002 0000 000a 01 14 07 06 0009 0000 0007"))
        refusal = await asyncio.wait_for(reader.readexactly(9), timeout=5)
        writer.close()
        await writer.wait_closed()
    assert answer[:11] == bytes.fromhex("0001 0000 0013 01 14 10 0f 06")
    year, month, day, hour, minute, second = answer[11:17]
    assert (year, minute in (0, 30), second) == (26, True, 0)
    end = datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    value_wh = meter.curve.value_wh
    grown = value_wh(end, Quantity.A_PLUS) - value_wh(end - HALF_HOUR, Quantity.A_PLUS)
    assert int.from_bytes(answer[19:21], "big") == grown > 0
    assert refusal[7:] == bytes([0x94, 2])
