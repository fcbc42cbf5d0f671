"""What packages keep about somebody who never finished her registration goes with it, on both databases."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import insert, select

from lk_portal.models import Account, Subscriber, User
from lk_portal.services import personal
from lk_portal.services.database import Database
from lk_portal.services.unfinished import forget_unfinished
from lk_portal.settings import load_settings
from tests.integration.services.registering import NOW, Office
from tests.integration.services.test_personal import ADVICE, TABLES, THANKS

LATER = NOW + timedelta(days=31)
SECOND = {
    "account": "5500000002",
    "address": "Омск, Мира, 6",
    "email": "two@example.com",
    "phone": "+79130000002",
}


@pytest_asyncio.fixture
async def office(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    """Two registrations that nobody has finished, and a package that has written about both."""
    monkeypatch.setattr(personal, "_personal", {})
    monkeypatch.setattr(personal, "_impersonal", set())
    made = Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))
    async with database.writing() as connection:
        await connection.run_sync(TABLES.create_all)
    await made.open_account()
    await made.open_account("5500000002", house="6")
    await made.register()
    await made.register(**SECOND)
    async with database.writing() as connection:
        for account in await made.rows(Account):
            await connection.execute(insert(ADVICE).values(account_id=account.id, text="совет", at=NOW))
            thanks = insert(THANKS).values(subscriber_id=account.subscriber_id, text="спасибо")
            await connection.execute(thanks)
    yield made


async def test_what_packages_keep_goes_with_it(office: Office) -> None:
    personal.personal(ADVICE, whose=Account.subscriber_id, shown={"text": ADVICE.c.text})
    personal.personal(THANKS, whose=THANKS.c.subscriber_id, shown={"text": THANKS.c.text})

    assert await forget_unfinished(office.database, now=LATER) == 2

    assert not [*await office.rows(User), *await office.rows(Subscriber)]
    async with office.database.reading() as connection:
        for table in (ADVICE, THANKS):
            assert (await connection.execute(select(table))).all() == []


async def test_one_that_cannot_go_keeps_no_other(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Thanks that nobody declared hold their subscriber; the other's are not there."""
    async with office.database.writing() as connection:
        first = await connection.scalar(select(THANKS.c.subscriber_id).order_by(THANKS.c.subscriber_id))
        await connection.execute(THANKS.delete().where(THANKS.c.subscriber_id != first))

    with caplog.at_level(logging.ERROR):
        assert await forget_unfinished(office.database, now=LATER) == 1

    [held] = await office.rows(Subscriber)
    [user] = await office.rows(User)
    assert held.id == user.subscriber_id == first
    assert any(hasattr(record, "error_number") for record in caplog.records)


async def test_an_account_begun_anew_brings_nothing_of_who_began_before(office: Office) -> None:
    personal.personal(ADVICE, whose=Account.subscriber_id, shown={"text": ADVICE.c.text})
    personal.personal(THANKS, whose=THANKS.c.subscriber_id, shown={"text": THANKS.c.text})

    await office.register(email="another@example.com", phone="+79130000003")

    async with office.database.reading() as connection:
        left = (await connection.execute(select(ADVICE.c.account_id))).scalars().all()
    accounts = {account.id: account.number for account in await office.rows(Account)}
    assert [accounts[key] for key in left] == [SECOND["account"]]
