"""Who is who: sign-in, sessions, and the users themselves. For routes, guards, commands.

A session is a random token in an HttpOnly cookie; the database has only its hash. It ends by sign-out, by
idleness, by age, and when the user is disabled or gets a new password.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from lk_portal.errors import (
    N_,
    BadCredentialsError,
    InputError,
    NotFoundError,
    StorageError,
    ThrottledError,
)
from lk_portal.models import Attempt, Role, User, UserSession
from lk_portal.security import passwords, throttle
from lk_portal.security.tokens import hash_of, new_token
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.settings import Settings

__all__ = [
    "Identity",
    "Role",
    "Visit",
    "create_user",
    "disable_user",
    "forget_expired",
    "identity_of",
    "normal_login",
    "reset_password",
    "sign_in",
    "sign_out",
]

PHONE_REGION = "RU"
SEEN_EVERY = timedelta(minutes=1)
MAX_LOGIN_LENGTH = 254
_user, _session, _attempt = table_of(User), table_of(UserSession), table_of(Attempt)


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person, as a handler sees her."""

    user_id: int
    role: Role
    subscriber_id: int | None
    display_name: str
    session_hash: str


@dataclass(frozen=True, slots=True)
class Visit:
    """Where an attempt comes from, for throttling and for the list of sessions."""

    address: str
    agent: str
    at: datetime


def normal_login(text: str) -> str:
    """An e-mail in lower case or a phone in E.164, from what a person typed; "" when it is neither."""
    text = text.strip()
    if not is_storable(text) or len(text) > MAX_LOGIN_LENGTH:
        return ""
    if "@" in text:
        return text.lower()
    try:
        number = phonenumbers.parse(text, PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def sign_in(database: Database, settings: Settings, *, login: str, password: str, visit: Visit) -> str:
    """Check a login and password and open a session; gives the cookie's token.

    Raises:
        BadCredentialsError: Unknown login, wrong password, disabled user: all the same, in the same time.
        ThrottledError: Too many failures for this login or from this address.
    """
    login = normal_login(login)
    keys = {f"login:{login}": throttle.BY_LOGIN, f"address:{visit.address}": throttle.BY_ADDRESS}
    await _refuse_guessing(database, keys, now=visit.at)
    user = await _user_by_login(database, login)
    hashed = user.password_hash if user else passwords.decoy_hash(settings.bcrypt_rounds)
    is_right = await passwords.is_password(
        password[: passwords.MAX_LENGTH + 1], hashed, pepper=passwords.pepper_of(settings.secret())
    )
    if user is None or not is_right:
        await _count_failure(database, keys, now=visit.at)
        raise BadCredentialsError
    token = new_token()
    async with database.writing() as connection:
        await connection.execute(delete(_attempt).where(_attempt.c.key == hash_of(f"login:{login}")))
        await connection.execute(insert(_session).values(_session_row(settings, user.id, token, visit)))
    return token


async def identity_of(
    database: Database, settings: Settings, *, session_hash: str, now: datetime, is_activity: bool = True
) -> Identity | None:
    """The person behind a session (the SHA-256 of its token), or None when it is unknown, ended or idle.

    What the person does herself keeps the session alive; a look on the portal's behalf
    (`is_activity=False`) does not, so an open page that is only pushed to grows idle.
    """
    if not session_hash:
        return None
    async with database.reading() as connection:
        row = (await connection.execute(_IDENTITY, {"token_hash": session_hash})).one_or_none()
    if row is None or not row.is_active or now >= row.expires_at:
        return None
    if now - row.seen_at >= timedelta(minutes=settings.session_idle_minutes):
        return None
    if is_activity and now - row.seen_at >= SEEN_EVERY:
        await _mark_seen(database, session_hash, now)
    return Identity(row.id, row.role, row.subscriber_id, row.display_name, session_hash)


async def sign_out(database: Database, *, token: str) -> None:
    """End the session; one that does not exist is no error."""
    async with database.writing() as connection:
        await connection.execute(delete(_session).where(_session.c.token_hash == hash_of(token)))


async def forget_expired(database: Database, *, now: datetime) -> None:
    """Delete sessions and failures that no longer matter."""
    async with database.writing() as connection:
        await connection.execute(delete(_session).where(_session.c.expires_at < now))
        await connection.execute(delete(_attempt).where(_attempt.c.at < now - throttle.BY_LOGIN.window))


async def create_user(
    database: Database,
    settings: Settings,
    *,
    email: str,
    phone: str | None,
    role: Role,
    display_name: str,
    password: str,
    subscriber_id: int | None,
    now: datetime,
) -> int:
    """Add a person who may sign in; gives the user's id.

    Raises:
        InputError: The e-mail, phone or password cannot be used, or is taken; `field` says which.
    """
    login = _required_email(email)
    number = _required_phone(phone) if phone else None
    hashed = await _new_hash(settings, password)
    values = {
        "email": login,
        "phone": number,
        "role": role,
        "display_name": display_name,
        "password_hash": hashed,
        "subscriber_id": subscriber_id,
        "is_active": True,
        "created_at": now,
    }
    try:
        async with database.writing() as connection:
            result = await connection.execute(insert(_user).values(values).returning(_user.c.id))
            return int(result.scalar_one())
    except IntegrityError:
        raise InputError(N_("This e-mail or phone is already in use."), field="email") from None


async def disable_user(database: Database, *, login: str) -> None:
    """Take the right to sign in away and end every session.

    Raises:
        NotFoundError: Nobody has this login.
    """
    async with database.writing() as connection:
        user_id = await _user_id(connection, login)
        await connection.execute(update(_user).where(_user.c.id == user_id).values(is_active=False))
        await connection.execute(delete(_session).where(_session.c.user_id == user_id))


async def reset_password(database: Database, settings: Settings, *, login: str, password: str) -> None:
    """Set a new password and end every session; the user may sign in again, even if disabled before.

    Raises:
        NotFoundError: Nobody has this login.
        InputError: The password is too short or too long.
    """
    hashed = await _new_hash(settings, password)
    async with database.writing() as connection:
        user_id = await _user_id(connection, login)
        await connection.execute(
            update(_user).where(_user.c.id == user_id).values(password_hash=hashed, is_active=True)
        )
        await connection.execute(delete(_session).where(_session.c.user_id == user_id))


_IDENTITY = (
    select(
        _user.c.id,
        _user.c.role,
        _user.c.subscriber_id,
        _user.c.display_name,
        _user.c.is_active,
        _session.c.seen_at,
        _session.c.expires_at,
    )
    .join(_user, _user.c.id == _session.c.user_id)
    .where(_session.c.token_hash == bindparam("token_hash"))
)


def _session_row(settings: Settings, user_id: int | None, token: str, visit: Visit) -> dict[str, object]:
    return {
        "token_hash": hash_of(token),
        "user_id": user_id,
        "created_at": visit.at,
        "seen_at": visit.at,
        "expires_at": visit.at + timedelta(hours=settings.session_max_hours),
        "address": visit.address[:45],
        "agent": visit.agent[:200],
    }


async def _user_by_login(database: Database, login: str) -> User | None:
    if not login:
        return None
    column = User.email if "@" in login else User.phone
    async with database.reading_session() as session:
        found = await session.scalars(select(User).where(col(column) == login, col(User.is_active)))
        return found.one_or_none()


async def _user_id(connection: AsyncConnection, login: str) -> int:
    login = normal_login(login)
    column = _user.c.email if "@" in login else _user.c.phone
    found: int | None = await connection.scalar(select(_user.c.id).where(column == login))
    if found is None or not login:
        raise NotFoundError
    return found


async def _mark_seen(database: Database, session_hash: str, now: datetime) -> None:
    """Best effort: what the person does must not fail because its time could not be noted."""
    with suppress(StorageError):
        async with database.writing() as connection:
            await connection.execute(
                update(_session).where(_session.c.token_hash == session_hash).values(seen_at=now)
            )


async def _refuse_guessing(database: Database, keys: dict[str, throttle.Policy], *, now: datetime) -> None:
    async with database.reading() as connection:
        for key, policy in keys.items():
            failures, last = (
                await connection.execute(
                    select(func.count(), func.max(_attempt.c.at)).where(
                        _attempt.c.key == hash_of(key), _attempt.c.at > now - policy.window
                    )
                )
            ).one()
            seconds = policy.wait_s(failures=failures, last_failure_at=last, now=now)
            if seconds:
                raise ThrottledError(seconds=seconds)


async def _count_failure(database: Database, keys: dict[str, throttle.Policy], *, now: datetime) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(_attempt), [{"key": hash_of(key), "at": now} for key in keys])


def _required_email(text: str) -> str:
    login = normal_login(text)
    local, _, domain = login.partition("@")
    if not local or "." not in domain or any(character.isspace() for character in login):
        raise InputError(N_("This is not an e-mail address."), field="email")
    return login


def _required_phone(text: str) -> str:
    number = normal_login(text)
    if not number or "@" in number:
        raise InputError(N_("This is not a phone number."), field="phone")
    return number


async def _new_hash(settings: Settings, password: str) -> str:
    if not passwords.MIN_LENGTH <= len(password) <= passwords.MAX_LENGTH:
        raise InputError(
            N_("The password must have {least} to {most} characters."),
            field="password",
            least=passwords.MIN_LENGTH,
            most=passwords.MAX_LENGTH,
        )
    return await passwords.hash_password(
        password, pepper=passwords.pepper_of(settings.secret()), rounds=settings.bcrypt_rounds
    )
