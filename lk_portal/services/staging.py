"""Bulk loading into temporary tables, by each database's fastest way. For services that store readings.

Rows go into a temporary table first - `executemany` on SQLite, COPY on PostgreSQL - and from there by one
set-based statement into their place. Times are staged as integers of milliseconds; the statements say
`MS(column)` where the target wants a time.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import StorageError

Row = tuple[Any, ...]
_MS = re.compile(r"\bMS\(([^()]+)\)")
_TIME = r"(TIMESTAMPTZ 'epoch' + (\1) * INTERVAL '1 millisecond')"
_COPY_LINES = 20_000
_ANALYZE_ABOVE = 5000
"""PostgreSQL plans well by the size alone for less; finding out more costs a poll more than it saves."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StageTable:
    """A temporary table that exists in a connection from its first use on.

    Attributes:
        name: Its name.
        columns: Name and SQL type of each column; types must mean the same to both databases.
        is_plain: All values are integers or dates, never null: no quoting is needed.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    is_plain: bool = True

    @property
    def names(self) -> str:
        """The columns, for an INSERT."""
        return ", ".join(name for name, _ in self.columns)

    def ddl(self, *, is_sqlite: bool) -> str:
        """Its definition. `seq` keeps the rows in the order they were given."""
        key = "INTEGER PRIMARY KEY" if is_sqlite else "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        ending = "" if is_sqlite else " ON COMMIT DELETE ROWS"
        return f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.name} (seq {key}, {columns}){ending}"


def is_sqlite(connection: AsyncConnection) -> bool:
    """Which of the two databases it is."""
    return connection.dialect.name == "sqlite"


async def stage(connection: AsyncConnection, table: StageTable, rows: Sequence[Row]) -> None:
    """Replace what `table` has by `rows`, tuples in the order of its columns.

    Raises:
        StorageError: The database could not take them.
    """
    if is_sqlite(connection):
        await _stage_sqlite(connection, table, rows)
    else:
        await _stage_postgres(connection, table, rows)


async def _stage_sqlite(connection: AsyncConnection, table: StageTable, rows: Sequence[Row]) -> None:
    places = ", ".join("?" * len(table.columns))
    insert = f"INSERT INTO {table.name} ({table.names}) VALUES ({places})"  # noqa: S608 - constants of ours
    driver = await _driver(connection)
    with storage_errors():
        await driver.execute(table.ddl(is_sqlite=True))
        await driver.execute(f"DELETE FROM {table.name}")  # noqa: S608
        await driver.executemany(insert, rows)


async def _stage_postgres(connection: AsyncConnection, table: StageTable, rows: Sequence[Row]) -> None:
    driver = await _driver(connection)
    with storage_errors():
        async with driver.cursor() as cursor:
            # One round trip. The commit before left the table empty, so DELETE has nothing to do unless it
            # is used twice in a transaction; TRUNCATE would make new files for it every time.
            await cursor.execute(
                f"SET LOCAL client_min_messages = warning; {table.ddl(is_sqlite=False)};"  # noqa: S608
                f"DELETE FROM {table.name}"
            )
            async with cursor.copy(f"COPY {table.name} ({table.names}) FROM STDIN") as copy:
                await _copy(copy, table, rows)
            if len(rows) > _ANALYZE_ABOVE:
                await cursor.execute(f"ANALYZE {table.name}")


async def _copy(copy: psycopg.AsyncCopy, table: StageTable, rows: Sequence[Row]) -> None:
    if not table.is_plain:
        for row in rows:
            await copy.write_row(row)
        return
    line = "\t".join(["%s"] * len(table.columns)) + "\n"
    for start in range(0, len(rows), _COPY_LINES):
        await copy.write("".join([line % row for row in rows[start : start + _COPY_LINES]]))


async def run(connection: AsyncConnection, template: str) -> int:
    """Run a statement over staged rows; gives how many rows it changed.

    Raises:
        StorageError: The database could not do it.
    """
    driver = await _driver(connection)
    with storage_errors():
        cursor = await driver.execute(statement(template, is_sqlite=is_sqlite(connection)))
        return int(cursor.rowcount)


async def fetch(connection: AsyncConnection, template: str) -> list[Row]:
    """Run a statement over staged rows; gives its result, times as the driver has them.

    Raises:
        StorageError: The database could not do it.
    """
    driver = await _driver(connection)
    with storage_errors():
        cursor = await driver.execute(statement(template, is_sqlite=is_sqlite(connection)))
        return list(await cursor.fetchall())


async def _driver(connection: AsyncConnection) -> Any:
    """The driver's own connection, in the caller's transaction.

    SQLAlchemy over aiosqlite crosses to the driver's thread four times for a statement, the driver once:
    for a batch of readings that was a quarter of the time.
    """
    return (await connection.get_raw_connection()).driver_connection


@contextmanager
def storage_errors() -> Iterator[None]:
    """Errors of the drivers used directly leave as those of SQLAlchemy do from `Database.writing`."""
    try:
        yield
    except _LOST as error:
        log.error("storage.failed", extra={"reason": str(error)})
        raise StorageError from error


_LOST = (
    sqlite3.OperationalError,
    sqlite3.InternalError,
    sqlite3.InterfaceError,
    psycopg.OperationalError,
    psycopg.InternalError,
    psycopg.InterfaceError,
)


@lru_cache(maxsize=128)
def statement(template: str, *, is_sqlite: bool) -> str:
    """The template in one database's SQL: `MS(column)` becomes its own time."""
    return _MS.sub(r"(\1)" if is_sqlite else _TIME, template)
