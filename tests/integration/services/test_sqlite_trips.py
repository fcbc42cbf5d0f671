"""The driver that goes to SQLite once a statement answers as the one it replaces does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lk_portal.services.sqlite_trips import OneTripDriver


@pytest_asyncio.fixture(params=["ours", "aiosqlite's"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    driver: dict[str, Any] = {"module": OneTripDriver()} if request.param == "ours" else {}
    made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'some.sqlite3'}", **driver)
    async with made.begin() as connection:
        await connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))
        await connection.execute(text("INSERT INTO thing (name) VALUES ('lamp'), ('stove')"))
    yield made
    await made.dispose()


async def test_rows_come_with_their_names(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, name FROM thing ORDER BY id"))).mappings().all()
    assert [dict(row) for row in rows] == [{"id": 1, "name": "lamp"}, {"id": 2, "name": "stove"}]


async def test_a_question_without_rows_has_names_all_the_same(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT name FROM thing WHERE id = 9"))
        assert list(found.keys()) == ["name"]
        assert found.all() == []


async def test_a_change_says_how_many_rows_and_which_key(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        changed = await connection.execute(text("UPDATE thing SET name = name || '!'"))
        added = await connection.execute(text("INSERT INTO thing (name) VALUES ('kettle')"))
        given = await connection.execute(text("INSERT INTO thing (name) VALUES ('iron') RETURNING id, name"))
        many = await connection.execute(
            text("INSERT INTO thing (name) VALUES (:name)"), [{"name": str(number)} for number in range(5)]
        )
        assert (changed.rowcount, added.lastrowid, many.rowcount) == (2, 3, 5)
        assert given.one() == (4, "iron")


async def test_what_fails_is_named_and_undone(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(text("DELETE FROM thing WHERE id = 1"))
            await connection.execute(text("INSERT INTO thing (name) VALUES ('stove')"))
    with pytest.raises(OperationalError, match="no such table"):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT * FROM absent"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 2


async def test_rows_can_be_streamed(engine: AsyncEngine) -> None:
    numbers = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"
    )
    async with engine.connect() as connection:
        seen = [row.i async for row in await connection.stream(numbers)]
    assert seen == list(range(1, 5001))
