"""Billing periods: they tile time without gap or overlap, whatever the reading day and the zone."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import InputError
from lk_portal.services.periods import Basis, Grain, Period, ReadingDays

DATES = st.dates(date(1992, 1, 1), date(2099, 12, 31))
NUMBERS = st.integers(1, 28)
MONTHS = DATES.map(lambda day: day.replace(day=1))
CHANGES = st.dictionaries(MONTHS, NUMBERS, max_size=4).map(lambda found: tuple(sorted(found.items())))
THE_25TH = ReadingDays(25)
READING_DAYS = st.builds(ReadingDays, NUMBERS, CHANGES)
GRAINS = st.sampled_from(list(Grain))
LONG = st.sampled_from([Grain.MONTH, Grain.YEAR])
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
HOUR = timedelta(hours=1)


def billing(grain: Grain, day: date, days: ReadingDays = THE_25TH) -> Period:
    return Period.containing(grain, day, basis=Basis.BILLING, reading_days=days)


@given(GRAINS, DATES, READING_DAYS)
def test_a_day_lies_in_one_period_that_begins_on_the_reading_day(grain: Grain, day: date, days: ReadingDays):
    period = billing(grain, day, days)

    assert period.start <= day <= period.last < period.end
    for edge in (period.start, period.end):
        assert grain is Grain.DAY or edge == days.start_in(edge.year, edge.month)
    assert period.next().start == period.end
    assert period.next().previous() == period.previous().next() == period


def test_the_month_in_which_the_day_changes_is_longer_or_shorter() -> None:
    days = ReadingDays(25, ((date(2026, 3, 1), 10), (date(2026, 6, 1), 20)))
    months = billing(Grain.YEAR, date(2026, 7, 1), days).slot_days()

    assert months[:7] == [
        date(2026, 1, 25),
        date(2026, 2, 25),
        date(2026, 3, 10),
        date(2026, 4, 10),
        date(2026, 5, 10),
        date(2026, 6, 20),
        date(2026, 7, 20),
    ]
    assert billing(Grain.MONTH, date(2026, 3, 9), days).start == date(2026, 2, 25)
    assert billing(Grain.MONTH, date(2026, 6, 19), days).last == date(2026, 6, 19)
    this_year = billing(Grain.MONTH, date(2026, 3, 15), days)
    assert this_year.a_year_before().start == date(2025, 3, 25)


@given(GRAINS, DATES, READING_DAYS)
def test_a_period_reads_back_from_its_text(grain: Grain, day: date, days: ReadingDays):
    period = billing(grain, day, days)

    again = Period.parse(grain, str(period), basis=Basis.BILLING, reading_days=days)

    assert again == period


@given(GRAINS, DATES, READING_DAYS, ZONES)
def test_slots_tile_the_period_in_any_zone(grain: Grain, day: date, days: ReadingDays, tz: ZoneInfo):
    period = billing(grain, day, days)
    begin, end = period.bounds(tz)
    edges = [*period.slot_starts(tz), end]

    assert edges[0] == begin == period.previous().bounds(tz)[1]
    # A zone that moved across the date line has skipped a whole day: that one is empty, none is negative.
    assert all(left <= right for left, right in pairwise(edges))
    assert sum((right - left for left, right in pairwise(edges)), timedelta()) == end - begin


@given(LONG, DATES, READING_DAYS, ZONES)
def test_finer_periods_fill_the_coarser_one(grain: Grain, day: date, days: ReadingDays, tz: ZoneInfo):
    period = billing(grain, day, days)
    finer = Grain.DAY if grain is Grain.MONTH else Grain.MONTH
    inside = [period.of(finer, first) for first in period.slot_days()]

    assert [one.start for one in inside] == period.slot_days()
    assert all(one.parent() == period for one in inside)
    assert [one.bounds(tz)[0] for one in inside] == period.slot_starts(tz)
    assert inside[-1].bounds(tz)[1] == period.bounds(tz)[1]
    assert len(inside) == 12 if grain is Grain.YEAR else 28 <= len(inside) <= 31


@given(GRAINS, DATES)
def test_read_on_the_first_they_are_the_calendar_s(grain: Grain, day: date):
    calendar, by_bill = Period.containing(grain, day), billing(grain, day, ReadingDays(1))

    assert (calendar.start, calendar.end, str(calendar)) == (by_bill.start, by_bill.end, str(by_bill))
    assert calendar != by_bill
    assert Period.containing(grain, day, reading_days=THE_25TH) == calendar


@pytest.mark.parametrize(
    ("day", "text", "first", "last"),
    [
        (date(2026, 10, 25), "2026-10", date(2026, 10, 25), date(2026, 11, 24)),
        (date(2026, 11, 24), "2026-10", date(2026, 10, 25), date(2026, 11, 24)),
        (date(2026, 11, 25), "2026-11", date(2026, 11, 25), date(2026, 12, 24)),
        (date(2027, 1, 3), "2026-12", date(2026, 12, 25), date(2027, 1, 24)),
        (date(2028, 3, 1), "2028-02", date(2028, 2, 25), date(2028, 3, 24)),
    ],
)
def test_a_billing_month_is_named_by_the_month_it_begins_in(day: date, text: str, first: date, last: date):
    period = billing(Grain.MONTH, day)

    assert (str(period), period.start, period.last) == (text, first, last)


def test_a_billing_year_is_the_months_that_begin_in_it():
    year = billing(Grain.YEAR, date(2027, 1, 24))

    assert (str(year), year.start, year.last) == ("2026", date(2026, 1, 25), date(2027, 1, 24))
    assert [day.month for day in year.slot_days()] == list(range(1, 13))


def test_a_day_that_never_was_is_empty():
    """Samoa went over the date line at the end of 2011."""
    skipped = billing(Grain.DAY, date(2011, 12, 30))
    begin, end = skipped.bounds(ZoneInfo("Pacific/Apia"))

    assert begin == end
    assert skipped.slot_starts(ZoneInfo("Pacific/Apia")) == []


def test_a_day_remembers_whose_month_is_around_it():
    day = Period.parse(Grain.DAY, "2026-11-03", basis=Basis.BILLING, reading_days=THE_25TH)

    assert (day.start, day.end) == (date(2026, 11, 3), date(2026, 11, 4))
    assert (str(day.parent()), day.parent().basis) == ("2026-10", Basis.BILLING)
    assert str(Period(Grain.DAY, date(2026, 11, 3)).parent()) == "2026-11"


@pytest.mark.parametrize(
    ("first", "hours"), [(date(2026, 3, 25), 31 * 24 - 1), (date(2026, 10, 25), 31 * 24 + 1)]
)
def test_a_clock_change_makes_a_billing_month_an_hour_shorter_or_longer(first: date, hours: int):
    begin, end = billing(Grain.MONTH, first).bounds(ZoneInfo("Europe/Berlin"))

    assert end - begin == hours * HOUR
    assert begin == datetime(first.year, first.month, 25, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


@pytest.mark.parametrize(
    ("grain", "text"), [(Grain.MONTH, "2026-13"), (Grain.YEAR, "1989"), (Grain.MONTH, "")]
)
def test_what_is_no_billing_period_is_refused(grain: Grain, text: str):
    with pytest.raises(InputError):
        Period.parse(grain, text, basis=Basis.BILLING, reading_days=THE_25TH)
