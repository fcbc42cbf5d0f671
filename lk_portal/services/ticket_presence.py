"""Who of the staff writes on a ticket just now, so that two do not answer one question. For the desk's page.

A row of the database and not the memory of a process: the two may be served by different nodes. What is
written here is no deed, so the audit has nothing of it. The caller checks the role.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import TicketPresence, User
from lk_portal.models.types import UtcTime
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

SHOWN_FOR = timedelta(seconds=20)
"""So long after the last key somebody counts as writing."""
EVERY = timedelta(seconds=5)
"""A person is written down at most so often, however fast she types."""
KEPT = timedelta(hours=1)
"""Older rows go when somebody types: they say nothing any more."""

_presence, _user = table_of(TicketPresence), table_of(User)


async def typed(database: Database, *, staff_id: int, ticket_id: int, now: datetime) -> None:
    """A person has typed an answer on a ticket; nothing happens where there is none, or it was told lately.

    Args:
        database: Where it is kept.
        staff_id: Who.
        ticket_id: On which.
        now: Aware UTC.
    """
    lately = (_presence.c.user_id == staff_id, _presence.c.typed_at > now - EVERY)
    async with database.reading() as connection:
        if await connection.scalar(select(_presence.c.ticket_id).where(*lately).limit(1)) is not None:
            return
    async with database.writing() as connection:
        await connection.execute(delete(_presence).where(_presence.c.changed_at < now - KEPT))
        await connection.execute(
            _WRITE, {"ticket_id": ticket_id, "user_id": staff_id, "typed_at": now, "changed_at": now}
        )


async def rest(connection: AsyncConnection, *, staff_id: int, ticket_id: int, now: datetime) -> None:
    """A person has sent what she typed, in the caller's transaction; the staff's open pages are told.

    For notes too: they change nothing of the ticket, so that its subscriber's page is not told of them.
    """
    await connection.execute(
        _WRITE, {"ticket_id": ticket_id, "user_id": staff_id, "typed_at": None, "changed_at": now}
    )


async def writing_now(
    connection: AsyncConnection, *, staff_id: int, ticket_id: int, now: datetime
) -> tuple[str, ...]:
    """The names of the others who write on a ticket at `now` (aware UTC), by name."""
    query = (
        select(_user.c.display_name)
        .join(_presence, _presence.c.user_id == _user.c.id)
        .where(
            _presence.c.ticket_id == ticket_id,
            _presence.c.user_id != staff_id,
            _presence.c.typed_at > now - SHOWN_FOR,
        )
        .order_by(_user.c.display_name)
    )
    return tuple((await connection.scalars(query)).all())


_WRITE = text(
    "INSERT INTO ticket_presence (ticket_id, user_id, typed_at, changed_at)"
    " SELECT id, :user_id, :typed_at, :changed_at FROM ticket WHERE id = :ticket_id"
    " ON CONFLICT (ticket_id, user_id) DO UPDATE"
    " SET typed_at = excluded.typed_at, changed_at = excluded.changed_at"
).bindparams(bindparam("typed_at", type_=UtcTime()), bindparam("changed_at", type_=UtcTime()))
