"""Who works in the registry, and the portal whose clock its rules go by. For the tests beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lk_portal.models import User
from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from lk_portal.services.resource.writing import Author
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.settings import load_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OMSK = ZoneInfo("Asia/Omsk")
SETTINGS = load_settings(environment="demo", timezone="Asia/Omsk", bcrypt_rounds=4)


async def author(database: Database, *, email: str = "registry@example.com") -> Author:
    """An admin at the utility, made on the first call."""
    known = await _known(database, email)
    key = known or await create_user(
        database,
        SETTINGS,
        email=email,
        phone=None,
        role=Role.ADMIN,
        display_name="Реестр",
        password="Correct-horse-2026",
        subscriber_id=None,
        now=NOW,
    )
    return Author(key, OMSK, Visit("", "", NOW))


async def _known(database: Database, email: str) -> int | None:
    user = table_of(User)
    async with database.reading() as connection:
        return (await connection.execute(select(user.c.id).where(user.c.email == email))).scalar_one_or_none()
