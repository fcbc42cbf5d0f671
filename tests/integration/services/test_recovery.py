"""Recovery: the same for everybody who asks; a letter only for who is known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from lk_portal.errors import InputError, ThrottledError
from lk_portal.models import User
from lk_portal.services import recovery
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests.integration.services.registering import EMAIL, Office, visit


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))


async def test_a_known_person_gets_a_letter(office: Office) -> None:
    await office.a_user(EMAIL)

    await recovery.ask(office.database, email=f" {EMAIL.upper()} ", visit=visit())

    assert await office.letters() == [("recovery", EMAIL, "waiting")]
    assert (await office.actions())[-1] == "web:recovery:ask"


async def test_a_stranger_does_not_and_is_told_the_same(office: Office) -> None:
    await office.a_user(EMAIL)

    await recovery.ask(office.database, email="stranger@example.com", visit=visit())

    assert await office.letters() == []
    assert (await office.actions())[-1] == "web:recovery:refuse"


async def test_nor_does_who_was_disabled(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    user = table_of(User)
    async with office.database.writing() as connection:
        await connection.execute(update(user).where(user.c.id == user_id).values(is_active=False))

    await recovery.ask(office.database, email=EMAIL, visit=visit())

    assert await office.letters() == []


async def test_an_unfinished_registration_gets_its_letter_again(office: Office) -> None:
    await office.open_account()
    await office.register()

    await recovery.ask(office.database, email=EMAIL, visit=visit())

    assert await office.letters() == [("welcome", EMAIL, "dropped"), ("welcome", EMAIL, "waiting")]


async def test_one_letter_waits_at_a_time(office: Office) -> None:
    await office.a_user(EMAIL)

    for number in range(8):
        await recovery.ask(office.database, email=EMAIL, visit=visit(address=f"192.0.{number}.1"))

    statuses = [status for _kind, _to, status in await office.letters()]
    assert statuses == ["dropped"] * 4 + ["waiting"]


async def test_the_lasting_password_stays(office: Office) -> None:
    await office.a_user(EMAIL)
    before = await office.rows(User)

    await recovery.ask(office.database, email=EMAIL, visit=visit())

    assert await office.rows(User) == before


async def test_a_cyrillic_domain_is_known_in_either_writing(office: Office) -> None:
    await office.a_user("ivanov@почта.рф")

    await recovery.ask(office.database, email="Ivanov@xn--80a1acny.xn--p1ai", visit=visit())

    assert [to for _kind, to, _status in await office.letters()] == ["ivanov@xn--80a1acny.xn--p1ai"]


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "x", "x@", "x@y", "a@b\0.ru", "a\nBcc: b@c.ru@d.ru", "' OR 1=1 --", "a" * 400 + "@b.ru"],
)
async def test_what_is_no_address_gets_a_sentence(office: Office, typed: str) -> None:
    with pytest.raises(InputError) as refused:
        await recovery.ask(office.database, email=typed, visit=visit())

    assert refused.value.field == "email"


async def test_asking_too_often_has_to_wait(office: Office) -> None:
    for _ in range(5):
        await recovery.ask(office.database, email=EMAIL, visit=visit())

    with pytest.raises(ThrottledError):
        await recovery.ask(office.database, email=EMAIL, visit=visit())
    await recovery.ask(office.database, email=EMAIL, visit=visit(address="203.0.113.9"))
    await recovery.ask(office.database, email=EMAIL, visit=visit(after=timedelta(hours=2)))
