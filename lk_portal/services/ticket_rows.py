"""What the deeds on tickets share: their rows, locked; adding a message; the person whose turn it is.

For `services.tickets` and `services.ticket_desk` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError, NotFoundError
from lk_portal.models import Account, Premises, Ticket, TicketCategory, TicketMessage, TicketStatus, User
from lk_portal.services import attachments
from lk_portal.services.attachments import CheckedFile
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_rules import reply_by

ticket_table, message_table = table_of(Ticket), table_of(TicketMessage)
account_table, premises_table = table_of(Account), table_of(Premises)
_user = table_of(User)


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A ticket that this transaction holds; `zone` is the clock of its premises."""

    id: int
    author_user_id: int | None
    category: TicketCategory
    subject: str
    status: TicketStatus
    assigned_user_id: int | None
    reply_by: datetime | None
    closed_at: datetime | None
    zone: ZoneInfo

    def require_open(self) -> None:
        """Before something is written to it.

        Raises:
            InputError: It is closed (field "text").
        """
        if self.status is TicketStatus.CLOSED:
            raise InputError(N_("The request is closed. Open it again to write."), field="text")

    @property
    def status_at_work(self) -> TicketStatus:
        """How it stands when it is the utility's turn again: new where nobody of the staff has it."""
        return TicketStatus.NEW if self.assigned_user_id is None else TicketStatus.IN_WORK

    def promise(self, now: datetime) -> datetime:
        """Until when what was written now is answered."""
        return reply_by(self.category, now=now, zone=self.zone)


async def lock_person(connection: AsyncConnection, user_id: int, *where: ColumnElement[bool]) -> None:
    """Let a person's deeds happen one after the other, so a form that is sent twice at once is one message.

    Raises:
        AccessDeniedError: She may not do anything any more.
    """
    query = select(_user.c.id).where(_user.c.id == user_id, _user.c.is_active, *where)
    if await connection.scalar(query.with_for_update()) is None:
        raise AccessDeniedError


async def lock_ticket(connection: AsyncConnection, ticket_id: int, *where: ColumnElement[bool]) -> TicketRow:
    """A ticket under further conditions, such as whose it is; others wait to change it.

    Raises:
        NotFoundError: There is no such ticket.
    """
    query = (
        select(
            *(ticket_table.c[name] for name in TicketRow.__dataclass_fields__ if name != "zone"),
            premises_table.c.timezone,
        )
        .join(account_table, account_table.c.id == ticket_table.c.account_id)
        .join(premises_table, premises_table.c.id == account_table.c.premises_id)
        .where(ticket_table.c.id == ticket_id, *where)
        .with_for_update(of=ticket_table)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return _as_row(row)


async def ticket_of_key(connection: AsyncConnection, send_key: str) -> int | None:
    """The ticket that a form with this (stored) key made or wrote to already."""
    query = select(message_table.c.ticket_id).where(message_table.c.send_key == send_key)
    found: int | None = await connection.scalar(query)
    return found


async def add_message(
    connection: AsyncConnection,
    *,
    ticket_id: int,
    user_id: int,
    text: str,
    send_key: str,
    now: datetime,
    files: Sequence[CheckedFile] = (),
    is_staff: bool = False,
    is_internal: bool = False,
) -> None:
    """One more turn of the dialogue, with its files."""
    row = {
        "ticket_id": ticket_id,
        "author_user_id": user_id,
        "is_staff": is_staff,
        "is_internal": is_internal,
        "text": text,
        "send_key": send_key,
        "created_at": now,
    }
    key = (await connection.execute(insert(message_table).values(row))).inserted_primary_key
    await attachments.store(connection, message_id=key[0] if key else 0, files=files, now=now)


async def set_ticket(connection: AsyncConnection, ticket_id: int, *, now: datetime, **values: object) -> None:
    """Change a ticket so that open pages are told."""
    statement = update(ticket_table).where(ticket_table.c.id == ticket_id)
    await connection.execute(statement.values(updated_at=now, **values))


async def close_ticket(connection: AsyncConnection, ticket_id: int, *, now: datetime) -> None:
    """The matter is settled: nobody owes an answer any more."""
    await set_ticket(connection, ticket_id, now=now, status=TicketStatus.CLOSED, closed_at=now, reply_by=None)


def _as_row(row: Any) -> TicketRow:
    values = dict(row._mapping)
    return TicketRow(zone=ZoneInfo(values.pop("timezone")), **values)
