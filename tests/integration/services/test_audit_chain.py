"""The chain of the audit: who touches an entry behind the portal's back is found; on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from lk_portal.errors import PortalError
from lk_portal.models import AuditEntry, Role
from lk_portal.services import audit, users
from lk_portal.services.audit_chain import NOTHING, Chain, verify
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from tests.integration.services.people import Portal

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
VISIT = Visit(address="192.0.2.1", agent="test", at=NOW)
TAMPERINGS = {
    "changed": ("UPDATE audit_entry SET actor_user_id = 9 WHERE id = 3", 3),
    "emptied": ("UPDATE audit_entry SET subject_user_id = NULL WHERE id = 3", 3),
    "detail": ("UPDATE audit_entry SET detail = '{\"number\": 8}' WHERE id = 3", 3),
    "taken out": ("DELETE FROM audit_entry WHERE id = 3", 4),
    "first taken out": ("DELETE FROM audit_entry WHERE id = 1", 2),
}


async def write(database: Database, *numbers: int) -> None:
    for number in numbers:
        async with database.writing() as connection:
            await audit.record(
                connection,
                action="web:thing:change",
                visit=VISIT,
                actor=1,
                subject=2,
                number=number,
                name="Ё",
            )


async def unguarded(database: Database, statement: str) -> None:
    """Run a statement as somebody with the rights of the database's owner can."""
    async with database.writing() as connection:
        for table, deed in (("audit_entry", "update"), ("audit_entry", "delete")):
            on = "" if database.is_sqlite else f" ON {table}"
            await connection.execute(text(f"DROP TRIGGER {table}_no_{deed}{on}"))
        await connection.execute(text(statement))


async def test_entries_follow_each_other(database: Database) -> None:
    assert await verify(database) == Chain(0, NOTHING)
    await write(database, 1, 2)
    async with database.writing() as connection:
        for number in (3, 4):
            await audit.record(
                connection, action="web:thing:change", visit=VISIT, actor=None, subject=None, number=number
            )

    found = await verify(database)

    entry = table_of(AuditEntry).c
    async with database.reading() as connection:
        rows = (await connection.execute(select(entry.previous, entry.hash).order_by(entry.id))).all()
    assert [row.previous for row in rows] == [NOTHING, *(row.hash for row in rows[:-1])]
    assert found == Chain(4, rows[-1].hash)
    assert found.is_whole


async def test_what_was_undone_leaves_no_gap(database: Database) -> None:
    await write(database, 1)
    with pytest.raises(RuntimeError):
        async with database.writing() as connection:
            await audit.record(connection, action="web:thing:undo", visit=VISIT, actor=1, subject=2)
            raise RuntimeError
    await write(database, 2)

    assert (await verify(database)).entries == 2
    assert (await verify(database)).is_whole


async def test_many_at_once_make_one_chain(database: Database) -> None:
    await asyncio.gather(*(write(database, *range(5)) for _writer in range(12)))

    found = await verify(database)

    assert (found.entries, found.is_whole) == (60, True)


async def test_who_hold_each_others_rows_do_not_wait_for_the_audit(portal: Portal) -> None:
    """One writes its entry and then needs a row that the other has, who writes an entry meanwhile."""
    first = await portal.add()
    has_recorded, has_row = asyncio.Event(), asyncio.Event()
    lock = text("UPDATE portal_user SET locale = 'ru' WHERE id = :id")

    async def entry_first() -> None:
        if not portal.database.is_sqlite:
            await has_row.wait()
        async with portal.database.writing() as connection:
            await audit.record(connection, action="web:a:do", visit=VISIT, actor=first, subject=first)
            has_recorded.set()
            await connection.execute(lock, {"id": first})

    async def row_first() -> None:
        async with portal.database.writing() as connection:
            await connection.execute(lock, {"id": first})
            has_row.set()
            if not portal.database.is_sqlite:
                await has_recorded.wait()
            await audit.record(connection, action="web:b:do", visit=VISIT, actor=first, subject=first)

    await asyncio.gather(entry_first(), row_first())

    assert {"web:a:do", "web:b:do"} <= set(await portal.actions(first))
    assert (await verify(portal.database)).is_whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x' WHERE id = 1",
        "UPDATE audit_entry SET actor_user_id = NULL",
        "DELETE FROM audit_entry WHERE id = 1",
        "DELETE FROM audit_head",
    ],
)
async def test_the_database_refuses_changes(database: Database, statement: str) -> None:
    await write(database, 1, 2)

    with pytest.raises((DBAPIError, PortalError)):
        async with database.writing() as connection:
            await connection.execute(text(statement))

    assert (await verify(database)).is_whole


@pytest.mark.postgres
async def test_postgresql_refuses_to_truncate(postgres_address: str) -> None:
    database = Database(postgres_address)
    await write(database, 1)
    with pytest.raises((DBAPIError, PortalError)):
        async with database.writing() as connection:
            await connection.execute(text("TRUNCATE audit_entry"))
    assert (await verify(database)).entries == 1
    await database.close()


@pytest.mark.parametrize("kind", TAMPERINGS)
async def test_the_first_broken_entry_is_named(database: Database, kind: str) -> None:
    await write(database, 1, 2, 3, 4, 5)
    statement, broken = TAMPERINGS[kind]

    await unguarded(database, statement)

    found = await verify(database)
    assert (found.broken_at, found.is_guarded, found.is_whole) == (broken, False, False)


async def test_the_newest_taken_away_is_missed(database: Database) -> None:
    await write(database, 1, 2, 3)

    await unguarded(database, "DELETE FROM audit_entry WHERE id = 3")

    found = await verify(database)
    assert (found.broken_at, found.is_cut) == (None, True)


async def test_a_login_that_is_deleted_stays_in_the_audit_and_its_number_is_given_to_nobody(
    portal: Portal,
) -> None:
    gone = await portal.add()
    async with portal.database.writing() as connection:
        await connection.execute(text("DELETE FROM portal_user WHERE id = :id"), {"id": gone})

    after = await portal.add()

    assert after > gone
    assert await portal.actions(gone) == [audit.USER_CREATED]
    assert [entry.action for entry in await audit.own_entries(portal.database, user_id=after)] == [
        audit.USER_CREATED
    ]
    assert (await verify(portal.database)).is_whole


async def test_an_entry_that_cannot_be_written_undoes_its_deed(portal: Portal) -> None:
    async with portal.database.writing() as connection:
        await connection.execute(text("ALTER TABLE audit_head RENAME TO audit_head_lost"))

    with pytest.raises((DBAPIError, PortalError)):
        await users.create_user(
            portal.database,
            portal.settings,
            email="new@example.com",
            phone=None,
            role=Role.OPERATOR,
            display_name="",
            password="Correct-horse-2026",
            subscriber_id=None,
            now=NOW,
        )

    async with portal.database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM portal_user")) == 0
