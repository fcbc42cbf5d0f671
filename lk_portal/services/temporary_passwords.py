"""Passwords that are mailed: random, for a day, for one use, and good for choosing a lasting one only.

They are made by the job that sends the letter, at the moment it sends it, so that nothing waits anywhere in
clear text; another attempt makes another password. Only a keyed hash is stored. The lasting password goes on
working until the temporary one is used: then it opens nothing any more, and every session ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import User
from lk_portal.security import passwords
from lk_portal.services import audit, sessions
from lk_portal.services.credentials import peppers_of
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

_user = table_of(User)
_c = _user.c


async def renew(database: Database, settings: Settings, *, user_id: int, now: datetime) -> str | None:
    """Make a temporary password, which replaces any earlier one; None when nobody may use it any more.

    The text is for the letter and is kept nowhere else.
    """
    password = passwords.new_temporary()
    async with database.writing() as connection:
        result = await connection.execute(
            update(_user)
            .where(_c.id == user_id, _c.is_active)
            .values(
                temporary_hash=passwords.hash_temporary(password, pepper=peppers_of(settings).current),
                temporary_until=now + timedelta(hours=settings.temporary_password_hours),
            )
        )
    return password if result.rowcount else None


async def use(connection: AsyncConnection, *, user_id: int, temporary_hash: str, visit: Visit) -> bool:
    """Use a temporary password up, in the caller's transaction; False when somebody was faster.

    With it go the lasting password, and every session there is.
    """
    result = await connection.execute(
        update(_user)
        .where(and_(_c.id == user_id, _c.temporary_hash == temporary_hash, _c.temporary_until > visit.at))
        .where(_c.is_active)
        .values(
            temporary_hash="",
            temporary_until=None,
            password_hash=case((_c.password_hash == "", ""), else_=passwords.UNUSABLE),
        )
    )
    if not result.rowcount:
        return False
    await sessions.end_all(connection, user_id=user_id)
    await audit.record(connection, action=audit.TEMPORARY_USED, visit=visit, actor=user_id, subject=user_id)
    return True


async def forget_expired(database: Database, *, now: datetime) -> None:
    """Remove the hashes of those that were not used in time."""
    async with database.writing() as connection:
        await connection.execute(
            update(_user).where(_c.temporary_until <= now).values(temporary_hash="", temporary_until=None)
        )
