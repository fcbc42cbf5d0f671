"""Passwords in letters: made when they are sent, for whoever they are for, and nowhere else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from lk_portal.models import LetterKind, LetterStatus, User
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests.integration.jobs.mailed import (
    Clock,
    letter_row,
    mailing_over,
    person,
    recipients,
    send_due,
    settings_for,
    until_nothing_waits,
    write,
)
from tests.smtp_server import Mode, SmtpServer, secret_in


async def test_a_password_is_made_when_it_is_sent_and_anew_at_every_attempt(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    clock = Clock()
    with SmtpServer(mode=Mode.DROP_AFTER_ACCEPTING) as server:
        settings = settings_for(database_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            user_id = await person(portal.database, email="ivan@mail.example")
            await write(portal.database, kind=LetterKind.RECOVERY, user_id=user_id, now=clock.now)
            assert await _temporary(portal.database, user_id) == ""
            await send_due(mailing, portal)
            first = await _temporary(portal.database, user_id)
            server.mode = Mode.ACCEPT
            await until_nothing_waits(mailing, portal, clock)
            second = await _temporary(portal.database, user_id)

        secrets = [secret_in(letter) for letter in server.letters]
        assert len(set(secrets)) == 2
        assert first != second
        # Two passwords are two letters: a server that drops copies must not drop the valid one.
        assert len({letter["Message-ID"] for letter in server.letters}) == 2
        for secret in secrets:
            assert secret not in await _everything(database)


async def _temporary(database: Database, user_id: int) -> str:
    async with database.reading() as connection:
        return str(
            await connection.scalar(
                text("SELECT temporary_hash FROM portal_user WHERE id = :id").bindparams(id=user_id)
            )
        )


async def _everything(database: Database) -> str:
    async with database.reading() as connection:
        rows = [
            (await connection.execute(text(f"SELECT * FROM {table}"))).all()
            for table in ("letter", "portal_user")
        ]
    return str(rows)


async def test_no_password_is_made_while_the_server_is_away(sqlite_address: str, tmp_path: Path) -> None:
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        server.stop()
        async with mailing_over(settings) as (mailing, portal):
            user_id = await person(portal.database, email="ivan@mail.example")
            await write(portal.database, kind=LetterKind.WELCOME, user_id=user_id, now=portal.clock())
            await send_due(mailing, portal)

            assert await _temporary(portal.database, user_id) == ""


@pytest.mark.parametrize("change", ["gone", "inactive", "other address"])
async def test_a_password_nobody_wants_is_not_sent(
    database: Database, database_address: str, tmp_path: Path, change: str
) -> None:
    with SmtpServer() as server:
        settings = settings_for(database_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            user_id = await person(portal.database, email="ivan@mail.example")
            kept_id = await person(portal.database, email="kept@mail.example")
            letter_id = await write(
                portal.database, kind=LetterKind.RECOVERY, user_id=user_id, now=portal.clock()
            )
            await write(
                portal.database,
                to="kept@mail.example",
                kind=LetterKind.RECOVERY,
                user_id=kept_id,
                now=portal.clock(),
            )
            await _change(portal.database, user_id, change)
            assert await send_due(mailing, portal) == {"sent": 1, "dropped": 1}
            assert (await letter_row(portal.database, letter_id)).status is LetterStatus.DROPPED
            if change == "other address":
                assert await _temporary(portal.database, user_id) == ""

    assert recipients(server) == Counter(["kept@mail.example"])


async def _change(database: Database, user_id: int, change: str) -> None:
    user = table_of(User)
    statement = {
        "gone": delete(user),
        "inactive": update(user).values(is_active=False),
        "other address": update(user).values(email="new@mail.example"),
    }[change]
    async with database.writing() as connection:
        await connection.execute(statement.where(user.c.id == user_id))


async def test_no_address_and_no_secret_reaches_the_log(
    sqlite_address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with SmtpServer(refused={"bad@mail.example"}) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            user_id = await person(portal.database, email="ivan@mail.example")
            await write(portal.database, kind=LetterKind.WELCOME, user_id=user_id, now=portal.clock())
            await write(portal.database, to="bad@mail.example", now=portal.clock())
            await send_due(mailing, portal)

    ours = [record for record in caplog.records if record.name.startswith(("lk_portal", "aiosmtplib"))]
    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)
    assert "mail.sent" in told
    assert "mail.given_up" in told
    assert secret_in(server.letters[0]) not in told
    assert "ivan@mail.example" not in told
    assert "bad@mail.example" not in told
