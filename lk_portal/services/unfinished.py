"""Registrations that were never finished: users who have not set a lasting password yet.

They own nothing. Whoever knows the account and its address may begin anew, and after a month they are
forgotten: a name, an e-mail and a phone number are kept for no purpose then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, PortalError
from lk_portal.logs import report
from lk_portal.models import Account, Subscriber, User
from lk_portal.services import personal
from lk_portal.services.database import Database
from lk_portal.services.personal import Whose
from lk_portal.services.tables import table_of

KEPT_FOR = timedelta(days=30)

_user, _subscriber, _account = table_of(User), table_of(Subscriber), table_of(Account)
_IS_UNFINISHED = (_user.c.password_hash == "") & _user.c.is_active


def is_unfinished(person: Row[Any]) -> bool:
    """Whether a row of `portal_user` is a registration that may be begun anew; a disabled one may not."""
    return not person.password_hash and bool(person.is_active)


async def undo(connection: AsyncConnection, person: Row[Any]) -> None:
    """Delete an unfinished registration, in the caller's transaction; one finished meanwhile stays.

    A subscriber that only this registration had made goes with it, and the account is nobody's again; one of
    the registry stays. They are told apart by the time: registration makes both rows at the same moment. What
    installed packages keep about who goes, goes first.

    Raises:
        PortalError: A package's rows cannot be erased; the log has the reason.
    """
    lock = select(_user.c.id).where(_user.c.id == person.id, _IS_UNFINISHED).with_for_update()
    if await connection.scalar(lock) is None:
        return
    made_here = await connection.scalar(
        select(_subscriber.c.id).where(
            _subscriber.c.id == person.subscriber_id, _subscriber.c.created_at == person.created_at
        )
    )
    try:
        await personal.erase(connection, Whose(person.id, made_here))
    except PortalError as error:  # its sentence is for who has her own data erased
        raise PortalError(
            N_("Something went wrong. Error number {number}."), number=error.data["number"]
        ) from error
    await connection.execute(delete(_user).where(_user.c.id == person.id))
    if made_here is None:
        return
    await connection.execute(
        update(_account)
        .where(_account.c.subscriber_id == made_here)
        .values(subscriber_id=None, removed_at=None)
    )
    await connection.execute(delete(_subscriber).where(_subscriber.c.id == made_here))


async def forget_unfinished(database: Database, *, now: datetime) -> int:
    """Delete registrations that were begun a month ago and never finished; gives how many.

    One that cannot be deleted, as something refers to it, is logged and keeps no other from going.
    """
    old = select(_user).where(_IS_UNFINISHED, _user.c.created_at < now - KEPT_FOR)
    gone = 0
    async with database.writing() as connection:
        for person in (await connection.execute(old)).all():
            try:
                async with connection.begin_nested():
                    await undo(connection, person)
            except PortalError:
                continue  # logged where it was raised
            except IntegrityError as error:
                report(error)
            else:
                gone += 1
    return gone
