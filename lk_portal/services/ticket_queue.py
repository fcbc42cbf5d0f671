"""The staff's queue of обращения: what waits, by when it has to be answered, and what was closed.

A page is read in parts, each along an index of its own: what has a promise, by the promise; what waits for
its subscriber; what is closed, the last first. So it costs the same however many tickets were ever closed,
and wherever the page begins. The caller checks the role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    UnaryExpression,
    case,
    func,
    literal,
    select,
    tuple_,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import Account, Subscriber, Ticket, TicketStatus, User
from lk_portal.services.database import Database
from lk_portal.services.resource.beginning import begins
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.ticket_view import LINES, PAGE_SIZE, Place, TicketLine, line_of

MAX_TYPED = 100
SHORTEST_BEGINNING = 3
MOST_PEOPLE = 100
"""So many subscribers, and accounts, that begin as typed are looked at; whoever typed less is told."""
MAX_NUMBER_DIGITS = 9
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)

_ticket, _user = table_of(Ticket), table_of(User)
_account, _subscriber = table_of(Account), table_of(Subscriber)


class Queue(StrEnum):
    """Новые, Просроченные, Мои, Все открытые, Закрытые; and whatever a search finds."""

    NEW = "new"
    OVERDUE = "overdue"
    MINE = "mine"
    OPEN = "open"
    CLOSED = "closed"
    FOUND = "found"


class Part(StrEnum):
    """What has one order: tickets with a promise, those without, the closed ones."""

    PROMISED = "p"
    WAITING = "w"
    CLOSED = "c"


_OPEN = (Part.PROMISED, Part.WAITING)
PARTS: Mapping[Queue, tuple[Part, ...]] = MappingProxyType(
    {
        Queue.NEW: _OPEN,
        Queue.OVERDUE: (Part.PROMISED,),
        Queue.MINE: _OPEN,
        Queue.OPEN: _OPEN,
        Queue.CLOSED: (Part.CLOSED,),
        Queue.FOUND: (*_OPEN, Part.CLOSED),
    }
)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a page of the queue ends; the next one goes on after it."""

    part: Part
    place: Place

    def __str__(self) -> str:
        """For an address."""
        return f"{self.part}-{self.place}"

    @classmethod
    def parse(cls, text: str) -> Spot:
        """The spot an address names.

        Raises:
            NotFoundError: It names none.
        """
        part, _, place = text.partition("-")
        if part not in set(Part):
            raise NotFoundError
        return cls(Part(part), Place.parse(place))


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A ticket in the queue; `assignee` is "" when nobody has it."""

    ticket: TicketLine
    subscriber: str
    assignee: str


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue.

    Attributes:
        lines: In its order.
        further: Where the next page goes on; None when this is the last.
        is_cut: More people begin as was typed than were looked at.
    """

    lines: tuple[QueueLine, ...]
    further: Spot | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many open tickets there are; of closed ones nobody counts."""

    new: int
    overdue: int
    mine: int
    open: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the queue is asked for: by whom (for Мои), what was typed, and the time, aware UTC."""

    queue: Queue
    staff_id: int
    now: datetime
    typed: str = ""


async def queue_page(
    database: Database, asked: Asked, *, after: Spot | None = None, limit: int = PAGE_SIZE
) -> QueuePage:
    """One page of the queue, or of what was found in it.

    Raises:
        NotFoundError: The queue has no part that `after` names.
    """
    parts = PARTS[asked.queue]
    if after is not None and after.part not in parts:
        raise NotFoundError
    rows: list[tuple[Part, Any]] = []
    async with database.reading() as connection:
        found, is_cut = await _found(connection, asked.typed)
        for part in parts[parts.index(after.part) if after else 0 :]:
            if len(rows) > limit:
                break
            query = _of_part(part).where(*_of_queue(asked), *found)
            if after is not None and after.part is part:
                query = query.where(_beyond(part, after.place))
            read = await connection.execute(query.limit(limit + 1 - len(rows)))
            rows += [(part, row) for row in read]
    lines = tuple(QueueLine(line_of(row), row.subscriber, row.assignee or "") for _part, row in rows[:limit])
    further = _spot(*rows[limit - 1]) if len(rows) > limit else None
    return QueuePage(lines, further, is_cut)


async def queue_counts(database: Database, *, staff_id: int, now: datetime) -> QueueCounts:
    """How much waits, one walk over the index of what is open; `now` is aware UTC."""
    conditions = (
        _ticket.c.status == TicketStatus.NEW,
        _ticket.c.reply_by < now,
        _ticket.c.assigned_user_id == staff_id,
    )
    sums = [func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in conditions]
    query = select(*sums, func.count()).select_from(_ticket).where(_ticket.c.closed_at.is_(None))
    async with database.reading() as connection:
        row = (await connection.execute(query)).one()
    return QueueCounts(*(int(count) for count in row))


def is_overdue(ticket: TicketLine, *, now: datetime) -> bool:
    """Whether the utility has let its promise pass; `now` is aware UTC."""
    return ticket.reply_by is not None and ticket.reply_by < now


def _of_queue(asked: Asked) -> list[ColumnElement[bool]]:
    if asked.queue is Queue.NEW:
        return [_ticket.c.status == TicketStatus.NEW]
    if asked.queue is Queue.OVERDUE:
        return [_ticket.c.reply_by < asked.now]
    if asked.queue is Queue.MINE:
        return [_ticket.c.assigned_user_id == asked.staff_id]
    return []


_QUEUE = (
    LINES.add_columns(_subscriber.c.full_name.label("subscriber"), _user.c.display_name.label("assignee"))
    .join(_subscriber, _subscriber.c.id == _ticket.c.subscriber_id)
    .outerjoin(_user, _user.c.id == _ticket.c.assigned_user_id)
)
_KEYS: Mapping[Part, tuple[ColumnElement[Any], ...]] = {
    Part.PROMISED: (_ticket.c.reply_by, _ticket.c.id),
    Part.WAITING: (_ticket.c.id,),
    Part.CLOSED: (_ticket.c.closed_at, _ticket.c.id),
}


def _of_part(part: Part) -> Select[Any]:
    keys: list[ColumnElement[Any] | UnaryExpression[Any]] = list(_KEYS[part])
    if part is Part.CLOSED:
        return _QUEUE.where(_ticket.c.closed_at.is_not(None)).order_by(*(key.desc() for key in keys))
    has_promise = _ticket.c.reply_by.is_not(None) if part is Part.PROMISED else _ticket.c.reply_by.is_(None)
    return _QUEUE.where(_ticket.c.closed_at.is_(None), has_promise).order_by(*keys)


def _beyond(part: Part, place: Place) -> ColumnElement[bool]:
    ticket_id = literal(place.ticket_id)
    if part is Part.WAITING:
        return _ticket.c.id > ticket_id
    at = literal(place.updated_at, _ticket.c.updated_at.type)
    keys = tuple_(*_KEYS[part])
    return keys < tuple_(at, ticket_id) if part is Part.CLOSED else keys > tuple_(at, ticket_id)


def _spot(part: Part, row: Any) -> Spot:
    at = {Part.PROMISED: row.reply_by, Part.WAITING: _NO_TIME, Part.CLOSED: row.closed_at}[part]
    return Spot(part, Place(at, row.id))


async def _found(connection: AsyncConnection, typed: str) -> tuple[list[ColumnElement[bool]], bool]:
    """The condition of what was typed: a ticket's number, or how an account or a name begins."""
    typed = " ".join(typed[:MAX_TYPED].split())
    if not typed:
        return [], False
    number = typed.lstrip("№#N ")
    is_number = number.isascii() and number.isdecimal() and len(number) <= MAX_NUMBER_DIGITS
    choices = [select(_ticket.c.id).where(_ticket.c.id == int(number))] if is_number else []
    is_cut = False
    if len(typed) >= SHORTEST_BEGINNING and is_storable(typed):
        for column, names, key in (
            (_account.c.number, (typed,), _ticket.c.account_id),
            (_subscriber.c.full_name, _writings(typed), _ticket.c.subscriber_id),
        ):
            ids = [one for name in names for one in await _beginning(connection, column, name)]
            is_cut = is_cut or len(ids) > MOST_PEOPLE
            choices.append(select(_ticket.c.id).where(key.in_(ids[:MOST_PEOPLE])))
    return [_ticket.c.id.in_(union(*choices))] if choices else [_ticket.c.id.is_(None)], is_cut


def _writings(name: str) -> tuple[str, ...]:
    """How a registry may have written a name: as typed, ИВАНОВ, Иванов, иванов."""
    return tuple(dict.fromkeys((name, name.title(), name.upper(), name.lower())))


async def _beginning(connection: AsyncConnection, column: ColumnElement[str], beginning: str) -> list[int]:
    """The rows whose `column` begins so, along its index."""
    table = column.table
    query = select(table.c.id).where(begins(column, beginning)).order_by(column).limit(MOST_PEOPLE + 1)
    return list((await connection.scalars(query)).all())
