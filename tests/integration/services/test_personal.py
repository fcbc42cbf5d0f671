"""Rows of packages that are a person's, on both databases: in her download, gone when her data are erased."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy import insert, select, text

from lk_portal.errors import ConfigurationError, PortalError
from lk_portal.i18n import using_locale
from lk_portal.models import Account, Subscriber, User
from lk_portal.models.types import UtcTime
from lk_portal.services import personal
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import NOW, letters_written, person, user_row
from tests.integration.services.test_own_data import (
    Owner,
    erase,
    export,
    subscriber,
    whole_database,
)
from tests.packages import installed_sample
from tests.portal_process import ROOT

NUMBER = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")
_account, _subscriber, _user = table_of(Account), table_of(Subscriber), table_of(User)

TABLES = sa.MetaData()
ADVICE = sa.Table(
    "acme_advice",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.ForeignKey(_account.c.id), nullable=False),
    sa.Column("text", sa.String(500), nullable=False),
    sa.Column("at", UtcTime(), nullable=False),
)
REPLY = sa.Table(
    "acme_reply",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("advice_id", sa.ForeignKey(ADVICE.c.id), nullable=False),
    sa.Column("text", sa.String(500), nullable=False),
)
BILL = sa.Table(
    "zeta_bill",
    TABLES,
    sa.Column("login", sa.ForeignKey(_user.c.id), primary_key=True),
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("amount", sa.Numeric(10, 2)),
    sa.Column("scan", sa.LargeBinary),
)
THANKS = sa.Table(
    "acme_thanks",
    TABLES,
    sa.Column("subscriber_id", sa.ForeignKey(_subscriber.c.id), primary_key=True),
    sa.Column("text", sa.String(500)),
)


def declare_all() -> None:
    """As two packages would beside their models; what refers to others comes last."""
    personal.personal(
        ADVICE,
        whose=Account.subscriber_id,
        shown={"account": Account.number, "text": ADVICE.c.text, "at": ADVICE.c.at},
    )
    personal.personal(REPLY, whose=Account.subscriber_id, shown={"text": REPLY.c.text})
    personal.personal(
        BILL, whose=BILL.c.login, shown={"month": BILL.c.month, "amount": BILL.c.amount}, is_erased=False
    )
    personal.personal(THANKS, whose=THANKS.c.subscriber_id, shown={"text": THANKS.c.text})


@pytest.fixture(autouse=True)
def none_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "_personal", {})
    monkeypatch.setattr(personal, "_impersonal", set())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest_asyncio.fixture
async def with_tables(database: Database) -> AsyncIterator[Database]:
    """A database with the packages' tables."""
    async with database.writing() as connection:
        await connection.run_sync(TABLES.create_all)
    yield database


async def write_about(database: Database, own: Owner, words: str) -> None:
    """A row about this person in each of the tables."""
    async with database.writing() as connection:
        row = insert(ADVICE).values(account_id=own.placed.account_id, text=f"{words} совет", at=NOW)
        key = (await connection.execute(row)).inserted_primary_key
        assert key is not None
        await connection.execute(insert(REPLY).values(advice_id=key[0], text=f"{words} ответ"))
        amount = Decimal("12.30")
        await connection.execute(insert(BILL).values(login=own.user_id, month=NOW.date(), amount=amount))
        await connection.execute(
            insert(THANKS).values(subscriber_id=own.placed.subscriber_id, text=f"{words} спасибо")
        )


async def all_rows(database: Database) -> str:
    """Every row of the portal's tables and of the packages'."""
    found = await whole_database(database)
    async with database.reading() as connection:
        for table in TABLES.sorted_tables:
            found += "".join(repr(tuple(row)) for row in await connection.execute(select(table)))
    return found


async def test_the_download_has_what_packages_keep_about_her_and_nothing_of_others(
    with_tables: Database, settings: Settings
) -> None:
    declare_all()
    own = await subscriber(with_tables, settings)
    other = await subscriber(with_tables, settings, "petrov", phone=None)
    await write_about(with_tables, own, "Мой")
    await write_about(with_tables, other, "Чужой")

    found = await export(with_tables, settings, own.user_id)

    number = found["accounts"][0]["number"]
    assert found["packages"] == {
        "acme": {
            "advice": [{"account": number, "text": "Мой совет", "at": NOW.isoformat()}],
            "reply": [{"text": "Мой ответ"}],
            "thanks": [{"text": "Мой спасибо"}],
        },
        "zeta": {"bill": [{"month": NOW.date().isoformat(), "amount": "12.30"}]},
    }
    assert found["packages_not_read"] == []
    theirs = await export(with_tables, settings, other.user_id)
    assert theirs["packages"]["acme"]["reply"] == [{"text": "Чужой ответ"}]


async def test_an_account_that_she_removed_is_hers_until_another_takes_it(
    with_tables: Database, settings: Settings
) -> None:
    declare_all()
    own = await subscriber(with_tables, settings)
    await write_about(with_tables, own, "Мой")
    async with with_tables.writing() as connection:
        await connection.execute(sa.update(_account).values(removed_at=NOW))

    assert len((await export(with_tables, settings, own.user_id))["packages"]["acme"]["advice"]) == 1


async def test_staff_has_what_is_about_the_login_only(with_tables: Database, settings: Settings) -> None:
    declare_all()
    own = await subscriber(with_tables, settings)
    await write_about(with_tables, own, "Мой")
    user_id = await person(with_tables, settings, "operator")

    found = await export(with_tables, settings, user_id)

    assert found["packages"] == {"acme": {"advice": [], "reply": [], "thanks": []}, "zeta": {"bill": []}}


async def test_without_packages_the_download_says_so(sqlite_database: Database, settings: Settings) -> None:
    own = await subscriber(sqlite_database, settings)

    found = await export(sqlite_database, settings, own.user_id)

    assert (found["packages"], found["packages_not_read"]) == ({}, [])


async def test_what_cannot_be_read_is_named_and_the_rest_is_there(
    with_tables: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    declare_all()
    own = await subscriber(with_tables, settings)
    await write_about(with_tables, own, "Мой")
    async with with_tables.writing() as connection:
        await connection.execute(text("DROP TABLE acme_reply"))

    with caplog.at_level(logging.ERROR), using_locale("en"):
        found = await export(with_tables, settings, own.user_id)

    [missed] = found["packages_not_read"]
    assert (missed["package"], missed["table"]) == ("acme", "reply")
    assert missed["text"] == (
        f"What acme keeps about you could not be read. Error number {missed['error_number']}."
    )
    [record] = [one for one in caplog.records if hasattr(one, "error_number")]
    assert record.error_number == missed["error_number"]
    assert record.exc_info is not None
    assert record.exc_info[1] is not None
    assert record.exc_info[1].__notes__ == ["package 'acme': of the table 'acme_reply'"]
    assert found["packages"].keys() == {"acme", "zeta"}
    assert found["packages"]["acme"].keys() == {"advice", "thanks"}
    assert found["login"]["email"] == "ivanov@example.com"


async def test_a_value_that_is_no_json_is_missed_and_breaks_nothing(
    with_tables: Database, settings: Settings
) -> None:
    personal.personal(BILL, whose=BILL.c.login, shown={"scan": BILL.c.scan})
    own = await subscriber(with_tables, settings)
    await write_about(with_tables, own, "Мой")
    assert (await export(with_tables, settings, own.user_id))["packages"] == {
        "zeta": {"bill": [{"scan": None}]}
    }
    async with with_tables.writing() as connection:
        await connection.execute(sa.update(BILL).values(scan=b"\xff"))

    found = await export(with_tables, settings, own.user_id)

    assert found["packages"] == {}
    assert [one["table"] for one in found["packages_not_read"]] == ["bill"]


async def test_her_rows_go_with_her_and_others_stay(with_tables: Database, settings: Settings) -> None:
    declare_all()
    own = await subscriber(with_tables, settings)
    other = await subscriber(with_tables, settings, "petrov", phone=None)
    await write_about(with_tables, own, "Мой")
    await write_about(with_tables, other, "Чужой")

    await erase(with_tables, settings, own.user_id)

    left = await all_rows(with_tables)
    assert "Мой" not in left
    for words in ("Чужой совет", "Чужой ответ", "Чужой спасибо"):
        assert words in left
    async with with_tables.reading() as connection:
        bills = await connection.scalars(select(BILL.c.login).order_by(BILL.c.login))
        assert list(bills) == sorted([own.user_id, other.user_id]), "these a law has kept"


async def test_nothing_is_erased_when_rows_of_a_package_cannot_be(
    with_tables: Database, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Replies that nobody declared hold the advice; thanks, deleted before it, are there again."""
    personal.personal(ADVICE, whose=Account.subscriber_id, shown={"text": ADVICE.c.text})
    personal.personal(THANKS, whose=THANKS.c.subscriber_id, shown={"text": THANKS.c.text})
    own = await subscriber(with_tables, settings)
    await write_about(with_tables, own, "Мой")
    before = await all_rows(with_tables)

    with caplog.at_level(logging.ERROR), pytest.raises(PortalError) as failed:
        await erase(with_tables, settings, own.user_id)

    assert str(failed.value).startswith("Nothing was erased, because what acme keeps about you could not be.")
    assert NUMBER.search(str(failed.value))
    numbers = [one.error_number for one in caplog.records if hasattr(one, "error_number")]
    assert numbers == [failed.value.data["number"]]
    assert await all_rows(with_tables) == before
    assert (await user_row(with_tables, own.user_id)).is_active
    assert await letters_written(with_tables) == []

    personal.personal(REPLY, whose=Account.subscriber_id, shown={"text": REPLY.c.text})
    await erase(with_tables, settings, own.user_id, after=1)
    assert "Мой" not in await all_rows(with_tables)


@pytest.mark.parametrize(
    ("table", "declaration", "reason"),
    [
        (ADVICE, {"whose": ADVICE.c.account_id, "shown": {"text": ADVICE.c.text}}, "not the number of a"),
        (THANKS, {"whose": Account.subscriber_id, "shown": {"text": THANKS.c.text}}, "no foreign keys lead"),
        (THANKS, {"whose": THANKS.c.subscriber_id, "shown": {"n": ADVICE.c.text}}, "no foreign keys lead"),
        (THANKS, {"whose": THANKS.c.subscriber_id, "shown": {}}, "`shown`"),
        (THANKS, {"whose": "subscriber_id", "shown": {"text": THANKS.c.text}}, "no attribute"),
        (THANKS, {"whose": sa.literal(1), "shown": {"text": THANKS.c.text}}, "`whose`"),
    ],
)
def test_a_declaration_that_says_not_whose_is_refused(
    table: sa.Table, declaration: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason) as refused:
        personal.personal(table, **declaration)

    assert f"personal({table.name})" in str(refused.value)
    assert personal.declared() == frozenset()


def test_it_is_said_once_whose_a_table_is() -> None:
    personal.impersonal(ADVICE, "acme_words")
    assert personal.declared() == {"acme_advice", "acme_words"}

    with pytest.raises(ConfigurationError, match="acme_advice"):
        personal.personal(ADVICE, whose=Account.subscriber_id, shown={"text": ADVICE.c.text})
    with pytest.raises(ConfigurationError, match="acme_words"):
        personal.impersonal("acme_words")


SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from lk_portal.services import own_data, own_export, plugins
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests.integration.services.persons import PASSWORD, visit

async def main(address, folder, user_id):
    plugins.load()
    settings = load_settings(data_dir=Path(folder), bcrypt_rounds=4)
    database = Database(address)
    found = await own_export.export(database, settings, user_id=user_id, visit=visit())
    await own_data.erase(database, settings, user_id=user_id, password=PASSWORD, visit=visit())
    await database.close()
    print(json.dumps(found["packages"]))

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the sample package is installed."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    installed_sample(site)
    importlib.invalidate_caches()
    yield site


async def test_the_sample_package_gives_and_erases_her_advice(
    database: Database, database_address: str, settings: Settings, acme: Path
) -> None:
    """In a process of its own, for its model would stay in this one."""
    own = await subscriber(database, settings)
    stranger = await factories.a_metered_point(database)
    migrate(database_address)
    row = "INSERT INTO acme_advice (account_id, text, changed_at) VALUES (:account, :text, :at)"
    advice = sa.text(row).bindparams(sa.bindparam("at", NOW - timedelta(days=1), type_=UtcTime()))
    async with database.writing() as connection:
        for account_id, words in ((own.placed.account_id, "Мойте ночью"), (stranger.account_id, "Чужой")):
            await connection.execute(advice, {"account": account_id, "text": words})

    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCRIPT, database_address, str(settings.data_dir), str(own.user_id)),
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{acme}"},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _errors = await ran.communicate()

    assert ran.returncode == 0
    [advised] = json.loads(said)["acme"]["advice"]
    assert (advised["text"], advised["changed_at"]) == (
        "Мойте ночью",
        (NOW - timedelta(days=1)).isoformat(),
    )
    async with database.reading() as connection:
        assert list(await connection.scalars(sa.text("SELECT text FROM acme_advice"))) == ["Чужой"]
