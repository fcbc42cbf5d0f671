"""DBOS tells of each trouble once."""

from __future__ import annotations

import logging

from lk_portal.jobs.engine import OncePerTrouble


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("dbos", logging.WARNING, __file__, 1, text, None, None)


def test_a_trouble_is_told_once_and_again_when_it_comes_back() -> None:
    moments = iter((0.0, 1.0, 50.0, 100.0, 161.0, 162.0))
    once = OncePerTrouble(quiet_s=60, clock=lambda: next(moments))

    told = [once.filter(record(f"Exception in queue thread: attempt {number}")) for number in range(6)]

    assert told == [True, False, False, False, True, False]


def test_another_trouble_is_told_too() -> None:
    once = OncePerTrouble()

    assert once.filter(record("Exception in queue thread: x"))
    assert once.filter(record("Exception listing queues: x"))
    assert not once.filter(record("Exception listing queues: y"))
