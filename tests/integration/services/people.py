"""Persons who may sign in, and signing them in; for the tests of access, sessions and passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from lk_portal.models import AuditEntry, Letter, User
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, audit, users
from lk_portal.services.access import Identity, Role, SignedIn, Visit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"
OTHER_PASSWORD = "Another-horse-2026"
EMAIL = "ivanov@example.com"
PHONE = "+7 913 123-45-67"
HOME = "192.0.2.1"
ENEMY = "198.51.100.66"


def visit(*, after: timedelta = timedelta(), address: str = HOME) -> Visit:
    return Visit(address=address, agent="test", at=NOW + after)


@dataclass
class Portal:
    """A database and settings, with the few steps the tests are made of."""

    database: Database
    settings: Settings
    devices: dict[int, str] = field(default_factory=dict)

    async def add(self, **changes: object) -> int:
        values: dict[str, object] = {
            "email": EMAIL,
            "phone": PHONE,
            "role": Role.OPERATOR,
            "display_name": "Иванов",
            "password": PASSWORD,
            "subscriber_id": None,
            "now": NOW,
            **changes,
        }
        return await users.create_user(self.database, self.settings, **values)  # type: ignore[arg-type]

    async def sign_in(
        self,
        login: str = EMAIL,
        password: str = PASSWORD,
        *,
        devices: dict[int, str] | None = None,
        old_token: str = "",
        **where: Any,
    ) -> SignedIn:
        return await access.sign_in(
            self.database,
            self.settings,
            login=login,
            password=password,
            visit=visit(**where),
            devices_known=devices or {},
            old_token=old_token,
        )

    async def identity(self, token: str, *, after: timedelta = timedelta()) -> Identity | None:
        return await access.identity_of(
            self.database, self.settings, session_hash=hash_of(token), now=NOW + after
        )

    async def user(self, user_id: int) -> Row[Any]:
        async with self.database.reading() as connection:
            return (await connection.execute(select(table_of(User)).filter_by(id=user_id))).one()

    async def letters(self) -> list[tuple[str, str]]:
        """Kind and address of every letter, in the order of writing."""
        letter = table_of(Letter)
        async with self.database.reading() as connection:
            rows = await connection.execute(select(letter.c.kind, letter.c.to_address).order_by(letter.c.id))
            return [(str(row.kind), row.to_address) for row in rows]

    async def actions(self, user_id: int | None = None) -> list[str]:
        """The audit of one person, or of all, in the order of writing."""
        entry = table_of(AuditEntry)
        query = select(entry.c.action).order_by(entry.c.id)
        if user_id is not None:
            query = query.where(entry.c.subject_user_id == user_id)
        async with self.database.reading() as connection:
            return list(await connection.scalars(query))

    async def count(self, table: str) -> int:
        async with self.database.reading() as connection:
            return int((await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one())


SIGNED_IN = audit.SIGNED_IN
