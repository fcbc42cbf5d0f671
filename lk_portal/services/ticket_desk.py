"""The staff's side of обращения: take, release, answer, note, close, open again. The caller checks the role.

Staff sees every ticket, so nothing here asks whose it is. What the subscriber sees of it reaches her open
page by the ticket's time of change; a note changes nothing of that, so she does not even learn that there
is one. Colleagues do, by `services.ticket_presence`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import Role, TicketStatus, User
from lk_portal.services import audit, ticket_presence
from lk_portal.services.attachments import CheckedFile
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_letters import tell_answered
from lk_portal.services.ticket_rows import (
    TicketRow,
    add_message,
    close_ticket,
    lock_person,
    lock_ticket,
    set_ticket,
    ticket_of_key,
)
from lk_portal.services.ticket_rules import checked_text, stored_key
from lk_portal.services.visit import Visit

_user = table_of(User)


async def assign(
    database: Database, *, staff_id: int, ticket_id: int, assignee_id: int, visit: Visit
) -> None:
    """Give a ticket to one of the staff, oneself perhaps; a new one is in work from then on.

    Raises:
        NotFoundError: There is no such ticket.
        AccessDeniedError: One of the two is no member of the staff.
    """
    async with database.writing() as connection:
        for user_id in sorted(
            {staff_id, assignee_id}
        ):  # else two who give each other something wait for ever
            await _lock(connection, user_id)
        found = await lock_ticket(connection, ticket_id)
        status = TicketStatus.IN_WORK if found.status is TicketStatus.NEW else found.status
        await set_ticket(connection, ticket_id, now=visit.at, status=status, assigned_user_id=assignee_id)
        await _record(connection, audit.TICKET_ASSIGNED, staff_id, found, visit, to=assignee_id)


async def release(database: Database, *, staff_id: int, ticket_id: int, visit: Visit) -> None:
    """Nobody has the ticket any more; one in work is new again, so that somebody takes it.

    The promise stands. What nobody has, and what is closed, stays as it is.

    Raises:
        NotFoundError: There is no such ticket.
        AccessDeniedError: No member of the staff.
    """
    async with database.writing() as connection:
        await _lock(connection, staff_id)
        found = await lock_ticket(connection, ticket_id)
        if found.assigned_user_id is None or found.status is TicketStatus.CLOSED:
            return
        status = TicketStatus.NEW if found.status is TicketStatus.IN_WORK else found.status
        await set_ticket(connection, ticket_id, now=visit.at, status=status, assigned_user_id=None)
        await _record(connection, audit.TICKET_RELEASED, staff_id, found, visit)


async def answer(
    database: Database,
    *,
    staff_id: int,
    ticket_id: int,
    text: str,
    send_key: str,
    visit: Visit,
    files: Sequence[CheckedFile] = (),
) -> None:
    """Answer the subscriber, whose turn it is then; a letter tells her.

    Raises:
        InputError: The text is wrong, or the ticket closed.
        NotFoundError: There is no such ticket.
        AccessDeniedError: No member of the staff.
    """
    kept, key = checked_text(text), stored_key(send_key, user_id=staff_id)
    async with database.writing() as connection:
        await _lock(connection, staff_id)
        found = await lock_ticket(connection, ticket_id)
        if await ticket_of_key(connection, key):
            return
        found.require_open()
        await add_message(
            connection,
            ticket_id=ticket_id,
            user_id=staff_id,
            text=kept,
            send_key=key,
            now=visit.at,
            files=files,
            is_staff=True,
        )
        await set_ticket(
            connection,
            ticket_id,
            now=visit.at,
            status=TicketStatus.WAITING,
            reply_by=None,
            assigned_user_id=found.assigned_user_id or staff_id,
        )
        await ticket_presence.rest(connection, staff_id=staff_id, ticket_id=ticket_id, now=visit.at)
        await tell_answered(connection, found, status=TicketStatus.WAITING, now=visit.at)
        await _record(connection, audit.TICKET_ANSWERED, staff_id, found, visit)


async def note(
    database: Database, *, staff_id: int, ticket_id: int, text: str, send_key: str, visit: Visit
) -> None:
    """Write something down for the staff alone; closed tickets too.

    Raises:
        InputError: The text is wrong.
        NotFoundError: There is no such ticket.
        AccessDeniedError: No member of the staff.
    """
    kept, key = checked_text(text), stored_key(send_key, user_id=staff_id)
    async with database.writing() as connection:
        await _lock(connection, staff_id)
        await lock_ticket(connection, ticket_id)
        if await ticket_of_key(connection, key):
            return
        await add_message(
            connection,
            ticket_id=ticket_id,
            user_id=staff_id,
            text=kept,
            send_key=key,
            now=visit.at,
            is_staff=True,
            is_internal=True,
        )
        await ticket_presence.rest(connection, staff_id=staff_id, ticket_id=ticket_id, now=visit.at)
        await audit.record(
            connection,
            action=audit.TICKET_NOTED,
            visit=visit,
            actor=staff_id,
            subject=None,
            ticket=ticket_id,
        )


async def close(database: Database, *, staff_id: int, ticket_id: int, visit: Visit) -> None:
    """The matter is settled; a letter tells the subscriber. Closing what is closed changes nothing.

    Raises:
        NotFoundError: There is no such ticket.
        AccessDeniedError: No member of the staff.
    """
    async with database.writing() as connection:
        await _lock(connection, staff_id)
        found = await lock_ticket(connection, ticket_id)
        if found.status is TicketStatus.CLOSED:
            return
        await close_ticket(connection, ticket_id, now=visit.at)
        await tell_answered(connection, found, status=TicketStatus.CLOSED, now=visit.at)
        await _record(connection, audit.TICKET_SETTLED, staff_id, found, visit)


async def reopen(database: Database, *, staff_id: int, ticket_id: int, visit: Visit) -> None:
    """Open a closed ticket again, however long ago that was; it is in this person's work.

    Raises:
        NotFoundError: There is no such ticket.
        AccessDeniedError: No member of the staff.
    """
    async with database.writing() as connection:
        await _lock(connection, staff_id)
        found = await lock_ticket(connection, ticket_id)
        if found.status is not TicketStatus.CLOSED:
            return
        await set_ticket(
            connection,
            ticket_id,
            now=visit.at,
            status=TicketStatus.IN_WORK,
            closed_at=None,
            reply_by=found.promise(visit.at),
            assigned_user_id=found.assigned_user_id or staff_id,
        )
        await _record(connection, audit.TICKET_RESUMED, staff_id, found, visit)


async def _lock(connection: AsyncConnection, user_id: int) -> None:
    await lock_person(connection, user_id, _user.c.role != Role.SUBSCRIBER)


async def _record(
    connection: AsyncConnection,
    action: str,
    staff_id: int,
    found: TicketRow,
    visit: Visit,
    **detail: int,
) -> None:
    """What was done for a subscriber is a line of her own history too, without who did it or from where."""
    await audit.record(
        connection,
        action=action,
        visit=visit,
        actor=staff_id,
        subject=found.author_user_id,
        ticket=found.id,
        **detail,
    )
