"""Periods of a chart: texts for addresses, neighbours, slots."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import InputError
from lk_portal.services.periods import Grain, Period

DATES = st.dates(date(1990, 1, 1), date(2100, 12, 31))
ZONES = ("Asia/Omsk", "Europe/Berlin", "Asia/Kolkata", "America/Santiago", "Australia/Lord_Howe")
GRAINS = st.sampled_from(list(Grain))


@given(GRAINS, DATES)
def test_a_period_reads_back_from_its_text(grain: Grain, day: date):
    period = Period.containing(grain, day)
    assert Period.parse(grain, str(period)) == period


@given(GRAINS, st.dates(date(1992, 1, 1), date(2099, 12, 31)))
def test_neighbours_touch(grain: Grain, day: date):
    period = Period.containing(grain, day)
    assert period.start <= day < period.end
    assert period.next().start == period.end
    assert period.next().previous() == period


@pytest.mark.parametrize(
    ("grain", "text"),
    [
        (Grain.DAY, "2026-02-30"),
        (Grain.DAY, "2026-11"),
        (Grain.MONTH, "2026-13"),
        (Grain.MONTH, "2026-1"),
        (Grain.YEAR, "1989"),
        (Grain.YEAR, "2101"),
        (Grain.YEAR, "٢٠٢٦"),
        (Grain.YEAR, ""),
        (Grain.DAY, "2026-11-24'--"),
        (Grain.DAY, "2026-11-24\n"),
        (Grain.DAY, "2027-02-29"),
        (Grain.DAY, "0000-00-00"),
        (Grain.MONTH, "2026-00"),
        (Grain.MONTH, "2026-11-24"),
        (Grain.YEAR, "26"),
        (Grain.YEAR, " 2026"),
    ],
)
def test_what_is_no_period_is_refused_beside_its_field(grain: Grain, text: str):
    with pytest.raises(InputError) as caught:
        Period.parse(grain, text)
    assert caught.value.field == "period"


@pytest.mark.parametrize(
    ("grain", "day", "slots"),
    [
        (Grain.DAY, date(2026, 3, 29), 23),
        (Grain.DAY, date(2026, 10, 25), 25),
        (Grain.MONTH, date(2028, 2, 1), 29),
        (Grain.MONTH, date(2027, 2, 1), 28),
        (Grain.MONTH, date(2026, 10, 1), 31),
        (Grain.DAY, date(2028, 2, 29), 24),
        (Grain.YEAR, date(2026, 1, 1), 12),
    ],
)
def test_slots_by_the_local_calendar(grain: Grain, day: date, slots: int):
    starts = Period(grain, day).slot_starts(ZoneInfo("Europe/Berlin"))
    assert len(starts) == slots
    assert starts == sorted(set(starts))


@given(GRAINS, st.text(max_size=12) | st.from_regex(r"\A[0-9]{4}(-[0-9]{2}){0,2}\Z"))
def test_any_text_is_a_period_or_a_sentence(grain: Grain, text: str):
    try:
        period = Period.parse(grain, text)
    except InputError:
        return
    assert str(period) == text
    assert 1990 <= period.start.year <= 2100


@given(GRAINS, st.dates(date(1992, 1, 1), date(2099, 12, 31)), st.sampled_from(ZONES))
def test_slots_fill_the_period_without_a_gap(grain: Grain, day: date, zone: str):
    period, tz = Period.containing(grain, day), ZoneInfo(zone)
    starts, (begin, end) = period.slot_starts(tz), period.bounds(tz)
    assert starts[0] == begin
    assert all(left < right for left, right in pairwise([*starts, end]))
    assert period.next().bounds(tz)[0] == end
    if grain is not Grain.YEAR:
        assert max(right - left for left, right in pairwise([*starts, end])) <= timedelta(hours=25)
    assert period.parent().start <= period.start < period.end <= period.parent().end


def test_leap_days_and_ends_of_years():
    assert str(Period(Grain.DAY, date(2028, 2, 28)).next()) == "2028-02-29"
    assert str(Period(Grain.DAY, date(2027, 2, 28)).next()) == "2027-03-01"
    assert str(Period(Grain.DAY, date(2027, 1, 1)).previous()) == "2026-12-31"
    assert str(Period(Grain.MONTH, date(2026, 12, 1)).next()) == "2027-01"
    assert str(Period(Grain.MONTH, date(2027, 1, 1)).previous()) == "2026-12"
    assert Period(Grain.YEAR, date(2026, 1, 1)).parent() == Period(Grain.YEAR, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("grain", "text", "before"),
    [
        (Grain.DAY, "2028-02-29", "2027-02-28"),
        (Grain.DAY, "2026-11-24", "2025-11-24"),
        (Grain.MONTH, "2028-02", "2027-02"),
        (Grain.YEAR, "2026", "2025"),
    ],
)
def test_the_same_period_of_last_year(grain: Grain, text: str, before: str):
    assert str(Period.parse(grain, text).a_year_before()) == before
