"""The lasting password of a person: what may be one, its hash, and changing it in the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError
from lk_portal.models import Account, Duty, LetterKind, User
from lk_portal.security import password_rules, passwords, throttle
from lk_portal.security.passwords import Peppers
from lk_portal.security.tokens import hash_of
from lk_portal.services import audit, letters, sessions, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

_user, _account = table_of(User), table_of(Account)


def peppers_of(settings: Settings) -> Peppers:
    """The peppers of the portal's secret, and of those it had before."""
    return Peppers.of(settings.secret(), settings.old_secrets())


async def new_hash(
    settings: Settings, password: str, *, context: Sequence[str], field: str = "password"
) -> str:
    """The hash to store for a new lasting password, if it may be one.

    Args:
        settings: For the pepper, the cost and the utility's name.
        password: As typed.
        context: What is known about the person: e-mail, phone, name, account numbers.
        field: The field to say a refusal at.

    Raises:
        InputError: It is too short, too long, or too easy to guess.
    """
    await _require_strong(settings, password, context=context, field=field)
    pepper = peppers_of(settings).current
    return await passwords.hash_password(password, pepper=pepper, rounds=settings.bcrypt_rounds)


def require_repeat(password: str, repeat: str, *, field: str = "password2") -> None:
    """Refuse a new password that was not typed the same way twice.

    Raises:
        InputError: It was not.
    """
    if password != repeat:
        raise InputError(N_("The two passwords differ."), field=field)


async def context_of(connection: AsyncConnection, user_id: int) -> tuple[str, ...]:
    """What is known about a person that a guesser would try first."""
    query = select(_user.c.email, _user.c.phone, _user.c.display_name, _user.c.subscriber_id)
    person = (await connection.execute(query.where(_user.c.id == user_id))).one_or_none()
    if person is None:
        raise AccessDeniedError
    numbers = await connection.scalars(
        select(_account.c.number).where(_account.c.subscriber_id == person.subscriber_id)
    )
    return (person.email, person.phone or "", person.display_name, *numbers)


async def change_password(
    database: Database,
    settings: Settings,
    *,
    user_id: int,
    session_hash: str,
    old: str,
    password: str,
    repeat: str,
    visit: Visit,
) -> str:
    """Replace the lasting password by a new one; every other session ends. Gives the session's new token.

    Raises:
        InputError: The old one is wrong, the new one may not be, or the two differ.
        ThrottledError: The old one was wrong too often.
        AccessDeniedError: The session or the right to sign in was taken away meanwhile.
    """
    gates = (Gate(f"own-password:{user_id}", throttle.BY_LOGIN_AND_ADDRESS),)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.reading() as connection:
        context = await context_of(connection, user_id)
        stored = await connection.scalar(select(_user.c.password_hash).where(_user.c.id == user_id)) or ""
    if not await fits(settings, old, stored):
        await _count_wrong_old(database, gates, user_id=user_id, visit=visit)
        raise InputError(N_("The old password is wrong."), field="old")
    require_repeat(password, repeat)
    if await fits(settings, password, stored):
        raise InputError(N_("This is the password you have now."), field="password")
    hashed = await new_hash(settings, password, context=context)
    async with database.writing() as connection:
        token = await sessions.rotate(connection, session_hash=session_hash, duty=Duty.NONE, now=visit.at)
        await sessions.end_all(connection, user_id=user_id, but=hash_of(token))
        await store_lasting(connection, user_id=user_id, hashed=hashed)
        await throttling.forget(connection, gates)
        await audit.record(
            connection, action=audit.PASSWORD_CHANGED, visit=visit, actor=user_id, subject=user_id
        )
        await tell_changed(connection, user_id=user_id, visit=visit)
    return token


async def store_lasting(connection: AsyncConnection, *, user_id: int, hashed: str) -> None:
    """Let this be the lasting password, and a mailed one be worth nothing; in the caller's transaction.

    Callers rotate the session first: that fails once it was ended, and whatever takes a password away -
    another change, a mailed one, the utility - ends every session.
    """
    await connection.execute(
        update(_user)
        .where(_user.c.id == user_id)
        .values(password_hash=hashed, temporary_hash="", temporary_until=None)
    )


async def fits(settings: Settings, password: str, stored: str) -> bool:
    """Whether a password is the one behind a stored hash; always takes the same time."""
    return await passwords.is_password(
        password[: passwords.MAX_LENGTH + 1],
        stored,
        peppers=peppers_of(settings),
        rounds=settings.bcrypt_rounds,
    )


async def tell_changed(connection: AsyncConnection, *, user_id: int, visit: Visit) -> None:
    """Write to the person that the password is another one now, in the caller's transaction."""
    await letters.write_to(connection, kind=LetterKind.PASSWORD_CHANGED, user_id=user_id, now=visit.at)


async def _require_strong(settings: Settings, password: str, *, context: Sequence[str], field: str) -> None:
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        raise InputError(
            N_("The password must have {least} to {most} characters."),
            field=field,
            least=passwords.MIN_LENGTH,
            most=passwords.MAX_LENGTH,
        )
    if not is_storable(password):
        raise InputError(N_("The password has characters that no keyboard types."), field=field)
    if passwords.looks_temporary(password):
        raise InputError(
            N_("This looks like the password from the letter. Choose one of your own."), field=field
        )
    known = (settings.utility_name, *context)
    reason = await asyncio.to_thread(password_rules.weakness, password, context=known)
    if reason:
        raise InputError(reason, field=field)


async def _count_wrong_old(database: Database, gates: Sequence[Gate], *, user_id: int, visit: Visit) -> None:
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        await audit.record(
            connection, action=audit.OLD_PASSWORD_WRONG, visit=visit, actor=user_id, subject=user_id
        )
