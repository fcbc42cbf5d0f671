"""What `lk doctor` says of the audit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from lk_portal.services import audit
from lk_portal.services.database import Database
from lk_portal.services.visit import Visit
from tests.integration.cli.command import Command


async def test_the_first_entry_that_somebody_changed_is_named(
    sqlite_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    visit = Visit(address="", agent="", at=datetime.now(UTC))
    for number in range(3):
        async with sqlite_database.writing() as connection:
            await audit.record(
                connection, action="web:thing:change", visit=visit, actor=1, subject=1, number=number
            )
    assert "  audit: 3 entries, unbroken; the newest is " in (await lk("doctor")).out

    async with sqlite_database.writing() as connection:
        await connection.execute(text("DROP TRIGGER audit_entry_no_update"))
        await connection.execute(text("UPDATE audit_entry SET address = '203.0.113.9' WHERE id = 2"))
    ran = await lk("doctor")

    assert ran.code == 1
    assert "! audit: entry 2 is not as it was written" in ran.out.splitlines()
