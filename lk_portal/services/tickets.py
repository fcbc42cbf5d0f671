"""What a subscriber does with her обращения: create, write, close, open again.

Every query starts from what she owns, so somebody else's ticket is one that does not exist. A form that is
sent twice - the key that came with it says so - does its thing once. Reading is `services.ticket_view`, the
staff's side `services.ticket_desk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, FormError, InputError
from lk_portal.models import (
    Attachment,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketStatus,
    User,
)
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, throttling
from lk_portal.services.attachments import CheckedFile
from lk_portal.services.database import Database
from lk_portal.services.events import find_event
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.ticket_rows import (
    account_table,
    add_message,
    close_ticket,
    lock_person,
    lock_ticket,
    premises_table,
    set_ticket,
    ticket_of_key,
)
from lk_portal.services.ticket_rules import (
    BYTES_A_DAY,
    DAY,
    MESSAGES_A_DAY,
    TICKETS_A_DAY,
    can_reopen,
    checked_category,
    checked_subject,
    checked_text,
    reply_by,
    stored_key,
    wrong_fields,
)
from lk_portal.services.visit import Visit

__all__ = ["Author", "NewTicket", "TicketCategory", "TicketStatus", "close", "create", "reopen", "write"]

FIELDS = ("subject", "category", "account", "text")
"""Of a new ticket, as its form has them."""
MOVES = Policy(free=30, cap_s=300)
"""Closing and opening again: each is an entry of the audit and a line on the staff's list."""

_ticket, _message, _file, _user = (table_of(kind) for kind in (Ticket, TicketMessage, Attachment, User))


@dataclass(frozen=True, slots=True)
class Author:
    """Whose deed it is: the login and the subscriber."""

    user_id: int
    subscriber_id: int


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What was typed into the form; `event_id` is an event of a meter of hers that it is about."""

    subject: str
    category: str
    account: str
    text: str
    event_id: int | None = None


async def create(
    database: Database,
    *,
    author: Author,
    ticket: NewTicket,
    send_key: str,
    visit: Visit,
    files: Sequence[CheckedFile] = (),
) -> int:
    """Send a new ticket; gives its number, the same one again for the same `send_key`.

    Raises:
        FormError: Fields are wrong; all of them at once.
        InputError: The account is none of hers, or the day's measure is full.
        NotFoundError: The event is none of hers.
        AccessDeniedError: She may not do anything any more.
    """
    await _require_fields(database, author, ticket)
    subject, text = checked_subject(ticket.subject), checked_text(ticket.text)
    category, key = checked_category(ticket.category), stored_key(send_key, user_id=author.user_id)
    if ticket.event_id is not None:
        await find_event(database, subscriber_id=author.subscriber_id, event_id=ticket.event_id)
    async with database.writing() as connection:
        await _lock(connection, author)
        if known := await ticket_of_key(connection, key):
            return known
        await _require_measure(connection, author, files=files, now=visit.at, is_new=True)
        account_id, zone = await _account(connection, author, ticket.account)
        row = {
            "subscriber_id": author.subscriber_id,
            "account_id": account_id,
            "author_user_id": author.user_id,
            "category": category,
            "subject": subject,
            "status": TicketStatus.NEW,
            "event_id": ticket.event_id,
            "created_at": visit.at,
            "updated_at": visit.at,
            "reply_by": reply_by(category, now=visit.at, zone=zone),
        }
        made = (await connection.execute(insert(_ticket).values(row))).inserted_primary_key
        ticket_id = int(made[0]) if made else 0
        await add_message(
            connection,
            ticket_id=ticket_id,
            user_id=author.user_id,
            text=text,
            send_key=key,
            now=visit.at,
            files=files,
        )
        await _record(connection, audit.TICKET_CREATED, author, ticket_id, visit)
    return ticket_id


async def write(
    database: Database,
    *,
    author: Author,
    ticket_id: int,
    text: str,
    send_key: str,
    visit: Visit,
    files: Sequence[CheckedFile] = (),
) -> None:
    """Add a message. If the utility was waiting for it, it is the utility's turn again, with a new promise.

    Raises:
        InputError: The text is wrong, the ticket closed, or the day's measure full.
        NotFoundError: There is no such ticket of hers.
        AccessDeniedError: She may not do anything any more.
    """
    kept, key = checked_text(text), stored_key(send_key, user_id=author.user_id)
    async with database.writing() as connection:
        await _lock(connection, author)
        found = await lock_ticket(connection, ticket_id, _is_own(author.subscriber_id))
        if await ticket_of_key(connection, key):
            return
        found.require_open()
        await _require_measure(connection, author, files=files, now=visit.at)
        await add_message(
            connection,
            ticket_id=ticket_id,
            user_id=author.user_id,
            text=kept,
            send_key=key,
            now=visit.at,
            files=files,
        )
        was_waiting = found.status is TicketStatus.WAITING
        await set_ticket(
            connection,
            ticket_id,
            now=visit.at,
            status=found.status_at_work if was_waiting else found.status,
            reply_by=found.promise(visit.at) if was_waiting else found.reply_by,
        )
        await _record(connection, audit.TICKET_WRITTEN, author, ticket_id, visit)


async def close(database: Database, *, author: Author, ticket_id: int, visit: Visit) -> None:
    """Nothing more is wanted; closing what is closed changes nothing.

    Raises:
        NotFoundError: There is no such ticket of hers.
        ThrottledError: Closed and opened too often.
        AccessDeniedError: She may not do anything any more.
    """
    await throttling.refuse(database, _gates(author), now=visit.at)
    async with database.writing() as connection:
        await _lock(connection, author)
        found = await lock_ticket(connection, ticket_id, _is_own(author.subscriber_id))
        if found.status is TicketStatus.CLOSED:
            return
        await close_ticket(connection, ticket_id, now=visit.at)
        await throttling.count_in(connection, _gates(author), now=visit.at)
        await _record(connection, audit.TICKET_CLOSED, author, ticket_id, visit)


async def reopen(database: Database, *, author: Author, ticket_id: int, visit: Visit) -> None:
    """Open a closed ticket again, with a new promise; what is open stays as it is.

    Raises:
        InputError: It was closed too long ago.
        NotFoundError: There is no such ticket of hers.
        ThrottledError: Closed and opened too often.
        AccessDeniedError: She may not do anything any more.
    """
    await throttling.refuse(database, _gates(author), now=visit.at)
    async with database.writing() as connection:
        await _lock(connection, author)
        found = await lock_ticket(connection, ticket_id, _is_own(author.subscriber_id))
        if found.status is not TicketStatus.CLOSED:
            return
        if not can_reopen(found.closed_at, now=visit.at):
            raise InputError(N_("The request was closed too long ago. Create a new one."))
        await set_ticket(
            connection,
            ticket_id,
            now=visit.at,
            status=found.status_at_work,
            closed_at=None,
            reply_by=found.promise(visit.at),
        )
        await throttling.count_in(connection, _gates(author), now=visit.at)
        await _record(connection, audit.TICKET_REOPENED, author, ticket_id, visit)


async def _lock(connection: AsyncConnection, author: Author) -> None:
    await lock_person(connection, author.user_id, _user.c.subscriber_id == author.subscriber_id)


def _is_own(subscriber_id: int) -> ColumnElement[bool]:
    """Her ticket, about an account that is in her cabinet."""
    return and_(is_owned(subscriber_id), _ticket.c.subscriber_id == subscriber_id)


async def _require_fields(database: Database, author: Author, ticket: NewTicket) -> None:
    """All that is wrong with the fields, in one error; where they are well the account is looked up later."""
    wrong = wrong_fields(subject=ticket.subject, category=ticket.category, text=ticket.text)
    if not wrong:
        return
    try:
        async with database.reading() as connection:
            await _account(connection, author, ticket.account)
    except InputError as error:
        wrong = (*wrong, error)
    raise FormError({one.field: one for one in sorted(wrong, key=lambda one: FIELDS.index(one.field))})


async def _account(connection: AsyncConnection, author: Author, number: str) -> tuple[int, ZoneInfo]:
    query = (
        select(account_table.c.id, premises_table.c.timezone)
        .join(premises_table, premises_table.c.id == account_table.c.premises_id)
        .where(is_owned(author.subscriber_id), account_table.c.number == number)
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise InputError(N_("Choose one of your accounts."), field="account")
    return found.id, ZoneInfo(found.timezone)


async def _require_measure(
    connection: AsyncConnection,
    author: Author,
    *,
    files: Sequence[CheckedFile],
    now: datetime,
    is_new: bool = False,
) -> None:
    """Whether a person has not yet sent as much within a day as nobody needs to."""
    lately = _message.c.created_at > now - DAY
    own = (_ticket.c.subscriber_id == author.subscriber_id, _ticket.c.updated_at > now - DAY)
    mine = (*own, lately, _message.c.author_user_id == author.user_id)
    sent = (
        select(func.count())
        .select_from(_ticket.join(_message, _message.c.ticket_id == _ticket.c.id))
        .where(*mine)
    )
    created = select(func.count()).where(*own, _ticket.c.created_at > now - DAY)
    size = (
        select(func.coalesce(func.sum(_file.c.size), 0))
        .select_from(
            _ticket.join(_message, _message.c.ticket_id == _ticket.c.id).join(
                _file, _file.c.message_id == _message.c.id
            )
        )
        .where(*mine)
    )
    if is_new and (await connection.execute(created)).scalar_one() >= TICKETS_A_DAY:
        raise InputError(
            N_("You sent {most} requests within a day. Write into one of them."), most=TICKETS_A_DAY
        )
    if (await connection.execute(sent)).scalar_one() >= MESSAGES_A_DAY:
        raise InputError(N_("You sent {most} messages within a day. Go on tomorrow."), most=MESSAGES_A_DAY)
    more = sum(len(one.content) for one in files)
    if more and (await connection.execute(size)).scalar_one() + more > BYTES_A_DAY:
        raise InputError(
            N_("Files of more than {most} MB within a day are not taken. Send the rest tomorrow."),
            field="files",
            most=BYTES_A_DAY // 2**20,
        )


def _gates(author: Author) -> tuple[Gate, ...]:
    return (Gate(f"ticket-moves:{author.user_id}", MOVES),)


async def _record(
    connection: AsyncConnection, action: str, author: Author, ticket_id: int, visit: Visit
) -> None:
    await audit.record(
        connection,
        action=action,
        visit=visit,
        actor=author.user_id,
        subject=author.user_id,
        ticket=ticket_id,
    )
