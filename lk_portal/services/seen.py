"""What is new to a person since she last opened a section: the numbers on the items of the main menu.

The portal's own sections are counted here, in one question; what pages declare as a `Badge`, beside them.

For the state of the frame around all pages. What is new is counted from marks, one a person and section; a
person without marks gets them the first time she comes, so that nobody is greeted by years of events.

The mark of the readings is not when she looked but until when there were data when she did: data may come
days after the time they are about, and are news all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ScalarSelect, Select, bindparam, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import Quantity
from lk_portal.models import (
    Account,
    DayRollup,
    InfoPage,
    Installation,
    MeterEvent,
    MeteringPoint,
    PointFreshness,
    Premises,
    Section,
    SeenMarker,
    Ticket,
    TicketMessage,
    User,
)
from lk_portal.models.types import UtcTime
from lk_portal.services import badges
from lk_portal.services.content import count_new
from lk_portal.services.context import Clock
from lk_portal.services.database import Database
from lk_portal.services.owned import OWNER, is_owned
from lk_portal.services.tables import table_of

__all__ = ["MOST", "News", "Section", "mark_seen", "news"]

MOST = 99
"""More than so many are not told apart: a badge says "99+"."""
JOURNAL_REACH = timedelta(days=90)
"""What happened longer ago is no news, however late the journal was read; nor is it looked through."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new to a person, and what brings more of it.

    Attributes:
        counts: New things by section or name of a badge, at most `MOST` + 1; those without any are not in it.
        point_ids: Her metering points.
        data_until: Until when any of them has data, aware UTC; None when none has.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    point_ids: tuple[int, ...] = ()
    data_until: datetime | None = None


async def news(database: Database, *, user_id: int, subscriber_id: int, clock: Clock) -> News:
    """Count what is new; whoever comes for the first time begins with nothing.

    Args:
        database: Where it is kept.
        user_id: Whose marks.
        subscriber_id: Whose meters and tickets.
        clock: Gives the time, aware UTC.
    """
    now = clock()
    found, missing = await _counted(database, user_id=user_id, subscriber_id=subscriber_id, now=now)
    if missing:
        await mark_seen(
            database,
            user_id=user_id,
            sections=missing,
            data_until=found.data_until,
            looked_at=now,
            clock=clock,
        )
    return found


async def peek(database: Database, *, user_id: int, subscriber_id: int, now: datetime) -> News:
    """The same for somebody who looks in her place: nothing is written. `now` is aware UTC."""
    found, _missing = await _counted(database, user_id=user_id, subscriber_id=subscriber_id, now=now)
    return found


async def _counted(
    database: Database, *, user_id: int, subscriber_id: int, now: datetime
) -> tuple[News, list[str]]:
    """What is new, and the sections and badges that a person has no mark of yet."""
    key = {"user_id": user_id, "subscriber_id": subscriber_id, "now": now, "reach": now - JOURNAL_REACH}
    async with database.reading() as connection:
        rows = (await connection.execute(_NEWS, key)).all()
        points = [row for row in rows if row.point_id is not None]
        days = await _new_days(connection, points, rows[0].readings_mark) if points else 0
    if not rows:
        return News(), []
    person = rows[0]
    untils = [row.data_until for row in points if row.data_until is not None]
    missing: list[str] = [section for section in Section if person._mapping[_mark_name(section)] is None]
    counts: dict[str, int] = {
        Section.READINGS: days,
        Section.EVENTS: person.events,
        Section.SUPPORT: person.answers,
    }
    if person.newest_page is not None:
        counts[Section.INFO] = await count_new(database, since=person.info_mark, now=now)
    if badges.is_declared():
        whose = {"user_id": user_id, "subscriber_id": subscriber_id}
        more, unmarked = await badges.counted(database, **whose, now=now)
        counts |= more
        missing += unmarked
    found = News(
        {section: min(count, MOST + 1) for section, count in counts.items() if count},
        tuple(row.point_id for row in points),
        max(untils, default=None),
    )
    return found, missing


async def mark_seen(
    database: Database,
    *,
    user_id: int,
    sections: Iterable[str],
    data_until: datetime | None,
    looked_at: datetime,
    clock: Clock,
) -> None:
    """The person has opened these sections; a mark never goes back. All her open pages are told.

    Args:
        database: Where it is kept.
        user_id: Who.
        sections: What she has opened; names of badges too.
        data_until: Until when her points have data: the mark of the readings.
        looked_at: Aware UTC; before she looked.
        clock: Gives the time of writing, aware UTC.
    """
    rows = [
        {
            "user_id": user_id,
            "section": str(section),
            "seen_at": data_until if section == Section.READINGS and data_until is not None else looked_at,
        }
        for section in sections
    ]
    async with database.writing() as connection:
        changed_at = clock()
        await connection.execute(_MARK, [{**row, "changed_at": changed_at} for row in rows])


async def _new_days(connection: AsyncConnection, points: Sequence[Any], mark: datetime | None) -> int:
    """The local days, of all points together, whose data were completed after `mark`."""
    spans = {
        row.point_id: (_day_at(mark, row.timezone), _day_at(row.data_until, row.timezone))
        for row in points
        if mark is not None and row.data_until is not None
    }
    spans = {point_id: span for point_id, span in spans.items() if span[0] < span[1]}
    if not spans:
        return 0
    after = max(span[1] for span in spans.values())
    first = max(min(span[0] for span in spans.values()), after - timedelta(days=MOST + 1))
    key = {"point_ids": list(spans), "quantity": Quantity.A_PLUS, "first": first, "after": after}
    rows = await connection.execute(_DAYS, key)
    return len({day for point_id, day in rows if spans[point_id][0] <= day < spans[point_id][1]})


def _day_at(moment: datetime, timezone: str) -> date:
    """The local day that was not over at `moment`."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def _mark_name(section: Section) -> str:
    return f"{section.value}_mark"


def _mark(section: Section) -> ScalarSelect[datetime]:
    """When the person saw a section last; NULL when she has no such mark."""
    return (
        select(_marker.c.seen_at)
        .where(_marker.c.user_id == bindparam("user_id"), _marker.c.section == section)
        .scalar_subquery()
    )


def _count(found: Select[Any]) -> ScalarSelect[int]:
    """How many rows, counted no further than a badge tells."""
    return select(func.count()).select_from(found.limit(MOST + 1).subquery()).scalar_subquery()


_marker, _user, _account = table_of(SeenMarker), table_of(User), table_of(Account)
_premises, _point, _fresh = table_of(Premises), table_of(MeteringPoint), table_of(PointFreshness)
_event, _place, _day = table_of(MeterEvent), table_of(Installation), table_of(DayRollup)
_ticket, _message, _page = table_of(Ticket), table_of(TicketMessage), table_of(InfoPage)
_EVENTS = (
    select(literal(1))
    .select_from(_account)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_event, _event.c.meter_id == _place.c.meter_id)
    .where(
        is_owned(),
        _event.c.occurred_at >= bindparam("reach"),
        # What the meter wrote down while it stood somewhere else is somebody else's.
        _event.c.occurred_at >= _place.c.installed_at,
        or_(_place.c.removed_at.is_(None), _event.c.occurred_at < _place.c.removed_at),
        _event.c.received_at > _mark(Section.EVENTS),
    )
)
_ANSWERS = (
    select(literal(1))
    .select_from(_ticket)
    .join(_message, _message.c.ticket_id == _ticket.c.id)
    .where(
        _ticket.c.subscriber_id == OWNER,
        _message.c.is_staff,
        _message.c.is_internal.is_(False),
        _message.c.created_at > _mark(Section.SUPPORT),
    )
)
_NEWEST_PAGE = (
    select(func.max(_page.c.published_at))
    .where(_page.c.published_at > _mark(Section.INFO), _page.c.published_at <= bindparam("now"))
    .scalar_subquery()
)
# One row a point, and one for a person without any; what is counted does not depend on the row.
_NEWS = (
    select(
        *(_mark(section).label(_mark_name(section)) for section in Section),
        _count(_EVENTS).label("events"),
        _count(_ANSWERS).label("answers"),
        _NEWEST_PAGE.label("newest_page"),
        _point.c.id.label("point_id"),
        _premises.c.timezone,
        _fresh.c.data_until,
    )
    .select_from(_user)
    .outerjoin(_account, is_owned())
    .outerjoin(_premises, _premises.c.id == _account.c.premises_id)
    .outerjoin(_point, _point.c.account_id == _account.c.id)
    .outerjoin(_fresh, _fresh.c.point_id == _point.c.id)
    .where(_user.c.id == bindparam("user_id"))
    .order_by(_point.c.id)
)
_DAYS = select(_day.c.point_id, _day.c.day).where(
    _day.c.point_id.in_(bindparam("point_ids", expanding=True)),
    _day.c.quantity == bindparam("quantity"),
    _day.c.day >= bindparam("first"),
    _day.c.day < bindparam("after"),
)
_MARK = text(
    "INSERT INTO seen_marker (user_id, section, seen_at, changed_at)"
    " VALUES (:user_id, :section, :seen_at, :changed_at)"
    " ON CONFLICT (user_id, section) DO UPDATE"
    " SET seen_at = excluded.seen_at, changed_at = excluded.changed_at"
    " WHERE seen_marker.seen_at < excluded.seen_at"
).bindparams(bindparam("seen_at", type_=UtcTime()), bindparam("changed_at", type_=UtcTime()))
