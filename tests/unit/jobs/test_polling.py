"""How what is due becomes batches, and which batches are given up."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lk_portal.jobs.batches import LEASE_S, ids_of, is_lost
from lk_portal.jobs.polling import batches_of, only, slot_name
from lk_portal.jobs.worker import tick_s
from lk_portal.metering.types import GatewayTarget, MeterTarget

NOW_S = 1_800_000_000.0


def gateway(number: int, meter_ids: range) -> GatewayTarget:
    meters = tuple(MeterTarget(meter_id, f"S{meter_id}", "eastron-sdm630") for meter_id in meter_ids)
    return GatewayTarget(number, "modbus-tcp", "127.0.0.1", 5000 + number, 3.0, meters)


def job(status: str, *, quiet_s: float) -> Any:
    moment_ms = int((NOW_S - quiet_s) * 1000)
    return SimpleNamespace(status=status, updated_at=moment_ms, created_at=moment_ms, input=None)


def test_lines_fill_batches_of_up_to_the_size() -> None:
    lines = [gateway(1, range(0, 100)), gateway(2, range(100, 200)), gateway(3, range(200, 260))]

    batches = batches_of(lines, size=250)

    assert [len(batch) for batch in batches] == [200, 60]
    assert sorted(meter_id for batch in batches for meter_id in batch) == list(range(260))


def test_a_line_is_never_cut_in_two() -> None:
    batches = batches_of([gateway(1, range(0, 10)), gateway(2, range(10, 400))], size=250)

    assert [len(batch) for batch in batches] == [10, 390]


def test_lines_without_meters_make_no_batch() -> None:
    assert batches_of([gateway(1, range(0))]) == []


def test_only_keeps_the_wanted_meters_and_no_empty_line() -> None:
    kept = only([gateway(1, range(0, 3)), gateway(2, range(3, 6))], [1, 2])

    assert [(line.gateway_id, [meter.meter_id for meter in line.meters]) for line in kept] == [(1, [1, 2])]


def test_a_slot_has_one_name_on_every_machine() -> None:
    moments = [datetime(2026, 11, 24, 12, 0, second, 900_000, tzinfo=UTC) for second in (5, 9, 10)]

    assert [slot_name(moment, 5) for moment in moments] == [
        "20261124T120005",
        "20261124T120005",
        "20261124T120010",
    ]


@pytest.mark.parametrize(("interval_s", "expected"), [(5, 1), (10, 2), (25, 5), (60, 5), (1800, 5)])
def test_the_tick_suits_the_interval(interval_s: int, expected: int) -> None:
    assert tick_s(interval_s) == expected


@pytest.mark.parametrize(
    ("status", "quiet_s", "expected"),
    [
        ("PENDING", LEASE_S - 1, False),
        ("PENDING", LEASE_S + 1, True),
        ("ENQUEUED", LEASE_S + 1, False),
        ("ENQUEUED", 901, True),
    ],
)
def test_a_batch_nobody_attends_to_is_lost(status: str, quiet_s: float, expected: bool) -> None:
    assert is_lost(job(status, quiet_s=quiet_s), longest_wait_s=900, now_s=NOW_S) is expected


def test_ids_of_a_job_are_its_argument() -> None:
    with_input: Any = SimpleNamespace(input={"args": ([1, 2],), "kwargs": {}})

    assert ids_of(with_input) == [1, 2]
    assert ids_of(job("PENDING", quiet_s=0)) == []
