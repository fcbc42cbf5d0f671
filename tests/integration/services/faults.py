"""A database that fails in the middle of a transaction, after others of its tables took their rows."""

from __future__ import annotations

from sqlalchemy import text

from lk_portal.services.database import Database

DISK_FULL = """
CREATE FUNCTION no_space() RETURNS trigger AS
$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$ LANGUAGE plpgsql
"""


async def break_table(database: Database, table: str) -> None:
    """Let every insert into `table` fail as a full disk (PostgreSQL) or a lost table (SQLite) does."""
    async with database.writing() as connection:
        if database.is_sqlite:
            await connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_lost"))
            return
        await connection.execute(text(DISK_FULL))
        trigger = f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION no_space()"
        await connection.execute(text(trigger))


async def mend_table(database: Database, table: str) -> None:
    """Undo `break_table`."""
    async with database.writing() as connection:
        if database.is_sqlite:
            await connection.execute(text(f"ALTER TABLE {table}_lost RENAME TO {table}"))
            return
        await connection.execute(text(f"DROP TRIGGER full_disk ON {table}"))
        await connection.execute(text("DROP FUNCTION no_space"))
