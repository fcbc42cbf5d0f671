"""Files of the registry that staff sends in: kept, checked, and - when a person has looked - written.

For the page /admin/import and its routes: what they ask for and what they see. Asking is a row: whatever
process the worker is in, it finds the file and does it (`run_work`), and one whose worker is killed is done
anew. So the page may be closed and any node may be restarted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import ImportFile, ImportRun, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports.source import BadLine
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.visit import Visit

LEASE = timedelta(minutes=2)
"""Whoever is at a file and was not heard of for so long has died: another one may begin it anew."""
PATIENCE = timedelta(seconds=15)
"""A worker looks every second; a file that waits for so long is told to wait for none."""
KEPT = 20
"""So many runs are remembered; files go with them."""
INTERRUPTED = N_("The work was interrupted. Nothing was half written; send the file again.")
BUSY = N_("Another file is being worked on. Try again when it is done.")
UNDER_WAY = (ImportStatus.CHECKING, ImportStatus.WRITING)
_run, _file = table_of(ImportRun), table_of(ImportFile)
_rows_here: dict[tuple[int, int], int] = {}
"""Rows that are through, of the runs of this process; SQLite cannot be told while it is written."""


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
        is_under_way: Whether something is to be done, now or as soon as a worker takes it.
        is_waiting: Nobody has begun with it yet, or again.
        is_left: No worker was heard of for so long that perhaps none is running.
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
    is_waiting: bool
    is_left: bool


async def begin(portal: Portal, *, name: str, content: bytes, user_id: int) -> int:
    """Keep a file and wish for its check; gives its run.

    One that no worker has touched for as long as a lease lasts makes room.

    Raises:
        InputError: Another one is being worked on.
    """
    now = portal.clock()
    is_open = _run.c.status.in_(UNDER_WAY)
    async with portal.database.writing() as connection:
        alive = select(_run.c.id).where(is_open, _run.c.told_at > now - LEASE)
        if (await connection.execute(alive)).first() is not None:
            raise InputError(BUSY, field="file")
        left = {"status": ImportStatus.REFUSED, "problem": INTERRUPTED, "told_at": now}
        await connection.execute(update(_run).where(is_open).values(left))
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
    return run_id


async def apply(portal: Portal, run_id: int, *, actor: int, visit: Visit) -> None:
    """Wish for a file that was checked to be written; who does so, and from where, goes into the audit.

    Raises:
        NotFoundError: There is no such file, or it is not good, or it is written already.
    """
    wanted = (_run.c.id == run_id) & (_run.c.status == ImportStatus.CHECKED)
    wish = {
        "status": ImportStatus.WRITING,
        "rows": 0,
        "attempts": 0,
        "asked_by": actor,
        "asked_at": visit.at,
        "address": storable(visit.address, 45),
        "agent": storable(visit.agent, 200),
        "told_at": portal.clock(),
    }
    async with portal.database.writing() as connection:
        found = await connection.execute(update(_run).where(wanted).values(wish))
        if not found.rowcount:
            raise NotFoundError


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
    rows = _rows_here.get((id(database), run_id))
    is_open = row.status in UNDER_WAY
    is_waiting = is_open and rows is None and not row.claimed_by
    is_quiet = row.told_at < now - (PATIENCE if is_waiting else LEASE)
    return Run(
        row.id,
        row.name,
        row.status,
        row.rows if rows is None else rows,
        row.report,
        row.problem,
        row.data,
        tuple(BadLine(line, name, reason, tuple(data.items())) for line, name, reason, data in row.bad_rows),
        row.created_at,
        is_open,
        is_waiting,
        is_open and rows is None and is_quiet,
    )


@contextmanager
def counted_here(database: Database, run_id: int) -> Iterator[Callable[[int], None]]:
    """While the block lasts, this process is at a run; gives what is told how many rows are through."""
    key = (id(database), run_id)
    _rows_here[key] = 0
    try:
        yield lambda rows: _rows_here.__setitem__(key, rows)
    finally:
        del _rows_here[key]
