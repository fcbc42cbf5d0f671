"""The periods a chart shows: a day of hours, a month of days, a year of months. Pure; for services, state.

Months and years are those of the calendar, or billing periods (расчетный период), which run from the day on
which the utility takes its readings to that day of the next month. The utility may change the day: then one
billing month is longer or shorter than others, and none overlap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

from lk_portal.errors import N_, InputError
from lk_portal.metering.derive import hour_starts
from lk_portal.services.clocks import day_bounds

FIRST_YEAR, LAST_YEAR = 1990, 2100


class Grain(StrEnum):
    """Интервал: how long the period is; its slots are one step finer."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


_SHAPES = {
    Grain.DAY: re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII),
    Grain.MONTH: re.compile(r"(\d{4})-(\d{2})", re.ASCII),
    Grain.YEAR: re.compile(r"(\d{4})", re.ASCII),
}


class Basis(StrEnum):
    """By what months and years are counted; a day is the same in both."""

    CALENDAR = "calendar"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class ReadingDays:
    """On which days of the month the utility takes its readings, so on which billing months begin.

    Attributes:
        first: The day, 1 to 28, until the first change.
        changes: First days of calendar months in order, each with the day of the month from that one on.
    """

    first: int
    changes: tuple[tuple[date, int], ...] = ()

    def start_in(self, year: int, month: int) -> date:
        """Where the billing month that begins in a calendar month begins; every calendar month has one."""
        here = date(year, month, 1)
        number = next((number for since, number in reversed(self.changes) if since <= here), self.first)
        return here.replace(day=number)


BY_CALENDAR = ReadingDays(1)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, month or year in the premises' zone, by the calendar or by billing months.

    As text it is the ISO date cut to the grain: 2026-11-24, 2026-11, 2026. A billing month is named by the
    month it begins in, a billing year is the twelve billing months that begin in that year.

    Attributes:
        grain: How long it is.
        start: Its first day.
        basis: Whose months; also a day knows, for the month around it.
        reading_days: On which its months begin.
    """

    grain: Grain
    start: date
    basis: Basis = Basis.CALENDAR
    reading_days: ReadingDays = BY_CALENDAR

    @classmethod
    def containing(
        cls,
        grain: Grain,
        day: date,
        *,
        basis: Basis = Basis.CALENDAR,
        reading_days: ReadingDays = BY_CALENDAR,
    ) -> Self:
        """The period of this grain that `day` lies in."""
        days = reading_days if basis is Basis.BILLING else BY_CALENDAR
        if grain is Grain.DAY:
            return cls(grain, day, basis, days)
        month = _month_start(day, days)
        return cls(grain, days.start_in(month.year, 1) if grain is Grain.YEAR else month, basis, days)

    @classmethod
    def parse(
        cls,
        grain: Grain,
        text: str,
        *,
        basis: Basis = Basis.CALENDAR,
        reading_days: ReadingDays = BY_CALENDAR,
    ) -> Self:
        """Read a period from its text.

        Raises:
            InputError: It is no such date, or not between 1990 and 2100.
        """
        match = _SHAPES[grain].fullmatch(text)
        days = reading_days if basis is Basis.BILLING else BY_CALENDAR
        try:
            year, month, *day = [*(int(part) for part in match.groups()), 1][:3] if match else []
            # A year's text leaves its month out, the first; a month's its day.
            start = date(year, month, *day) if grain is Grain.DAY else days.start_in(year, month)
        except ValueError:
            raise InputError(N_("There is no such date."), field="period") from None
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise InputError(
                N_("Choose a year from {first} to {last}."), field="period", first=FIRST_YEAR, last=LAST_YEAR
            )
        return cls(grain, start, basis, days)

    def __str__(self) -> str:
        return self.start.isoformat()[: {Grain.DAY: 10, Grain.MONTH: 7, Grain.YEAR: 4}[self.grain]]

    @property
    def end(self) -> date:
        """The first day after it."""
        if self.grain is Grain.DAY:
            return self.start + timedelta(days=1)
        if self.grain is Grain.MONTH:
            return self._month_later(self.start)
        return self.reading_days.start_in(self.start.year + 1, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    def of(self, grain: Grain, day: date) -> Self:
        """The period of another grain around `day`, counted the same way."""
        return type(self).containing(grain, day, basis=self.basis, reading_days=self.reading_days)

    def next(self) -> Self:
        """The period after it."""
        return type(self)(self.grain, self.end, self.basis, self.reading_days)

    def previous(self) -> Self:
        """The period before it."""
        return self.of(self.grain, self.start - timedelta(days=1))

    def a_year_before(self) -> Self:
        """The same period of last year; a 29 February's is the 28th."""
        year = self.start.year - 1
        if self.grain is not Grain.DAY:
            return replace(self, start=self.reading_days.start_in(year, self.start.month))
        is_leap_day = (self.start.month, self.start.day) == (2, 29)
        return replace(self, start=self.start.replace(year=year, day=28 if is_leap_day else self.start.day))

    def parent(self) -> Self:
        """The next coarser period it lies in; a year's is itself."""
        return self.of(Grain.MONTH if self.grain is Grain.DAY else Grain.YEAR, self.start)

    def bounds(self, tz: ZoneInfo) -> tuple[datetime, datetime]:
        """[start, end) as aware UTC."""
        return day_bounds(self.start, tz)[0], day_bounds(self.end, tz)[0]

    def slot_days(self) -> list[date]:
        """The first days of its slots: days of a month, months of a year, the day itself."""
        days, end = [self.start], self.end
        step = self._month_later if self.grain is Grain.YEAR else _next_day
        while (following := step(days[-1])) < end:
            days.append(following)
        return days

    def slot_starts(self, tz: ZoneInfo) -> list[datetime]:
        """Where its slots begin, aware UTC: 23 to 25 hours, the days of a month, 12 months."""
        if self.grain is Grain.DAY:
            start, end = self.bounds(tz)
            return [moment for moment in hour_starts(start, end, tz) if moment < end]
        return [day_bounds(day, tz)[0] for day in self.slot_days()]

    def _month_later(self, start: date) -> date:
        return self.reading_days.start_in(start.year + start.month // 12, start.month % 12 + 1)


def _month_start(day: date, days: ReadingDays) -> date:
    """Where the month that `day` lies in begins."""
    start = days.start_in(day.year, day.month)
    if start <= day:
        return start
    before = day.replace(day=1) - timedelta(days=1)
    return days.start_in(before.year, before.month)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)
