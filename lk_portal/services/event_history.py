"""What the meters of one of a subscriber's points reported in a period. For the state of /diagnostics.

Ownership is in every query, and an event is hers only if the meter stood at her point when it happened. A
page is a period: at most `MOST_EVENTS` of it are read, whatever the table holds. Of every code the nearest
event before and after it is read too: what the period began with, and how that ended which outlasted it.
That costs by the number of codes, never by how much the meter has reported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    UnaryExpression,
    bindparam,
    case,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.events import lookup
from lk_portal.models import Account, Installation, Meter, MeterEvent, MeteringPoint, Premises, Severity
from lk_portal.services.database import Database
from lk_portal.services.event_pairs import Episode, StoredEvent, join_pairs
from lk_portal.services.events import OWN_EVENTS
from lk_portal.services.owned import is_owned
from lk_portal.services.periods import Period
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable

MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class EventPlace:
    """The metering point whose events are shown.

    Attributes:
        point_id: The key.
        serial: Of the meter that stands there now, or stood there last.
        timezone: IANA zone of the premises.
        since: When the first meter was installed, aware UTC.
        has_several_meters: A meter has been replaced, so a serial number tells which one it was.
        gone: Meters that have been removed.
    """

    point_id: int
    serial: str
    timezone: str
    since: datetime
    has_several_meters: bool
    gone: frozenset[int]


@dataclass(frozen=True, slots=True)
class EventHistory:
    """A period of events.

    Attributes:
        place: Where.
        period: In the premises' zone.
        episodes: All that lie in it or reach into it, the one that began last first.
        cut_at: Earlier events of the period were left out, for there are too many; aware UTC.
    """

    place: EventPlace
    period: Period
    episodes: tuple[Episode, ...]
    cut_at: datetime | None = None

    def counts(self) -> Counter[Severity]:
        """How many episodes there are of each severity."""
        return Counter(episode.severity for episode in self.episodes)


async def event_history(
    database: Database, *, subscriber_id: int, serial: str, period: Period, now: datetime
) -> EventHistory:
    """Events of the point where the meter `serial` stands or stood.

    Args:
        database: Where from.
        subscriber_id: Whose point it has to be.
        serial: Of the present meter or an earlier one; the point's meters are shown together.
        period: In the premises' zone.
        now: Aware UTC.

    Raises:
        NotFoundError: The subscriber has no such meter.
    """
    if not is_storable(serial):
        raise NotFoundError
    async with database.reading() as connection:
        place = await _find_place(connection, subscriber_id=subscriber_id, serial=serial)
        first, after = period.bounds(ZoneInfo(place.timezone))
        span = {"subscriber_id": subscriber_id, "point_id": place.point_id, "after": after}
        found = await _events(connection, _AROUND, {**span, "first": first, "most": MOST_EVENTS + 1})
        cut_at = _cut_at([one.at for one in found if first <= one.at < after])
        if cut_at is not None:
            found = [one for one in found if one.at >= cut_at]
            found += await _events(connection, _BEFORE, {**span, "first": cut_at})
            first = cut_at
    joined = join_pairs(found, gone=place.gone)
    # What goes on does not reach into a time that has not come.
    shown = [one for one in joined if one.touches(first, after) and first <= max(now, one.first.at)]
    return EventHistory(place, period, tuple(reversed(shown)), cut_at)


def _cut_at(moments: list[datetime]) -> datetime | None:
    """From when on the newest of a period's events are shown, if it has too many."""
    return sorted(moments, reverse=True)[MOST_EVENTS - 1] if len(moments) > MOST_EVENTS else None


async def _find_place(connection: AsyncConnection, *, subscriber_id: int, serial: str) -> EventPlace:
    rows = (await connection.execute(_PLACES, {"subscriber_id": subscriber_id, "serial": serial})).all()
    if not rows:
        raise NotFoundError
    # A meter may have stood at two points of hers: it is asked for where it came last, as in the chart.
    own = [row for row in rows if row.point_id == rows[-1].point_id]
    still = {row.meter_id for row in own if row.removed_at is None}
    meters = {row.meter_id for row in own}
    last = own[-1]
    return EventPlace(
        last.point_id,
        last.serial,
        last.timezone,
        own[0].installed_at,
        len(meters) > 1,
        frozenset(meters - still),
    )


async def _events(
    connection: AsyncConnection, statement: Select[Any] | CompoundSelect[Any], parameters: dict[str, Any]
) -> list[StoredEvent]:
    return [
        StoredEvent(
            row.id, row.meter_id, row.serial, row.occurred_at, lookup(row.journal, row.code), row.severity
        )
        for row in await connection.execute(statement, parameters)
    ]


_event, _place, _meter = table_of(MeterEvent), table_of(Installation), table_of(Meter)
_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_there, _asked = _place.alias("any_installation"), _meter.alias("asked_meter")
_PLACES = (
    select(
        _point.c.id.label("point_id"),
        _place.c.meter_id,
        _meter.c.serial,
        _place.c.installed_at,
        _place.c.removed_at,
        _premises.c.timezone,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .where(
        is_owned(),
        _point.c.id.in_(
            select(_there.c.point_id)
            .join(_asked, _asked.c.id == _there.c.meter_id)
            .where(_asked.c.serial == bindparam("serial"))
        ),
    )
    .order_by(_place.c.installed_at)
)
_OF_EVENT = (
    _event.c.id,
    _event.c.meter_id,
    _event.c.occurred_at,
    _event.c.journal,
    _event.c.code,
    _event.c.severity,
)
_OF_POINT = OWN_EVENTS.where(_point.c.id == bindparam("point_id"))
_TIME = _event.c.occurred_at.type
_FIRST, _AFTER = bindparam("first", type_=_TIME), bindparam("after", type_=_TIME)
_FAR = literal(datetime(9999, 1, 1, tzinfo=UTC), _TIME)
"""Whatever has no end ends later than all else."""
_INSIDE = (
    _OF_POINT.with_only_columns(*_OF_EVENT, _meter.c.serial)
    .where(_event.c.occurred_at >= _FIRST, _event.c.occurred_at < _AFTER)
    .order_by(_event.c.occurred_at.desc(), _event.c.id.desc())
    .limit(bindparam("most"))
)


_stood = (
    select(_place.c.meter_id, _place.c.installed_at, _place.c.removed_at, _meter.c.serial)
    .select_from(_account)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .where(is_owned(), _point.c.id == bindparam("point_id"))
    .cte("stood")
)
"""Which meters stood at the point, and when."""


def _reported() -> CTE:
    """The codes that the point's meters ever reported, found by leaping through the index.

    Asking for the distinct codes would read all events of a meter; this reads one a code, however many there
    are. Neither database leaps by itself.
    """
    code = (_event.c.meter_id, _event.c.journal, _event.c.code)
    first = _first(_stood, _leap.c.meter_id == _stood.c.meter_id)
    found = select(*code).select_from(_stood).join(_event, _event.c.id == first)
    reported = found.cte("reported", recursive=True)
    same_meter = _leap.c.meter_id == reported.c.meter_id
    following = func.coalesce(
        _first(reported, same_meter, _leap.c.journal == reported.c.journal, _leap.c.code > reported.c.code),
        _first(reported, same_meter, _leap.c.journal > reported.c.journal),
    )
    # UNION, for a meter may have stood here twice.
    return reported.union(select(*code).select_from(reported).join(_event, _event.c.id == following))


def _first(outer: CTE, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """The first event by journal and code that meets conditions on `outer`."""
    in_order = (_leap.c.journal, _leap.c.code, _leap.c.occurred_at)
    found = select(_leap.c.id).where(*conditions).order_by(*in_order).limit(1)
    return found.correlate(outer).scalar_subquery()


_leap, _near = _event.alias("leap"), _event.alias("near")
_REPORTED = _reported()


def _nearest(
    order: UnaryExpression[Any], *, lower: ColumnElement[Any], upper: ColumnElement[Any]
) -> Select[Any]:
    """Of each code the one event in [lower, upper) that is first in `order`, for each stay of a meter."""
    found = (
        select(_near.c.id)
        .where(
            _near.c.meter_id == _REPORTED.c.meter_id,
            _near.c.journal == _REPORTED.c.journal,
            _near.c.code == _REPORTED.c.code,
            _near.c.occurred_at >= lower,
            _near.c.occurred_at < upper,
        )
        .order_by(order)
        .limit(1)
        .correlate(_REPORTED, _stood)
        .scalar_subquery()
    )
    return (
        select(*_OF_EVENT, _stood.c.serial)
        .select_from(_REPORTED)
        .join(_stood, _stood.c.meter_id == _REPORTED.c.meter_id)
        .join(_event, _event.c.id == found)
    )


_BEFORE = _nearest(
    _near.c.occurred_at.desc(),
    lower=_stood.c.installed_at,
    upper=case((_stood.c.removed_at < _FIRST, _stood.c.removed_at), else_=_FIRST),
)
_LATER = _nearest(
    _near.c.occurred_at.asc(),
    lower=case((_stood.c.installed_at > _AFTER, _stood.c.installed_at), else_=_AFTER),
    upper=func.coalesce(_stood.c.removed_at, _FAR),
)
_AROUND = union_all(
    select(_INSIDE.subquery()),
    _BEFORE,
    _LATER,
)
"""The period's own events and those around it, in one question."""
