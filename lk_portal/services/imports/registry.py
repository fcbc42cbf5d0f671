"""`lk import registry`: subscribers, accounts, points and meters from one table. For commands and the page.

What the registry does not have yet is put in; what it has already is never changed. A row that says something
else than the registry is named, and then nothing is written. So an import may always be repeated.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, replace

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.i18n import _
from lk_portal.models.types import to_milliseconds
from lk_portal.services import audit
from lk_portal.services.imports.registry_known import Known
from lk_portal.services.imports.registry_row import COLUMNS, Row, read_row
from lk_portal.services.imports.registry_scratch import Numbered, Scratch
from lk_portal.services.imports.registry_sql import FORGET_MARKS, STAGE, STATEMENTS
from lk_portal.services.imports.sheet import sheet_rows
from lk_portal.services.imports.source import Batch, CellError, Complaints
from lk_portal.services.imports.work import Job, Phase
from lk_portal.services.staging import Row as StagedRow
from lk_portal.services.staging import run, stage

REGISTRY_IMPORTED = "registry:file:import"
audit.TEXTS[REGISTRY_IMPORTED] = N_("The utility imported the registry")
MAX_NAMED = 10_000
MEANWHILE = N_("The registry was changed at the same time. Nothing was written; check the file again.")
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class RegistryReport:
    """What came of a file: its rows, and how many of each were new."""

    rows: int = 0
    subscribers: int = 0
    premises: int = 0
    accounts: int = 0
    points: int = 0
    meters: int = 0
    installations: int = 0
    verifications: int = 0
    seals: int = 0
    connections: int = 0


def report_text(report: RegistryReport) -> str:
    """What came of a file, in the reader's language."""
    return _(
        "Rows: {rows}. New: subscribers {subscribers}, addresses {premises}, accounts {accounts}, points "
        "{points}, meters {meters}, installations {installations}, verifications {verifications}, seals "
        "{seals}, connections {connections}.",
        **asdict(report),
    )


Settle = Callable[[AsyncConnection, RegistryReport], Awaitable[None]]
"""Keeps what came of a file, in the transaction that writes it; what it raises takes all of it back."""


async def import_registry_file(job: Job, *, settle: Settle | None = None) -> RegistryReport:
    """Put in what a file has and the registry has not, all or nothing.

    Raises:
        InputError: It is no such file, or the registry was changed meanwhile.
        BadLinesError: Some rows cannot be taken; nothing was written.
        StorageError: The database could not keep them; nothing was written.
    """
    with Scratch(job.scratch) as scratch:
        rows = await _check(job, scratch)
        return await _write(job, scratch, RegistryReport(rows), settle)


async def check_registry_file(job: Job) -> int:
    """Only check; how many rows it has. Raises as `import_registry_file` does."""
    with Scratch(job.scratch) as scratch:
        return await _check(job, scratch)


async def _check(job: Job, scratch: Scratch) -> int:
    complaints, count = Complaints(most=MAX_NAMED), 0
    batches = sheet_rows(job.path, list(COLUMNS), complaints)
    # In a thread: understanding a workbook takes the whole processor, and pages want to be served.
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        rows = await asyncio.to_thread(lambda one: list(_rows(one, complaints, job)), batch)
        rows = await _against_registry(job, rows, complaints)
        await asyncio.to_thread(scratch.add, rows)
        count += len(batch.cells)
        job.progress(Phase.CHECKED, count)
    for line, error in await asyncio.to_thread(lambda: list(_some(scratch.doubles()))):
        complaints.add(line, (), error)
    complaints.refuse()
    if not count:
        raise InputError(N_("The file has no rows."), field="file")
    return count


def _rows(batch: Batch, complaints: Complaints, job: Job) -> Iterator[Numbered]:
    for line, cells in batch.lines():
        try:
            yield line, read_row(cells, now=job.now)
        except CellError as error:
            complaints.add(line, cells, error)


async def _against_registry(job: Job, rows: list[Numbered], complaints: Complaints) -> list[Numbered]:
    known, good = Known(), []
    async with job.database.reading() as connection:
        await known.learn(connection, [row for _line, row in rows])
    for line, row in rows:
        try:
            known.check(row)
        except CellError as error:
            complaints.add(line, (), error)
        else:
            good.append((line, row))
    return good


def _some(doubles: Iterator[tuple[int, CellError]]) -> Iterator[tuple[int, CellError]]:
    """The first of them: a file may have nothing else."""
    for count, double in enumerate(doubles):
        if count > MAX_NAMED:
            return
        yield double


async def _write(job: Job, scratch: Scratch, report: RegistryReport, settle: Settle | None) -> RegistryReport:
    """Stage all rows, then one statement for each table; gives `report` with its counts."""
    counts: dict[str, int] = {}
    done = 0
    try:
        async with job.writing(REGISTRY_IMPORTED) as connection:
            staged = _staged(scratch, job)
            while (rows := await asyncio.to_thread(next, staged, None)) is not None:
                await stage(connection, STAGE, rows)
                for name, statement in STATEMENTS:
                    count = await run(connection, statement)
                    if name:
                        counts[name] = counts.get(name, 0) + count
                done += len(rows)
                job.progress(Phase.WRITTEN, done)
            await run(connection, FORGET_MARKS)
            report = replace(report, **counts)
            if settle is not None:
                await settle(connection, report)
    except (sqlite3.IntegrityError, psycopg.IntegrityError):
        raise InputError(MEANWHILE, field="file") from None
    return report


def _staged(scratch: Scratch, job: Job) -> Iterator[list[StagedRow]]:
    now_ms, waiting = to_milliseconds(job.now), []
    for batch in scratch.batches():
        waiting += [(*_storable(row), now_ms) for _line, row in batch]
        if len(waiting) >= _ROWS_AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _storable(row: Row) -> Row:
    return row._replace(ct=row.ct or "1", vt=row.vt or "1")
