"""Entries about meters are found under whoever has the meter, or had it; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from lk_portal.models import Seal, Verification
from lk_portal.resources import audit, meters, seals, verifications
from lk_portal.services import context
from lk_portal.services.audit import record
from lk_portal.services.audit_chain import verify
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.resource import Resource, resource_named
from lk_portal.services.resource.reading import View, read_page, read_row
from lk_portal.services.resource.writing import change, create, remove
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.registry_staff import NOW, SETTINGS, author

DECLARED = (audit, meters, seals, verifications)
SEAL = {"number": "П-7", "placed_on": "2026-01-01"}
CHECK = {"kind": "periodic", "verified_on": "2026-01-01"}


@pytest.fixture(autouse=True)
def portal(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The declarations ask the portal for its clock and its zone."""
    monkeypatch.setattr(context._Installed, "portal", None)
    context.install(Portal(SETTINGS, database, lambda: NOW))
    yield


@dataclass(frozen=True)
class Home:
    """A household: the account's number, the point and the meter there."""

    number: str
    point_id: int
    meter_id: int
    serial: str


async def home(database: Database, name: str, number: str) -> Home:
    owner = await factories.subscriber(database, full_name=name)
    place = await factories.premises(database)
    account = await factories.account(database, premises_id=place, subscriber_id=owner, number=number)
    point, serial = await factories.point(database, account_id=account), f"SN-{number}"
    meter = await factories.meter(database, serial=serial)
    await factories.installation(database, meter_id=meter, point_id=point)
    return Home(number, point, meter, serial)


def named(name: str) -> Resource:
    found = resource_named(name)
    assert found is not None
    return found


async def found(database: Database, query: str) -> set[str]:
    page = await read_page(database, named("audit"), View(query=query), now=NOW)
    return {row.values[2] for row in page.rows}


async def edit(database: Database, name: str, key: int, **form: str) -> None:
    known = await read_row(database, named(name), key)
    shown = {one: "" if value is None else str(value) for one, value in known.items()}
    await change(database, named(name), key, shown | form, known=known, author=await author(database))


async def only(database: Database, model: type[Seal | Verification]) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(select(table_of(model).c.id))).scalar_one())


@pytest.mark.parametrize("query", ["7700000001", "77000", "Петрова", "петрова анна"])
async def test_what_was_done_to_a_meter_is_found_under_whose_it_is(database: Database, query: str) -> None:
    own = await home(database, "Петрова Анна", "7700000001")
    await home(database, "Сидоров Олег", "8800000001")
    await create(database, named("seals"), SEAL | {"meter_id": own.serial}, await author(database))
    await create(database, named("verifications"), CHECK | {"meter_id": own.serial}, await author(database))
    made = {"registry:seals:create", "registry:verifications:create"}
    assert await found(database, query) == made

    await edit(database, "meters", own.meter_id, model="МИР С-05")
    await edit(database, "seals", await only(database, Seal), meter_id=own.serial, removed_on="2026-02-01")
    check = await only(database, Verification)
    await edit(database, "verifications", check, meter_id=own.serial, due_on="2042-01-01")
    changed = {"registry:meters:change", "registry:seals:change", "registry:verifications:change"}

    assert await found(database, query) == made | changed
    assert await found(database, "8800000001") == await found(database, "Сидоров") == set()
    assert (await verify(database)).is_whole


async def test_that_a_row_was_removed_is_found_though_it_is_gone(database: Database) -> None:
    own = await home(database, "Петрова Анна", "7700000001")
    await create(database, named("seals"), SEAL | {"meter_id": own.serial}, await author(database))
    await remove(database, named("seals"), [await only(database, Seal)], await author(database))

    assert await found(database, own.number) == {"registry:seals:create", "registry:seals:remove"}


async def test_a_meter_is_found_under_everybody_who_had_it(database: Database) -> None:
    first = await home(database, "Петрова Анна", "7700000001")
    second = await home(database, "Сидоров Олег", "8800000001")
    moved = await factories.meter(database, serial="SN-3")
    day = timedelta(days=1)
    since = NOW - 9 * day
    async with database.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM installation")
    await factories.installation(
        database, meter_id=moved, point_id=first.point_id, installed_at=since, removed_at=since + day
    )
    await factories.installation(database, meter_id=moved, point_id=second.point_id, installed_at=since + day)
    await edit(database, "meters", moved, model="МИР С-05")

    for number in (first.number, second.number):
        assert await found(database, number) == {"registry:meters:change"}


@pytest.mark.parametrize("action", ["desk:connection:replay", "job:connection:replay", "web:meter:rename"])
async def test_entries_that_name_a_meter_by_its_serial_are_found(database: Database, action: str) -> None:
    own = await home(database, "Петрова Анна", "7700000001")
    await home(database, "Сидоров Олег", "8800000001")
    visit = (await author(database)).visit
    async with database.writing() as connection:
        await record(connection, action=action, visit=visit, actor=None, subject=None, meter=own.serial)

    assert await found(database, own.number) == {action}
    assert await found(database, "8800000001") == set()
