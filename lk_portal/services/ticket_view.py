"""Обращения as their subscriber sees them: the two lists, one dialogue, and what the form offers.

Internal notes and their files are left out in the queries. Nothing here names members of the staff.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import (
    Account,
    Attachment,
    Premises,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketStatus,
)
from lk_portal.models.address_text import one_line
from lk_portal.services.database import Database
from lk_portal.services.events import OwnEvent, find_event
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of

PAGE_SIZE = 20
MESSAGES = 20
"""So many of a dialogue are shown at first: a long one must not be sent anew with every answer."""

_ticket, _message, _file = table_of(Ticket), table_of(TicketMessage), table_of(Attachment)
_account, _premises = table_of(Account), table_of(Premises)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list goes on: after this ticket."""

    updated_at: datetime
    ticket_id: int

    def __str__(self) -> str:
        """For an address."""
        return f"{(self.updated_at - _EPOCH) // _MICROSECOND}-{self.ticket_id}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place an address names.

        Raises:
            NotFoundError: It names none.
        """
        parts = text.split("-")
        is_sound = len(parts) == 2 and all(
            part.isascii() and part.isdecimal() and len(part) <= 18 for part in parts
        )
        if not is_sound:
            raise NotFoundError
        try:
            return cls(_EPOCH + int(parts[0]) * _MICROSECOND, int(parts[1]))
        except OverflowError:
            raise NotFoundError from None


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket in a list. Times are UTC, `zone` is the clock of its premises; `reply_by` is the promise."""

    id: int
    subject: str
    category: TicketCategory
    status: TicketStatus
    account: str
    address: str
    created_at: datetime
    updated_at: datetime
    reply_by: datetime | None
    closed_at: datetime | None
    event_id: int | None
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file of a message; `key` is what its address has, `size` is in bytes."""

    key: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One turn of the dialogue."""

    id: int
    is_staff: bool
    text: str
    created_at: datetime
    files: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A ticket with the newest of its messages, oldest first, and how many earlier ones there are."""

    ticket: TicketLine
    messages: tuple[MessageLine, ...]
    earlier: int
    event: OwnEvent | None


@dataclass(frozen=True, slots=True)
class OfferedAccount:
    """An account a ticket can be about."""

    account_id: int
    number: str
    address: str


async def tickets_of(
    database: Database,
    *,
    subscriber_id: int,
    is_archive: bool,
    after: Place | None = None,
    limit: int = PAGE_SIZE,
) -> tuple[tuple[TicketLine, ...], Place | None]:
    """A page of a subscriber's current or closed tickets, those that changed last first; where it goes on."""
    is_closed = _ticket.c.status == TicketStatus.CLOSED
    query = _owned(subscriber_id).where(is_closed if is_archive else ~is_closed)
    if after is not None:
        query = query.where(
            or_(
                _ticket.c.updated_at < after.updated_at,
                and_(_ticket.c.updated_at == after.updated_at, _ticket.c.id < after.ticket_id),
            )
        )
    query = query.order_by(_ticket.c.updated_at.desc(), _ticket.c.id.desc()).limit(limit + 1)
    async with database.reading() as connection:
        rows = [line_of(row) for row in await connection.execute(query)]
    last = rows[limit - 1] if len(rows) > limit else None
    return tuple(rows[:limit]), Place(last.updated_at, last.id) if last else None


async def dialogue_of(
    database: Database, *, subscriber_id: int, ticket_id: int, limit: int = MESSAGES
) -> Dialogue:
    """One ticket of a subscriber's own, with the newest `limit` messages.

    Raises:
        NotFoundError: There is no such ticket of hers.
    """
    async with database.reading() as connection:
        query = _owned(subscriber_id).where(_ticket.c.id == ticket_id)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError
        ticket = line_of(row)
        seen = (_message.c.ticket_id == ticket_id, _message.c.is_internal.is_(False))
        count = (await connection.execute(select(func.count()).where(*seen))).scalar_one()
        newest = select(_message).where(*seen).order_by(_message.c.id.desc()).limit(limit)
        found = (await connection.execute(newest)).all()
        files = await files_of(connection, [one.id for one in found])
    messages = tuple(
        MessageLine(one.id, one.is_staff, one.text, one.created_at, tuple(files[one.id]))
        for one in reversed(found)
    )
    event = await quoted_event(database, subscriber_id=subscriber_id, event_id=ticket.event_id)
    return Dialogue(ticket, messages, earlier=count - len(messages), event=event)


async def accounts_offered(database: Database, *, subscriber_id: int) -> tuple[OfferedAccount, ...]:
    """The accounts in a subscriber's cabinet, by number."""
    query = (
        select(_account.c.id, _account.c.number, *_ADDRESS)
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .where(is_owned(subscriber_id))
        .order_by(_account.c.number)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(OfferedAccount(row.id, row.number, _address(row)) for row in rows)


_ADDRESS = tuple(_premises.c[name] for name in ("settlement", "street", "house", "flat"))


LINES = (
    select(
        *(_ticket.c[name] for name in TicketLine.__dataclass_fields__ if name in _ticket.c),
        _account.c.number.label("account"),
        _premises.c.timezone,
        *_ADDRESS,
    )
    .select_from(_ticket)
    .join(_account, _account.c.id == _ticket.c.account_id)
    .join(_premises, _premises.c.id == _account.c.premises_id)
)
"""Tickets as `line_of` reads them, whosever they are: for the staff, or with a condition of ownership."""


def _owned(subscriber_id: int) -> Select[Any]:
    return LINES.where(is_owned(subscriber_id), _ticket.c.subscriber_id == subscriber_id)


def line_of(row: Row[Any]) -> TicketLine:
    """A row of `LINES`."""
    return TicketLine(
        id=row.id,
        subject=row.subject,
        category=row.category,
        status=row.status,
        account=row.account,
        address=_address(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        reply_by=row.reply_by,
        closed_at=row.closed_at,
        event_id=row.event_id,
        zone=ZoneInfo(row.timezone),
    )


def _address(row: Row[Any]) -> str:
    return one_line(row.settlement, row.street, row.house, row.flat)


async def files_of(connection: AsyncConnection, message_ids: Iterable[int]) -> dict[int, list[FileLine]]:
    """The files of messages that the caller may see."""
    query = (
        select(_file.c.message_id, _file.c.key, _file.c.name, _file.c.size)
        .where(_file.c.message_id.in_(list(message_ids)))
        .order_by(_file.c.id)
    )
    found: dict[int, list[FileLine]] = defaultdict(list)
    for row in await connection.execute(query):
        found[row.message_id].append(FileLine(row.key, row.name, row.size))
    return found


async def quoted_event(database: Database, *, subscriber_id: int, event_id: int | None) -> OwnEvent | None:
    """The event a ticket quotes; None too when its account has left the cabinet since."""
    if event_id is None:
        return None
    try:
        return await find_event(database, subscriber_id=subscriber_id, event_id=event_id)
    except NotFoundError:
        return None
