"""The people who may sign in: their logins, and what the utility's commands do to them."""

from __future__ import annotations

from datetime import datetime

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import Role, Theme, User
from lk_portal.services import audit, second_factor, sessions
from lk_portal.services.credentials import context_of, new_hash, tell_changed
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

PHONE_REGION = "RU"
MAX_LOGIN_LENGTH = 254
COMMAND = "lk user"
NOBODY = N_("Nobody has the login {login}.")
_user = table_of(User)


def normal_login(text: str) -> str:
    """An e-mail or a phone as it is stored, from what a person typed; "" when it is neither."""
    text = text.strip()
    if not is_storable(text) or len(text) > MAX_LOGIN_LENGTH:
        return ""
    if "@" in text:
        return _ascii_email(text) or text.lower()
    number = _number(text)
    return number if number and phonenumbers.is_possible_number(phonenumbers.parse(number)) else ""


def normal_email(text: str) -> str:
    """An e-mail in small letters, a Cyrillic domain in its ASCII writing.

    Raises:
        InputError: It is none that a letter could be sent to.
    """
    text = text.strip()
    found = _ascii_email(text) if is_storable(text) else ""
    if found:
        return found
    if "@" in text and not text.partition("@")[0].isascii():
        raise InputError(N_("The part before @ must be in Latin letters."), field="email")
    raise InputError(N_("This is not an e-mail address."), field="email")


def normal_phone(text: str) -> str:
    """A phone number in E.164; one without a country is Russian.

    Raises:
        InputError: There is no such number.
    """
    number = _number(text) if is_storable(text) and len(text) <= MAX_LOGIN_LENGTH else ""
    if not number or not phonenumbers.is_valid_number(phonenumbers.parse(number)):
        raise InputError(N_("This is not a phone number."), field="phone")
    return number


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
    """Add a person who may sign in; gives the user's id. For commands and the demo.

    Raises:
        InputError: The e-mail, phone or password cannot be used, or is taken; `field` says which.
    """
    values = {
        "email": normal_email(email),
        "phone": normal_phone(phone) if phone else None,
        "role": role,
        "display_name": display_name,
        "password_hash": await new_hash(settings, password, context=(email, phone or "", display_name)),
        "temporary_hash": "",
        "subscriber_id": subscriber_id,
        "locale": "",
        "theme": Theme.SYSTEM,
        "is_active": True,
        "created_at": now,
    }
    try:
        async with database.writing() as connection:
            result = await connection.execute(insert(_user).values(values).returning(_user.c.id))
            user_id = int(result.scalar_one())
            await _record(connection, audit.USER_CREATED, user_id, now=now, role=role.value)
    except IntegrityError:
        raise InputError(N_("This e-mail or phone is already in use."), field="email") from None
    return user_id


async def disable_user(database: Database, *, login: str, now: datetime) -> None:
    """Take the right to sign in away and end every session.

    Raises:
        NotFoundError: Nobody has this login.
    """
    async with database.writing() as connection:
        user_id = await _user_id(connection, login)
        await connection.execute(
            update(_user)
            .where(_user.c.id == user_id)
            .values(is_active=False, temporary_hash="", temporary_until=None)
        )
        await sessions.end_all(connection, user_id=user_id)
        await _record(connection, audit.USER_DISABLED, user_id, now=now)


async def reset_password(
    database: Database,
    settings: Settings,
    *,
    login: str,
    password: str,
    now: datetime,
    is_factor_dropped: bool = False,
) -> None:
    """Set a new password and end every session; the user may sign in again, even if disabled before.

    The second factor stays, unless it is lost too (`is_factor_dropped`).

    Raises:
        NotFoundError: Nobody has this login.
        InputError: The password may not be one.
    """
    async with database.reading() as connection:
        user_id = await _user_id(connection, login)
        context = await context_of(connection, user_id)
    hashed = await new_hash(settings, password, context=context)
    async with database.writing() as connection:
        changed = await connection.execute(
            update(_user)
            .where(_user.c.id == user_id)
            .values(password_hash=hashed, temporary_hash="", temporary_until=None, is_active=True)
        )
        if not changed.rowcount:
            raise NotFoundError(NOBODY, login=login)
        if is_factor_dropped:
            await second_factor.forget(connection, user_id=user_id, now=now)
        await sessions.end_all(connection, user_id=user_id)
        dropped = {"second_factor": "dropped"} if is_factor_dropped else {}
        await _record(connection, audit.USER_RESET, user_id, now=now, **dropped)
        await tell_changed(connection, user_id=user_id, visit=_visit(now))


def _ascii_email(text: str) -> str:
    """The e-mail as it is stored, or ""."""
    try:
        found = validate_email(text, allow_smtputf8=False, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return ""
    return (found.ascii_email or "").lower()


def _number(text: str) -> str:
    """E.164 of what may be a phone number, or ""."""
    try:
        number = phonenumbers.parse(text.strip(), PHONE_REGION)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def _user_id(connection: AsyncConnection, typed: str) -> int:
    login = normal_login(typed)
    column = _user.c.email if "@" in login else _user.c.phone
    found: int | None = await connection.scalar(select(_user.c.id).where(column == login))
    if found is None or not login:
        raise NotFoundError(NOBODY, login=typed)
    return found


def _visit(now: datetime) -> Visit:
    return Visit(address="", agent=COMMAND, at=now)


async def _record(
    connection: AsyncConnection, action: str, user_id: int, *, now: datetime, **detail: str
) -> None:
    await audit.record(connection, action=action, visit=_visit(now), actor=None, subject=user_id, **detail)
