"""What a subscriber's metering point consumed in a period: the numbers behind the chart.

For states, exports and commands. Ownership is in the query: a foreign meter is found no more than one that
does not exist. Whatever the table holds, a year reads twelve rows and a month thirty-one; a year of billing
months, which have no rollups of their own, reads its days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import (
    Account,
    DayRollup,
    Installation,
    Interval,
    Meter,
    MeteringPoint,
    MonthRollup,
    PointFreshness,
    Premises,
)
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.periods import Basis, Grain, Period
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable

__all__ = ["Bar", "Basis", "Consumption", "Grain", "Period", "PointView", "consumption", "points_of"]

FRESH_WITHIN = timedelta(hours=1)
"""Data that end less than this ago are up to date: what has not been read yet is not missing."""
NO_ZONES = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PointView:
    """A metering point as its subscriber sees it.

    Attributes:
        point_id: The key.
        serial: Of the meter that stands there now (or stood last).
        name: The subscriber's own; "" when there is none.
        account: Number of the personal account.
        address: One line.
        timezone: IANA zone of the premises.
        since: When the first meter was installed, aware UTC.
        data_until: Until when there are data, aware UTC; None when there are none.
    """

    point_id: int
    serial: str
    name: str
    account: str
    address: str
    timezone: str
    since: datetime
    data_until: datetime | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One slot of a period: [start, end) in UTC, energy in Wh.

    Attributes:
        start: Aware UTC.
        end: Aware UTC.
        total_wh: Wh (varh) in what is covered.
        zones_wh: Of it in tariff zones 1 to 4; the rest has no zone.
        covered_s: Seconds with data.
        expected_s: Seconds there should be data for: since the installation, until now.
        estimated_s: Of `covered_s`, not measured.
        is_open: The slot is not over yet.
    """

    start: datetime
    end: datetime
    total_wh: int
    zones_wh: tuple[int, int, int, int]
    covered_s: int
    expected_s: int
    estimated_s: int
    is_open: bool

    @property
    def is_hole(self) -> bool:
        """There should be data and there are none at all."""
        return self.expected_s > 0 and self.covered_s == 0 and not self.is_open


@dataclass(frozen=True, slots=True)
class Consumption:
    """The bars of a period and their sums."""

    point: PointView
    quantity: Quantity
    period: Period
    bars: tuple[Bar, ...]

    @property
    def total_wh(self) -> int:
        """Wh (varh) of all bars."""
        return sum(bar.total_wh for bar in self.bars)

    @property
    def covered_s(self) -> int:
        """Seconds with data."""
        return sum(bar.covered_s for bar in self.bars)

    @property
    def expected_s(self) -> int:
        """Seconds there should be data for."""
        return sum(bar.expected_s for bar in self.bars)

    @property
    def data_until(self) -> datetime | None:
        """Until when the point has data, aware UTC."""
        return self.point.data_until


@dataclass(frozen=True, slots=True)
class _Sum:
    """What is stored of one slot."""

    total_wh: int = 0
    zones_wh: tuple[int, int, int, int] = NO_ZONES
    covered_s: int = 0
    estimated_s: int = 0

    @classmethod
    def of(cls, rows: Iterable[Any]) -> _Sum:
        """Of rollups: their key and then the seven sums."""
        total, t1, t2, t3, t4, covered, estimated = (
            sum(column) for column in list(zip(*rows, strict=True))[1:]
        )
        return cls(total, (t1, t2, t3, t4), covered, estimated)


async def points_of(database: Database, *, subscriber_id: int) -> tuple[PointView, ...]:
    """The metering points of a subscriber's accounts, in the order of account and point."""
    async with database.reading() as connection:
        rows = (await connection.execute(_POINTS, {"subscriber_id": subscriber_id})).all()
    latest = {row.point_id: row for row in rows}
    return tuple(_point_view(row) for row in latest.values())


async def consumption(
    database: Database, *, subscriber_id: int, serial: str, quantity: Quantity, period: Period, now: datetime
) -> Consumption:
    """Consumption of the point where the meter `serial` stands or stood.

    Args:
        database: Where from.
        subscriber_id: Whose point it has to be.
        serial: Of the present meter or an earlier one; consumption is the point's, whatever stood there.
        quantity: Which energy.
        period: In the premises' zone.
        now: Aware UTC; later slots are empty, not missing.

    Raises:
        NotFoundError: The subscriber has no such meter.
    """
    if not is_storable(serial):
        raise NotFoundError
    async with database.reading() as connection:
        found = (await connection.execute(_POINT, {"subscriber_id": subscriber_id, "serial": serial})).first()
        if found is None:
            raise NotFoundError
        point = _point_view(found)
        tz = ZoneInfo(point.timezone)
        edges = _edges(period, tz)
        sums = await _sums(connection, point.point_id, quantity, period, edges)
    horizon = _horizon(point, now)
    bars = tuple(
        _bar(start, end, stored, since=point.since, horizon=horizon, now=now)
        for start, end, stored in zip(edges[:-1], edges[1:], sums, strict=True)
    )
    return Consumption(point, quantity, period, bars)


@lru_cache(maxsize=1024)
def _edges(period: Period, tz: ZoneInfo) -> tuple[datetime, ...]:
    """Where the period's slots begin, and its end: everybody looks at the same few months."""
    return *period.slot_starts(tz), period.bounds(tz)[1]


@lru_cache(maxsize=1024)
def _slot_days(period: Period) -> tuple[date, ...]:
    return tuple(period.slot_days())


async def _sums(
    connection: AsyncConnection, point_id: int, quantity: Quantity, period: Period, edges: Sequence[datetime]
) -> list[_Sum]:
    key = {"point_id": point_id, "quantity": quantity}
    if period.grain is Grain.DAY:
        rows = (await connection.execute(_HOURS, {**key, "first": edges[0], "after": edges[-1]})).all()
        return _by_hour(rows, edges)
    is_by_month = period.grain is Grain.YEAR and period.basis is Basis.CALENDAR
    span = {**key, "first": period.start, "after": period.end}
    rollups = (await connection.execute(_MONTHS if is_by_month else _DAYS, span)).all()
    return _by_slot(rollups, _slot_days(period))


def _by_slot(rows: Sequence[Any], slots: Sequence[date]) -> list[_Sum]:
    """Sum rollups of days or months, which lie in one slot each, into the slots that begin at these days."""
    found: list[list[Any]] = [[] for _slot in slots]
    for row in rows:
        found[bisect_right(slots, row[0]) - 1].append(row)
    return [_Sum.of(inside) if inside else _Sum() for inside in found]


def _by_hour(rows: Sequence[Any], edges: Sequence[datetime]) -> list[_Sum]:
    """Sum intervals, which may be shorter than an hour, into the hours they lie in."""
    sums = [_Sum()] * (len(edges) - 1)
    for start, value_wh, covered_s, zone, quality in rows:
        index = bisect_right(edges, start) - 1
        before = sums[index]
        zones = list(before.zones_wh)
        if 1 <= zone <= len(zones):
            zones[zone - 1] += value_wh
        sums[index] = _Sum(
            before.total_wh + value_wh,
            (zones[0], zones[1], zones[2], zones[3]),
            before.covered_s + covered_s,
            before.estimated_s + (0 if quality is Quality.MEASURED else covered_s),
        )
    return sums


def _horizon(point: PointView, now: datetime) -> datetime:
    """Until when data can be expected: until now, or until the last reading if that was just made."""
    if point.data_until is None or now - point.data_until > FRESH_WITHIN:
        return now
    return min(point.data_until, now)


def _bar(
    start: datetime, end: datetime, stored: _Sum, *, since: datetime, horizon: datetime, now: datetime
) -> Bar:
    expected = min(end, horizon) - max(start, since)
    return Bar(
        start=start,
        end=end,
        total_wh=stored.total_wh,
        zones_wh=stored.zones_wh,
        covered_s=stored.covered_s,
        expected_s=max(int(expected.total_seconds()), stored.covered_s, 0),
        estimated_s=stored.estimated_s,
        is_open=start <= now < end,
    )


def _point_view(row: Any) -> PointView:
    address = _address(row.settlement, row.street, row.house, row.flat)
    return PointView(
        row.point_id, row.serial, row.name, row.account, address, row.timezone, row.since, row.data_until
    )


@lru_cache(maxsize=1024)
def _address(settlement: str, street: str, house: str, flat: str) -> str:
    return Premises(settlement=settlement, street=street, house=house, flat=flat, timezone="").address


_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)
_installation, _meter, _freshness = table_of(Installation), table_of(Meter), table_of(PointFreshness)
_interval, _day, _month = table_of(Interval), table_of(DayRollup), table_of(MonthRollup)
_first = _installation.alias("first_installation")
_there = _installation.alias("any_installation")
_asked = _meter.alias("asked_meter")
_COLUMNS = (
    select(
        _point.c.id.label("point_id"),
        _meter.c.serial,
        _point.c.name,
        _account.c.number.label("account"),
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
        select(func.min(_first.c.installed_at))
        .where(_first.c.point_id == _point.c.id)
        .scalar_subquery()
        .label("since"),
        _freshness.c.data_until,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_installation, _installation.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _installation.c.meter_id)
    .outerjoin(_freshness, _freshness.c.point_id == _point.c.id)
    .where(is_owned())
)
# The last row of a point is that of the meter installed last.
_POINTS = _COLUMNS.order_by(_account.c.id, _point.c.id, _installation.c.installed_at)
_POINT = (
    _COLUMNS.where(
        _point.c.id.in_(
            select(_there.c.point_id)
            .join(_asked, _asked.c.id == _there.c.meter_id)
            .where(_asked.c.serial == bindparam("serial"))
        )
    )
    .order_by(_installation.c.installed_at.desc())
    .limit(1)
)
_HOURS = (
    select(
        _interval.c.start, _interval.c.value_wh, _interval.c.covered_s, _interval.c.zone, _interval.c.quality
    )
    .where(
        _interval.c.point_id == bindparam("point_id"),
        _interval.c.quantity == bindparam("quantity"),
        _interval.c.start >= bindparam("first"),
        _interval.c.start < bindparam("after"),
    )
    .order_by(_interval.c.start)
)
_DAYS = select(
    _day.c.day,
    _day.c.total_wh,
    _day.c.t1_wh,
    _day.c.t2_wh,
    _day.c.t3_wh,
    _day.c.t4_wh,
    _day.c.covered_s,
    _day.c.estimated_s,
).where(
    _day.c.point_id == bindparam("point_id"),
    _day.c.quantity == bindparam("quantity"),
    _day.c.day >= bindparam("first"),
    _day.c.day < bindparam("after"),
)
_MONTHS = select(
    _month.c.month,
    _month.c.total_wh,
    _month.c.t1_wh,
    _month.c.t2_wh,
    _month.c.t3_wh,
    _month.c.t4_wh,
    _month.c.covered_s,
    _month.c.estimated_s,
).where(
    _month.c.point_id == bindparam("point_id"),
    _month.c.quantity == bindparam("quantity"),
    _month.c.month >= bindparam("first"),
    _month.c.month < bindparam("after"),
)
