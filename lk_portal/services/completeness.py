"""How complete the data are, by day and gateway: a heat map of holes. For the staff's page of the polling.

What is there comes from the day rollups (`covered_s`), what should be there from where each meter stood and
how long its days were. The database adds up; here only sums of whole gateways arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Subquery, and_, case, func, or_, select

from lk_portal.metering.types import Quantity
from lk_portal.models import (
    Account,
    DayRollup,
    Gateway,
    Installation,
    MeterConnection,
    MeteringPoint,
    Premises,
)
from lk_portal.services.clocks import day_bounds
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

DAYS = 30
NOT_YET = timedelta(hours=1)
"""What should have been counted in the last hour may still be on its way."""

_link, _gate, _place = table_of(MeterConnection), table_of(Gateway), table_of(Installation)
_point, _account, _home = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_day = table_of(DayRollup)


@dataclass(frozen=True, slots=True)
class GatewayDays:
    """One row of the map.

    Attributes:
        gateway_id: Which gateway; 0 of all together.
        name: What it is called.
        meters: How many stand behind it.
        shares: Of each day, how much of what should be there is: 0 to 1; None: nothing should be.
        share: Of all the days together, likewise.
    """

    gateway_id: int
    name: str
    meters: int
    shares: tuple[float | None, ...]
    share: float | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The map: its days, and its rows, all together first and then the worst.

    Attributes:
        days: Local days, oldest first; the last one is today.
        rows: At most as many as were asked for.
        gateways: How many there are.
    """

    days: tuple[date, ...]
    rows: tuple[GatewayDays, ...]
    gateways: int


async def completeness(
    database: Database, *, now: datetime, today: date, most: int, gateway_id: int | None = None
) -> Completeness:
    """The last `DAYS` days of active energy; of one gateway, or of all.

    Args:
        database: Where from.
        now: Aware UTC; what is still to come is not missed.
        today: The day at the utility.
        most: So many gateways besides the sum.
        gateway_id: Only this one.
    """
    days = tuple(today - timedelta(days=back) for back in range(DAYS - 1, -1, -1))
    since = day_bounds(days[0], ZoneInfo("UTC"))[0] - timedelta(days=1)
    places = _places(since, gateway_id)
    async with database.reading() as connection:
        names = {row.id: row.name for row in await connection.execute(select(_gate.c.id, _gate.c.name))}
        stood = (await connection.execute(_meters(places))).all()
        sums = (await connection.execute(_sums(places, days[0]))).all()
    per_gateway = _per_gateway(days, stood, sums, now=now)
    rows = sorted((_row(key, names.get(key, ""), one) for key, one in per_gateway.items()), key=_worst_first)
    whole = _row(0, "", _together(per_gateway.values(), len(days)))
    return Completeness(days, (whole, *rows[:most]), len(rows))


def _places(since: datetime, gateway_id: int | None) -> Subquery:
    """Where the meters of the gateways stood since then.

    `came` and `went` are NULL where a meter stood all the time, so that those are one group.
    """
    query = (
        select(
            _link.c.gateway_id,
            _home.c.timezone,
            case((_place.c.installed_at > since, _place.c.installed_at)).label("came"),
            _place.c.removed_at.label("went"),
            _place.c.point_id,
        )
        .join(_place, _place.c.meter_id == _link.c.meter_id)
        .join(_point, _point.c.id == _place.c.point_id)
        .join(_account, _account.c.id == _point.c.account_id)
        .join(_home, _home.c.id == _account.c.premises_id)
        .where(or_(_place.c.removed_at.is_(None), _place.c.removed_at > since), _link.c.is_enabled.is_(True))
    )
    return (query if gateway_id is None else query.where(_link.c.gateway_id == gateway_id)).subquery()


def _meters(places: Subquery) -> Select[Any]:
    group = [places.c.gateway_id, places.c.timezone, places.c.came, places.c.went]
    return select(*group, func.count().label("meters")).group_by(*group)


def _sums(places: Subquery, first: date) -> Select[Any]:
    group = [places.c.gateway_id, places.c.timezone, places.c.came, places.c.went, _day.c.day]
    of_place = and_(
        _day.c.point_id == places.c.point_id, _day.c.quantity == Quantity.A_PLUS, _day.c.day >= first
    )
    query = select(*group, func.sum(_day.c.covered_s).label("covered_s"))
    return query.join(_day, of_place).group_by(*group)


@dataclass(slots=True)
class _Days:
    """Seconds that should be there and are, by number of the day."""

    meters: int
    expected_s: list[float]
    covered_s: list[float]


def _per_gateway(
    days: Sequence[date], stood: Iterable[Any], sums: Iterable[Any], *, now: datetime
) -> dict[int, _Days]:
    until = now - NOT_YET
    found: dict[int, _Days] = {}
    expected: dict[tuple[Any, ...], list[float]] = {}
    for row in stood:
        one = found.setdefault(row.gateway_id, _Days(0, [0.0] * len(days), [0.0] * len(days)))
        spans = [_expected_s(day, row.timezone, row.came, row.went, until) * row.meters for day in days]
        expected[row.gateway_id, row.timezone, row.came, row.went] = spans
        one.meters += row.meters if row.went is None or row.went > now else 0
        one.expected_s = [a + b for a, b in zip(one.expected_s, spans, strict=True)]
    for row in sums:
        number = (row.day - days[0]).days
        if number < len(days):
            # On the day of a replacement the point has the data of both meters.
            limit = expected[row.gateway_id, row.timezone, row.came, row.went][number]
            found[row.gateway_id].covered_s[number] += min(float(row.covered_s), limit)
    return found


@lru_cache(maxsize=4096)
def _bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    return day_bounds(day, ZoneInfo(timezone))


def _expected_s(
    day: date, timezone: str, came: datetime | None, went: datetime | None, until: datetime
) -> float:
    """How much of a local day a meter should have counted, seconds."""
    start, end = _bounds(day, timezone)
    start = max(start, came) if came else start
    end = min(end, until, went) if went else min(end, until)
    return max(0.0, (end - start).total_seconds())


def _together(all_days: Iterable[_Days], length: int) -> _Days:
    total = _Days(0, [0.0] * length, [0.0] * length)
    for one in all_days:
        total.meters += one.meters
        total.expected_s = [a + b for a, b in zip(total.expected_s, one.expected_s, strict=True)]
        total.covered_s = [a + b for a, b in zip(total.covered_s, one.covered_s, strict=True)]
    return total


def _row(gateway_id: int, name: str, one: _Days) -> GatewayDays:
    shares = tuple(
        _share(covered, expected) for covered, expected in zip(one.covered_s, one.expected_s, strict=True)
    )
    return GatewayDays(gateway_id, name, one.meters, shares, _share(sum(one.covered_s), sum(one.expected_s)))


def _share(covered_s: float, expected_s: float) -> float | None:
    return min(1.0, covered_s / expected_s) if expected_s > 0 else None


def _worst_first(row: GatewayDays) -> tuple[float, int]:
    """Gateways nothing is expected of come last."""
    return (2.0 if row.share is None else row.share, row.gateway_id)
