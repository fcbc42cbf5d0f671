"""An account nobody has yet, and a form that fits it; for tests of registration and recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from lk_portal.models import Acceptance, Account, AccountClaim, AuditEntry, Letter, Subscriber, Table, User
from lk_portal.models.access import Role
from lk_portal.services import documents, registration, users
from lk_portal.services.database import Database
from lk_portal.services.registration import Outcome, read_form
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"
EMAIL = "petrov@example.com"
PHONE = "+79131234567"
ADDRESS = "Омск, улица Мира, дом 5"


def visit(*, after: timedelta = timedelta(), address: str = "192.0.2.1") -> Visit:
    return Visit(address=address, agent="test", at=NOW + after)


@dataclass
class Office:
    """The registry with one account (or more), and the steps the tests are made of."""

    database: Database
    settings: Settings
    number: str = "5500000001"

    async def open_account(
        self, number: str = "", *, subscriber_id: int | None = None, house: str = "5"
    ) -> int:
        premises = await factories.premises(self.database, street="ул. Мира", house=house)
        return await factories.account(
            self.database,
            premises_id=premises,
            subscriber_id=subscriber_id,
            number=number or self.number,
        )

    async def values(self, **changes: object) -> dict[str, object]:
        return {
            "account": self.number,
            "address": ADDRESS,
            "full_name": "Петров Петр Петрович",
            "email": EMAIL,
            "phone": PHONE,
            "agreement": True,
            "consent": True,
            "document_ids": tuple(one.id for one in await documents.current(self.database)),
            **changes,
        }

    async def register(self, at: Visit | None = None, **changes: object) -> Outcome:
        form = read_form(await self.values(**changes))
        return await registration.register(self.database, self.settings, form=form, visit=at or visit())

    async def a_user(self, email: str, *, phone: str | None = None, subscriber_id: int | None = None) -> int:
        """Somebody with a lasting password."""
        return await users.create_user(
            self.database,
            self.settings,
            email=email,
            phone=phone,
            role=Role.SUBSCRIBER,
            display_name="Сидоров",
            password=PASSWORD,
            subscriber_id=subscriber_id,
            now=NOW,
        )

    async def rows(self, model: type[Table]) -> Sequence[Row[Any]]:
        table = table_of(model)
        async with self.database.reading() as connection:
            return (await connection.execute(select(table).order_by(table.c.id))).all()

    async def everything(self) -> dict[str, list[Row[Any]]]:
        """All that registration and recovery could change, but for the audit."""
        models = (User, Subscriber, Account, Acceptance, AccountClaim, Letter)
        return {model.__name__: list(await self.rows(model)) for model in models}

    async def letters(self) -> list[tuple[str, str, str]]:
        return [(row.kind.value, row.to_address, row.status.value) for row in await self.rows(Letter)]

    async def actions(self) -> list[str]:
        return [row.action for row in await self.rows(AuditEntry)]
