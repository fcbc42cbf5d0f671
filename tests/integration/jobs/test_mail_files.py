"""Without a mail server letters become files: whole, private, one for each letter."""

from __future__ import annotations

import email
from datetime import timedelta
from email.policy import SMTP
from pathlib import Path

from sqlalchemy import text

from lk_portal.models import LetterKind
from lk_portal.services.database import Database
from lk_portal.services.letters import BACK_OFF
from tests.integration.jobs.mailed import (
    Clock,
    mailing_over,
    make_due,
    person,
    send_due,
    settings_for,
    write,
)
from tests.smtp_server import plain_text, secret_in


async def test_without_a_mail_server_letters_become_files(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    async with mailing_over(settings_for(database_address, tmp_path)) as (mailing, portal):
        user_id = await person(portal.database, email="ivan@mail.example")
        await write(portal.database, kind=LetterKind.WELCOME, user_id=user_id, now=portal.clock())
        await write(portal.database, to="иван@почта.рф", now=portal.clock())
        assert await send_due(mailing, portal) == {"sent": 2}

    folder = tmp_path / "letters"
    files = sorted(folder.iterdir())
    assert [path.name.split("-", 1)[1] for path in files] == [
        "000001-welcome.eml",
        "000002-password_changed.eml",
    ]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    letter = email.message_from_bytes(files[0].read_bytes(), policy=SMTP)
    assert letter["To"] == "ivan@mail.example"
    assert "lk.energo.example/login" in plain_text(letter)
    assert len(secret_in(letter)) >= 16


async def test_a_file_that_cannot_be_written_is_tried_again(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "letters").write_text("a file where the folder should be")
    async with mailing_over(settings_for(sqlite_address, tmp_path), clock=clock) as (mailing, portal):
        await write(portal.database, now=clock.now)
        assert await send_due(mailing, portal) == {"failed": 1}
        (tmp_path / "letters").unlink()
        clock.turn(BACK_OFF[0])
        assert await send_due(mailing, portal) == {"sent": 1}

    assert len(list((tmp_path / "letters").glob("*.eml"))) == 1


async def test_a_repeated_attempt_replaces_its_file(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    async with mailing_over(settings_for(sqlite_address, tmp_path), clock=clock) as (mailing, portal):
        letter_id = await write(portal.database, now=clock.now)
        await send_due(mailing, portal)
        async with portal.database.writing() as connection:  # as if killed before it was marked
            await connection.execute(
                text("UPDATE letter SET status = 'waiting' WHERE id = :id").bindparams(id=letter_id)
            )
        await make_due(portal.database, clock.now)
        assert await send_due(mailing, portal) == {"sent": 1}

    assert len(list((tmp_path / "letters").iterdir())) == 1


async def test_old_letters_and_files_are_forgotten(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    settings = settings_for(sqlite_address, tmp_path, letters_keep_days=30)
    async with mailing_over(settings, clock=clock) as (mailing, portal):
        await write(portal.database, now=clock.now)
        await send_due(mailing, portal)
        clock.turn(timedelta(days=29))
        await mailing.forget_old()
        assert len(list((tmp_path / "letters").iterdir())) == 1
        clock.turn(timedelta(days=2))
        await mailing.forget_old()
        async with portal.database.reading() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM letter")) == 0

    assert not list((tmp_path / "letters").iterdir())
