"""The one place that opens the database. Services use it; nothing else does.

SQLite and PostgreSQL look the same from here: `reading()` gives a connection for queries, `writing()` a
transaction that is committed at the end of the block or leaves nothing behind. On SQLite all writers of
the process share one connection and begin IMMEDIATE, so two use cases wait for each other instead of
failing with "database is locked"; readers never wait (WAL).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from lk_portal.errors import AccessDeniedError, StorageError
from lk_portal.services.sqlite_trips import OneTripDriver

BUSY_TIMEOUT_MS = 10_000
SQLITE_READERS = 8
POSTGRES_POOL = 10

_is_read_only: ContextVar[bool] = ContextVar("lk_is_read_only", default=False)
_AT_THE_END = "lk_at_the_end"
Writer = Callable[[AsyncConnection, Sequence[Any]], Awaitable[None]]

log = logging.getLogger(__name__)


def async_url(address: str) -> URL:
    """The URL for SQLAlchemy's asyncio drivers."""
    url = make_url(address)
    return url.set(
        drivername="sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    )


def sync_url(address: str) -> URL:
    """The URL for the blocking drivers; migrations only."""
    url = make_url(address)
    return url.set(drivername="sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg")


def keep_log_ahead(address: str) -> None:
    """Let a SQLite file be written through a log (WAL), so that readers never wait; others stay as they are.

    It stays so in the file. SQLite refuses this to all but one of those who ask at the same moment, and does
    not let them wait as for any other lock. So it is asked for here, before there are connections. Blocks.

    Raises:
        sqlite3.Error: The file cannot be opened or written.
    """
    url = make_url(address)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    _make_parent(url)
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    with closing(sqlite3.connect(url.database, timeout=BUSY_TIMEOUT_MS / 1000)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


class Database:
    """Connections to one database; made once per process, closed at its end."""

    def __init__(self, address: str) -> None:
        url = async_url(address)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_parent(url)
            self._reader = _sqlite_engine(url, pool_size=SQLITE_READERS, is_writer=False)
            self._writer = _sqlite_engine(url, pool_size=1, is_writer=True)
        else:
            self._writer = create_async_engine(
                url, pool_size=POSTGRES_POOL, pool_pre_ping=True, skip_autocommit_rollback=True
            )
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for queries, each of which sees what is committed when it begins."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, undone by any exception.

        Raises:
            AccessDeniedError: What runs may only read: see `read_only`.
            StorageError: The database is locked, full or gone; nothing was kept.
        """
        if _is_read_only.get():
            raise AccessDeniedError
        try:
            async with self._writer.begin() as connection:
                connection.info[_AT_THE_END] = {}
                yield connection
                for write, items in connection.info.pop(_AT_THE_END).items():
                    await write(connection, items)
        except DBAPIError as error:
            raise _as_storage_error(error) from error
        except PoolTimeoutError as error:  # the writer was busy for too long
            raise StorageError from error

    @asynccontextmanager
    async def reading_session(self) -> AsyncIterator[AsyncSession]:
        """Like `reading`, for queries that give model objects."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        await self._writer.dispose()


def read_only(*, is_so: bool) -> None:
    """From here on, what runs in this task and the tasks it starts may write nothing; or may again."""
    _is_read_only.set(is_so)


def at_the_end(connection: AsyncConnection, write: Writer, item: Any) -> None:
    """Have `write` called once, just before the transaction of `writing` is committed, with all such items.

    For what every transaction must queue up for: asked for early, the queue would last as long as the
    transaction, and two that hold each other's rows would wait for each other.
    """
    connection.info[_AT_THE_END].setdefault(write, []).append(item)


def _as_storage_error(error: DBAPIError) -> Exception:
    """Constraint violations are the caller's to understand; the rest means: not kept, try again."""
    if type(error).__name__ in ("OperationalError", "InterfaceError", "InternalError"):
        log.error("storage.failed", extra={"reason": str(error.orig)})
        return StorageError()
    return error


def _make_parent(url: URL) -> None:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _sqlite_engine(url: URL, *, pool_size: int, is_writer: bool) -> AsyncEngine:
    options: dict[str, Any] = (
        {}
        if is_writer
        else {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, "skip_autocommit_rollback": True}
    )
    engine = create_async_engine(
        url,
        module=OneTripDriver(),
        pool_size=pool_size,
        max_overflow=0 if is_writer else SQLITE_READERS,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        **options,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        # The driver's own implicit BEGIN is deferred: a read that turns into a write then fails when busy.
        connection.isolation_level = None
        cursor = connection.cursor()
        # For a file that came here without `keep_log_ahead`; who is refused reads and writes it all the same.
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What was acknowledged to a person survives a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-65536" if is_writer else "PRAGMA cache_size=-16384")
        if not is_writer:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    if is_writer:

        @event.listens_for(engine.sync_engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
