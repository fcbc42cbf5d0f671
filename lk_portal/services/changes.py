"""What has changed lately, as topics. For the broadcaster that feeds open pages.

A topic is a text such as `point:5`. One turn asks for all that changed since the last one, whatever is open:
a handful of indexed queries, which find nothing most of the time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import (
    Account,
    AuditEntry,
    InfoPage,
    Installation,
    MeterEvent,
    MeteringPoint,
    PointFreshness,
    Ticket,
    User,
)
from lk_portal.services import account_changes, meters
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

INFO = "info"
"""A page or news of the utility came out or was changed."""


def point_topic(point_id: int) -> str:
    """New data of a metering point."""
    return f"point:{point_id}"


def ticket_topic(ticket_id: int) -> str:
    """A ticket has a new message or another status."""
    return f"ticket:{ticket_id}"


def subscriber_topic(subscriber_id: int) -> str:
    """New meter events, something of any ticket, or another account or name in a subscriber's cabinet."""
    return f"subscriber:{subscriber_id}"


async def changed_since(database: Database, since: datetime, *, now: datetime) -> dict[str, datetime]:
    """Topics that changed at or after `since` (aware UTC), each with when it last did.

    A page of the utility's that was scheduled counts from the moment it comes out, so `now` is needed too.
    """
    found: dict[str, datetime] = {}
    async with database.reading() as connection:
        async for topic, at in _changes(connection, {"since": since, "now": now}):
            found[topic] = max(at, found.get(topic, at))
    return found


async def _changes(
    connection: AsyncConnection, times: dict[str, datetime]
) -> AsyncIterator[tuple[str, datetime]]:
    for point_id, at in await connection.execute(_POINTS, times):
        yield point_topic(point_id), at
    for ticket_id, subscriber_id, at in await connection.execute(_TICKETS, times):
        yield ticket_topic(ticket_id), at
        yield subscriber_topic(subscriber_id), at
    for subscriber_id, at in await connection.execute(_EVENTS, times):
        yield subscriber_topic(subscriber_id), at
    for subscriber_id, at in await connection.execute(_CABINETS, times):
        yield subscriber_topic(subscriber_id), at
    for pair in await connection.execute(_INFO, times):
        for topic, at in _info(*pair, **times):
            yield topic, at


def _info(
    published_at: datetime, updated_at: datetime, *, since: datetime, now: datetime
) -> Iterator[tuple[str, datetime]]:
    if published_at <= now:
        yield INFO, max(at for at in (published_at, updated_at) if since <= at)


_fresh, _ticket, _page = table_of(PointFreshness), table_of(Ticket), table_of(InfoPage)
_event, _place = table_of(MeterEvent), table_of(Installation)
_point, _account = table_of(MeteringPoint), table_of(Account)
_entry, _user = table_of(AuditEntry), table_of(User)
_SINCE: BindParameter[datetime] = bindparam("since")
_POINTS = select(_fresh.c.point_id, _fresh.c.changed_at).where(_fresh.c.changed_at >= _SINCE)
_TICKETS = select(_ticket.c.id, _ticket.c.subscriber_id, _ticket.c.updated_at).where(
    _ticket.c.updated_at >= _SINCE
)
_EVENTS = (
    select(_account.c.subscriber_id, func.max(_event.c.received_at))
    .select_from(_event)
    .join(_place, _place.c.meter_id == _event.c.meter_id)
    .join(_point, _point.c.id == _place.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .where(
        _event.c.received_at >= _SINCE, _account.c.subscriber_id.is_not(None), _account.c.removed_at.is_(None)
    )
    .group_by(_account.c.subscriber_id)
)
_CABINETS = (
    # Neither an account nor a name knows since when it is what it is; the audit does.
    select(_user.c.subscriber_id, func.max(_entry.c.at))
    .select_from(_entry)
    .join(_user, _user.c.id == _entry.c.subject_user_id)
    .where(
        _entry.c.at >= _SINCE,
        _entry.c.action.in_(
            (account_changes.ADDED, account_changes.REMOVED, account_changes.RENAMED, meters.RENAMED)
        ),
        _user.c.subscriber_id.is_not(None),
    )
    .group_by(_user.c.subscriber_id)
)
_INFO = select(_page.c.published_at, _page.c.updated_at).where(
    or_(_page.c.published_at.between(_SINCE, bindparam("now")), _page.c.updated_at >= _SINCE),
    _page.c.published_at.is_not(None),
)
