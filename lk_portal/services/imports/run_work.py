"""The work on files that staff sent in: claimed, checked or written, settled. For `jobs.importing`.

A run is claimed in a committed transaction, so one worker is at it. It tells every second that it is alive;
one that was not heard of for `LEASE` may be claimed anew. What comes of a run is kept only by whoever has the
claim still, and of a file that is written in the transaction that writes it, with its entry in the audit. So
the work may be broken off at any point and be begun anew: it is done once.

A process may also die of the file itself. So it is begun `MOST_ATTEMPTS` times and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, NotFoundError, PortalError, StorageError
from lk_portal.logs import report as log_error
from lk_portal.models import ImportFile, ImportRun, ImportStatus
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.imports.registry import RegistryReport, check_registry_file, import_registry_file
from lk_portal.services.imports.runs import LEASE, UNDER_WAY, counted_here
from lk_portal.services.imports.source import BadLinesError
from lk_portal.services.imports.work import Job, Phase
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

TELL_S = 1.0
MOST_ATTEMPTS = 3
BROKEN = N_("Something went wrong. Error number {number}.")
GIVEN_UP = N_(
    "The file was begun {count} times, and each time the server's process ended before it was done. Nothing "
    "was written. Perhaps the file is too large for the server's memory: send it in parts."
)
_run, _file = table_of(ImportRun), table_of(ImportFile)
_c = _run.c
_PASSING = (StorageError, OperationalError, InterfaceError)
"""Troubles with the database, not with the file."""

log = logging.getLogger(__name__)


class Fate(StrEnum):
    """What a worker did with a run."""

    SETTLED = "settled"
    GIVEN_BACK = "given_back"
    PUT_OFF = "put_off"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that one worker, and no other, is at.

    Attributes:
        run_id: Its key.
        worker: Who.
        attempt: Which one this is, from 1.
        name: Of the file, as its sender called it.
        is_to_be_written: Else only checked.
        actor: Who asked for the writing; None: it is only checked, or that person is no more.
        visit: From where; None: it is only checked.
    """

    run_id: int
    worker: str
    attempt: int
    name: str
    is_to_be_written: bool
    actor: int | None
    visit: Visit | None


def _is_free(now: datetime) -> ColumnElement[bool]:
    """A wish that nobody is at; not one of the version before, which wrote in its own process."""
    is_wished = (_c.status == ImportStatus.CHECKING) | (
        (_c.status == ImportStatus.WRITING) & _c.asked_at.is_not(None)
    )
    return is_wished & or_(_c.claimed_by == "", _c.told_at <= now - LEASE)


def _is_still(claim: Claim) -> ColumnElement[bool]:
    is_it = (_c.id == claim.run_id) & _c.status.in_(UNDER_WAY)
    return is_it & (_c.claimed_by == claim.worker) & (_c.attempts == claim.attempt)


async def due(database: Database, *, now: datetime) -> tuple[int, ...]:
    """Runs that something is to be done with and nobody is at, the oldest first."""
    async with database.reading() as connection:
        return tuple((await connection.scalars(select(_c.id).where(_is_free(now)).order_by(_c.id))).all())


async def free(database: Database, worker: str) -> int:
    """What `worker` was at is free: the process of this name that claimed it is dead. Gives how many.

    What it has left on this machine's disk is deleted: names and addresses of people.
    """
    await asyncio.to_thread(_sweep, worker)
    claimed = (_c.claimed_by == worker) & _c.status.in_(UNDER_WAY)
    async with database.writing() as connection:
        return (await connection.execute(update(_run).where(claimed).values(claimed_by=""))).rowcount


def _sweep(worker: str) -> None:
    for left in Path(gettempdir()).glob(f"{_prefix(worker)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _prefix(worker: str) -> str:
    return f"lk-import-{worker}-"


async def claim(database: Database, run_id: int, *, worker: str, now: datetime) -> Claim | None:
    """Take a run that nobody is at; None: somebody is, it is done, or it was refused.

    One that was begun `MOST_ATTEMPTS` times is refused here.
    """
    is_it = (_c.id == run_id) & _is_free(now)
    taken = {"claimed_by": worker, "attempts": _c.attempts + 1, "rows": 0, "told_at": now}
    take = (
        update(_run)
        .where(is_it, _c.attempts < MOST_ATTEMPTS)
        .values(taken)
        .returning(_c.attempts, _c.name, _c.status, _c.asked_by, _c.asked_at, _c.address, _c.agent)
    )
    async with database.writing() as connection:
        row = (await connection.execute(take)).one_or_none()
        if row is None:
            await _give_up(connection, is_it, now)
            return None
    is_to_be_written = row.status == ImportStatus.WRITING
    visit = Visit(row.address, row.agent, row.asked_at) if is_to_be_written else None
    actor = row.asked_by if is_to_be_written else None
    return Claim(run_id, worker, row.attempts, row.name, is_to_be_written, actor, visit)


async def _give_up(connection: AsyncConnection, is_it: ColumnElement[bool], now: datetime) -> None:
    found = {"problem": GIVEN_UP, "data": {"count": str(MOST_ATTEMPTS)}, "told_at": now, "claimed_by": ""}
    gone = await connection.execute(
        update(_run)
        .where(is_it, _c.attempts >= MOST_ATTEMPTS)
        .values(status=ImportStatus.REFUSED, **found)
        .returning(_c.id)
    )
    for run_id in gone.scalars():
        log.error("import.given_up", extra={"run": run_id})
        await connection.execute(delete(_file).where(_file.c.run_id == run_id))


async def work_on(portal: Portal, claim: Claim, *, is_stopping: Callable[[], bool] = lambda: False) -> Fate:
    """Do what is wished for with a claimed file, telling how far it is; what came of it stands in its run.

    Trouble with the database that may pass leaves the run claimed: it is begun anew when the lease is over.

    Args:
        portal: Settings, database, clock.
        claim: Of the file.
        is_stopping: Asked at every batch of rows; when it says so, the run is given back.

    Raises:
        StorageError: What came of it could not be kept; it is begun anew when the lease is over.
    """
    with counted_here(portal.database, claim.run_id) as count:
        work = _Work(portal, claim, is_stopping, count)
        try:
            async with work.telling():
                await work.run()
        except (_GivenBackError, asyncio.CancelledError) as error:
            await _give_back(portal, claim)
            if isinstance(error, asyncio.CancelledError):
                raise
            return Fate.GIVEN_BACK
        except _LostError:
            log.warning("import.lost", extra={"run": claim.run_id, "worker": claim.worker})
            return Fate.LOST
        except Exception as error:
            if isinstance(error, _PASSING) and claim.attempt < MOST_ATTEMPTS:
                log.warning("import.put_off", extra={"run": claim.run_id, "reason": type(error).__name__})
                return Fate.PUT_OFF
            return await _refuse(portal, claim, error)
        return Fate.SETTLED


class _Work:
    """One attempt."""

    def __init__(
        self, portal: Portal, claim: Claim, is_stopping: Callable[[], bool], count: Callable[[int], None]
    ) -> None:
        self._portal, self._claim, self._is_stopping, self._count = portal, claim, is_stopping, count
        self._phase, self._rows, self._is_lost = Phase.CHECKED, 0, False

    async def run(self) -> None:
        """Check the file, or check and write it, and settle that."""
        with TemporaryDirectory(prefix=_prefix(self._claim.worker)) as folder:
            path = Path(folder) / "file"
            await _unpack(self._portal.database, self._claim.run_id, path)
            job = self._job(path)
            if self._claim.is_to_be_written:
                await import_registry_file(job, settle=self._settle_written)
                return
            found = {"status": ImportStatus.CHECKED, "rows": await check_registry_file(job)}
        async with self._portal.database.writing() as connection:
            await _settle(connection, self._claim, found, now=self._portal.clock())

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """While the block lasts, tell every second that somebody is at it, and how far."""
        teller = asyncio.create_task(self._keep_telling())
        try:
            yield
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)

    async def _keep_telling(self) -> None:
        while not self._is_lost:
            await asyncio.sleep(TELL_S)
            # SQLite's one writer is the import's now; nobody else could claim anything either.
            if self._portal.database.is_sqlite and self._phase is Phase.WRITTEN:
                continue
            with contextlib.suppress(StorageError):
                await self._tell()

    async def _tell(self) -> None:
        values = {"rows": self._rows, "told_at": self._portal.clock()}
        async with self._portal.database.writing() as connection:
            told = await connection.execute(update(_run).where(_is_still(self._claim)).values(values))
        self._is_lost = not told.rowcount

    def _job(self, path: Path) -> Job:
        portal, claim = self._portal, self._claim
        return Job(
            portal.database,
            path,
            portal.clock(),
            False,
            self._progress,
            portal.clock,
            claim.actor,
            claim.visit,
            claim.name,
            path.parent,
        )

    def _progress(self, phase: Phase, rows: int) -> None:
        """Between two batches of rows, where nothing is under way in a thread, the work may be broken off."""
        self._phase, self._rows = phase, rows
        self._count(rows)
        if self._is_lost:
            raise _LostError
        if self._is_stopping():
            raise _GivenBackError

    async def _settle_written(self, connection: AsyncConnection, report: RegistryReport) -> None:
        counts = asdict(report)
        found = {"status": ImportStatus.DONE, "rows": counts.pop("rows"), "report": counts}
        await _settle(connection, self._claim, found, now=self._portal.clock())


class _GivenBackError(Exception):
    """The worker is to stop: takes the transaction back."""


class _LostError(Exception):
    """Somebody else has the run: takes the transaction back."""


async def _unpack(database: Database, run_id: int, path: Path) -> None:
    async with database.reading() as connection:
        content = await connection.scalar(select(_file.c.content).where(_file.c.run_id == run_id))
    if content is None:
        raise NotFoundError
    await asyncio.to_thread(path.write_bytes, content)


async def _settle(connection: AsyncConnection, claim: Claim, found: dict[str, Any], *, now: datetime) -> None:
    """Keep what came of a run, in the caller's transaction, if the claim holds.

    Raises:
        _LostError: It does not.
    """
    values = {**found, "claimed_by": "", "attempts": 0, "told_at": now}
    kept = await connection.execute(update(_run).where(_is_still(claim)).values(values))
    if not kept.rowcount:
        raise _LostError
    if found["status"] is not ImportStatus.CHECKED:
        await connection.execute(delete(_file).where(_file.c.run_id == claim.run_id))


async def _give_back(portal: Portal, claim: Claim) -> None:
    """This time does not count; where that cannot be kept, the lease runs out."""
    values = {"claimed_by": "", "attempts": claim.attempt - 1, "rows": 0, "told_at": portal.clock()}
    with contextlib.suppress(StorageError):
        async with portal.database.writing() as connection:
            await connection.execute(update(_run).where(_is_still(claim)).values(values))


async def _refuse(portal: Portal, claim: Claim, error: Exception) -> Fate:
    if not isinstance(error, PortalError):
        error = PortalError(BROKEN, number=log_error(error))
    try:
        async with portal.database.writing() as connection:
            await _settle(connection, claim, _refusal(error), now=portal.clock())
    except _LostError:
        return Fate.LOST
    return Fate.SETTLED


def _refusal(error: PortalError) -> dict[str, Any]:
    bad = error.lines if isinstance(error, BadLinesError) else ()
    return {
        "status": ImportStatus.REFUSED,
        "problem": error.text,
        "data": {name: str(value) for name, value in error.data.items()},
        "bad_rows": [[one.line, one.column, one.reason, dict(one.data)] for one in bad],
    }
