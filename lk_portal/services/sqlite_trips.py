"""Asks SQLite with one trip to the connection's thread instead of four. For `services.database` only.

An asyncio connection to SQLite is a thread that is handed one call after the other, and handing over costs
more than most of our questions do: making a cursor, executing, fetching and closing went there one by one.
Here a statement goes once, and its rows come back with it, as SQLAlchemy reads them all at once anyway.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)

Answer = tuple[list[Any], Any, int, int | None]
"""Rows, their description, how many rows were touched, and the key of the last one inserted."""


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that has all its rows as soon as it has executed; there is nothing left to close."""

    __slots__ = ("_answer",)

    def __init__(self, adapt_connection: AsyncAdapt_aiosqlite_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._answer: Answer = ([], None, -1, None)

    @property
    def description(self) -> Any:
        """The names of the columns; None when the statement gives no rows."""
        return self._answer[1]

    @property
    def rowcount(self) -> int:
        """How many rows the statement touched; -1 when that is not known."""
        return self._answer[2]

    @property
    def lastrowid(self) -> Any:
        """The key of the row inserted last."""
        return self._answer[3]

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """The real cursor was closed in its thread."""

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._ask(_execute, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._ask(_execute_many, operation, seq_of_parameters)

    async def _ask(self, call: Any, operation: Any, parameters: Any) -> None:
        connection: Any = self._connection
        async with self._adapt_connection._execute_mutex:
            self._answer = await connection._execute(call, connection._conn, operation, parameters)
        self._rows = deque(self._answer[0])


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection whose cursors go to its thread once a statement."""

    __slots__ = ()

    _cursor_cls: Any = OneTripCursor


class OneTripDriver(AsyncAdapt_aiosqlite_dbapi):
    """What SQLAlchemy takes for the driver: `create_async_engine(url, module=OneTripDriver())`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *args: Any, **options: Any) -> OneTripConnection:
        """Open a database; what it takes is what aiosqlite takes."""
        return OneTripConnection(self, super().connect(*args, **options)._connection)


def _execute(connection: sqlite3.Connection, operation: str, parameters: Any) -> Answer:
    return _read(connection.execute(operation, parameters))


def _execute_many(connection: sqlite3.Connection, operation: str, rows: Any) -> Answer:
    return _read(connection.executemany(operation, rows))


def _read(cursor: sqlite3.Cursor) -> Answer:
    """All that is asked of a cursor, and the end of it."""
    rows = cursor.fetchall() if cursor.description else []
    answer = (rows, cursor.description, cursor.rowcount, cursor.lastrowid)
    cursor.close()
    return answer
