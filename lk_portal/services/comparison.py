"""A period of a metering point beside an earlier one, counted fairly. For states of subscribers.

Two totals with different holes compare nothing. So a difference is told only over what both periods have in
full: the same hours of two days, the same days of two months or years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select

from lk_portal.models import DayRollup
from lk_portal.services.clocks import day_bounds
from lk_portal.services.consumption import Bar, Consumption, Grain, Period, consumption
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

SlotKey = tuple[int, ...]
"""What makes a slot of one period the same as one of another: day and month, or the hour on the wall."""


class Against(StrEnum):
    """What a period is compared with."""

    YEAR = "year"
    PREVIOUS = "previous"

    def period_for(self, period: Period) -> Period:
        """The same period of last year, or the one just before."""
        return period.a_year_before() if self is Against.YEAR else period.previous()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two periods over what both have in full.

    Attributes:
        other: The earlier period.
        matched: For each bar of the period, the same slot of the other; None where that has none.
        now_wh: Wh (varh) of the period over the common slots.
        then_wh: Of the other.
        common: How many slots (hours of a day, else days) both have in full.
        elapsed: How many of them the period has had so far.
    """

    other: Consumption
    matched: tuple[Bar | None, ...]
    now_wh: int
    then_wh: int
    common: int
    elapsed: int

    @property
    def difference_wh(self) -> int:
        """How much more it is now; negative when it is less."""
        return self.now_wh - self.then_wh


async def comparison(
    database: Database, found: Consumption, *, subscriber_id: int, against: Against, now: datetime
) -> Comparison:
    """Compare a period that was read with `consumption` with an earlier one of the same point.

    Args:
        database: Where from.
        found: The period.
        subscriber_id: Whose point it has to be.
        against: Which earlier period.
        now: Aware UTC.

    Raises:
        NotFoundError: The subscriber has no such meter.
    """
    other = await consumption(
        database,
        subscriber_id=subscriber_id,
        serial=found.point.serial,
        quantity=found.quantity,
        period=against.period_for(found.period),
        now=now,
    )
    if found.period.grain is Grain.YEAR:
        ours, theirs = await _whole_days(database, found), await _whole_days(database, other)
    else:
        ours, theirs = _whole_slots(found), _whole_slots(other)
    return compare(found, other, ours, theirs)


def compare(
    found: Consumption, other: Consumption, ours: Mapping[SlotKey, int], theirs: Mapping[SlotKey, int]
) -> Comparison:
    """Put two periods beside each other, given the Wh of the slots that each has in full."""
    by_key = {slot_key(bar, other): bar for bar in other.bars}
    common = ours.keys() & theirs.keys()
    return Comparison(
        other,
        tuple(by_key.get(slot_key(bar, found)) for bar in found.bars),
        sum(ours[key] for key in common),
        sum(theirs[key] for key in common),
        len(common),
        _elapsed(found),
    )


def slot_key(bar: Bar, of: Consumption) -> SlotKey:
    """Which slots of two periods are the same: of an hour that comes twice, the first and the second."""
    local = bar.start.astimezone(ZoneInfo(of.point.timezone))
    if of.period.grain is Grain.DAY:
        return local.hour, local.minute, local.fold
    return (local.day,) if of.period.grain is Grain.MONTH else (local.month,)


def _whole_slots(of: Consumption) -> dict[SlotKey, int]:
    return {slot_key(bar, of): bar.total_wh for bar in of.bars if _is_whole(bar)}


def _is_whole(bar: Bar) -> bool:
    return bar.covered_s >= (bar.end - bar.start).total_seconds() > 0


async def _whole_days(database: Database, of: Consumption) -> dict[SlotKey, int]:
    """The days of a year: of whole months, few would have no hole at all."""
    tz = ZoneInfo(of.point.timezone)
    span = {"first": of.period.start, "after": of.period.end}
    async with database.reading() as connection:
        rows = await connection.execute(
            _DAYS, {"point_id": of.point.point_id, "quantity": of.quantity, **span}
        )
        return {(day.month, day.day): wh for day, wh, covered_s in rows if covered_s >= _length_s(day, tz)}


def _length_s(day: date, tz: ZoneInfo) -> int:
    start, end = day_bounds(day, tz)
    return int((end - start).total_seconds())


def _elapsed(of: Consumption) -> int:
    """How many slots have begun since there was a meter."""
    if of.period.grain is not Grain.YEAR:
        return sum(bar.expected_s > 0 for bar in of.bars)
    seconds = sum(bar.expected_s for bar in of.bars)
    return -(-seconds // 86_400)


_day = table_of(DayRollup)
_DAYS = select(_day.c.day, _day.c.total_wh, _day.c.covered_s).where(
    _day.c.point_id == bindparam("point_id"),
    _day.c.quantity == bindparam("quantity"),
    _day.c.day >= bindparam("first"),
    _day.c.day < bindparam("after"),
)
