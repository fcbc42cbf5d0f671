"""Name, phone, language and look, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from lk_portal.errors import AccessDeniedError, BadCredentialsError, InputError, ThrottledError
from lk_portal.models import LetterKind, Subscriber, Theme
from lk_portal.services import audit, profile
from lk_portal.services.access import Role
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import (
    deeds,
    letters_written,
    person,
    set_user,
    sign_in,
    user_row,
    visit,
)

PHONE, OTHER = "+79131234567", "+79139999999"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Петров Пётр", "Петров Пётр"),
        ("  a \t b  ", "a b"),
        ("x" * 200, "x" * 200),
        ("Имя 😀 <b>'\"; DROP TABLE portal_user; --", "Имя 😀 <b>'\"; DROP TABLE portal_user; --"),
    ],
)
async def test_a_name_is_kept_as_it_was_typed(
    database: Database, settings: Settings, typed: str, kept: str
) -> None:
    user_id = await person(database, settings)

    assert await profile.change_name(database, user_id=user_id, name=typed, visit=visit()) == kept

    own = await profile.profile_of(database, user_id=user_id)
    assert own.display_name == kept
    assert await deeds(database, user_id) == [audit.USER_CREATED, audit.NAME_CHANGED]


@pytest.mark.parametrize("typed", ["", "   ", "x" * 201, "a\0b", "a\ud800b", "a\u202eb", "a\x07b"])
async def test_what_is_no_name(sqlite_database: Database, settings: Settings, typed: str) -> None:
    user_id = await person(sqlite_database, settings)

    with pytest.raises(InputError) as refused:
        await profile.change_name(sqlite_database, user_id=user_id, name=typed, visit=visit())

    assert refused.value.field == "name"
    assert (await user_row(sqlite_database, user_id)).display_name == "Ivanov"


async def test_what_changes_nothing_is_no_deed(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)

    await profile.change_name(database, user_id=user_id, name=" Ivanov ", visit=visit())
    await profile.set_preferences(database, user_id=user_id, locale="", theme=Theme.SYSTEM, visit=visit())

    assert await deeds(database, user_id) == [audit.USER_CREATED]


async def test_a_new_phone_is_a_login_and_the_letter_says_so(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings, phone=PHONE)

    number = await profile.change_phone(database, user_id=user_id, phone="8 (913) 999-99-99", visit=visit())

    assert number == OTHER
    assert await sign_in(database, settings, "8 913 999 99 99")
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, PHONE)
    [letter] = await letters_written(database, LetterKind.PHONE_CHANGED)
    assert (letter.to_address, letter.data["new_phone"]) == ("ivanov@example.com", "***9999")
    assert audit.PHONE_CHANGED in await deeds(database, user_id)


@pytest.mark.parametrize("typed", ["", "12", "+7 000 000-00-00", "phone", "a@example.com", "1\0", "9" * 500])
async def test_what_is_no_phone(sqlite_database: Database, settings: Settings, typed: str) -> None:
    user_id = await person(sqlite_database, settings, phone=PHONE)

    with pytest.raises(InputError) as refused:
        await profile.change_phone(sqlite_database, user_id=user_id, phone=typed, visit=visit())

    assert refused.value.field == "phone"
    assert (await user_row(sqlite_database, user_id)).phone == PHONE


async def test_a_phone_of_somebody_else_cannot_be_used(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings, phone=PHONE)
    await person(database, settings, "petrov", phone=OTHER)

    with pytest.raises(InputError) as refused:
        await profile.change_phone(database, user_id=user_id, phone=OTHER, visit=visit())

    assert (refused.value.field, refused.value.text) == ("phone", "This phone number cannot be used.")
    assert (await user_row(database, user_id)).phone == PHONE
    assert await letters_written(database) == []
    assert audit.PHONE_CHANGED not in await deeds(database, user_id)


async def test_two_people_take_one_phone_at_once(database: Database, settings: Settings) -> None:
    people = [await person(database, settings), await person(database, settings, "petrov")]

    outcomes = await asyncio.gather(
        *(profile.change_phone(database, user_id=user_id, phone=PHONE, visit=visit()) for user_id in people),
        return_exceptions=True,
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InputError", "str"]
    assert len(await letters_written(database)) == 1


async def test_phones_are_not_to_be_tried_out(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await person(database, settings, "petrov", phone=OTHER)
    for _ in range(5):
        with pytest.raises(InputError):
            await profile.change_phone(database, user_id=user_id, phone=OTHER, visit=visit())

    with pytest.raises(ThrottledError):
        await profile.change_phone(database, user_id=user_id, phone=PHONE, visit=visit())
    later = visit(after=timedelta(seconds=2))
    assert await profile.change_phone(database, user_id=user_id, phone=PHONE, visit=later) == PHONE


@pytest.mark.parametrize(("registry", "after"), [(PHONE, OTHER), ("+73812000000", "+73812000000")])
async def test_the_registry_follows_where_it_had_the_persons_own(
    sqlite_database: Database, settings: Settings, registry: str, after: str
) -> None:
    subscriber_id, table = await factories.subscriber(sqlite_database), table_of(Subscriber)
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table).values(phone=registry))
    user_id = await person(
        sqlite_database, settings, phone=PHONE, role=Role.SUBSCRIBER, subscriber_id=subscriber_id
    )

    await profile.change_phone(sqlite_database, user_id=user_id, phone=OTHER, visit=visit())

    async with sqlite_database.reading() as connection:
        assert await connection.scalar(select(table.c.phone)) == after


async def test_language_and_look_are_kept(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)

    await profile.set_preferences(database, user_id=user_id, locale="en", theme=Theme.DARK, visit=visit())

    own = await profile.profile_of(database, user_id=user_id)
    assert (own.locale, own.theme) == ("en", Theme.DARK)
    with pytest.raises(InputError):
        await profile.set_preferences(database, user_id=user_id, locale="de", theme=Theme.DARK, visit=visit())
    assert (await deeds(database, user_id)).count(audit.PREFERENCES_CHOSEN) == 1


async def test_the_audit_cannot_be_flooded(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    for number in range(profile.SETTINGS_CHANGES.free):
        await profile.change_name(sqlite_database, user_id=user_id, name=f"n{number}", visit=visit())

    with pytest.raises(ThrottledError):
        await profile.change_name(sqlite_database, user_id=user_id, name="one more", visit=visit())


async def test_a_disabled_person_has_no_profile(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    assert (await profile.profile_of(sqlite_database, user_id=user_id)).email == "ivanov@example.com"
    await set_user(sqlite_database, user_id, is_active=False)

    with pytest.raises(AccessDeniedError):
        await profile.profile_of(sqlite_database, user_id=user_id)
    with pytest.raises(AccessDeniedError):
        await profile.change_name(sqlite_database, user_id=user_id, name="x", visit=visit())
