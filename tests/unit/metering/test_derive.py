"""Deriving intervals: nothing lost, nothing invented, in every zone and through every clock change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.metering.derive import Piece, Reading, Verdict, hour_starts, judge, pieces
from lk_portal.metering.types import IntervalFlag, Quality

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAPACITY = 100_000_000
POWER = 10_000

zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
_FIRST, _LAST = datetime(1900, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
moments = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))
gaps = st.timedeltas(timedelta(microseconds=1), timedelta(days=4))
deltas = st.integers(0, 10**7)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def judged(before: int, after: int, gap: timedelta = timedelta(hours=1)) -> tuple[Verdict, int]:
    found = judge(Reading(NOON, before), Reading(NOON + gap, after), capacity_wh=CAPACITY, max_power_w=POWER)
    return found.verdict, found.delta_wh


@pytest.mark.parametrize(
    ("before", "after", "verdict", "delta"),
    [
        (1000, 1000, Verdict.ACCEPT, 0),
        (1000, 1500, Verdict.ACCEPT, 500),
        (1000, 12_000, Verdict.ACCEPT, 11_000),  # 10 kW for an hour and the tolerance
        (1000, 12_001, Verdict.SPIKE, 0),
        (1000, 10**12, Verdict.SPIKE, 0),
        (99_999_000, 500, Verdict.ROLLOVER, 1500),
        (CAPACITY - 11_000, 0, Verdict.ROLLOVER, 11_000),
        (CAPACITY - 11_001, 0, Verdict.RESET, 0),  # near the top, but more than is possible
        (89_999_999, 89_999_000, Verdict.RESET, 0),
        (90_000_000, 0, Verdict.RESET, 0),
        (12_000_000, 11_950_000, Verdict.RESET, 0),
        (12_000_000, 0, Verdict.RESET, 0),
        (CAPACITY + 5_000, 100, Verdict.RESET, 0),  # above the capacity: the map is wrong, not the meter
    ],
)
def test_growth_rollover_reset_and_spike(before: int, after: int, verdict: Verdict, delta: int) -> None:
    assert judged(before, after) == (verdict, delta)


def test_ninety_percent_itself_is_not_above() -> None:
    week = timedelta(days=60)
    assert judged(90_000_000, 0, week) == (Verdict.RESET, 0)
    assert judged(90_000_001, 0, week) == (Verdict.ROLLOVER, 9_999_999)


@pytest.mark.parametrize("gap", [timedelta(0), timedelta(seconds=-1)])
def test_what_is_not_newer_is_stale(gap: timedelta) -> None:
    assert judged(1000, 1500, gap) == (Verdict.STALE, 0)


def share(start: datetime, end: datetime, delta: int, tz: ZoneInfo = MOSCOW) -> list[Piece]:
    return pieces(start, end, delta, boundaries=hour_starts(start, end, tz))


def test_inside_one_hour_nothing_is_split() -> None:
    found = share(NOON + minutes(10), NOON + minutes(20), 100)
    assert [(p.value_wh, p.flags, p.quality) for p in found] == [(100, IntervalFlag.NONE, Quality.MEASURED)]


def test_an_exact_hour_is_measured() -> None:
    (found,) = share(NOON, NOON + minutes(60), 100)
    assert (found.flags, found.quality) == (IntervalFlag.NONE, Quality.MEASURED)


def test_a_short_gap_over_the_hour_is_split_but_measured() -> None:
    found = share(NOON + minutes(50), NOON + minutes(70), 101)
    assert [(p.value_wh, p.flags, p.quality) for p in found] == [
        (50, IntervalFlag.SPLIT, Quality.MEASURED),
        (51, IntervalFlag.SPLIT, Quality.MEASURED),
    ]
    assert found[0].end == found[1].start == NOON + minutes(60)


def test_a_long_gap_is_spread_and_estimated() -> None:
    found = share(NOON + minutes(30), NOON + minutes(150), 1200)
    assert [p.value_wh for p in found] == [300, 600, 300]
    assert [p.flags for p in found] == [IntervalFlag.SPLIT, IntervalFlag.SPREAD, IntervalFlag.SPLIT]
    assert {p.quality for p in found} == {Quality.ESTIMATED}


def test_two_exact_hours_in_one_gap_are_both_spread() -> None:
    found = share(NOON, NOON + minutes(120), 100)
    assert [(p.value_wh, p.flags) for p in found] == [(50, IntervalFlag.SPREAD)] * 2


def test_flags_of_the_whole_are_kept_on_every_piece() -> None:
    start, end = NOON + minutes(50), NOON + minutes(70)
    found = pieces(start, end, 10, boundaries=[NOON + minutes(60)], flags=IntervalFlag.ROLLOVER)
    assert {p.flags for p in found} == {IntervalFlag.ROLLOVER | IntervalFlag.SPLIT}


def test_a_zone_edge_inside_an_hour_splits_it() -> None:
    edges = [NOON + minutes(30)]
    found = pieces(NOON + minutes(20), NOON + minutes(50), 300, boundaries=edges)
    assert [p.value_wh for p in found] == [100, 200]


def test_a_profile_shapes_a_long_gap() -> None:
    def evening(start: datetime, end: datetime) -> int:
        return 3 if start.hour == 13 else 1

    start, end = NOON, NOON + minutes(180)
    marks = hour_starts(start, end, MOSCOW)
    found = pieces(start, end, 1000, boundaries=marks, weights=evening)
    assert [p.value_wh for p in found] == [200, 600, 200]
    empty = pieces(start, end, 999, boundaries=marks, weights=lambda *_: 0)
    assert [p.value_wh for p in empty] == [333, 333, 333]


@pytest.mark.parametrize(("end", "delta"), [(NOON, 1), (NOON - minutes(1), 1), (NOON + minutes(1), -1)])
def test_nonsense_is_refused(end: datetime, delta: int) -> None:
    with pytest.raises(ValueError, match="cannot share"):
        pieces(NOON, end, delta, boundaries=[])


@pytest.mark.parametrize(
    ("zone", "minute"),
    [("Europe/Moscow", 0), ("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Australia/Eucla", 15)],
)
def test_hours_are_local(zone: str, minute: int) -> None:
    found = hour_starts(NOON - minutes(1), NOON + minutes(119), ZoneInfo(zone))
    assert {at.minute for at in found} == {minute}
    assert len(found) == 2


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_days_of_23_and_25_hours(day: str, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=berlin)
    end = (start + timedelta(days=1)).astimezone(UTC)
    assert len(hour_starts(start.astimezone(UTC), end, berlin)) == hours + 1


def test_a_clock_change_of_half_an_hour_is_a_boundary() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # 2026-10-03 15:30 UTC: 02:00 becomes 02:30
    start = datetime(2026, 10, 3, 14, 30, tzinfo=UTC)
    found = hour_starts(start, start + minutes(120), lord_howe)
    assert [at.astimezone(lord_howe).strftime("%H:%M") for at in found] == ["01:00", "02:30", "03:00"]


@given(start=moments, gap=gaps, delta=deltas, tz=zones)
def test_pieces_are_contiguous_and_sum_exactly(
    start: datetime, gap: timedelta, delta: int, tz: ZoneInfo
) -> None:
    end = start + gap
    found = share(start, end, delta, tz)
    assert sum(p.value_wh for p in found) == delta
    assert all(p.value_wh >= 0 and p.start < p.end for p in found)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(left.end == right.start for left, right in pairwise(found))


@given(start=moments, gap=gaps, tz=zones)
def test_no_piece_lies_in_two_local_hours(start: datetime, gap: timedelta, tz: ZoneInfo) -> None:
    for piece in share(start, start + gap, 0, tz):
        last = piece.end - timedelta(microseconds=1)
        left, right = piece.start.astimezone(tz), last.astimezone(tz)
        assert (left.date(), left.hour) == (right.date(), right.hour)
        assert left.utcoffset() == right.utcoffset()


@given(start=moments, tz=zones)
def test_boundaries_are_where_an_hour_begins_or_the_clock_changes(start: datetime, tz: ZoneInfo) -> None:
    for at in hour_starts(start, start + timedelta(days=2), tz):
        local = at.astimezone(tz)
        before = (at - timedelta(microseconds=1)).astimezone(tz)
        is_hour = (local.minute, local.second, local.microsecond) == (0, 0, 0)
        assert is_hour or before.utcoffset() != local.utcoffset()


@given(start=moments, steps=st.tuples(gaps, gaps), energies=st.tuples(deltas, deltas), tz=zones)
def test_a_snapshot_between_changes_no_total(
    start: datetime, steps: tuple[timedelta, timedelta], energies: tuple[int, int], tz: ZoneInfo
) -> None:
    middle, end = start + steps[0], start + steps[0] + steps[1]
    one, two = energies
    halves = share(start, middle, one, tz) + share(middle, end, two, tz)
    whole = share(start, end, one + two, tz)
    assert sum(p.value_wh for p in halves) == sum(p.value_wh for p in whole)
    assert {p.start for p in whole} <= {p.start for p in halves}


@given(before=st.integers(0, CAPACITY - 1), after=st.integers(0, CAPACITY - 1), gap=gaps)
def test_energy_is_never_negative_or_impossible(before: int, after: int, gap: timedelta) -> None:
    verdict, delta = judged(before, after, gap)
    possible = POWER * gap.total_seconds() / 3600 + 1000
    assert 0 <= delta <= possible + 1
    assert delta == 0 or verdict in (Verdict.ACCEPT, Verdict.ROLLOVER)
