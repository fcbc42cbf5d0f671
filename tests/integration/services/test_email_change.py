"""A new e-mail by code, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from lk_portal.errors import AccessDeniedError, BadCredentialsError, InputError, ThrottledError
from lk_portal.models import EmailChange, LetterKind, Subscriber
from lk_portal.services import audit, email_change
from lk_portal.services.access import Role
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import (
    NOW,
    deeds,
    letters_written,
    person,
    set_user,
    sign_in,
    user_row,
    visit,
)

OLD, NEW = "ivanov@example.com", "new@example.com"
STRANGER = "petrov@example.com"
LATE = email_change.LIFE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


async def ask(database: Database, user_id: int, email: str = NEW, *, after: timedelta = timedelta()) -> None:
    await email_change.start(database, user_id=user_id, new_email=email, visit=visit(after=after))


async def code_for(
    database: Database, settings: Settings, user_id: int, email: str = NEW, *, after: timedelta = timedelta()
) -> str | None:
    """What the mail job gets when it sends the letter."""
    return await email_change.renew_code(
        database, settings, user_id=user_id, to_address=email, now=NOW + after
    )


async def confirm(
    database: Database, settings: Settings, user_id: int, code: str | None, *, after: timedelta = timedelta()
) -> str:
    assert code is not None
    return await email_change.confirm(
        database, settings, user_id=user_id, code=code, visit=visit(after=after)
    )


async def refusal(
    database: Database, settings: Settings, user_id: int, code: str | None, *, after: timedelta = timedelta()
) -> tuple[str, str]:
    with pytest.raises(InputError) as refused:
        await confirm(database, settings, user_id, code, after=after)
    return refused.value.field, refused.value.text


def other_than(code: str | None) -> str:
    return f"{(int(code or 0) + 1) % 1_000_000:06}"


async def test_the_code_makes_the_new_address_the_login(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id, " New@Example.COM ")
    waiting = await email_change.pending(database, user_id=user_id, now=NOW)

    [letter] = await letters_written(database)
    code = await code_for(database, settings, user_id)

    assert (letter.kind, letter.to_address, letter.user_id) == (LetterKind.EMAIL_CODE, NEW, user_id)
    assert waiting is not None
    assert waiting.new_email == NEW
    assert (await user_row(database, user_id)).email == OLD
    assert await confirm(database, settings, user_id, f" {code[:3]} {code[3:]} ") == NEW
    assert await sign_in(database, settings, NEW)
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, OLD)
    assert await email_change.pending(database, user_id=user_id, now=NOW) is None
    assert audit.EMAIL_CHANGED in await deeds(database, user_id)


async def test_the_old_address_is_told_without_the_whole_new_one(
    database: Database, settings: Settings
) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id, "somebody@example.org")

    await confirm(
        database, settings, user_id, await code_for(database, settings, user_id, "somebody@example.org")
    )

    [told] = await letters_written(database, LetterKind.EMAIL_CHANGED)
    assert told.to_address == OLD
    assert told.data["new_email"] == "s***@example.org"


async def test_a_code_is_stored_nowhere_and_made_anew_for_each_attempt(
    database: Database, settings: Settings
) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)

    first = await code_for(database, settings, user_id)
    second = await code_for(database, settings, user_id)

    change = table_of(EmailChange)
    async with database.reading() as connection:
        row = (await connection.execute(select(change))).one()
    assert len(row.code_hash) == 64
    assert str(first) not in str(row)
    assert str(second) not in str(row)
    if first != second:
        assert (await refusal(database, settings, user_id, first))[0] == "code"
    assert await confirm(database, settings, user_id, second) == NEW


async def test_a_code_works_once(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)
    await confirm(database, settings, user_id, code)

    assert await refusal(database, settings, user_id, code) == ("email", email_change.ASKED_AGAIN)
    await ask(database, user_id, "third@example.com")
    await code_for(database, settings, user_id, "third@example.com")
    field, _text = await refusal(database, settings, user_id, code)
    assert field == "code"
    assert (await user_row(database, user_id)).email == NEW


async def test_twenty_confirmations_at_once_are_one(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)

    outcomes = await asyncio.gather(
        *(confirm(database, settings, user_id, code) for _ in range(20)), return_exceptions=True
    )

    assert outcomes.count(NEW) == 1
    assert sum(isinstance(outcome, InputError) for outcome in outcomes) == 19
    assert len(await letters_written(database, LetterKind.EMAIL_CHANGED)) == 1


async def test_five_wrong_codes_void_the_right_one(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)

    fields = [(await refusal(database, settings, user_id, other_than(code)))[0] for _ in range(5)]

    assert fields == ["code"] * 4 + ["email"]
    assert await refusal(database, settings, user_id, code) == ("email", email_change.ASKED_AGAIN)
    assert (await user_row(database, user_id)).email == OLD
    assert (await deeds(database, user_id)).count(audit.EMAIL_CODE_WRONG) == 5


async def test_four_wrong_codes_do_not(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)
    for _ in range(4):
        await refusal(database, settings, user_id, other_than(code))

    assert await confirm(database, settings, user_id, code) == NEW


async def test_another_letter_is_no_second_set_of_tries(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    for _ in range(4):
        code = await code_for(database, settings, user_id)
        await refusal(database, settings, user_id, other_than(code))
    code = await code_for(database, settings, user_id)

    assert (await refusal(database, settings, user_id, other_than(code)))[0] == "email"
    assert await code_for(database, settings, user_id) is None


async def test_twenty_wrong_codes_at_once_are_counted_one_by_one(
    database: Database, settings: Settings
) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    wrong = other_than(await code_for(database, settings, user_id))

    outcomes = await asyncio.gather(
        *(confirm(database, settings, user_id, wrong) for _ in range(20)), return_exceptions=True
    )

    fields = [outcome.field for outcome in outcomes if isinstance(outcome, InputError)]
    assert (fields.count("code"), fields.count("email")) == (4, 16)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\0", "1" * 10_000])
async def test_what_is_no_code_uses_no_try_up(
    sqlite_database: Database, settings: Settings, typed: str
) -> None:
    user_id = await person(sqlite_database, settings)
    await ask(sqlite_database, user_id)
    code = await code_for(sqlite_database, settings, user_id)
    for _ in range(email_change.MAX_FAILURES):
        assert (await refusal(sqlite_database, settings, user_id, typed))[0] == "code"

    assert await confirm(sqlite_database, settings, user_id, code) == NEW


async def test_a_code_ends_after_half_an_hour(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)
    second = timedelta(seconds=1)

    assert await refusal(database, settings, user_id, code, after=LATE) == (
        "email",
        email_change.ASKED_AGAIN,
    )
    assert await code_for(database, settings, user_id, after=LATE) is None
    assert await email_change.pending(database, user_id=user_id, now=NOW + LATE) is None
    assert await confirm(database, settings, user_id, code, after=LATE - second) == NEW


async def test_an_address_with_an_owner_looks_the_same_and_never_works(
    database: Database, settings: Settings
) -> None:
    user_id = await person(database, settings)
    owner = await person(database, settings, "petrov")
    await ask(database, user_id, STRANGER)

    waiting = await email_change.pending(database, user_id=user_id, now=NOW)
    [letter] = await letters_written(database)

    assert waiting is not None
    assert (waiting.new_email, waiting.expires_at) == (STRANGER, NOW + LATE)
    assert (letter.kind, letter.user_id) == (LetterKind.ALREADY_REGISTERED, owner)
    assert await code_for(database, settings, user_id, STRANGER) is None
    fields = [(await refusal(database, settings, user_id, f"{number:06}"))[0] for number in range(5)]
    assert fields == ["code"] * 4 + ["email"]
    assert (await user_row(database, user_id)).email == OLD
    assert await deeds(database, owner) == [audit.USER_CREATED]


async def test_an_address_that_got_an_owner_meanwhile(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id, STRANGER)
    code = await code_for(database, settings, user_id, STRANGER)
    await person(database, settings, "petrov")

    field, text = await refusal(database, settings, user_id, code)

    assert (field, text) == ("email", "This e-mail cannot be used.")
    assert await refusal(database, settings, user_id, code) == ("email", email_change.ASKED_AGAIN)
    assert (await user_row(database, user_id)).email == OLD
    assert await letters_written(database, LetterKind.EMAIL_CHANGED) == []


async def test_two_people_confirm_one_address_at_once(database: Database, settings: Settings) -> None:
    people = [await person(database, settings), await person(database, settings, "petrov")]
    codes = []
    for user_id in people:
        await ask(database, user_id)
        codes.append(await code_for(database, settings, user_id))

    outcomes = await asyncio.gather(
        *(confirm(database, settings, user_id, code) for user_id, code in zip(people, codes, strict=True)),
        return_exceptions=True,
    )

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InputError", "str"]


async def test_the_first_address_gets_no_code_for_the_second(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id, "first@example.com")
    await ask(database, user_id, "second@example.com")

    assert await code_for(database, settings, user_id, "first@example.com") is None
    assert await code_for(database, settings, user_id, "second@example.com") is not None


async def test_a_strangers_code_is_of_no_use(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    other = await person(database, settings, "petrov")
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)

    assert (await refusal(database, settings, other, code))[0] == "email"
    await ask(database, other)
    assert (await refusal(database, settings, other, code))[0] == "code"
    assert await confirm(database, settings, user_id, code) == NEW


async def test_a_cancelled_change_is_over(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    await ask(database, user_id)
    code = await code_for(database, settings, user_id)

    for _ in range(2):
        await email_change.cancel(database, user_id=user_id, visit=visit())

    assert await refusal(database, settings, user_id, code) == ("email", email_change.ASKED_AGAIN)
    assert await code_for(database, settings, user_id) is None
    assert (await deeds(database, user_id)).count(audit.EMAIL_CANCELLED) == 1


@pytest.mark.parametrize(
    "typed",
    ["", "no address", OLD, "IVANOV@example.com", "a\0@example.com", "x@erased.invalid", "я@почта.рф"],
)
async def test_what_cannot_be_a_new_address(
    sqlite_database: Database, settings: Settings, typed: str
) -> None:
    user_id = await person(sqlite_database, settings)

    with pytest.raises(InputError) as refused:
        await ask(sqlite_database, user_id, typed)

    assert refused.value.field == "email"
    assert await letters_written(sqlite_database) == []
    assert await email_change.pending(sqlite_database, user_id=user_id, now=NOW) is None


async def test_a_cyrillic_domain_is_kept_in_ascii(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    await ask(sqlite_database, user_id, "ivan@почта.рф")

    code = await code_for(sqlite_database, settings, user_id, "ivan@xn--80a1acny.xn--p1ai")

    assert await confirm(sqlite_database, settings, user_id, code) == "ivan@xn--80a1acny.xn--p1ai"
    assert await sign_in(sqlite_database, settings, "ivan@почта.рф")


async def test_letters_are_not_to_be_had_without_end(database: Database, settings: Settings) -> None:
    user_id = await person(database, settings)
    other = await person(database, settings, "petrov")
    for number in range(5):
        await ask(database, user_id, f"new{number}@example.com")

    with pytest.raises(ThrottledError):
        await ask(database, user_id, STRANGER)
    await ask(database, other)
    await ask(database, user_id, after=timedelta(seconds=2))


async def test_a_password_mailed_to_the_old_address_opens_nothing_any_more(
    database: Database, settings: Settings
) -> None:
    user_id = await person(database, settings)
    await set_user(database, user_id, temporary_hash="x", temporary_until=NOW + timedelta(hours=1))
    await ask(database, user_id)
    assert (await user_row(database, user_id)).temporary_hash == "x"

    await confirm(database, settings, user_id, await code_for(database, settings, user_id))

    row = await user_row(database, user_id)
    assert (row.temporary_hash, row.temporary_until) == ("", None)


@pytest.mark.parametrize(("registry", "after"), [(OLD, NEW), ("else@example.com", "else@example.com")])
async def test_the_registry_follows_where_it_had_the_persons_own(
    sqlite_database: Database, settings: Settings, registry: str, after: str
) -> None:
    subscriber_id, table = await factories.subscriber(sqlite_database), table_of(Subscriber)
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table).values(email=registry))
    user_id = await person(sqlite_database, settings, role=Role.SUBSCRIBER, subscriber_id=subscriber_id)
    await ask(sqlite_database, user_id)

    await confirm(sqlite_database, settings, user_id, await code_for(sqlite_database, settings, user_id))

    async with sqlite_database.reading() as connection:
        assert await connection.scalar(select(table.c.email)) == after


async def test_a_disabled_person_changes_nothing(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    await ask(sqlite_database, user_id)
    code = await code_for(sqlite_database, settings, user_id)
    await set_user(sqlite_database, user_id, is_active=False)

    with pytest.raises(AccessDeniedError):
        await confirm(sqlite_database, settings, user_id, code)
    with pytest.raises(AccessDeniedError):
        await ask(sqlite_database, user_id, "third@example.com")


async def test_what_is_over_is_forgotten(database: Database, settings: Settings) -> None:
    await ask(database, await person(database, settings))
    await ask(database, await person(database, settings, "petrov"), after=timedelta(minutes=1))

    await email_change.forget_expired(database, now=NOW + LATE)

    async with database.reading() as connection:
        left = (await connection.scalars(select(table_of(EmailChange).c.expires_at))).all()
    assert list(left) == [NOW + LATE + timedelta(minutes=1)]
