"""Copies of a whole database by its own means. For `commands.archive` only; blocking.

SQLite is copied by its online backup, PostgreSQL by pg_dump and pg_restore. Passwords go to those programs
through their environment, never as an argument, which others on the machine could see.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy.engine import URL, make_url

from lk_portal.errors import N_, PortalError

JOBS_SCHEMA = "dbos"
ALL_PROBLEMS = 2**31 - 1


class Copy(Protocol):
    """A database that can be written to a file and filled from one."""

    kind: str

    def dump(self, file: Path) -> None:
        """Write the database to `file`, as it is at one moment.

        Raises:
            PortalError: There is none, or it cannot be copied.
        """
        ...

    def require_empty(self) -> None:
        """Make sure that filling it destroys nothing.

        Raises:
            PortalError: It has tables.
        """
        ...

    def load(self, file: Path) -> None:
        """Fill it from `file`, all or nothing.

        Raises:
            PortalError: It cannot be filled.
        """
        ...


def copy_for(address: str) -> Copy:
    """The means for the database of a URL."""
    url = make_url(address)
    return SqliteCopy(Path(url.database or "")) if url.get_backend_name() == "sqlite" else PostgresCopy(url)


def integrity_of(file: Path) -> None:
    """Check a SQLite file from end to end.

    Raises:
        PortalError: It is damaged.
    """
    try:
        with closing(sqlite3.connect(file)) as connection:
            verdicts = (row[0] for row in connection.execute(f"PRAGMA integrity_check({ALL_PROBLEMS})"))
            problem = next((verdict for verdict in verdicts if not _is_well(verdict)), "")
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise PortalError(N_("The database is damaged: {reason}"), reason=str(error)) from error
    if problem or orphan:
        raise PortalError(N_("The database is damaged: {reason}"), reason=problem or f"row {orphan}")


def _is_well(verdict: str) -> bool:
    """SQLite before 3.41 wrongly finds NULLs in tables without rowid whose key does not come first."""
    return verdict == "ok" or verdict.startswith("NULL value in ")


@dataclass(slots=True)
class SqliteCopy:
    """A SQLite file."""

    path: Path
    kind: str = "sqlite"

    def dump(self, file: Path) -> None:
        """One step over all pages: in WAL mode nobody waits for it, and it is one moment's state."""
        if not self.path.exists():
            raise PortalError(N_("There is no database at {path}."), path=self.path)
        try:
            with (
                closing(sqlite3.connect(self.path, timeout=10)) as source,
                closing(sqlite3.connect(file)) as copy,
            ):
                source.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise PortalError(N_("The database failed: {reason}"), reason=str(error)) from error
        integrity_of(file)

    def require_empty(self) -> None:
        """No file, or one without tables."""
        if not self.path.exists():
            return
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection:
                found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.Error as error:
            raise PortalError(N_("The database failed: {reason}"), reason=str(error)) from error
        if found:
            raise PortalError(N_("The database is not empty; restore into an empty one."))

    def load(self, file: Path) -> None:
        """Copied beside its place and then renamed; the log of an empty file that was there goes with it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}-restored")
        shutil.copyfile(file, draft)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        draft.replace(self.path)


@dataclass(slots=True)
class PostgresCopy:
    """A database on a PostgreSQL server; the jobs' own schema in it is left out."""

    url: URL
    kind: str = "postgresql"

    def dump(self, file: Path) -> None:
        """By pg_dump, whose snapshot is one moment's state."""
        self._run("pg_dump", "--format=custom", f"--exclude-schema={JOBS_SCHEMA}", f"--file={file}")

    def require_empty(self) -> None:
        """No tables in the schema we use."""
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        try:
            with psycopg.connect(self.url.render_as_string(hide_password=False)) as connection:
                row = connection.execute(query).fetchone()
        except psycopg.Error as error:
            raise PortalError(N_("The database failed: {reason}"), reason=str(error)) from error
        if row is None or row[0]:
            raise PortalError(N_("The database is not empty; restore into an empty one."))

    def load(self, file: Path) -> None:
        """By pg_restore, in one transaction."""
        self._run("pg_restore", "--single-transaction", "--exit-on-error", str(file))

    def _run(self, program: str, *arguments: str) -> None:
        url = self.url.set(drivername="postgresql", password=None)
        password = {"PGPASSWORD": str(self.url.password)} if self.url.password else {}
        common = ["--no-owner", "--no-privileges", "--no-password", f"--dbname={url.render_as_string()}"]
        try:
            done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, arguments of ours
                [program, *common, *arguments],
                env={**os.environ, **password},
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise PortalError(
                N_("{program} is not installed; it comes with PostgreSQL."), program=program
            ) from None
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or [str(done.returncode)]
            raise PortalError(N_("The database failed: {reason}"), reason=reason[0])
