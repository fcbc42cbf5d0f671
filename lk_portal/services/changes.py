"""What has changed lately, as topics. For the broadcaster that feeds open pages.

A topic is a text such as `point:5`. One turn asks for all that subscribers see and that changed lately,
whatever is open: a handful of indexed queries. What only staff sees is asked for while somebody looks. A
change is a topic and a time, not only the newest time of a topic: what was stamped earlier may be committed
later, and must be seen beside the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import BindParameter, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import (
    Account,
    ArchiveReplay,
    AuditEntry,
    InfoPage,
    Installation,
    MeterConnection,
    MeterEvent,
    MeteringPoint,
    PointFreshness,
    SeenMarker,
    Ticket,
    TicketPresence,
    User,
)
from lk_portal.services import account_changes, badges, meters
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_presence import SHOWN_FOR

Change = tuple[str, datetime]
"""A topic, and when it changed (aware UTC)."""

OVERLAP = timedelta(seconds=60)
"""A transaction takes its time stamp first and is seen when it commits: a writer may wait ten seconds for
SQLite and then write for many more, and clocks of nodes differ. Looking back this far misses none. What was
told is remembered, so it costs reading an index: about 2 ms for each thousand points that changed since."""

INFO = "info"
"""A page or news of the utility came out or was changed."""
TICKETS = "tickets"
"""Some ticket changed, or its promise has just passed: for the staff's queue."""


DESK = "desk"
"""What waits for the staff. It changes as time goes by, too: a promise becomes overdue, a meter late."""

POLLING = "polling"
"""The queue of the polling."""

_EVERY_S = {DESK: 5, POLLING: 2}
"""These change all the time; while a page follows them they count as changed every so many seconds."""

_CONNECTION = "connection:"


def connection_topic(meter_id: int) -> str:
    """A meter was read, or could not be; likewise its archive."""
    return f"{_CONNECTION}{meter_id}"


def point_topic(point_id: int) -> str:
    """New data of a metering point."""
    return f"point:{point_id}"


def ticket_topic(ticket_id: int) -> str:
    """A ticket has a new message or another status."""
    return f"ticket:{ticket_id}"


def desk_topic(ticket_id: int) -> str:
    """What only the staff sees of a ticket: a note, who writes just now, that its promise has passed."""
    return f"desk:{ticket_id}"


def subscriber_topic(subscriber_id: int) -> str:
    """New meter events, something of any ticket, or another account or name in a subscriber's cabinet."""
    return f"subscriber:{subscriber_id}"


def person_topic(user_id: int) -> str:
    """What a person has seen has changed: the numbers on her menu."""
    return f"person:{user_id}"


async def changed_since(
    database: Database, since: datetime, *, now: datetime, followed: Collection[str] = ()
) -> frozenset[Change]:
    """What changed at or after `since` (aware UTC).

    Args:
        database: Where from.
        since: Aware UTC.
        now: Aware UTC; a page of the utility's that was scheduled counts from the moment it comes out.
        followed: The topics of open pages; staff's are asked for only when they are among them.
    """
    times = {"since": since, "now": now}
    async with database.reading() as connection:
        found = [change for rows in _ROWS for change in await rows(connection, times)]
        found += await _connections(connection, since, followed)
        found += await badges.changes_of(connection, since)
    return frozenset([*found, *_ticks(now, followed)])


async def stamp_anew(connection: AsyncConnection, *, stamped: datetime, at: datetime) -> None:
    """Let values and events that this transaction stamped with `stamped` be news of `at` (aware UTC).

    For writers that take longer than `OVERLAP`: before they commit nobody sees what they stamped first, and
    afterwards nobody would look back that far.
    """
    for column in (_fresh.c.changed_at, _event.c.received_at):
        await connection.execute(update(column.table).where(column == stamped).values({column: at}))


async def _points(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [(point_topic(point_id), at) for point_id, at in await connection.execute(_POINTS, times)]


async def _tickets(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [
        (topic, at)
        for ticket_id, subscriber_id, at in await connection.execute(_TICKETS, times)
        for topic in (ticket_topic(ticket_id), subscriber_topic(subscriber_id), TICKETS)
    ]


async def _overdue(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [
        (topic, at)
        for ticket_id, at in await connection.execute(_PASSED, times)
        for topic in (desk_topic(ticket_id), TICKETS)
    ]


async def _desks(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    """Who writes, and that she has stopped: nobody tells that, the time does."""
    rows = await connection.execute(_PRESENCES, {"since": times["since"] - SHOWN_FOR})
    moments = (
        (ticket_id, at)
        for ticket_id, changed_at, typed_at in rows
        for at in (changed_at, typed_at and typed_at + SHOWN_FOR)
    )
    return [
        (desk_topic(ticket_id), at)
        for ticket_id, at in moments
        if at is not None and times["since"] <= at <= times["now"]
    ]


async def _events(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [(subscriber_topic(owner), at) for owner, at in await connection.execute(_EVENTS, times)]


async def _pages(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [change for pair in await connection.execute(_INFO, times) for change in _info(*pair, **times)]


async def _marks(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [(person_topic(user_id), at) for user_id, at in await connection.execute(_SEEN, times)]


async def _cabinets(connection: AsyncConnection, times: dict[str, datetime]) -> list[Change]:
    return [(subscriber_topic(owner), at) for owner, at in await connection.execute(_CABINETS, times)]


async def _connections(
    connection: AsyncConnection, since: datetime, followed: Collection[str]
) -> list[Change]:
    """Of the connections that somebody looks at, those that were tried, or whose archive was asked for."""
    ids = [int(topic.removeprefix(_CONNECTION)) for topic in followed if topic.startswith(_CONNECTION)]
    if not ids:
        return []
    columns = (_link.c.meter_id, _link.c.last_success_at, _link.c.last_error_at)
    rows = list(await connection.execute(select(*columns).where(_link.c.meter_id.in_(ids))))
    replayed = (_wish.c.meter_id, _wish.c.asked_at, _wish.c.tried_at, _wish.c.finished_at)
    is_new = or_(*(at >= since for at in replayed[1:]))
    rows += await connection.execute(select(*replayed).where(_wish.c.meter_id.in_(ids), is_new))
    return [
        (connection_topic(meter_id), at)
        for meter_id, *times in rows
        for at in times
        if at is not None and at >= since
    ]


def _ticks(now: datetime, followed: Collection[str]) -> Iterator[Change]:
    for topic, every_s in _EVERY_S.items():
        if topic in followed:
            yield topic, datetime.fromtimestamp(int(now.timestamp()) // every_s * every_s, UTC)


def _info(
    published_at: datetime, updated_at: datetime, *, since: datetime, now: datetime
) -> Iterator[Change]:
    if published_at <= now:
        yield from ((INFO, at) for at in (published_at, updated_at) if since <= at)


_ROWS = (_points, _tickets, _overdue, _desks, _events, _cabinets, _pages, _marks)


_fresh, _ticket, _page = table_of(PointFreshness), table_of(Ticket), table_of(InfoPage)
_event, _place = table_of(MeterEvent), table_of(Installation)
_point, _account, _seen = table_of(MeteringPoint), table_of(Account), table_of(SeenMarker)
_entry, _user, _presence = table_of(AuditEntry), table_of(User), table_of(TicketPresence)
_link, _wish = table_of(MeterConnection), table_of(ArchiveReplay)
_SINCE: BindParameter[datetime] = bindparam("since")
_POINTS = select(_fresh.c.point_id, _fresh.c.changed_at).where(_fresh.c.changed_at >= _SINCE)
_TICKETS = select(_ticket.c.id, _ticket.c.subscriber_id, _ticket.c.updated_at).where(
    _ticket.c.updated_at >= _SINCE
)
_PASSED = select(_ticket.c.id, _ticket.c.reply_by).where(
    _ticket.c.closed_at.is_(None), _ticket.c.reply_by.between(_SINCE, bindparam("now"))
)
_PRESENCES = select(_presence.c.ticket_id, _presence.c.changed_at, _presence.c.typed_at).where(
    _presence.c.changed_at >= _SINCE
)
_EVENTS = (
    select(_account.c.subscriber_id, _event.c.received_at)
    .select_from(_event)
    .join(_place, _place.c.meter_id == _event.c.meter_id)
    .join(_point, _point.c.id == _place.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .where(
        _event.c.received_at >= _SINCE, _account.c.subscriber_id.is_not(None), _account.c.removed_at.is_(None)
    )
    .distinct()
)
_CABINETS = (
    # Neither an account nor a name knows since when it is what it is; the audit does.
    select(_user.c.subscriber_id, _entry.c.at)
    .select_from(_entry)
    .join(_user, _user.c.id == _entry.c.subject_user_id)
    .where(
        _entry.c.at >= _SINCE,
        # Joined to nothing, so that no index of actions is taken: that would read all there ever were.
        _entry.c.action.concat("").in_(
            (account_changes.ADDED, account_changes.REMOVED, account_changes.RENAMED, meters.RENAMED)
        ),
        _user.c.subscriber_id.is_not(None),
    )
    .distinct()
)
_INFO = select(_page.c.published_at, _page.c.updated_at).where(
    or_(_page.c.published_at.between(_SINCE, bindparam("now")), _page.c.updated_at >= _SINCE),
    _page.c.published_at.is_not(None),
)
_SEEN = select(_seen.c.user_id, _seen.c.changed_at).where(_seen.c.changed_at >= _SINCE)
