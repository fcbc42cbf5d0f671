"""What the imports have in common: how far they are, and one transaction that may be undone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import Quantity
from lk_portal.services import audit
from lk_portal.services.changes import OVERLAP, stamp_anew
from lk_portal.services.context import Clock
from lk_portal.services.database import Database
from lk_portal.services.visit import Visit


class Phase(StrEnum):
    """First the whole file is checked, then it is written."""

    CHECKED = "checked"
    WRITTEN = "written"


Progress = Callable[[Phase, int], None]
"""Told how many rows are through a phase."""


@dataclass(frozen=True, slots=True)
class Job:
    """A file to import.

    Attributes:
        database: Where to.
        path: The file.
        now: Aware UTC; nothing in the file may be later.
        is_dry_run: Do everything, then undo it.
        progress: Told how far it is.
        clock: Gives the time, aware UTC.
        actor: Who imports; None: a command.
        visit: From where; None: a command.
        name: Of the file as a person calls it; "": that of the path.
        scratch: A folder for what is put aside; None: the system's for temporary files.
    """

    database: Database
    path: Path
    now: datetime
    is_dry_run: bool
    progress: Progress
    clock: Clock
    actor: int | None = None
    visit: Visit | None = None
    name: str = ""
    scratch: Path | None = None

    @asynccontextmanager
    async def writing(self, action: str) -> AsyncIterator[AsyncConnection]:
        """The one transaction of the import, with an entry in the audit; undone after a dry run.

        Raises:
            StorageError: Nothing was kept.
        """
        try:
            async with self.database.writing() as connection:
                yield connection
                await audit.record(
                    connection,
                    action=action,
                    visit=self.visit or Visit(address="", agent="", at=self.now),
                    actor=self.actor,
                    subject=None,
                    file=self.name or self.path.name,
                )
                written_at = self.clock()
                if written_at - self.now > OVERLAP / 2:
                    await stamp_anew(connection, stamped=self.now, at=written_at)
                if self.is_dry_run:
                    raise _UndoneError
        except _UndoneError:
            return


class _UndoneError(Exception):
    """Takes a dry run's transaction back."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value of the file that a stored one speaks against; the stored one stays. Aware UTC, Wh."""

    serial: str
    quantity: Quantity
    at: datetime
    stored_wh: int
    given_wh: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of a file.

    Attributes:
        rows: How many it has.
        inserted: How many were new.
        replaced: How many took the place of a worse value, which is kept.
        conflicts: The first of those that contradict what is stored.
        conflict_count: All of them.
        doubtful: Readings that cannot be true; they are kept and put before a person.
    """

    rows: int
    inserted: int
    replaced: int = 0
    conflicts: tuple[Conflict, ...] = ()
    conflict_count: int = 0
    doubtful: int = 0
