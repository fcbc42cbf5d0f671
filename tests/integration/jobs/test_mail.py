"""Letters over a real SMTP server that refuses, stalls, drops and comes back: every one arrives once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from lk_portal.models import LetterStatus
from lk_portal.services import letters
from lk_portal.services.database import Database
from lk_portal.services.letters import BACK_OFF, LEASE
from tests.integration.jobs.mailed import (
    QUICK,
    Clock,
    letter_row,
    mailing_over,
    recipients,
    send_due,
    settings_for,
    until_nothing_waits,
    write,
)
from tests.smtp_server import Encryption, Mode, SmtpServer

TEN = [f"person{number}@mail.example" for number in range(10)]


async def test_every_letter_arrives_once(database: Database, database_address: str, tmp_path: Path) -> None:
    with SmtpServer() as server:
        settings = settings_for(database_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            ids = [await write(portal.database, to=address, now=portal.clock()) for address in TEN]
            assert await send_due(mailing, portal) == {"sent": 10}
            assert await send_due(mailing, portal) == {}
            rows = [await letter_row(portal.database, letter_id) for letter_id in ids]

    assert recipients(server) == Counter(TEN)
    assert server.connections == 1
    assert {row.status for row in rows} == {LetterStatus.SENT}
    message_ids = {f"<{row.message_id}@lk.energo.example>" for row in rows}
    assert {letter["Message-ID"] for letter in server.letters} == message_ids
    assert {entry.sender for entry in server.received} == {"no-reply@lk.energo.example"}


@pytest.mark.parametrize("encryption", list(Encryption))
async def test_with_encryption_and_login(sqlite_address: str, tmp_path: Path, encryption: Encryption) -> None:
    login = {"user": "portal", "password": "p-w_1"} if encryption is not Encryption.NONE else {}
    with SmtpServer(encryption=encryption, **login) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            await write(portal.database, now=portal.clock())
            assert await send_due(mailing, portal) == {"sent": 1}

    (received,) = server.received
    assert received.is_encrypted == (encryption is not Encryption.NONE)
    assert received.user == login.get("user")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"smtp_ca_file": None}, "certificate verify failed"),
        ({"password": "wrong"}, "535"),
        ({"encryption": Encryption.NONE}, "STARTTLS extension not supported"),
    ],
)
async def test_without_trust_nothing_is_sent(
    sqlite_address: str, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    encryption = changes.get("encryption", Encryption.STARTTLS)
    login = {"user": "portal", "password": "right"} if encryption is not Encryption.NONE else {}
    with SmtpServer(encryption=encryption, **login) as server:
        url = server.url.replace("right", changes.get("password", "right"))
        if encryption is Encryption.NONE:
            url += "?tls=starttls"
        ca_file = changes.get("smtp_ca_file", server.ca_file)
        settings = settings_for(sqlite_address, tmp_path, smtp_url=url, smtp_ca_file=ca_file)
        async with mailing_over(settings) as (mailing, portal):
            letter_id = await write(portal.database, now=portal.clock())
            assert await send_due(mailing, portal) == {"failed": 1}
            row = await letter_row(portal.database, letter_id)

    assert not server.attempts
    assert not server.received
    assert row.status is LetterStatus.WAITING
    assert reason in row.last_error
    assert "wrong" not in row.last_error


async def test_a_refused_recipient_is_given_up_and_the_others_are_served(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    with SmtpServer(refused={TEN[3]}) as server:
        settings = settings_for(database_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            ids = [await write(portal.database, to=address, now=portal.clock()) for address in TEN]
            assert await send_due(mailing, portal) == {"sent": 9, "dead": 1}
            (dead,) = await letters.dead_letters(portal.database)

    assert recipients(server) == Counter(set(TEN) - {TEN[3]})
    assert (dead.id, dead.reason) == (ids[3], "550 5.1.1 There is no such mailbox")


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (Mode.REFUSE_RECIPIENT, "dead"),
        (Mode.REFUSE_MESSAGE, "dead"),
        (Mode.TEMPORARY, "failed"),
        (Mode.REFUSE_SENDER, "failed"),
        (Mode.STALL, "failed"),
        (Mode.STALL_GREETING, "failed"),
        (Mode.DROP, "failed"),
    ],
)
async def test_what_a_bad_answer_means(sqlite_address: str, tmp_path: Path, mode: Mode, outcome: str) -> None:
    clock = Clock()
    with SmtpServer(mode=mode) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock, limits=QUICK) as (mailing, portal):
            letter_id = await write(portal.database, now=clock.now)
            assert await send_due(mailing, portal) == {outcome: 1}
            row = await letter_row(portal.database, letter_id)
            assert row.last_error
            assert row.attempts == 1
            server.mode = Mode.ACCEPT
            assert await send_due(mailing, portal) == {}
            clock.turn(BACK_OFF[0])
            assert await send_due(mailing, portal) == ({"sent": 1} if outcome == "failed" else {})

    assert len(server.letters) == (outcome == "failed")
    if outcome == "failed":
        assert row.next_attempt_at == row.created_at + BACK_OFF[0]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("552 5.2.2 The mailbox is full", "dead"),
        ("553 5.1.3 No such address", "dead"),
        ("503 5.5.1 MAIL first", "failed"),
        ("530 5.7.0 Log in first", "failed"),
        ("452 4.2.2 The mailbox is full", "failed"),
        ("421 4.3.2 Closing down", "failed"),
    ],
)
async def test_only_what_is_said_of_the_recipient_is_final(
    sqlite_address: str, tmp_path: Path, answer: str, outcome: str
) -> None:
    with SmtpServer(answers={TEN[0]: answer}) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            letter_id = await write(portal.database, to=TEN[0], now=portal.clock())
            await write(portal.database, to=TEN[1], now=portal.clock())
            assert await send_due(mailing, portal) == {outcome: 1, "sent": 1}
            row = await letter_row(portal.database, letter_id)

    assert row.last_error == answer
    assert recipients(server) == Counter([TEN[1]])


@pytest.mark.parametrize("mode", [Mode.TEMPORARY, Mode.DROP, Mode.STALL, Mode.STALL_GREETING])
async def test_after_an_outage_of_any_kind_everybody_gets_his_letter_once(
    sqlite_address: str, tmp_path: Path, mode: Mode
) -> None:
    clock = Clock()
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock, limits=QUICK) as (mailing, portal):
            for address in TEN:
                await write(portal.database, to=address, now=clock.now)
            server.mode = mode
            await send_due(mailing, portal)
            assert not server.received
            server.mode = Mode.ACCEPT
            await until_nothing_waits(mailing, portal, clock)

    assert recipients(server) == Counter(TEN)


async def test_a_server_that_goes_away_and_comes_back(
    database: Database, database_address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with SmtpServer() as server:
        settings = settings_for(database_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            await write(portal.database, to=TEN[0], now=clock.now)
            await send_due(mailing, portal)
            server.stop()
            for address in TEN[1:]:
                await write(portal.database, to=address, now=clock.now)
            assert await send_due(mailing, portal) == {"failed": 9}
            clock.turn(timedelta(hours=1))
            assert await send_due(mailing, portal) == {"failed": 9}
            server.start()
            await until_nothing_waits(mailing, portal, clock)

    assert recipients(server) == Counter(TEN)
    told = [record.message for record in caplog.records if record.message.startswith("mail.server")]
    assert told == ["mail.server.away", "mail.server.back"]


async def test_a_server_that_stays_away_makes_dead_letters(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        server.stop()
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            await write(portal.database, now=clock.now)
            await until_nothing_waits(mailing, portal, clock)
            (dead,) = await letters.dead_letters(portal.database)

    assert "connect" in dead.reason.lower()
    assert dead.attempts > len(BACK_OFF)


async def test_a_greylisted_recipient_holds_nobody_up(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    with SmtpServer(greylisted={TEN[0]}) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            for address in TEN:
                await write(portal.database, to=address, now=clock.now)
            assert await send_due(mailing, portal) == {"sent": 9, "failed": 1}
            server.greylisted.clear()
            await until_nothing_waits(mailing, portal, clock)

    assert recipients(server) == Counter(TEN)
    assert server.connections == 2


async def test_who_cannot_know_sends_again_under_the_same_id(sqlite_address: str, tmp_path: Path) -> None:
    clock = Clock()
    with SmtpServer(mode=Mode.DROP_AFTER_ACCEPTING) as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            await write(portal.database, now=clock.now)
            assert await send_due(mailing, portal) == {"failed": 1}
            server.mode = Mode.ACCEPT
            await until_nothing_waits(mailing, portal, clock)

    assert len(server.letters) == 2
    assert len({letter["Message-ID"] for letter in server.letters}) == 1


async def test_a_cyrillic_mailbox_needs_a_server_that_knows_it(sqlite_address: str, tmp_path: Path) -> None:
    for takes_utf8, outcome in ((True, "sent"), (False, "dead")):
        with SmtpServer(takes_utf8=takes_utf8) as server:
            settings = settings_for(sqlite_address, tmp_path, server)
            async with mailing_over(settings) as (mailing, portal):
                await write(portal.database, to="иван@почта.рф", now=portal.clock())
                await write(portal.database, to="ivan@почта.рф", now=portal.clock())
                result = await send_due(mailing, portal)

        assert result == Counter({outcome: 1}) + Counter({"sent": 1})
        assert recipients(server)["ivan@xn--80a1acny.xn--p1ai"] == 1
        assert recipients(server)["иван@xn--80a1acny.xn--p1ai"] == takes_utf8


async def test_two_workers_never_send_one_letter_twice(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    with SmtpServer() as server:
        settings = settings_for(database_address, tmp_path, server)
        clock = Clock()
        async with (
            mailing_over(settings, clock=clock) as (one, portal),
            mailing_over(settings, clock=clock) as (two, _portal),
        ):
            ids = [await write(portal.database, to=address, now=clock.now) for address in TEN]
            results = await asyncio.gather(one.run_batch("a", ids), two.run_batch("b", list(reversed(ids))))

    assert recipients(server) == Counter(TEN)
    assert sum((Counter(result) for result in results), Counter())["sent"] == 10


async def test_a_worker_that_dies_with_a_claim_leaves_the_letter_to_others(
    sqlite_address: str, tmp_path: Path
) -> None:
    clock = Clock()
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            letter_id = await write(portal.database, now=clock.now)
            await letters.claim(portal.database, letter_id, now=clock.now)
            assert await send_due(mailing, portal) == {}
            clock.turn(LEASE)
            assert await send_due(mailing, portal) == {"sent": 1}

    assert len(server.letters) == 1


async def test_a_database_that_is_locked_for_a_moment_makes_no_letter_go_twice(
    sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lk_portal.services.database.BUSY_TIMEOUT_MS", 100)
    lock = sqlite3.connect(
        sqlite_address.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    clock = Clock()
    with SmtpServer() as server, closing(lock):
        server.on_data = lambda _raw: lock.execute("BEGIN IMMEDIATE")
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings, clock=clock) as (mailing, portal):
            letter_id = await write(portal.database, now=clock.now)
            sending = asyncio.create_task(send_due(mailing, portal))
            await server.has(1)
            await asyncio.sleep(0.5)
            lock.execute("ROLLBACK")
            assert await sending == {"sent": 1}
            clock.turn(LEASE)
            assert await send_due(mailing, portal) == {}
            assert (await letter_row(portal.database, letter_id)).status is LetterStatus.SENT

    assert len(server.letters) == 1


async def test_a_database_that_is_away_sends_nothing(
    sqlite_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lk_portal.services.database.BUSY_TIMEOUT_MS", 100)
    lock = sqlite3.connect(sqlite_address.removeprefix("sqlite:///"), isolation_level=None)
    with SmtpServer() as server, closing(lock):
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            await write(portal.database, now=portal.clock())
            lock.execute("BEGIN IMMEDIATE")
            assert await send_due(mailing, portal) == {}
            assert "mail.not_stored" in caplog.messages
            assert not server.attempts
            lock.execute("ROLLBACK")
            assert await send_due(mailing, portal) == {"sent": 1}

    assert len(server.letters) == 1


async def test_a_letter_that_cannot_be_made_is_given_up_under_a_number(
    sqlite_address: str, tmp_path: Path
) -> None:
    with SmtpServer() as server:
        settings = settings_for(sqlite_address, tmp_path, server)
        async with mailing_over(settings) as (mailing, portal):
            broken = await write(portal.database, now=portal.clock())
            await write(portal.database, to=TEN[1], now=portal.clock())
            async with portal.database.writing() as connection:
                await connection.execute(
                    text("UPDATE letter SET data = '{}' WHERE id = :id").bindparams(id=broken)
                )
            assert await send_due(mailing, portal) == {"sent": 1, "dead": 1}
            (dead,) = await letters.dead_letters(portal.database)

    assert dead.id == broken
    assert dead.reason.startswith("error ")
    assert recipients(server) == Counter([TEN[1]])
