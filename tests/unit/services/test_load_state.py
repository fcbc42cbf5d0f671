"""What a relay's answer means, how long it means that, and why the load is off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lk_portal.metering.types import LoadState, RelayState
from lk_portal.services.load_state import Story, Switching, load_of, story_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HALF_HOUR_S = 1800
HOUR = timedelta(hours=1)


def meaning(
    is_output_on: bool | None,
    control_state: int | None,
    *,
    age: timedelta | None = HOUR,
    interval_s: int = HALF_HOUR_S,
) -> LoadState:
    read_at = None if age is None else NOW - age
    relay = RelayState(is_output_on, control_state)
    return load_of(relay, read_at=read_at, now=NOW, interval_s=interval_s).state


@pytest.mark.parametrize(
    ("is_output_on", "control_state", "state"),
    [
        (True, 1, LoadState.ON),
        (False, 0, LoadState.OFF),
        (False, 2, LoadState.READY),
        (True, 0, LoadState.UNKNOWN),
        (True, 2, LoadState.UNKNOWN),
        (False, 1, LoadState.UNKNOWN),
        (False, 7, LoadState.UNKNOWN),
        (None, 1, LoadState.UNKNOWN),
        (True, None, LoadState.UNKNOWN),
        (None, None, LoadState.UNKNOWN),
    ],
)
def test_only_both_attributes_together_say_something(
    is_output_on: bool | None, control_state: int | None, state: LoadState
) -> None:
    assert meaning(is_output_on, control_state) is state


def test_an_answer_of_yesterday_says_nothing_about_now() -> None:
    assert meaning(True, 1, age=timedelta(hours=24)) is LoadState.ON
    assert meaning(True, 1, age=timedelta(hours=24, seconds=1)) is LoadState.UNKNOWN


def test_unless_the_meter_is_asked_rarely() -> None:
    daily_s = 86_400
    assert meaning(True, 1, age=timedelta(hours=72), interval_s=daily_s) is LoadState.ON
    assert meaning(True, 1, age=timedelta(hours=73), interval_s=daily_s) is LoadState.UNKNOWN


def test_a_meter_that_never_told_is_unknown() -> None:
    found = load_of(RelayState(None, None), read_at=None, now=NOW, interval_s=HALF_HOUR_S)

    assert (found.state, found.read_at) == (LoadState.UNKNOWN, None)


def test_the_time_of_an_old_answer_is_still_told() -> None:
    found = load_of(RelayState(True, 1), read_at=NOW - 48 * HOUR, now=NOW, interval_s=HALF_HOUR_S)

    assert (found.state, found.read_at) == (LoadState.UNKNOWN, NOW - 48 * HOUR)


def entry(code: int, hours_ago: int) -> Switching:
    return Switching(code, NOW - hours_ago * HOUR)


def test_the_last_switching_off_is_the_reason() -> None:
    assert story_of([entry(8, 5), entry(3, 2)]) == Story(off=entry(3, 2))


def test_what_was_switched_on_again_is_over() -> None:
    assert story_of([entry(3, 9), entry(4, 5)]) == Story()
    assert story_of([entry(4, 9), entry(3, 5)]) == Story(off=entry(3, 5))


def test_a_permission_stands_beside_its_reason() -> None:
    assert story_of([entry(5, 1), entry(8, 3)]) == Story(off=entry(8, 3), permitted=entry(5, 1))
    assert story_of([entry(5, 9), entry(3, 3)]) == Story(off=entry(3, 3))


def test_the_meters_own_power_is_no_reason() -> None:
    assert story_of([entry(1, 5), entry(2, 4), entry(29, 3)]) == Story()
    assert story_of([]) == Story()
