"""What a person may change about herself: name, phone, language and look.

The e-mail is `services.email_change`, the password `services.credentials`, what she is told of
`services.notification_choices`. Each change is in the audit; what
changes nothing is not. The registry's own entry on the subscriber stays, except for a phone the person gave.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError
from lk_portal.models import LetterKind, Subscriber, Theme, User
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, letters, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.throttling import Gate
from lk_portal.services.users import normal_phone
from lk_portal.services.visit import Visit
from lk_portal.settings import KNOWN_LOCALES

MAX_NAME = 200
PHONES = Policy(free=5, cap_s=900)
"""A number that cannot be used tells that somebody has it, so it may not be asked often."""
SETTINGS_CHANGES = Policy(free=60, cap_s=60)
"""Every change is an entry of the audit; nobody needs so many."""

_TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_user, _subscriber = table_of(User), table_of(Subscriber)


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as she sees herself; the phone is E.164 or ""."""

    display_name: str
    email: str
    phone: str
    locale: str
    theme: Theme


async def profile_of(database: Database, *, user_id: int) -> Profile:
    """A person's own row.

    Raises:
        AccessDeniedError: She may not sign in any more.
    """
    async with database.reading() as connection:
        found = (await connection.execute(_PROFILE.where(_user.c.id == user_id))).one_or_none()
    if found is None:
        raise AccessDeniedError
    return Profile(found.display_name, found.email, found.phone or "", found.locale, found.theme)


async def change_name(database: Database, *, user_id: int, name: str, visit: Visit) -> str:
    """Take another name for the cabinet; gives it as it is stored.

    Raises:
        InputError: It is empty, longer than `MAX_NAME`, or has characters no keyboard types.
        ThrottledError: Changed too often.
    """
    kept = _checked_name(name)
    gates = settings_gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        person = await _lock(connection, user_id)
        if person.display_name != kept:
            await _set(connection, user_id, display_name=kept)
            await throttling.count_in(connection, gates, now=visit.at)
            await _record(connection, audit.NAME_CHANGED, user_id, visit)
    return kept


async def change_phone(database: Database, *, user_id: int, phone: str, visit: Visit) -> str:
    """Take another phone number, which is a login too; the e-mail is told. Gives it in E.164.

    Raises:
        InputError: There is no such number, it is her own, or somebody else's.
        ThrottledError: Tried too often.
    """
    number = normal_phone(phone)
    gates = (Gate(f"phone-change:{user_id}", PHONES),)
    await throttling.refuse(database, gates, now=visit.at)
    await throttling.count(database, gates, now=visit.at)
    try:
        async with database.writing() as connection:
            person = await _lock(connection, user_id)
            if person.phone == number:
                raise InputError(N_("This is your phone number already."), field="phone")
            await _replace_phone(connection, person, number)
            await _tell_phone(connection, person, number, visit)
            await _record(connection, audit.PHONE_CHANGED, user_id, visit)
    except IntegrityError:
        raise InputError(N_("This phone number cannot be used."), field="phone") from None
    return number


async def set_preferences(
    database: Database, *, user_id: int, locale: str, theme: Theme, visit: Visit
) -> None:
    """Keep the language (of letters and of the next sign-in; "" is the portal's) and the look.

    Raises:
        InputError: There is no such language.
        ThrottledError: Changed too often.
    """
    if locale not in ("", *KNOWN_LOCALES):
        raise InputError(field="locale")
    gates = settings_gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        person = await _lock(connection, user_id)
        if (person.locale, person.theme) == (locale, theme):
            return
        await _set(connection, user_id, locale=locale, theme=theme)
        await throttling.count_in(connection, gates, now=visit.at)
        await _record(connection, audit.PREFERENCES_CHOSEN, user_id, visit)


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    subscriber_id: int | None
    display_name: str
    email: str
    phone: str | None
    locale: str
    theme: Theme


_PROFILE = select(
    _user.c.id,
    _user.c.subscriber_id,
    _user.c.display_name,
    _user.c.email,
    _user.c.phone,
    _user.c.locale,
    _user.c.theme,
).where(_user.c.is_active)


async def _lock(connection: AsyncConnection, user_id: int) -> _Person:
    """The person's row; her changes happen one after the other."""
    found = (await connection.execute(_PROFILE.where(_user.c.id == user_id).with_for_update())).one_or_none()
    if found is None:
        raise AccessDeniedError
    return _Person(*found)


async def _set(connection: AsyncConnection, user_id: int, **values: object) -> None:
    await connection.execute(update(_user).where(_user.c.id == user_id).values(**values))


async def _replace_phone(connection: AsyncConnection, person: _Person, number: str) -> None:
    """The login's number; and the subscriber's, where that is the one the person gave before."""
    await _set(connection, person.id, phone=number)
    if person.phone:
        await connection.execute(
            update(_subscriber)
            .where(_subscriber.c.id == person.subscriber_id, _subscriber.c.phone == person.phone)
            .values(phone=number)
        )


async def _tell_phone(connection: AsyncConnection, person: _Person, number: str, visit: Visit) -> None:
    await letters.write(
        connection,
        kind=LetterKind.PHONE_CHANGED,
        to_address=person.email,
        now=visit.at,
        user_id=person.id,
        locale=person.locale,
        data={"new_phone": number, "name": person.display_name},
    )


async def _record(
    connection: AsyncConnection, action: str, user_id: int, visit: Visit, **detail: str | int
) -> None:
    await audit.record(connection, action=action, visit=visit, actor=user_id, subject=user_id, **detail)


def settings_gates(user_id: int) -> tuple[Gate, ...]:
    """What every change of a setting is counted at."""
    return (Gate(f"settings:{user_id}", SETTINGS_CHANGES),)


def _checked_name(typed: str) -> str:
    name = " ".join(typed.split())
    if not is_storable(name) or any(_is_hidden(sign) for sign in name):
        raise InputError(N_("The name has characters that no keyboard types."), field="name")
    if not 1 <= len(name) <= MAX_NAME:
        raise InputError(N_("The name must have 1 to {most} characters."), field="name", most=MAX_NAME)
    return name


def _is_hidden(sign: str) -> bool:
    """Controls, and marks that turn the direction of writing: a name could pose as another in a list."""
    return unicodedata.category(sign) == "Cc" or unicodedata.bidirectional(sign) in _TURNS
