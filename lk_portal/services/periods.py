"""The periods a chart shows: a day of hours, a month of days, a year of months. Pure; for services, state.

Months and years are those of the calendar, or billing periods (расчетный период), which run from the day on
which the utility takes its readings to the same day of the next month.
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
class Period:
    """A day, month or year in the premises' zone, by the calendar or by billing months.

    As text it is the ISO date cut to the grain: 2026-11-24, 2026-11, 2026. A billing month is named by the
    month it begins in, a billing year is the twelve billing months that begin in that year.

    Attributes:
        grain: How long it is.
        start: Its first day.
        basis: Whose months; also a day knows, for the month around it.
        reading_day: Day of the month on which billing months begin, 1 to 28; 1 by the calendar.
    """

    grain: Grain
    start: date
    basis: Basis = Basis.CALENDAR
    reading_day: int = 1

    @classmethod
    def containing(
        cls, grain: Grain, day: date, *, basis: Basis = Basis.CALENDAR, reading_day: int = 1
    ) -> Self:
        """The period of this grain that `day` lies in."""
        first = reading_day if basis is Basis.BILLING else 1
        if grain is Grain.DAY:
            return cls(grain, day, basis, first)
        month = _month_start(day, first)
        return cls(grain, month.replace(month=1) if grain is Grain.YEAR else month, basis, first)

    @classmethod
    def parse(cls, grain: Grain, text: str, *, basis: Basis = Basis.CALENDAR, reading_day: int = 1) -> Self:
        """Read a period from its text.

        Raises:
            InputError: It is no such date, or not between 1990 and 2100.
        """
        match = _SHAPES[grain].fullmatch(text)
        first = reading_day if basis is Basis.BILLING else 1
        try:
            parts = [int(part) for part in match.groups()] if match else []
            # What the text leaves out: of a year month and day, of a month the day.
            start = date(*[*parts, *(1, first)[len(parts) - 1 :]])
        except (ValueError, TypeError):
            raise InputError(N_("There is no such date."), field="period") from None
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise InputError(
                N_("Choose a year from {first} to {last}."), field="period", first=FIRST_YEAR, last=LAST_YEAR
            )
        return cls(grain, start, basis, first)

    def __str__(self) -> str:
        return self.start.isoformat()[: {Grain.DAY: 10, Grain.MONTH: 7, Grain.YEAR: 4}[self.grain]]

    @property
    def end(self) -> date:
        """The first day after it."""
        if self.grain is Grain.DAY:
            return self.start + timedelta(days=1)
        if self.grain is Grain.MONTH:
            return _month_later(self.start)
        return self.start.replace(year=self.start.year + 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    def of(self, grain: Grain, day: date) -> Self:
        """The period of another grain around `day`, counted the same way."""
        return type(self).containing(grain, day, basis=self.basis, reading_day=self.reading_day)

    def next(self) -> Self:
        """The period after it."""
        return type(self)(self.grain, self.end, self.basis, self.reading_day)

    def previous(self) -> Self:
        """The period before it."""
        return self.of(self.grain, self.start - timedelta(days=1))

    def a_year_before(self) -> Self:
        """The same period of last year; a 29 February's is the 28th."""
        year = self.start.year - 1
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
        step = _month_later if self.grain is Grain.YEAR else _next_day
        while (following := step(days[-1])) < end:
            days.append(following)
        return days

    def slot_starts(self, tz: ZoneInfo) -> list[datetime]:
        """Where its slots begin, aware UTC: 23 to 25 hours, the days of a month, 12 months."""
        if self.grain is Grain.DAY:
            start, end = self.bounds(tz)
            return [moment for moment in hour_starts(start, end, tz) if moment < end]
        return [day_bounds(day, tz)[0] for day in self.slot_days()]


def _month_start(day: date, first: int) -> date:
    """The last day with number `first`, up to and with `day`."""
    if day.day >= first:
        return day.replace(day=first)
    before = day.replace(day=1) - timedelta(days=1)
    return before.replace(day=first)


def _month_later(day: date) -> date:
    """The same day of the month after; it has one, for no month begins after the 28th."""
    return date(day.year + day.month // 12, day.month % 12 + 1, day.day)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)
