"""Recovery of a password: a temporary one goes by letter to an e-mail that is known.

Whether it is known is never said: the words and the work are the same. The lasting password goes on working
until the temporary one is used (`temporary_passwords`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.models import LetterKind, User
from lk_portal.security.throttle import BY_LOGIN_AND_ADDRESS
from lk_portal.services import audit, letters, throttling
from lk_portal.services.database import Database
from lk_portal.services.letter_quota import is_spent
from lk_portal.services.registration_form import MAX_LOGIN, one_line
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.unfinished import is_unfinished
from lk_portal.services.users import normal_email
from lk_portal.services.visit import Visit

ASKED = "web:recovery:ask"
REFUSED = "web:recovery:refuse"
audit.TEXTS[ASKED] = N_("A temporary password was asked for")

_user = table_of(User)


def require_email(typed: str) -> str:
    """The e-mail as it is stored, from what was typed.

    Raises:
        InputError: It is no e-mail address, known or not.
    """
    if not typed.strip():
        raise InputError(N_("Enter an e-mail address."), field="email")
    try:
        return normal_email(one_line(typed, most=MAX_LOGIN))
    except InputError as error:
        raise InputError(error.text, field="email", **error.data) from None


async def ask(database: Database, *, email: str, visit: Visit) -> None:
    """Send a temporary password to `email` if that is somebody's here; who asks does not learn it.

    Raises:
        InputError: It is no e-mail address, known or not.
        ThrottledError: Too many attempts from here, or of one's own for this e-mail.
    """
    address = require_email(email)
    gates = throttling.visit_gates("recover", visit)
    gates = (*gates, Gate(f"recover:email:{address}", BY_LOGIN_AND_ADDRESS, clock=gates[0].key))
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        person = await _person(connection, address)
        is_silent = await is_spent(connection, user_id=person.id if person else 0, now=visit.at)
        action, subject = (ASKED, person.id) if person else (REFUSED, None)
        await audit.record(connection, action=action, visit=visit, actor=None, subject=subject)
        if person is not None and not is_silent:
            await _write(connection, person, visit)
        else:
            await _write_nothing(connection, address, visit)


async def _person(connection: AsyncConnection, address: str) -> Row[Any] | None:
    query = select(_user).where(_user.c.email == address, _user.c.is_active)
    return (await connection.execute(query)).one_or_none()


async def _write(connection: AsyncConnection, person: Row[Any], visit: Visit) -> None:
    """Whoever has not finished her registration gets its letter again. An earlier one still waiting goes."""
    await letters.write(
        connection,
        kind=LetterKind.WELCOME if is_unfinished(person) else LetterKind.RECOVERY,
        to_address=person.email,
        now=visit.at,
        user_id=person.id,
        locale=person.locale,
        data={"name": person.display_name},
    )


async def _write_nothing(connection: AsyncConnection, address: str, visit: Visit) -> None:
    """Take as long as a letter does: it is written and taken back, in the same transaction."""
    point = await connection.begin_nested()
    await letters.write(
        connection, kind=LetterKind.ALREADY_REGISTERED, to_address=address, now=visit.at, data={"name": ""}
    )
    await point.rollback()
