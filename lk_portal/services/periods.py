"""The periods a chart shows: a day of hours, a month of days, a year of months. Pure; for services, state."""

from __future__ import annotations

import re
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar day, month or year in the premises' zone; `start` is its first day.

    As text it is the ISO date cut to the grain: 2026-11-24, 2026-11, 2026.
    """

    grain: Grain
    start: date

    @classmethod
    def containing(cls, grain: Grain, day: date) -> Self:
        """The period of this grain that `day` lies in."""
        if grain is Grain.MONTH:
            return cls(grain, day.replace(day=1))
        return cls(grain, day.replace(month=1, day=1) if grain is Grain.YEAR else day)

    @classmethod
    def parse(cls, grain: Grain, text: str) -> Self:
        """Read a period from its text.

        Raises:
            InputError: It is no such date, or not between 1990 and 2100.
        """
        match = _SHAPES[grain].fullmatch(text)
        try:
            parts = [int(part) for part in match.groups()] if match else []
            start = date(*[*parts, 1, 1][:3])
        except (ValueError, TypeError):
            raise InputError(N_("There is no such date."), field="period") from None
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            raise InputError(
                N_("Choose a year from {first} to {last}."), field="period", first=FIRST_YEAR, last=LAST_YEAR
            )
        return cls(grain, start)

    def __str__(self) -> str:
        return self.start.isoformat()[: {Grain.DAY: 10, Grain.MONTH: 7, Grain.YEAR: 4}[self.grain]]

    @property
    def end(self) -> date:
        """The first day after it."""
        if self.grain is Grain.DAY:
            return self.start + timedelta(days=1)
        if self.grain is Grain.MONTH:
            return next_month(self.start)
        return self.start.replace(year=self.start.year + 1)

    def next(self) -> Self:
        """The period after it."""
        return type(self)(self.grain, self.end)

    def previous(self) -> Self:
        """The period before it."""
        return type(self).containing(self.grain, self.start - timedelta(days=1))

    def parent(self) -> Self:
        """The next coarser period it lies in; a year's is itself."""
        coarser = Grain.MONTH if self.grain is Grain.DAY else Grain.YEAR
        return type(self).containing(coarser, self.start)

    def bounds(self, tz: ZoneInfo) -> tuple[datetime, datetime]:
        """[start, end) as aware UTC."""
        return day_bounds(self.start, tz)[0], day_bounds(self.end, tz)[0]

    def slot_days(self) -> list[date]:
        """The first days of its slots: days of a month, months of a year, the day itself."""
        days = [self.start]
        step = next_month if self.grain is Grain.YEAR else _next_day
        while (following := step(days[-1])) < self.end:
            days.append(following)
        return days

    def slot_starts(self, tz: ZoneInfo) -> list[datetime]:
        """Where its slots begin, aware UTC: 23 to 25 hours, the days of a month, 12 months."""
        if self.grain is Grain.DAY:
            start, end = self.bounds(tz)
            return [moment for moment in hour_starts(start, end, tz) if moment < end]
        return [day_bounds(day, tz)[0] for day in self.slot_days()]


def next_month(day: date) -> date:
    """The first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _next_day(day: date) -> date:
    return day + timedelta(days=1)
