"""What `lk doctor` says of letters: where they go, whether the mail server answers, what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lk_portal.services import letters
from lk_portal.services.database import Database
from lk_portal.services.letters import GIVE_UP_AFTER
from tests.integration.cli.command import Command, Ran
from tests.integration.jobs.mailed import write
from tests.smtp_server import Encryption, Mode, SmtpServer

FROM = {"LK_MAIL_FROM": "lk@energo.example"}


@pytest.fixture
def lk(sqlite_address: str, tmp_path: Path) -> Command:
    return Command(sqlite_address, tmp_path / "data")


def line(ran: Ran, name: str) -> str:
    (found,) = [one for one in ran.out.splitlines() if one[2:].startswith(f"{name}:")]
    return found


async def test_without_a_server_it_names_the_folder(lk: Command) -> None:
    assert str(lk.data_dir / "letters") in line(await lk("doctor"), "letters")


@pytest.mark.parametrize("encryption", list(Encryption))
async def test_a_server_that_answers_is_well(lk: Command, encryption: Encryption) -> None:
    login = {"user": "portal", "password": "pw"} if encryption is not Encryption.NONE else {}
    with SmtpServer(encryption=encryption, **login) as server:
        trust = {"LK_SMTP_CA_FILE": str(server.ca_file)} if server.ca_file else {}
        ran = await lk("doctor", LK_SMTP_URL=server.url, **trust, **FROM)

    told = line(ran, "letters")
    assert ran.code == 0
    assert f":{server.port} answers" in told
    assert "lk@energo.example" in told
    assert ("without encryption" in told) == (encryption is Encryption.NONE)
    assert not server.attempts


async def test_a_server_that_does_not_answer_is_a_fault(lk: Command) -> None:
    with SmtpServer() as server:
        server.stop()
        ran = await lk("doctor", LK_SMTP_URL=server.url, **FROM)

    assert ran.code == 1
    assert line(ran, "letters").startswith("!")


async def test_a_wrong_password_is_a_fault_and_not_shown(lk: Command) -> None:
    with SmtpServer(encryption=Encryption.STARTTLS, user="portal", password="right") as server:
        url = server.url.replace("right", "mistaken")
        ran = await lk("doctor", LK_SMTP_URL=url, LK_SMTP_CA_FILE=str(server.ca_file), **FROM)

    assert "535" in line(ran, "letters")
    assert "mistaken" not in ran.out + ran.err


async def test_a_sender_nobody_takes_is_a_fault(lk: Command) -> None:
    with SmtpServer(mode=Mode.ACCEPT) as server:
        ran = await lk("doctor", LK_SMTP_URL=server.url)

    assert "LK_MAIL_FROM" in line(ran, "letters")
    assert ran.code == 1


async def test_what_waits_and_what_died_is_counted(lk: Command, sqlite_database: Database) -> None:
    now = datetime.now(UTC)
    await write(sqlite_database, now=now)
    dead = await write(sqlite_database, now=now - GIVE_UP_AFTER)
    await letters.postpone(sqlite_database, [dead], now=now, reason="away")

    ran = await lk("doctor")

    assert line(ran, "letters to be sent") == (
        "  letters to be sent: 1 wait, 0 of them after a failed attempt; 1 could not be sent"
    )


async def test_letters_that_nobody_sends_are_a_fault(lk: Command, sqlite_database: Database) -> None:
    await write(sqlite_database, now=datetime.now(UTC) - timedelta(hours=1))

    ran = await lk("doctor")

    assert ran.code == 1
    assert "lk worker" in line(ran, "letters to be sent")
