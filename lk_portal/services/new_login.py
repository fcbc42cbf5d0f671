"""A login that begins with a letter: for `services.registration`, and when staff accepts a request.

The letter brings a temporary password, which is made when it is sent; until a lasting one is set the
registration is unfinished and owns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import LetterKind, Role, Subscriber, Theme, User
from lk_portal.services import letters
from lk_portal.services.account_owner import hand_over, holder_of
from lk_portal.services.tables import table_of

_user, _subscriber = table_of(User), table_of(Subscriber)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who shall get a login.

    Attributes:
        full_name: "" where it was not told.
        phone: E.164; "" for none.
        locale: Of letters; "" is the portal's own.
    """

    full_name: str
    email: str
    phone: str
    locale: str = ""


async def begin_login(
    connection: AsyncConnection, account: Row[Any], newcomer: Newcomer, *, now: datetime
) -> int:
    """Make a user without a password who has the account, in the caller's transaction; gives her id.

    An account of the registry's subscriber stays with that one; else it becomes a new one's.
    """
    subscriber_id, name = await _owner(connection, account, newcomer, now)
    values = {
        "email": newcomer.email,
        "phone": newcomer.phone or None,
        "role": Role.SUBSCRIBER,
        "subscriber_id": subscriber_id,
        "display_name": name or newcomer.email,
        "password_hash": "",
        "temporary_hash": "",
        "temporary_until": None,
        "locale": newcomer.locale,
        "theme": Theme.SYSTEM,
        "is_active": True,
        "created_at": now,
    }
    written = await connection.execute(insert(_user).values(values).returning(_user.c.id))
    user_id = int(written.scalar_one())
    await letters.write(
        connection,
        kind=LetterKind.WELCOME,
        to_address=newcomer.email,
        now=now,
        user_id=user_id,
        locale=newcomer.locale,
        data={"name": newcomer.full_name},
    )
    return user_id


async def _owner(
    connection: AsyncConnection, account: Row[Any], newcomer: Newcomer, now: datetime
) -> tuple[int, str]:
    """The registry's subscriber of the account, untouched; else a new one. With the name to greet by."""
    owner_id = holder_of(account)
    if owner_id is not None:
        query = select(_subscriber.c.full_name).where(_subscriber.c.id == owner_id)
        return owner_id, newcomer.full_name or str(await connection.scalar(query))
    values = {
        "full_name": newcomer.full_name,
        "email": newcomer.email,
        "phone": newcomer.phone,
        "created_at": now,
    }
    written = await connection.execute(insert(_subscriber).values(values).returning(_subscriber.c.id))
    subscriber_id = int(written.scalar_one())
    await hand_over(connection, account, subscriber_id)
    return subscriber_id, newcomer.full_name
