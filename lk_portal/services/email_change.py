"""A new e-mail for a person: asked for, confirmed by the code sent to it, told to the old address.

An address that somebody else has looks the same from here on: no code is made for it, its owner gets a
letter about the attempt, and the person who asked sees the same words for the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError
from lk_portal.models import EmailChange, LetterKind, Subscriber, User
from lk_portal.security import codes
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, letters, throttling
from lk_portal.services.database import Database
from lk_portal.services.letter_quota import is_spent
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.users import normal_email
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

LIFE = timedelta(minutes=30)
MAX_FAILURES = 5
LETTERS = Policy(free=5, cap_s=900)
"""Each attempt sends a letter to an address that may be a stranger's."""

ASKED_AGAIN = N_("The code is not valid any more. Ask for a new one.")
_user, _change, _subscriber = table_of(User), table_of(EmailChange), table_of(Subscriber)


@dataclass(frozen=True, slots=True)
class Pending:
    """A new e-mail that waits for its code."""

    new_email: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    email: str
    locale: str
    subscriber_id: int | None
    display_name: str


_PERSON = select(_user.c.id, _user.c.email, _user.c.locale, _user.c.subscriber_id, _user.c.display_name)


async def start(database: Database, *, user_id: int, new_email: str, visit: Visit) -> str:
    """Ask for a new e-mail; the code goes to it by letter. Gives the address as it will be stored.

    Whoever has the address already makes no difference here; an earlier wish is replaced.

    Raises:
        InputError: It is no e-mail address, or her own.
        ThrottledError: Too many letters were asked for.
    """
    email = normal_email(new_email)
    gates = (Gate(f"email-change:{user_id}", LETTERS), *throttling.visit_gates("email-change", visit))
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        person = await _lock(connection, user_id)
        if person.email == email:
            raise InputError(N_("This is your e-mail already."), field="email")
        await throttling.count_in(connection, gates, now=visit.at)
        await _remember(connection, user_id=user_id, new_email=email, now=visit.at)
        await _write_to(connection, email, person=person, now=visit.at)
        await audit.record(connection, action=audit.EMAIL_ASKED, visit=visit, actor=user_id, subject=user_id)
    return email


async def renew_code(
    database: Database, settings: Settings, *, user_id: int, to_address: str, now: datetime
) -> str | None:
    """Make the code for a letter that is about to be sent; only its keyed hash is stored.

    Another attempt to send makes another code; how often one was typed wrong stays counted.

    Args:
        database: Where the change waits.
        settings: For the portal's secret.
        user_id: Who wants a new e-mail.
        to_address: Where the letter goes. She may have chosen another one meanwhile, and whoever reads the
            mail of the first must not get the code for the second.
        now: Aware UTC.

    Returns:
        None when nobody waits for this letter any more, or the address has an owner.
    """
    async with database.writing() as connection:
        change = await _waiting(connection, user_id, now)
        if change is None or change.new_email != to_address.lower():
            return None
        if await _owner_of(connection, change.new_email) is not None:
            return None
        code = codes.new_code()
        hashed = codes.hash_code(code, secret=settings.secret(), purpose=_purpose(change))
        await connection.execute(update(_change).where(_change.c.user_id == user_id).values(code_hash=hashed))
    return code


async def confirm(database: Database, settings: Settings, *, user_id: int, code: str, visit: Visit) -> str:
    """Make the new e-mail the person's own, if the code is right; gives it.

    Raises:
        InputError: The code is wrong (field "code"); or it is over, was wrong too often, or the address was
            taken meanwhile (field "email": the change must be asked for again).
    """
    typed = codes.code_of(code)
    if not typed:
        raise InputError(N_("The code has {digits} digits."), field="code", digits=codes.DIGITS)
    try:
        async with database.writing() as connection:
            outcome = await _try(connection, settings, user_id=user_id, code=typed, visit=visit)
    except IntegrityError:
        await _forget(database, user_id)
        raise InputError(N_("This e-mail cannot be used."), field="email") from None
    if isinstance(outcome, InputError):
        raise outcome
    return outcome


async def pending(database: Database, *, user_id: int, now: datetime) -> Pending | None:
    """The new e-mail that waits for its code, if any."""
    async with database.reading() as connection:
        change = await _waiting(connection, user_id, now)
    return Pending(change.new_email, change.expires_at) if change else None


async def cancel(database: Database, *, user_id: int, visit: Visit) -> None:
    """Keep the e-mail as it is; no code works any more. Nothing to cancel is no error."""
    async with database.writing() as connection:
        await _lock(connection, user_id)
        found = await connection.execute(delete(_change).where(_change.c.user_id == user_id))
        if found.rowcount:
            await audit.record(
                connection, action=audit.EMAIL_CANCELLED, visit=visit, actor=user_id, subject=user_id
            )


async def forget_expired(database: Database, *, now: datetime) -> None:
    """Delete what was not confirmed in time: it holds addresses."""
    async with database.writing() as connection:
        await connection.execute(delete(_change).where(_change.c.expires_at <= now))


async def _try(
    connection: AsyncConnection, settings: Settings, *, user_id: int, code: str, visit: Visit
) -> str | InputError:
    """Use one attempt up; a refusal is returned, not raised, so that it stays counted."""
    person = await _lock(connection, user_id)
    change = await _waiting(connection, user_id, visit.at)
    if change is None:
        return InputError(ASKED_AGAIN, field="email")
    if not codes.is_code(code, change.code_hash, secret=settings.secret(), purpose=_purpose(change)):
        return await _count_failure(connection, change, visit=visit)
    await connection.execute(delete(_change).where(_change.c.user_id == user_id))
    await _replace(connection, person, change.new_email)
    await letters.write(
        connection,
        kind=LetterKind.EMAIL_CHANGED,
        to_address=person.email,
        now=visit.at,
        user_id=user_id,
        locale=person.locale,
        data={"new_email": change.new_email, "name": person.display_name},
    )
    await audit.record(connection, action=audit.EMAIL_CHANGED, visit=visit, actor=user_id, subject=user_id)
    return str(change.new_email)


async def _count_failure(connection: AsyncConnection, change: Row[Any], *, visit: Visit) -> InputError:
    where = _change.c.user_id == change.user_id
    await audit.record(
        connection, action=audit.EMAIL_CODE_WRONG, visit=visit, actor=change.user_id, subject=change.user_id
    )
    if change.failures + 1 >= MAX_FAILURES:
        await connection.execute(delete(_change).where(where))
        return InputError(N_("The code was wrong too often. Ask for a new one."), field="email")
    await connection.execute(update(_change).where(where).values(failures=change.failures + 1))
    return InputError(N_("The code is wrong."), field="code")


async def _replace(connection: AsyncConnection, person: _Person, email: str) -> None:
    """The new address is the login; a temporary password mailed to the old one opens nothing any more."""
    await connection.execute(
        update(_user)
        .where(_user.c.id == person.id)
        .values(email=email, temporary_hash="", temporary_until=None)
    )
    await connection.execute(
        update(_subscriber)
        .where(_subscriber.c.id == person.subscriber_id, _subscriber.c.email == person.email)
        .values(email=email)
    )


async def _remember(connection: AsyncConnection, *, user_id: int, new_email: str, now: datetime) -> None:
    await connection.execute(delete(_change).where(_change.c.user_id == user_id))
    await connection.execute(
        insert(_change).values(
            user_id=user_id, new_email=new_email, code_hash="", failures=0, expires_at=now + LIFE
        )
    )


async def _write_to(connection: AsyncConnection, email: str, *, person: _Person, now: datetime) -> None:
    """The code to an address that is free; to one that has an owner, that somebody tried to use it."""
    owner = await _owner_of(connection, email)
    if owner is not None and await is_spent(connection, user_id=owner.id, now=now):
        return
    kind = LetterKind.ALREADY_REGISTERED if owner else LetterKind.EMAIL_CODE
    whose = owner or person
    await letters.write(
        connection, kind=kind, to_address=email, now=now, user_id=whose.id, locale=whose.locale
    )


async def _lock(connection: AsyncConnection, user_id: int) -> _Person:
    """The person's row; changes of one person happen one after the other."""
    query = _PERSON.where(_user.c.id == user_id, _user.c.is_active).with_for_update()
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise AccessDeniedError
    return _Person(*found)


async def _waiting(connection: AsyncConnection, user_id: int, now: datetime) -> Row[Any] | None:
    query = select(_change).where(_change.c.user_id == user_id, _change.c.expires_at > now)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def _owner_of(connection: AsyncConnection, email: str) -> _Person | None:
    found = (await connection.execute(_PERSON.where(_user.c.email == email))).one_or_none()
    return _Person(*found) if found else None


async def _forget(database: Database, user_id: int) -> None:
    async with database.writing() as connection:
        await connection.execute(delete(_change).where(_change.c.user_id == user_id))


def _purpose(change: Row[Any]) -> str:
    return f"e-mail {change.user_id} {change.new_email}"
