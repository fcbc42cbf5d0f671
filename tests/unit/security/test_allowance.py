"""An allowance is for each key, fills up again, and does not grow without bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lk_portal.security.allowance import Allowance

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_so_many_at_once_and_then_so_many_a_second() -> None:
    allowance = Allowance(burst=3, per_s=1)

    assert [allowance.take("a", at=NOW) for _ in range(4)] == [True, True, True, False]
    assert not allowance.take("a", at=NOW + timedelta(milliseconds=500))
    assert allowance.take("a", at=NOW + timedelta(seconds=1))
    assert not allowance.take("a", at=NOW + timedelta(seconds=1))


def test_nobody_uses_up_anothers() -> None:
    allowance = Allowance(burst=1, per_s=1)

    assert allowance.take("a", at=NOW)
    assert not allowance.take("a", at=NOW)
    assert allowance.take("b", at=NOW)


def test_a_rest_saves_no_more_than_the_burst() -> None:
    allowance = Allowance(burst=2, per_s=1)
    allowance.take("a", at=NOW)
    later = NOW + timedelta(days=1)

    assert [allowance.take("a", at=later) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    allowance = Allowance(burst=1, per_s=1)

    assert allowance.take("a", at=NOW)
    assert not allowance.take("a", at=NOW - timedelta(hours=1))


def test_the_keys_unused_for_longest_are_forgotten() -> None:
    allowance = Allowance(burst=1, per_s=0, most_keys=2)
    for key in ("a", "b", "a", "c"):
        allowance.take(key, at=NOW)

    assert not allowance.take("a", at=NOW)
    assert allowance.take("b", at=NOW)
