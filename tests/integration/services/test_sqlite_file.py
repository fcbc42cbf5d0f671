"""A SQLite file and those who open it at the same moment: a portal, its worker, a command beside them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from lk_portal.services.database import Database, keep_log_ahead

AT_ONCE, TIMES = 6, 15
WRITES = "INSERT INTO tariff (code, name) VALUES (:code, '')"


def mode_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


async def open_at_once(file: Path) -> int:
    """Each reads and writes as soon as it may; how many rows there are then."""
    databases = [Database(f"sqlite:///{file}") for _ in range(AT_ONCE)]

    async def use(database: Database, code: str) -> None:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
        async with database.writing() as connection:
            await connection.execute(text(WRITES), {"code": code})

    try:
        await asyncio.gather(*(use(one, str(number)) for number, one in enumerate(databases)))
        async with databases[0].reading() as connection:
            return int((await connection.execute(text("SELECT count(*) FROM tariff"))).scalar_one())
    finally:
        for one in databases:
            await one.close()


async def test_a_migrated_file_can_be_opened_by_many_at_once(sqlite_template: Path, tmp_path: Path) -> None:
    assert mode_of(sqlite_template) == "wal"
    for number in range(TIMES):
        file = tmp_path / f"{number}.sqlite3"
        shutil.copyfile(sqlite_template, file)
        assert await open_at_once(file) == AT_ONCE


async def test_so_can_one_that_came_from_elsewhere(sqlite_template: Path, tmp_path: Path) -> None:
    """A backup that somebody copied to its place by hand."""
    for number in range(TIMES):
        file = tmp_path / f"{number}.sqlite3"
        shutil.copyfile(sqlite_template, file)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        assert await open_at_once(file) == AT_ONCE
        assert mode_of(file) == "wal"


def test_all_who_ask_for_the_log_get_it(tmp_path: Path) -> None:
    """As the workers of one machine do when the file of the jobs is new."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(TIMES):
            file = tmp_path / "new" / f"{number}.sqlite3"
            list(threads.map(keep_log_ahead, [f"sqlite:///{file}"] * AT_ONCE))
            assert mode_of(file) == "wal"


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        keep_log_ahead(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("address", ["sqlite://", "postgresql://nobody@127.0.0.1:1/none"])
def test_others_are_left_as_they_are(address: str) -> None:
    keep_log_ahead(address)
