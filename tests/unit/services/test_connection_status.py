"""When a meter is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.services.connection_status import retry_delay_s


def delay(failures: int, interval_s: int = 1800, *, is_transient: bool = True, random: float = 1.0) -> float:
    return retry_delay_s(
        failures=failures, interval_s=interval_s, is_transient=is_transient, random=lambda: random
    )


def test_transient_failures_are_tried_ever_later_up_to_the_interval():
    assert [delay(n) for n in range(1, 9)] == [30, 60, 120, 240, 480, 960, 1800, 1800]


def test_with_a_short_interval_up_to_five_minutes():
    assert [delay(n, 5) for n in (1, 2, 7, 8, 1000)] == [5, 10, 300, 300, 300]


def test_other_failures_wait_for_the_regular_time():
    assert delay(3, is_transient=False, random=0.2) == 1800


@pytest.mark.parametrize(("random", "expected"), [(0.0, 15), (0.5, 22.5), (1.0, 30)])
def test_the_upper_half_is_random(random: float, expected: float):
    assert delay(1, random=random) == expected


@given(st.integers(1, 10**6), st.integers(1, 86_400), st.floats(0, 1))
def test_a_delay_is_never_nothing_nor_beyond_the_cap(failures: int, interval_s: int, random: float):
    found = delay(failures, interval_s, random=random)
    assert 0 < found <= max(interval_s, 300)
