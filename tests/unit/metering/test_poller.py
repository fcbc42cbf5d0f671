"""The poller's rules, with adapters that do exactly what a test says (fakes stand at the edge only)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import ClassVar

import pytest

from lk_portal.errors import (
    DeviceError,
    MeterError,
    MeterTimeoutError,
    ProtocolError,
    StorageError,
    UnreachableError,
)
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.metering.types import (
    Capability,
    GatewayTarget,
    MeterTarget,
    PollOutcome,
    Quantity,
    RegisterValue,
    Snapshot,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SNAPSHOT = Snapshot(NOW, (RegisterValue(Quantity.A_PLUS, 0, 1234),))
QUICK = PollLimits(backoff_s=0.001, backoff_max_s=0.002, meter_deadline_s=0.2)
Answer = Snapshot | Exception | float


class ScriptedAdapter:
    """Answers each meter by its script: a snapshot, an exception, or seconds to wait before a snapshot.

    The last answer is repeated.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REGISTERS})

    def __init__(self, script: dict[int, list[Answer]]) -> None:
        self.script = script
        self.asked: list[int] = []
        self.closed = 0
        self.under_way = 0
        self.most_under_way = 0

    async def read_registers(self, meter: MeterTarget) -> Snapshot:
        self.asked.append(meter.meter_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            answers = self.script.get(meter.meter_id, [SNAPSHOT])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            await asyncio.sleep(answer if isinstance(answer, float) else 0)
        finally:
            self.under_way -= 1
        if isinstance(answer, Exception):
            raise answer
        return SNAPSHOT

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Sink:
    """Keeps batches; fails first as often as it is told."""

    failures: int = 0
    batches: list[tuple[PollOutcome, ...]] = field(default_factory=list)
    tries: int = 0

    async def store(self, outcomes: tuple[PollOutcome, ...]) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise StorageError
        self.batches.append(outcomes)


@dataclass
class Stage:
    """A poller with one scripted adapter for each line."""

    script: dict[int, list[Answer]] = field(default_factory=dict)
    limits: PollLimits = QUICK
    sink: Sink = field(default_factory=Sink)
    made: list[ScriptedAdapter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.poller = Poller(self.sink, limits=self.limits, random=Random(1), adapters=self._make)

    def _make(self, _: GatewayTarget) -> ScriptedAdapter:
        self.made.append(ScriptedAdapter(self.script))
        return self.made[-1]

    async def poll(self, *gateways: GatewayTarget) -> dict[int, PollOutcome]:
        return {outcome.meter_id: outcome for outcome in await self.poller.poll(gateways)}


def line(
    meter_ids: Sequence[int], *, port: int = 502, protocol: str = "p", timeout_s: float = 1
) -> GatewayTarget:
    meters = tuple(MeterTarget(n, f"S{n}", "eastron-sdm630", n) for n in meter_ids)
    return GatewayTarget(port, protocol, "gw", port, timeout_s, meters)


def unreachable() -> UnreachableError:
    return UnreachableError(endpoint="gw:502", detail="Connection refused")


async def test_every_meter_has_one_outcome_and_all_are_stored() -> None:
    stage = Stage({2: [DeviceError(2)]})
    found = await stage.poll(line([1, 2]), line([3], port=503))
    assert {n: o.snapshot for n, o in found.items()} == {1: SNAPSHOT, 2: None, 3: SNAPSHOT}
    assert isinstance(found[2].error, DeviceError)
    assert [len(batch) for batch in stage.sink.batches] == [3]
    assert set(stage.sink.batches[0]) == set(found.values())


async def test_nothing_to_poll_stores_nothing() -> None:
    stage = Stage()
    assert await stage.poll() == {}
    assert await stage.poll(line([])) == {}
    assert stage.sink.tries == 0


async def test_outcomes_are_stored_in_batches() -> None:
    stage = Stage(limits=PollLimits(batch=4))
    await stage.poll(line(range(10)))
    assert [len(batch) for batch in stage.sink.batches] == [4, 4, 2]


async def test_times_come_from_the_clock() -> None:
    ticks = iter(range(10))
    sink = Sink()
    poller = Poller(
        sink, clock=lambda: NOW + timedelta(seconds=next(ticks)), adapters=lambda _: ScriptedAdapter({})
    )
    (outcome,) = await poller.poll([line([1])])
    assert (outcome.started_at, outcome.finished_at) == (NOW, NOW + timedelta(seconds=1))


@pytest.mark.parametrize("error", [unreachable(), MeterTimeoutError(seconds=1)])
async def test_a_transient_error_is_tried_again(error: MeterError) -> None:
    stage = Stage({1: [error, error, SNAPSHOT]})
    assert (await stage.poll(line([1])))[1].snapshot == SNAPSHOT
    assert stage.made[0].asked == [1, 1, 1]


async def test_tries_come_to_an_end() -> None:
    stage = Stage({1: [MeterTimeoutError(seconds=1)]})
    assert isinstance((await stage.poll(line([1])))[1].error, MeterTimeoutError)
    assert stage.made[0].asked == [1, 1, 1]


@pytest.mark.parametrize("error", [DeviceError(2), ProtocolError(detail="x")])
async def test_another_error_is_final(error: MeterError) -> None:
    stage = Stage({1: [error, SNAPSHOT]})
    assert (await stage.poll(line([1])))[1].error is error
    assert stage.made[0].asked == [1]


async def test_pauses_grow_up_to_the_limit_with_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def note(seconds: float) -> None:
        if seconds:
            slept.append(seconds)

    stage = Stage(
        {1: [MeterTimeoutError(seconds=1)]}, limits=PollLimits(attempts=5, backoff_s=1, backoff_max_s=3)
    )
    monkeypatch.setattr(asyncio, "sleep", note)
    await stage.poll(line([1]))
    assert len(slept) == 4
    for seconds, plain in zip(slept, [1, 2, 3, 3], strict=True):
        assert plain * 0.5 <= seconds <= plain * 1.5
    assert len(set(slept)) == 4


async def test_a_meter_has_a_deadline_and_the_next_one_is_read() -> None:
    stage = Stage({1: [60.0]}, limits=PollLimits(meter_deadline_s=0.05))
    found = await stage.poll(line([1, 2]))
    assert str(found[1].error) == "No answer within 0.05 s"
    assert found[2].snapshot == SNAPSHOT


async def test_a_bug_in_an_adapter_is_one_meters_outcome(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage({1: [ZeroDivisionError("oops")]})
    found = await stage.poll(line([1, 2]), line([3], port=503))
    assert isinstance(found[1].error, ProtocolError)
    assert str(found[1].error) == "Not understood: ZeroDivisionError: oops"
    assert found[2].snapshot == found[3].snapshot == SNAPSHOT
    assert any(record.exc_info for record in caplog.records)


async def test_an_unknown_protocol_is_an_outcome() -> None:
    sink = Sink()
    (outcome,) = await Poller(sink).poll([line([1], protocol="carrier-pigeon")])
    assert outcome.error is not None
    assert outcome.error.code == "unsupported"
    assert "carrier-pigeon" in str(outcome.error)


async def test_an_unreachable_line_fails_fast() -> None:
    stage = Stage({n: [unreachable()] for n in range(30)})
    found = await stage.poll(line(range(30)))
    assert all(isinstance(outcome.error, UnreachableError) for outcome in found.values())
    assert len(found) == 30
    assert stage.made[0].asked == [0, 0, 0, 1]


async def test_a_gateway_that_hangs_up_on_one_meter_is_not_given_up() -> None:
    stage = Stage({2: [unreachable()], 5: [unreachable()], 6: [MeterTimeoutError(seconds=1), SNAPSHOT]})
    found = await stage.poll(line(range(8)))
    assert {n for n, outcome in found.items() if outcome.error} == {2, 5, 6}
    assert stage.made[0].asked == [0, 1, 2, 2, 2, 3, 4, 5, 5, 5, 6, 7]


async def test_an_unreachable_line_is_tried_anew_in_the_next_cycle() -> None:
    stage = Stage({n: [unreachable()] for n in range(5)})
    await stage.poll(line(range(5)))
    stage.script.clear()
    found = await stage.poll(line(range(5)))
    assert not [outcome for outcome in found.values() if outcome.error]


async def test_one_question_at_a_time_on_a_line_and_many_lines_at_once() -> None:
    same = [line([n, n + 1]) for n in range(0, 6, 2)]
    others = [line([n], port=500 + n) for n in range(6, 12)]
    lines = {502, *range(506, 512)}
    all_are_asked = asyncio.Barrier(len(lines))

    class Together(ScriptedAdapter):
        """The first question on every line is answered when all lines are at theirs."""

        async def read_registers(self, meter: MeterTarget) -> Snapshot:
            if not self.asked:
                async with asyncio.timeout(20):
                    await all_are_asked.wait()
            return await super().read_registers(meter)

    made: list[Together] = []

    def make(_: GatewayTarget) -> Together:
        made.append(Together({}))
        return made[-1]

    poller = Poller(Sink(), limits=PollLimits(lines=20), random=Random(1), adapters=make)
    patient = [replace(one, timeout_s=30) for one in (*same, *others)]
    found = await poller.poll(patient)
    assert [outcome.error for outcome in found if outcome.error] == []
    assert {adapter.most_under_way for adapter in made} == {1}
    assert len(made) == len(lines)


async def test_one_line_is_serial_over_protocols_and_calls() -> None:
    """Two portals' protocols on one port share the wire, so they share the lock."""
    shared = ScriptedAdapter({n: [0.01] for n in range(3)})
    poller = Poller(Sink(), adapters=lambda _: shared)
    await asyncio.gather(*(poller.poll([line([n], protocol=f"p{n}")]) for n in range(3)))
    assert (len(shared.asked), shared.most_under_way) == (3, 1)


async def test_no_more_lines_at_once_than_allowed() -> None:
    running = most = 0

    class Counting(ScriptedAdapter):
        async def read_registers(self, meter: MeterTarget) -> Snapshot:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                return await super().read_registers(meter)
            finally:
                running -= 1

    poller = Poller(
        Sink(), limits=PollLimits(lines=3), adapters=lambda _: Counting({n: [0.005] for n in range(10)})
    )
    await poller.poll([line([n], port=n) for n in range(10)])
    assert most == 3


async def test_links_are_kept_between_cycles_and_closed_at_the_end() -> None:
    stage = Stage()
    await stage.poll(line([1]))
    await stage.poll(line([1]))
    assert len(stage.made) == 1
    await stage.poll(line([1], timeout_s=2))
    assert [adapter.closed for adapter in stage.made] == [1, 0]
    await stage.poller.close()
    await stage.poller.close()
    assert [adapter.closed for adapter in stage.made] == [1, 1]


async def test_an_idle_link_is_closed_and_a_used_one_kept() -> None:
    stage = Stage(limits=PollLimits(idle_s=1))
    await stage.poll(line([1]), line([2], port=503))
    await asyncio.sleep(1.1)
    await stage.poll(line([2], port=503))
    assert [adapter.closed for adapter in stage.made] == [1, 0]


async def test_an_adapter_that_cannot_close_keeps_nobody_open() -> None:
    class Stubborn(ScriptedAdapter):
        async def close(self) -> None:
            raise RuntimeError

    made: list[ScriptedAdapter] = [Stubborn({}), ScriptedAdapter({})]
    take: Callable[[GatewayTarget], ScriptedAdapter] = lambda target: made[target.port]  # noqa: E731
    poller = Poller(Sink(), adapters=take)
    await poller.poll([line([1], port=0), line([2], port=1)])
    await poller.close()
    assert made[1].closed == 1


async def test_storing_is_tried_again() -> None:
    stage = Stage(sink=Sink(failures=3))
    found = await stage.poll(line([1, 2]))
    assert stage.sink.tries == 4
    assert [set(batch) for batch in stage.sink.batches] == [set(found.values())]


async def test_what_cannot_be_stored_is_told_after_everything_else() -> None:
    stage = Stage(limits=PollLimits(batch=2, backoff_s=0.001), sink=Sink(failures=4))
    with pytest.raises(StorageError):
        await stage.poll(line(range(6)))
    assert [len(batch) for batch in stage.sink.batches] == [2, 2]
    assert len(stage.made[0].asked) == 6


async def test_a_failure_and_its_recovery_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="lk_portal.metering.poller")
    stage = Stage({1: [DeviceError(2)]})
    for _ in range(3):
        await stage.poll(line([1, 2]))
    (failure,) = caplog.records
    assert failure.levelno == logging.WARNING
    assert (failure.__dict__["meter_id"], failure.__dict__["error_code"]) == (1, "device")
    assert failure.__dict__["endpoint"] == "gw:502"
    stage.script.clear()
    for _ in range(2):
        await stage.poll(line([1, 2]))
    _, recovery = caplog.records
    assert recovery.levelno == logging.INFO
    assert (recovery.__dict__["meter_id"], recovery.__dict__["failed_polls"]) == (1, 3)
    stage.script[1] = [DeviceError(2)]
    await stage.poll(line([1]))
    assert len(caplog.records) == 3


async def test_a_cancelled_poll_can_be_repeated() -> None:
    stage = Stage({1: [60.0, SNAPSHOT]}, limits=PollLimits())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await stage.poll(line([1]))
    assert (await stage.poll(line([1])))[1].snapshot == SNAPSHOT
