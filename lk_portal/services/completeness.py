"""How complete the data are, by day and gateway: a heat map of holes. For the staff's page of the polling.

What is there comes from the day rollups (`covered_s`), what should be there from where each meter stood and
how long its days were. The database adds up; here only sums arrive: by day of all, by gateway of all days,
and by both of the worst.
"""

from __future__ import annotations

from collections import Counter
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
    calendar = _Calendar(days, now - NOT_YET)
    async with database.reading() as connection:
        stood = (await connection.execute(_meters(places))).all()
        by_day = (await connection.execute(_by_day(places, days[0]))).all()
        by_gateway = (await connection.execute(_by_gateway(places, days[0]))).all()
        worst = calendar.worst_first(stood, by_gateway)
        shown = worst[:most]
        detail = (await connection.execute(_by_day_of(places, days[0], shown))).all()
        names = {row.id: row.name for row in await connection.execute(_NAMES.where(_gate.c.id.in_(shown)))}
    meters = Counter(dict.fromkeys(worst, 0))
    for row in stood:
        meters[row.gateway_id] += row.meters if row.went is None or row.went > now else 0
    rows = [
        GatewayDays(
            key,
            names.get(key, ""),
            meters[key],
            *calendar.shares(
                [one for one in stood if one.gateway_id == key],
                [one for one in detail if one.gateway_id == key],
            ),
        )
        for key in shown
    ]
    whole = GatewayDays(0, "", meters.total(), *calendar.shares(stood, by_day))
    return Completeness(days, (whole, *rows), len(worst))


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


def _of_places(places: Subquery, first: date, *group: Any) -> Select[Any]:
    """Sums of what the points have since a day, by whatever they are grouped by."""
    of_place = and_(
        _day.c.point_id == places.c.point_id, _day.c.quantity == Quantity.A_PLUS, _day.c.day >= first
    )
    query = select(*group, func.sum(_day.c.covered_s).label("covered_s")).select_from(places)
    return query.join(_day, of_place).group_by(*group)


def _by_day(places: Subquery, first: date) -> Select[Any]:
    """All gateways together."""
    return _of_places(places, first, places.c.timezone, places.c.came, places.c.went, _day.c.day)


def _by_day_of(places: Subquery, first: date, gateway_ids: Sequence[int]) -> Select[Any]:
    """Some gateways, each for itself."""
    group = (places.c.gateway_id, places.c.timezone, places.c.came, places.c.went, _day.c.day)
    return _of_places(places, first, *group).where(places.c.gateway_id.in_(gateway_ids))


def _by_gateway(places: Subquery, first: date) -> Select[Any]:
    """Every gateway, its days together; of meters that came or went they must be told apart."""
    moved = or_(places.c.came.is_not(None), places.c.went.is_not(None))
    day = case((moved, _day.c.day)).label("day")
    return _of_places(
        places, first, places.c.gateway_id, places.c.timezone, places.c.came, places.c.went, day
    )


Place = tuple[str, datetime | None, datetime | None]
"""Time zone of the premises, when the meter came and when it went."""


class _Calendar:
    """How much should be there of each day.

    Args:
        days: Local days.
        until: What is later is not expected yet, aware UTC.
    """

    def __init__(self, days: Sequence[date], until: datetime) -> None:
        self._days = days
        self._until = until
        self._spans: dict[Place, list[float]] = {}

    def worst_first(self, stood: Iterable[Any], sums: Iterable[Any]) -> list[int]:
        """All gateways, those that lack most first; those that nothing is expected of last."""
        expected: Counter[int] = Counter()
        covered: Counter[int] = Counter()
        for row in stood:
            expected[row.gateway_id] += round(sum(self.spans(row)) * row.meters)
        for row in sums:
            is_due = row.day is None or self._span(row) > 0
            covered[row.gateway_id] += int(row.covered_s) if is_due else 0
        shares = {key: _share(covered[key], whole) for key, whole in expected.items()}
        return sorted(shares, key=lambda key: (2.0 if shares[key] is None else shares[key], key))

    def shares(
        self, stood: Iterable[Any], sums: Iterable[Any]
    ) -> tuple[tuple[float | None, ...], float | None]:
        """How much is there of each day and of all of them."""
        limits: dict[Place, list[float]] = {}
        for row in stood:
            spans, known = self.spans(row), limits.get(_place_of(row), [0.0] * len(self._days))
            limits[_place_of(row)] = [a + b * row.meters for a, b in zip(known, spans, strict=True)]
        expected = [sum(column) for column in zip(*limits.values(), strict=True)] or [0.0] * len(self._days)
        covered = [0.0] * len(self._days)
        for row in sums:
            number = (row.day - self._days[0]).days
            if number < len(self._days):
                # On the day of a replacement the point has the data of both meters.
                covered[number] += min(float(row.covered_s), limits[_place_of(row)][number])
        days = tuple(_share(there, whole) for there, whole in zip(covered, expected, strict=True))
        return days, _share(sum(covered), sum(expected))

    def spans(self, row: Any) -> list[float]:
        """How many seconds of each day one meter that stood so should have counted."""
        place = _place_of(row)
        if place not in self._spans:
            self._spans[place] = [_expected_s(day, *place, self._until) for day in self._days]
        return self._spans[place]

    def _span(self, row: Any) -> float:
        number = (row.day - self._days[0]).days
        return self.spans(row)[number] if number < len(self._days) else 0.0


def _place_of(row: Any) -> Place:
    return row.timezone, row.came, row.went


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


def _share(covered_s: float, expected_s: float) -> float | None:
    return min(1.0, covered_s / expected_s) if expected_s > 0 else None


_NAMES = select(_gate.c.id, _gate.c.name)
