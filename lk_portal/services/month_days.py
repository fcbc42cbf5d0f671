"""The days of this month against those of the month before, with their holes. Pure; for `services.overview`.

A comparison is honest when both sides have the same: only whole days, which both months have and for which a
meter has all its hours in both. Today, which is not over, is part of the month's figure and of no comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from lk_portal.services.clocks import day_bounds
from lk_portal.services.periods import Grain, Period


class DayUse(NamedTuple):
    """What was counted on a day of this month. A tuple: the home page makes a hundred at every opening.

    Attributes:
        day: The local date.
        total_wh: Wh in what is covered.
        has_data: Whether anything is covered.
        is_whole: Whether all its seconds are covered.
        is_expected: The day has begun, and a meter stood there by then.
        is_open: It is today.
    """

    day: date
    total_wh: int
    has_data: bool
    is_whole: bool
    is_expected: bool
    is_open: bool

    @property
    def is_hole(self) -> bool:
        """There should be data and there are none at all."""
        return self.is_expected and not self.has_data and not self.is_open


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same days of two months.

    Attributes:
        this_wh: Wh of this month, in what is compared.
        before_wh: Wh of the month before, in what is compared.
        last_day: The last day of the month that could be compared.
        days: How many days were compared, of `last_day`.
        is_partial: A meter lacks some of the days in one of the months, so they were left out.
    """

    this_wh: int
    before_wh: int
    last_day: int
    days: int
    is_partial: bool


@dataclass(frozen=True, slots=True)
class MonthDays:
    """The days of one point: this month's, and for each number of a day, both months' whole days' Wh.

    Attributes:
        days: All days of this month.
        pairs: For day 1, 2, ... up to yesterday, as far as both months go: Wh of this month and of the month
            before, or None where one of them has not the whole day.
    """

    days: tuple[DayUse, ...]
    pairs: tuple[tuple[int, int] | None, ...]

    @classmethod
    def of(cls, stored: Iterable[tuple[date, int, int]], *, zone: ZoneInfo, since: date, today: date) -> Self:
        """Make it of a point's rollups.

        Args:
            stored: Local day, Wh, covered seconds; other months' are passed over.
            zone: Of the premises.
            since: The local date of the first meter's installation.
            today: The local date.
        """
        month, before = _months(today)
        sums = {day: (total_wh, covered_s) for day, total_wh, covered_s in stored}
        days = tuple(
            _day_use(day, sums.get(day, (0, 0)), length_s, since=since, today=today)
            for day, length_s in _lengths(month, zone)
        )
        whole = {
            day: sums[day][0]
            for day, length_s in (*_lengths(month, zone), *_lengths(before, zone))
            if day in sums and sums[day][1] >= length_s
        }
        both = zip(_lengths(month, zone)[: today.day - 1], _lengths(before, zone), strict=False)
        return cls(
            days,
            tuple((whole[a], whole[b]) if a in whole and b in whole else None for (a, _), (b, _) in both),
        )

    @property
    def total_wh(self) -> int:
        """Wh of this month so far; says nothing where there are no data."""
        return sum(day.total_wh for day in self.days)

    @property
    def has_data(self) -> bool:
        """Whether anything of this month is known."""
        return any(day.has_data for day in self.days)


def days_of_month(points: Sequence[MonthDays]) -> tuple[DayUse, ...]:
    """The days of several points together."""
    return tuple(_together(same) for same in zip(*(point.days for point in points), strict=True))


def compare(points: Sequence[MonthDays]) -> Comparison | None:
    """Compare the months of several points together; None when no meter has a day in both."""
    pairs = [pair for point in points for pair in point.pairs]
    both = [pair for pair in pairs if pair is not None]
    if not both:
        return None
    numbers = {number for point in points for number, pair in enumerate(point.pairs, 1) if pair is not None}
    return Comparison(
        this_wh=sum(pair[0] for pair in both),
        before_wh=sum(pair[1] for pair in both),
        last_day=max(len(point.pairs) for point in points),
        days=len(numbers),
        is_partial=len(both) < len(pairs),
    )


def _day_use(day: date, stored: tuple[int, int], length_s: int, *, since: date, today: date) -> DayUse:
    total_wh, covered_s = stored
    return DayUse(day, total_wh, covered_s > 0, covered_s >= length_s, since <= day <= today, day == today)


def _together(same: Sequence[DayUse]) -> DayUse:
    """One day of several points: whole when all are that should be."""
    total_wh, has_data, is_expected, is_whole = 0, False, False, True
    for use in same:
        total_wh += use.total_wh
        has_data |= use.has_data
        if use.is_expected:
            is_expected = True
            is_whole &= use.is_whole
    return DayUse(same[0].day, total_wh, has_data, is_expected and is_whole, is_expected, same[0].is_open)


@lru_cache(maxsize=64)
def _months(today: date) -> tuple[Period, Period]:
    """The month of a day and the one before it."""
    month = Period.containing(Grain.MONTH, today)
    return month, month.previous()


@lru_cache(maxsize=1024)
def _lengths(month: Period, zone: ZoneInfo) -> tuple[tuple[date, int], ...]:
    """The days of a month with their seconds: 23 to 25 hours."""
    bounds = ((day, day_bounds(day, zone)) for day in month.slot_days())
    return tuple((day, int((end - start).total_seconds())) for day, (start, end) in bounds)
