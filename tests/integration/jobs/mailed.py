"""A portal with an outbox, a clock that tests turn, and people to write to."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update

from lk_portal.jobs.mail import Mailing
from lk_portal.jobs.post import PostLimits
from lk_portal.models import Letter, LetterKind, Role, User
from lk_portal.services import letters
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests.smtp_server import SmtpServer

QUICK = PostLimits(connect_s=3.0, answer_s=3.0, data_s=1.5)
"""For tests in which the server stalls."""

_numbers = itertools.count(1)


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


def settings_for(address: str, data_dir: Path, server: SmtpServer | None = None, **values: Any) -> Settings:
    """Settings that hand letters in at `server`, or write them to files."""
    usual: dict[str, Any] = {
        "smtp_url": server.url if server else "",
        "smtp_ca_file": server.ca_file if server else None,
        "public_url": "https://lk.energo.example",
        "timezone": "Asia/Omsk",
        "bcrypt_rounds": 4,
        "locale": "ru",
    }
    return load_settings(database_url=address, data_dir=data_dir, **(usual | values))


@asynccontextmanager
async def mailing_over(
    settings: Settings, *, clock: Clock | None = None, limits: PostLimits | None = None
) -> AsyncIterator[tuple[Mailing, Portal]]:
    """The sending without the queue around it: tests call `send_due`."""
    database = Database(settings.database_address)
    portal = Portal(settings, database, clock or Clock())
    try:
        yield Mailing(portal, limits=limits), portal
    finally:
        await portal.close()


async def send_due(mailing: Mailing, portal: Portal) -> dict[str, int]:
    """One batch of everything that is due now."""
    ids = await letters.due(portal.database, now=portal.clock(), limit=200)
    return {str(result): count for result, count in (await mailing.run_batch("test", ids)).items()}


async def person(database: Database, *, email: str = "") -> int:
    """A subscriber who can be written to."""
    row = {
        "email": email or f"person{next(_numbers)}@mail.example",
        "role": Role.SUBSCRIBER,
        "display_name": "Иванов Иван",
        "password_hash": "",
        "temporary_hash": "",
        "locale": "",
        "theme": "system",
        "is_active": True,
        "created_at": datetime.now(UTC),
    }
    async with database.writing() as connection:
        key = (await connection.execute(insert(table_of(User)).values(row))).inserted_primary_key
    return int(key[0])


async def write(
    database: Database,
    *,
    to: str = "ivan@mail.example",
    kind: LetterKind = LetterKind.PASSWORD_CHANGED,
    now: datetime | None = None,
    user_id: int | None = None,
    **data: str,
) -> int:
    """A letter in the outbox; gives its id."""
    async with database.writing() as connection:
        await letters.write(
            connection, kind=kind, to_address=to, now=now or datetime.now(UTC), user_id=user_id, data=data
        )
        return int(await connection.scalar(text("SELECT max(id) FROM letter")))


async def letter_row(database: Database, letter_id: int) -> Any:
    async with database.reading() as connection:
        return (await connection.execute(select(table_of(Letter)).where(Letter.id == letter_id))).one()


@asynccontextmanager
async def worker_process(settings: Settings, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`lk worker` in a process of its own; killed at the end if it still runs."""
    environment = {
        **os.environ,
        "LK_DATABASE_URL": settings.database_url,
        "LK_DATA_DIR": str(settings.data_dir),
        "LK_SMTP_URL": settings.smtp_url.get_secret_value(),
        "LK_PUBLIC_URL": settings.public_url,
        "LK_LOCALE": "en",
    }
    with log.open("ab") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lk_portal", "worker", env=environment, stdout=written, stderr=written
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


async def make_due(database: Database, now: datetime) -> None:
    """As if the pauses of all waiting letters were over."""
    async with database.writing() as connection:
        await connection.execute(
            update(table_of(Letter)).where(Letter.status == "waiting").values(next_attempt_at=now)
        )


def recipients(server: SmtpServer) -> Counter[str]:
    """How many letters were kept for each address."""
    return Counter(address for entry in server.received for address in entry.recipients)


async def until_nothing_waits(mailing: Mailing, portal: Portal, clock: Clock, *, turns: int = 30) -> None:
    """Turn the clock from pause to pause until every letter has an end."""
    for _turn in range(turns):
        await send_due(mailing, portal)
        if not (await letters.count_letters(portal.database, now=clock.now)).waiting:
            return
        clock.turn(timedelta(hours=4))
    raise AssertionError("letters still wait")
