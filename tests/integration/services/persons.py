"""People for tests of what a person does with her own things: a user, her letters, her audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from lk_portal.models import AuditEntry, Letter, LetterKind, User
from lk_portal.services import access
from lk_portal.services.access import Role, Visit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"
ADDRESS = "192.0.2.1"


def visit(*, after: timedelta = timedelta(), address: str = ADDRESS) -> Visit:
    return Visit(
        address=address, agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36", at=NOW + after
    )


async def person(
    database: Database,
    settings: Settings,
    name: str = "ivanov",
    *,
    phone: str | None = None,
    role: Role = Role.OPERATOR,
    subscriber_id: int | None = None,
) -> int:
    user_id = await access.create_user(
        database,
        settings,
        email=f"{name}@example.com",
        phone=phone,
        role=role,
        display_name=name.title(),
        password=PASSWORD,
        subscriber_id=subscriber_id,
        now=NOW,
    )
    if role is Role.SUBSCRIBER:
        await factories.documents_accepted(database, user_id=user_id)
    return user_id


async def user_row(database: Database, user_id: int) -> Row[Any]:
    user = table_of(User)
    async with database.reading() as connection:
        return (await connection.execute(select(user).where(user.c.id == user_id))).one()


async def set_user(database: Database, user_id: int, **values: object) -> None:
    user = table_of(User)
    async with database.writing() as connection:
        await connection.execute(update(user).where(user.c.id == user_id).values(**values))


async def letters_written(database: Database, kind: LetterKind | None = None) -> list[Row[Any]]:
    letter = table_of(Letter)
    query = select(letter).order_by(letter.c.id)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [row for row in rows if kind in (None, row.kind)]


async def deeds(database: Database, user_id: int) -> list[str]:
    entry = table_of(AuditEntry)
    query = select(entry.c.action).where(entry.c.subject_user_id == user_id).order_by(entry.c.id)
    async with database.reading() as connection:
        return list((await connection.scalars(query)).all())


async def sign_in(
    database: Database, settings: Settings, login: str, *, after: timedelta = timedelta()
) -> str:
    """The token of a new session."""
    signed_in = await access.sign_in(
        database, settings, login=login, password=PASSWORD, visit=visit(after=after)
    )
    return signed_in.token
