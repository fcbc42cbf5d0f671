"""Browsers a person has signed in with before, and the letter about one she has not.

A browser carries a sealed mark of its own for each person (see `security.cookies`); nothing about it is
stored, except as the key of what is counted.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import AuditEntry, Channel, LetterKind, NotificationKind
from lk_portal.services import audit, letters, notification_choices
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

_entry = table_of(AuditEntry)


async def tell_new(connection: AsyncConnection, *, user_id: int, visit: Visit) -> None:
    """Write to a person about a sign-in from an unknown browser, unless it is her first, or not wanted."""
    if not await _has_signed_in(connection, user_id) or not await _wants(connection, user_id):
        return
    await letters.write_to(
        connection,
        kind=LetterKind.NEW_DEVICE,
        user_id=user_id,
        now=visit.at,
        data={"address": visit.address, "browser": visit.agent},
    )


async def _has_signed_in(connection: AsyncConnection, user_id: int) -> bool:
    """Whether the audit knows an earlier sign-in of hers."""
    query = select(_entry.c.id).where(_entry.c.subject_user_id == user_id, _entry.c.action == audit.SIGNED_IN)
    return await connection.scalar(query.limit(1)) is not None


async def _wants(connection: AsyncConnection, user_id: int) -> bool:
    wanted = await notification_choices.wanted(connection, (user_id,), NotificationKind.NEW_DEVICE)
    return (user_id, Channel.LETTER) in wanted
