"""Files of the registry that staff sends in: kept, checked, and - when a person has looked - written.

For the page /admin/import and its routes. The work goes on in the process that was asked for it, in threads
and beside the pages; whoever loads the page anew finds it again. When the process ends meanwhile nothing is
half written, and the page says that it was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import delete, insert, select, update

from lk_portal.errors import N_, InputError, NotFoundError, PortalError
from lk_portal.logs import report as log_error
from lk_portal.models import ImportFile, ImportRun, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports.registry import check_registry_file, import_registry_file
from lk_portal.services.imports.source import BadLine, BadLinesError
from lk_portal.services.imports.work import Job
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.visit import Visit

TELL_S = 1.0
ALIVE = timedelta(minutes=2)
"""A job that was not heard of for so long has ended with its process."""
KEPT = 20
"""So many runs are remembered; files go with them."""
BROKEN = N_("Something went wrong. Error number {number}.")
INTERRUPTED = N_("The work was interrupted. Nothing was half written; send the file again.")
BUSY = N_("Another file is being worked on. Try again when it is done.")
_UNDER_WAY = (ImportStatus.CHECKING, ImportStatus.WRITING)
_run, _file = table_of(ImportRun), table_of(ImportFile)
_progress: dict[tuple[int, int], int] = {}
"""Rows that are through, of the runs of this process; SQLite cannot be told while it is written."""
_tasks: set[asyncio.Task[None]] = set()


@dataclass(frozen=True, slots=True)
class Run:
    """A file and what became of it.

    Attributes:
        run_id: Its key.
        name: As its sender called it.
        status: How far it is.
        rows: Through the phase of now, or all.
        report: How many of each were new, by name.
        problem: A message id; "" when nothing is wrong.
        data: Fills the message.
        bad_rows: Those that cannot be taken, by number.
        created_at: Aware UTC.
        is_under_way: Whether something is being done.
    """

    run_id: int
    name: str
    status: ImportStatus
    rows: int
    report: dict[str, int]
    problem: str
    data: dict[str, Any]
    bad_rows: tuple[BadLine, ...]
    created_at: datetime
    is_under_way: bool


async def begin(portal: Portal, *, name: str, content: bytes, user_id: int) -> int:
    """Keep a file and begin to check it; gives its run.

    Raises:
        InputError: Another one is being worked on.
    """
    now = portal.clock()
    async with portal.database.writing() as connection:
        alive = select(_run.c.id).where(_run.c.status.in_(_UNDER_WAY), _run.c.told_at > now - ALIVE)
        if (await connection.execute(alive)).first() is not None:
            raise InputError(BUSY, field="file")
        values = {
            "user_id": user_id,
            "name": storable(name, 120) or "-",
            "status": ImportStatus.CHECKING,
            "rows": 0,
            "report": {},
            "problem": "",
            "data": {},
            "bad_rows": [],
            "created_at": now,
            "told_at": now,
        }
        made = await connection.execute(insert(_run).values(values).returning(_run.c.id))
        run_id = int(made.scalar_one())
        await connection.execute(insert(_file).values(run_id=run_id, content=content))
        old = select(_run.c.id).order_by(_run.c.id.desc()).offset(KEPT)
        await connection.execute(delete(_run).where(_run.c.id.in_(old)))
        await connection.execute(delete(_file).where(_file.c.run_id != run_id))
    _start(_check(portal, run_id))
    return run_id


async def apply(portal: Portal, run_id: int, *, actor: int, visit: Visit) -> None:
    """Begin to write a file that was checked.

    Raises:
        NotFoundError: There is no such file, or it is not good, or it is written already.
    """
    async with portal.database.writing() as connection:
        wanted = (_run.c.id == run_id) & (_run.c.status == ImportStatus.CHECKED)
        found = await connection.execute(
            update(_run).where(wanted).values(status=ImportStatus.WRITING, rows=0, told_at=portal.clock())
        )
        if not found.rowcount:
            raise NotFoundError
    _start(_write(portal, run_id, actor=actor, visit=visit))


async def last_run(database: Database) -> int | None:
    """The newest file's run."""
    async with database.reading() as connection:
        query = select(_run.c.id).order_by(_run.c.id.desc()).limit(1)
        return (await connection.execute(query)).scalar_one_or_none()


async def run_of(database: Database, run_id: int, *, now: datetime) -> Run:
    """A file and what became of it; `now` is aware UTC.

    Raises:
        NotFoundError: There is none.
    """
    async with database.reading() as connection:
        row = (await connection.execute(select(_run).where(_run.c.id == run_id))).one_or_none()
    if row is None:
        raise NotFoundError
    rows = _progress.get((id(database), run_id))
    is_alive = rows is not None or row.told_at > now - ALIVE
    is_open = row.status in _UNDER_WAY
    return Run(
        row.id,
        row.name,
        row.status if is_alive or not is_open else ImportStatus.REFUSED,
        row.rows if rows is None else rows,
        row.report,
        row.problem if is_alive or not is_open else INTERRUPTED,
        row.data,
        tuple(BadLine(line, name, reason, tuple(data.items())) for line, name, reason, data in row.bad_rows),
        row.created_at,
        is_open and is_alive,
    )


def _start(work: Any) -> None:
    """Go on beside the pages; the set keeps the task from being collected."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def finished() -> None:
    """Wait for all that was begun in this process; for tests and the end of a process."""
    await asyncio.gather(*_tasks)


async def _check(portal: Portal, run_id: int) -> None:
    async def work(job: Job) -> dict[str, Any]:
        return {"status": ImportStatus.CHECKED, "rows": await check_registry_file(job)}

    await _do(portal, run_id, work)


async def _write(portal: Portal, run_id: int, *, actor: int, visit: Visit) -> None:
    async def work(job: Job) -> dict[str, Any]:
        found = asdict(await import_registry_file(job))
        return {"status": ImportStatus.DONE, "rows": found.pop("rows"), "report": found}

    await _do(portal, run_id, work, actor=actor, visit=visit)


async def _do(
    portal: Portal,
    run_id: int,
    work: Callable[[Job], Awaitable[dict[str, Any]]],
    *,
    actor: int | None = None,
    visit: Visit | None = None,
) -> None:
    """Do one part of a run, telling how far it is, and keep what came of it."""
    key = (id(portal.database), run_id)
    _progress[key] = 0
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            name = await _unpack(portal.database, run_id, path)
            job = Job(
                portal.database,
                path,
                portal.clock(),
                False,
                lambda _phase, rows: _progress.__setitem__(key, rows),
                portal.clock,
                actor,
                visit,
                name,
            )
            teller = asyncio.create_task(_keep_telling(portal, run_id, key))
            try:
                found = await work(job)
            except PortalError as error:
                found = _refusal(error)
            except Exception as error:
                found = _refusal(PortalError(BROKEN, number=log_error(error)))
            finally:
                teller.cancel()
                with contextlib.suppress(asyncio.CancelledError, PortalError):
                    await teller
        await _keep(portal, run_id, found)
    except Exception as error:
        log_error(error)
    finally:
        del _progress[key]


async def _unpack(database: Database, run_id: int, path: Path) -> str:
    query = (
        select(_run.c.name, _file.c.content)
        .join(_file, _file.c.run_id == _run.c.id)
        .where(_run.c.id == run_id)
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    await asyncio.to_thread(path.write_bytes, row.content)
    return str(row.name)


async def _keep_telling(portal: Portal, run_id: int, key: tuple[int, int]) -> None:
    """Tell other nodes how far it is. On SQLite there are none, and its one writer is the import's."""
    while not portal.database.is_sqlite:
        await asyncio.sleep(TELL_S)
        values = {"rows": _progress.get(key, 0), "told_at": portal.clock()}
        async with portal.database.writing() as connection:
            await connection.execute(update(_run).where(_run.c.id == run_id).values(values))


async def _keep(portal: Portal, run_id: int, found: dict[str, Any]) -> None:
    async with portal.database.writing() as connection:
        values = {**found, "told_at": portal.clock()}
        await connection.execute(update(_run).where(_run.c.id == run_id).values(values))
        if found["status"] is not ImportStatus.CHECKED:
            await connection.execute(delete(_file).where(_file.c.run_id == run_id))


def _refusal(error: PortalError) -> dict[str, Any]:
    bad = error.lines if isinstance(error, BadLinesError) else ()
    return {
        "status": ImportStatus.REFUSED,
        "problem": error.text,
        "data": {name: str(value) for name, value in error.data.items()},
        "bad_rows": [[one.line, one.column, one.reason, dict(one.data)] for one in bad],
    }
