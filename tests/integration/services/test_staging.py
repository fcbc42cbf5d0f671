"""Temporary tables, on both databases: what is staged is what was given last, in its order."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.services.database import Database
from lk_portal.services.staging import StageTable, fetch, stage

TABLE = StageTable("stage_test", (("number", "INTEGER NOT NULL"), ("name", "TEXT")), is_plain=False)


async def staged(connection: AsyncConnection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await fetch(connection, "SELECT number, name FROM stage_test ORDER BY seq")]


async def test_a_second_use_in_one_transaction_replaces_the_first(database: Database):
    async with database.writing() as connection:
        await stage(connection, TABLE, [(3, "a\tb"), (1, None), (2, "ы")])
        assert await staged(connection) == [(3, "a\tb"), (1, None), (2, "ы")]
        await stage(connection, TABLE, [(9, "x"), (8, "y")])
        assert await staged(connection) == [(9, "x"), (8, "y")]
        await stage(connection, TABLE, [])
        assert await staged(connection) == []


async def test_nothing_is_left_for_the_next_transaction(database: Database):
    for number in range(3):
        async with database.writing() as connection:
            await stage(connection, TABLE, [(number, "x")])
            assert await staged(connection) == [(number, "x")]


async def test_a_table_whose_first_use_was_undone_is_made_again(database: Database):
    with pytest.raises(RuntimeError):
        async with database.writing() as connection:
            await stage(connection, TABLE, [(1, "x")])
            assert await staged(connection) == [(1, "x")]
            raise RuntimeError
    async with database.writing() as connection:
        await stage(connection, TABLE, [(2, "y")])
        assert await staged(connection) == [(2, "y")]
