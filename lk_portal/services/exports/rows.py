"""What a row of an export is, and the slots of time that rows are made of. Pure; for `services.exports`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from lk_portal.errors import N_, InputError
from lk_portal.metering.derive import hour_starts
from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.clocks import day_bounds
from lk_portal.services.periods import BY_CALENDAR, FIRST_YEAR, LAST_YEAR, Basis, Grain, Period, ReadingDays

SUM_ZONE = 0
HOUR_S = 3600
_DAY = timedelta(days=1)


class Step(StrEnum):
    """How long the time of one row is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


STEP_OF = {Grain.DAY: Step.HOUR, Grain.MONTH: Step.DAY, Grain.YEAR: Step.MONTH}
"""The rows of what a page shows: a day of hours, a month of days, a year of months."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        serial: Of a meter; consumption is that of its metering point, whatever stood there.
        quantity: Which energy.
        first: The first local day.
        after: The first local day after it.
        step: How long the time of one row is.
        basis: By what months and years are counted.
        reading_days: On which billing months begin.
    """

    serial: str
    quantity: Quantity
    first: date
    after: date
    step: Step
    basis: Basis = Basis.CALENDAR
    reading_days: ReadingDays = BY_CALENDAR

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise InputError(N_("The end is before the beginning."), field="to")
        for day, field in ((self.first, "from"), (self.last, "to")):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise InputError(
                    N_("Choose a year from {first} to {last}."), field=field, first=FIRST_YEAR, last=LAST_YEAR
                )

    @property
    def last(self) -> date:
        """The last local day."""
        return self.after - _DAY


@dataclass(frozen=True, slots=True)
class ExportRow:
    """The energy of one tariff zone, or of all together, in [start, end).

    Attributes:
        start: Aware, in the premises' zone.
        end: Likewise.
        zone: 0 is the sum of all; 1 to 4 are tariff zones.
        value_wh: Wh (varh); None where there are no data at all.
        expected: How many hours there should be data for.
        actual: How many of them there are data for.
        expected_s: The same in seconds.
        covered_s: Likewise.
        qualities: Of the intervals with data.
    """

    start: datetime
    end: datetime
    zone: int
    value_wh: int | None
    expected_s: int
    covered_s: int
    qualities: frozenset[Quality]

    @property
    def expected(self) -> int:
        """Hours there should be data for; one that has only begun counts."""
        return -(-self.expected_s // HOUR_S)

    @property
    def actual(self) -> int:
        """Whole hours with data; all of them where nothing is missing."""
        return self.expected if self.is_complete else self.covered_s // HOUR_S

    @property
    def is_complete(self) -> bool:
        """Nothing is missing."""
        return self.covered_s >= self.expected_s

    @property
    def quality(self) -> Quality:
        """The worst of what it is made of."""
        return next((one for one in _WORST_FIRST if one in self.qualities), Quality.MISSING)


_WORST_FIRST = (Quality.ESTIMATED, Quality.EDITED, Quality.MEASURED)


def slots(wish: Wish, first: date, after: date, tz: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The slots of `wish` in the local days [first, after), cut at them; aware UTC.

    A year of hours is 8760 slots, so they come one by one.
    """
    if wish.step is Step.HOUR:
        for day in _days(first, after):
            yield from pairwise(hour_starts(*day_bounds(day, tz), tz))
        return
    for start, end in pairwise(_cuts(wish, first, after)):
        yield day_bounds(start, tz)[0], day_bounds(end, tz)[0]


def _days(first: date, after: date) -> Iterator[date]:
    return (first + n * _DAY for n in range((after - first).days))


def _cuts(wish: Wish, first: date, after: date) -> Iterator[date]:
    """Where slots of whole days begin, and the end."""
    grain = {Step.DAY: Grain.DAY, Step.MONTH: Grain.MONTH, Step.YEAR: Grain.YEAR}[wish.step]
    at = first
    while at < after:
        yield at
        at = Period.containing(grain, at, basis=wish.basis, reading_days=wish.reading_days).end
    yield after
