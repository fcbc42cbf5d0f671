"""This month against the same days of the last one: only what both have, and every hole said."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from lk_portal.services.month_days import Comparison, MonthDays, compare, days_of_month

OMSK, BERLIN = ZoneInfo("Asia/Omsk"), ZoneInfo("Europe/Berlin")
DAY_S = 86_400
LONG_AGO = date(2020, 1, 1)
TODAY = date(2026, 11, 5)


def stored(first: date, *values: int | None, covered_s: int = DAY_S) -> list[tuple[date, int, int]]:
    """Days from `first` on; None is a hole."""
    days = ((first + timedelta(days=step), value) for step, value in enumerate(values))
    return [(day, value, covered_s) for day, value in days if value is not None]


def month(
    *rows: list[tuple[date, int, int]], today: date = TODAY, zone: ZoneInfo = OMSK, since: date = LONG_AGO
) -> MonthDays:
    return MonthDays.of([row for one in rows for row in one], zone=zone, since=since, today=today)


OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def test_whole_days_of_both_months_are_compared_and_today_is_not() -> None:
    found = month(stored(OCTOBER, 1, 2, 3, 4, 100, 100), stored(NOVEMBER, 10, 20, 30, 40, 50))

    assert compare([found]) == Comparison(100, 10, last_day=4, days=4, is_partial=False)
    assert found.total_wh == 150


def test_a_hole_on_either_side_leaves_the_day_out_on_both() -> None:
    found = month(stored(OCTOBER, 1, None, 3, 4), stored(NOVEMBER, 10, 20, None, 40, 50))

    assert compare([found]) == Comparison(50, 5, last_day=4, days=2, is_partial=True)


def test_a_day_with_an_hour_missing_is_not_compared() -> None:
    short = stored(NOVEMBER + timedelta(days=1), 20, covered_s=DAY_S - 3600)
    found = month(stored(OCTOBER, 1, 2, 3, 4), stored(NOVEMBER, 10, None, 30, 40), short)

    assert compare([found]) == Comparison(80, 8, last_day=4, days=3, is_partial=True)


def test_days_that_only_one_month_has_are_not_compared() -> None:
    march, february = date(2026, 3, 1), date(2026, 2, 1)
    found = month(stored(february, *[1] * 28), stored(march, *[10] * 31), today=date(2026, 3, 31))

    assert compare([found]) == Comparison(280, 28, last_day=28, days=28, is_partial=False)


def test_the_first_of_a_month_has_nothing_to_compare() -> None:
    assert compare([month(stored(OCTOBER, 1, 2), stored(NOVEMBER, 10), today=NOVEMBER)]) is None
    assert compare([month(stored(OCTOBER, 1, 2), stored(NOVEMBER, 10, 1), today=date(2026, 11, 2))])


def test_a_new_meter_is_left_out_and_that_is_said() -> None:
    old = month(stored(OCTOBER, 1, 2, 3, 4), stored(NOVEMBER, 10, 20, 30, 40))
    new = month(stored(NOVEMBER, 7, 7, 7, 7), since=NOVEMBER)

    assert compare([old, new]) == Comparison(100, 10, last_day=4, days=4, is_partial=True)
    assert compare([new]) is None


def test_days_of_23_and_25_hours_are_whole_with_what_they_have() -> None:
    october, september = date(2026, 10, 1), date(2026, 9, 1)
    change = date(2026, 10, 25)
    rows = [stored(september, *[1] * 30), stored(october, *[2] * 24)]
    with_24, with_25 = stored(change, 2), stored(change, 2, covered_s=25 * 3600)
    told = {"today": date(2026, 10, 26), "zone": BERLIN}

    assert compare([month(*rows, with_24, **told)]) == Comparison(48, 24, 25, 24, is_partial=True)
    assert compare([month(*rows, with_25, **told)]) == Comparison(50, 25, 25, 25, is_partial=False)


def test_a_hole_is_a_past_day_with_a_meter_and_without_data() -> None:
    found = month(stored(NOVEMBER, None, None, 30), since=date(2026, 11, 2))
    holes = [use.day.day for use in found.days if use.is_hole]

    assert holes == [2, 4]
    assert [use.day.day for use in found.days if use.is_open] == [5]
    assert len(found.days) == 30


def test_days_of_several_meters_are_summed_and_whole_when_all_are() -> None:
    one = month(stored(NOVEMBER, 10, 20, None, 40))
    other = month(stored(NOVEMBER, 1, None, None, 4), since=NOVEMBER)
    days = days_of_month([one, other])

    assert [use.total_wh for use in days[:4]] == [11, 20, 0, 44]
    assert [use.is_whole for use in days[:4]] == [True, False, False, True]
    assert [use.is_hole for use in days[:4]] == [False, False, True, False]
    assert days_of_month([]) == ()
    assert compare([]) is None
