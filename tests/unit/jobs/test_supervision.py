"""A loop outlives its failures, and tells of them once."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from lk_portal.jobs import supervision
from lk_portal.jobs.supervision import SupervisedLoop

NOW = datetime(2026, 6, 1, tzinfo=UTC)


async def test_failures_are_told_once_and_so_is_their_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervision, "LONGEST_PAUSE_S", 0.001)
    turns = 0
    done = asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns <= 3:
            raise OSError("the disk is gone")
        done.set()

    loop = SupervisedLoop("polling", turn, pause_s=lambda: 60, clock=lambda: NOW)
    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(loop.run())
        await asyncio.wait_for(done.wait(), 5)
        await asyncio.sleep(0)
        task.cancel()

    said = [record.message for record in caplog.records if record.name == supervision.__name__]
    assert said == ["jobs.loop.failed", "jobs.loop.recovered"]
    assert (loop.last_success_at, loop.failures_in_row) == (NOW, 0)


async def test_pauses_grow_up_to_a_minute() -> None:
    loop = SupervisedLoop("polling", lambda: asyncio.sleep(0), pause_s=lambda: 0, clock=lambda: NOW)
    loop.failures_in_row = 1
    assert 0.5 <= loop._back_off_s() <= 1.5
    loop.failures_in_row = 50
    assert 30 <= loop._back_off_s() <= 90
