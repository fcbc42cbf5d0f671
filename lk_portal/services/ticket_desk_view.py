"""One обращение as the staff sees it: the whole dialogue with notes, who writes, and whose it is.

The caller checks the role: nothing here asks whose a ticket is. Of the subscriber's things only those are
read that are hers still; an account that has gone to somebody else shows no meter of his.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.events import EventEntry, lookup
from lk_portal.models import MeterEvent, Severity, Subscriber, Ticket, TicketMessage, User
from lk_portal.services.database import Database
from lk_portal.services.events import OwnEvent
from lk_portal.services.placed_meters import PLACED, PlacedMeter, placed_meters
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_presence import writing_now
from lk_portal.services.ticket_view import (
    LINES,
    MESSAGES,
    FileLine,
    TicketLine,
    files_of,
    line_of,
    quoted_event,
)

LAST_EVENTS = 5

_ticket, _message, _user = table_of(Ticket), table_of(TicketMessage), table_of(User)
_subscriber, _event = table_of(Subscriber), table_of(MeterEvent)
_author, _assignee = _user.alias("author"), _user.alias("assignee")


@dataclass(frozen=True, slots=True)
class DeskMessage:
    """One turn of the dialogue; `author` is the name of its login, "" when that was erased.

    What `is_internal` is a note of the staff, and never the subscriber's to see.
    """

    id: int
    is_staff: bool
    is_internal: bool
    author: str
    text: str
    created_at: datetime
    files: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True)
class DeskEvent:
    """One of the last events of the account's meters; `occurred_at` is aware UTC."""

    entry: EventEntry
    severity: Severity
    occurred_at: datetime
    serial: str


@dataclass(frozen=True, slots=True)
class SubscriberCard:
    """Whose the ticket is. Phone and e-mail are those of her login, else the registry's; "" for none."""

    subscriber_id: int
    name: str
    phone: str
    email: str
    meters: tuple[PlacedMeter, ...]
    events: tuple[DeskEvent, ...]


@dataclass(frozen=True, slots=True)
class DeskTicket:
    """A ticket on the desk.

    Attributes:
        ticket: Its head.
        assignee: Name of who has it; "" when nobody has.
        assignee_id: Key of that login; None when nobody has it.
        messages: The newest of the dialogue, notes among them, oldest first.
        earlier: How many there are before them.
        writing: Names of colleagues who write an answer just now.
        event: What it quotes.
        card: Its subscriber.
    """

    ticket: TicketLine
    assignee: str
    assignee_id: int | None
    messages: tuple[DeskMessage, ...]
    earlier: int
    writing: tuple[str, ...]
    event: OwnEvent | None
    card: SubscriberCard


async def desk_ticket(
    database: Database,
    *,
    staff_id: int,
    ticket_id: int,
    now: datetime,
    default_interval_s: int,
    limit: int = MESSAGES,
) -> DeskTicket:
    """A ticket with the newest `limit` messages.

    Args:
        database: Where from.
        staff_id: Who looks: she is no colleague of her own.
        ticket_id: Which.
        now: Aware UTC.
        default_interval_s: Seconds between polls of a meter without an interval of its own.
        limit: Most messages.

    Raises:
        NotFoundError: There is no such ticket.
    """
    async with database.reading() as connection:
        row = (await connection.execute(_HEAD, {"ticket_id": ticket_id})).one_or_none()
        if row is None:
            raise NotFoundError
        ticket = line_of(row)
        messages, count = await _messages(connection, ticket_id, limit)
        meters = await placed_meters(
            connection,
            _METERS,
            subscriber_id=row.subscriber_id,
            now=now,
            default_interval_s=default_interval_s,
            number=ticket.account,
        )
        events = await _last_events(connection, meters)
        writing = await writing_now(connection, staff_id=staff_id, ticket_id=ticket_id, now=now)
    return DeskTicket(
        ticket=ticket,
        assignee=row.assignee or "",
        assignee_id=row.assigned_user_id,
        messages=messages,
        earlier=count - len(messages),
        writing=writing,
        event=await quoted_event(database, subscriber_id=row.subscriber_id, event_id=ticket.event_id),
        card=_card(row, meters, events),
    )


def _card(row: Any, meters: tuple[PlacedMeter, ...], events: tuple[DeskEvent, ...]) -> SubscriberCard:
    return SubscriberCard(
        row.subscriber_id,
        row.full_name,
        row.own_phone or row.phone,
        row.own_email or row.email,
        meters,
        events,
    )


async def _messages(
    connection: AsyncConnection, ticket_id: int, limit: int
) -> tuple[tuple[DeskMessage, ...], int]:
    of_ticket = _message.c.ticket_id == ticket_id
    count = (await connection.execute(select(func.count()).where(of_ticket))).scalar_one()
    newest = (
        select(_message, _user.c.display_name)
        .outerjoin(_user, _user.c.id == _message.c.author_user_id)
        .where(of_ticket)
        .order_by(_message.c.id.desc())
        .limit(limit)
    )
    rows = (await connection.execute(newest)).all()
    files = await files_of(connection, [row.id for row in rows])
    found = (
        DeskMessage(
            row.id,
            row.is_staff,
            row.is_internal,
            row.display_name or "",
            row.text,
            row.created_at,
            tuple(files[row.id]),
        )
        for row in reversed(rows)
    )
    return tuple(found), count


async def _last_events(connection: AsyncConnection, meters: Sequence[PlacedMeter]) -> tuple[DeskEvent, ...]:
    """Of each meter the newest few since it stands there, along its index; then the newest of all."""
    if not meters:
        return ()
    each = [
        select(_event.c.meter_id, _event.c.occurred_at, _event.c.journal, _event.c.code, _event.c.severity)
        .where(_event.c.meter_id == meter.meter_id, _event.c.occurred_at >= meter.installed_at)
        .order_by(_event.c.occurred_at.desc())
        .limit(LAST_EVENTS)
        .subquery()
        for meter in meters
    ]
    serials = {meter.meter_id: meter.serial for meter in meters}
    rows = (await connection.execute(union_all(*(select(one) for one in each)))).all()
    newest = sorted(rows, key=lambda row: row.occurred_at, reverse=True)[:LAST_EVENTS]
    return tuple(
        DeskEvent(lookup(row.journal, row.code), row.severity, row.occurred_at, serials[row.meter_id])
        for row in newest
    )


_HEAD = (
    LINES.add_columns(
        _ticket.c.subscriber_id,
        _ticket.c.assigned_user_id,
        _assignee.c.display_name.label("assignee"),
        _subscriber.c.full_name,
        _subscriber.c.phone,
        _subscriber.c.email,
        _author.c.phone.label("own_phone"),
        _author.c.email.label("own_email"),
    )
    .join(_subscriber, _subscriber.c.id == _ticket.c.subscriber_id)
    .outerjoin(_author, _author.c.subscriber_id == _ticket.c.subscriber_id)
    .outerjoin(_assignee, _assignee.c.id == _ticket.c.assigned_user_id)
    .where(_ticket.c.id == bindparam("ticket_id"))
)
_METERS = PLACED.where(
    PLACED.selected_columns.account == bindparam("number"), PLACED.selected_columns.removed_at.is_(None)
).order_by("point_id", "installed_at")
