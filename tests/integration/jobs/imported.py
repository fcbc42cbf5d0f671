"""Files of the registry that wait for a worker, and what must be in the registry afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from lk_portal.models import AuditEntry, ImportRun, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports import runs
from lk_portal.services.imports.registry import REGISTRY_IMPORTED
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from tests.integration.jobs.polled_lines import scalar, until
from tests.integration.services.imports.registry_files import csv_file, row
from tests.integration.services.registry_staff import NOW, author

VISIT = Visit("192.0.2.7", "Браузер", NOW)


def registry_file(folder: Path, meters: int) -> bytes:
    """A good file of so many meters."""
    return csv_file(folder / "registry.csv", map(row, range(1, meters + 1))).read_bytes()


async def send(portal: Portal, content: bytes) -> int:
    """As the page does; gives the run."""
    staff = await author(portal.database)
    return await runs.begin(portal, name="реестр.csv", content=content, user_id=staff.user_id)


async def ask_to_write(portal: Portal, run_id: int) -> None:
    """As the page's button does."""
    staff = await author(portal.database)
    await runs.apply(portal, run_id, actor=staff.user_id, visit=VISIT)


async def run_row(database: Database, run_id: int) -> Any:
    """What stands in the database, who is at it included."""
    run = table_of(ImportRun)
    async with database.reading() as connection:
        return (await connection.execute(select(run).where(run.c.id == run_id))).one()


async def until_it_is(database: Database, run_id: int, status: ImportStatus) -> None:
    """Wait for a run to get so far."""

    async def is_there() -> bool:
        return bool((await run_row(database, run_id)).status is status)

    await until(is_there, patience_s=120)


async def assert_written_once(database: Database, run_id: int, meters: int) -> None:
    """All of the file is in the registry, nothing twice, with one entry in the audit that names who asked."""
    run = await run_row(database, run_id)
    assert (run.status, run.rows, run.claimed_by) == (ImportStatus.DONE, meters, "")
    assert run.report["meters"] == run.report["seals"] == meters
    for table in ("meter", "installation", "seal", "verification", "account"):
        assert await scalar(database, f"SELECT count(*) FROM {table}") == meters
    assert await scalar(database, "SELECT count(*) FROM import_file") == 0
    entry = table_of(AuditEntry)
    async with database.reading() as connection:
        found = await connection.execute(select(entry).where(entry.c.action == REGISTRY_IMPORTED))
        (only,) = found.all()
    assert (only.actor_user_id, only.address, only.agent, only.at) == (
        (await author(database)).user_id,
        *(VISIT.address, VISIT.agent, VISIT.at),
    )


async def assert_nothing_written(database: Database) -> None:
    """The registry is as empty as before, and so is the audit."""
    for table in ("meter", "account", "subscriber", "seal"):
        assert await scalar(database, f"SELECT count(*) FROM {table}") == 0
    query = f"SELECT count(*) FROM audit_entry WHERE action = '{REGISTRY_IMPORTED}'"
    assert await scalar(database, query) == 0


async def make_lease_end(database: Database) -> None:
    """As if nobody had been heard of for minutes, neither here nor in the queue, which PostgreSQL has too."""
    async with database.writing() as connection:
        await connection.execute(
            text("UPDATE import_run SET told_at = told_at - interval '5 minutes' WHERE claimed_by <> ''")
        )
        await connection.execute(
            text("UPDATE dbos.workflow_status SET updated_at = updated_at - 300000 WHERE status = 'PENDING'")
        )
