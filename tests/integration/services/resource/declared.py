"""Declarations over real tables, for the tests of reading and writing; none of them is registered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, insert, select

from lk_portal.models import Account, AuditEntry, Gateway, MeteringPoint, Premises, Subscriber, Tariff
from lk_portal.services.database import Database
from lk_portal.services.resource import Column, FormField, Reference, Resource
from lk_portal.services.resource.reading import Page, View, read_page
from lk_portal.services.resource.writing import Author
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OMSK = ZoneInfo("Asia/Omsk")
TARIFFS = Resource(
    Tariff,
    "/admin/tariffs",
    "Tariffs",
    (Column(Tariff.code, "Code", is_sortable=True), Column(Tariff.name, "Name")),
    search=(Tariff.code,),
    form=(FormField(Tariff.code, "Code*"), FormField(Tariff.name, "Name*")),
    can_remove=True,
)
ACCOUNTS = Resource(
    Account,
    "/admin/accounts",
    "Accounts",
    (
        Column(Account.number, "Number", is_sortable=True),
        # Many accounts of one house: ties in what is sorted by.
        Column(Account.premises_id, "House", is_sortable=True),
        Column(Premises.street, "Street"),
        Column(Subscriber.full_name, "Owner"),
    ),
    search=(Account.number, Subscriber.full_name),
    form=(
        FormField(Account.number, "Number*"),
        FormField(Account.subscriber_id, "Owner", reference=Reference(Subscriber.full_name)),
        FormField(Account.note, "Note"),
    ),
    can_create=False,
    can_remove=True,
    whose=Account.subscriber_id,
)
POINTS = Resource(
    MeteringPoint,
    "/admin/points",
    "Points",
    (
        Column(MeteringPoint.code, "Code", is_sortable=True),
        Column(Account.number, "Account"),
        Column(Premises.settlement, "Place"),
        Column(Tariff.name, "Tariff"),
    ),
    search=(MeteringPoint.code, Account.number, Subscriber.full_name),
    form=(
        FormField(MeteringPoint.code, "Code*"),
        FormField(MeteringPoint.account_id, "Account*", reference=Reference(Account.number)),
        FormField(MeteringPoint.tariff_id, "Tariff", reference=Reference(Tariff.code)),
    ),
    whose=Account.subscriber_id,
)
GATEWAYS = Resource(
    Gateway,
    "/admin/gateways",
    "Gateways",
    (Column(Gateway.name, "Name"), Column(Gateway.port, "Port")),
    form=(
        FormField(Gateway.name, "Name*"),
        FormField(Gateway.protocol, "Protocol*"),
        FormField(Gateway.host, "Host*"),
        FormField(Gateway.port, "Port*"),
    ),
)


async def add_tariffs(database: Database, *codes: str, name: str = "Тариф") -> list[int]:
    """A tariff for each code; their keys."""
    async with database.writing() as connection:
        return [
            (await connection.execute(insert(Tariff).values(code=code, name=name))).inserted_primary_key[0]
            for code in codes
        ]


def author(user_id: int, *, at: datetime = NOW) -> Author:
    """Who writes; by the clock of Omsk."""
    return Author(user_id, OMSK, Visit(address="192.0.2.1", agent="test", at=at))


async def shown(database: Database, resource: Resource, **view: Any) -> list[Any]:
    """The first column of one page."""
    return [row.values[0] for row in (await page_of(database, resource, **view)).rows]


async def page_of(database: Database, resource: Resource, **view: Any) -> Page:
    """One page."""
    return await read_page(database, resource, View(**view), now=NOW)


async def count_of(database: Database, model: Any) -> int:
    """How many rows a table has."""
    async with database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(table_of(model)))
        return int(found.scalar_one())


async def audited(database: Database) -> list[tuple[str, dict[str, Any], int | None]]:
    """Action, facts and subject of all entries of lists, oldest first."""
    entry = table_of(AuditEntry)
    query = select(entry.c.action, entry.c.detail, entry.c.subject_user_id).order_by(entry.c.id)
    query = query.where(entry.c.action.startswith("registry:"))
    async with database.reading() as connection:
        return [tuple(row) for row in (await connection.execute(query)).all()]  # type: ignore[misc]
