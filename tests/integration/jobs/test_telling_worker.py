"""`lk worker` killed while it finds out what there is to tell: everybody is told of everything, once."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from lk_portal.models import Letter
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests.integration.jobs.mailed import settings_for, worker_process
from tests.integration.jobs.polled_lines import until
from tests.integration.services.told import Told

PERSONS = 12
KINDS = ("meter_event", "verification_due")


async def told_letters(database: Database) -> Counter[tuple[str, str]]:
    letter = table_of(Letter)
    async with database.reading() as connection:
        rows = await connection.execute(select(letter.c.kind, letter.c.to_address))
        return Counter((row.kind.value, row.to_address) for row in rows if row.kind.value in KINDS)


async def test_killed_workers_tell_everybody_once(
    database: Database, database_address: str, tmp_path: Path
) -> None:
    settings = settings_for(database_address, tmp_path)
    told = Told(database, settings, now=datetime.now(UTC))
    owners = [await told.subscriber() for _ in range(PERSONS)]
    for owner in owners:
        await owner.event()
        await owner.event()
        await owner.due(told.now.date())

    async def has_begun() -> bool:
        return bool(await told_letters(database))

    for _ in range(2):
        async with worker_process(settings, tmp_path / "log") as process:
            await until(has_begun)
            process.send_signal(signal.SIGKILL)
            await process.wait()

    async def is_complete() -> bool:
        return len(await told_letters(database)) == PERSONS * len(KINDS)

    async with worker_process(settings, tmp_path / "log"):
        await until(is_complete)

    assert await told_letters(database) == {(kind, owner.email): 1 for owner in owners for kind in KINDS}
    assert await told.look() == 0
