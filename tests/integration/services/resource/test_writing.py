"""Rows of a declared list are written whole or not at all, and whoever wrote them stands in the audit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from lk_portal.errors import FormError, InputError, NotFoundError
from lk_portal.models import Gateway, Installation, MeteringPoint, Tariff
from lk_portal.services.access import Role
from lk_portal.services.database import Database
from lk_portal.services.resource import Action, Doing, FormField, Resource
from lk_portal.services.resource.reading import read_row
from lk_portal.services.resource.typed import text_of
from lk_portal.services.resource.writing import (
    ConflictError,
    act,
    change,
    create,
    remove,
    shown_references,
)
from tests import factories
from tests.integration.services.people import Portal
from tests.integration.services.resource.declared import (
    ACCOUNTS,
    GATEWAYS,
    POINTS,
    TARIFFS,
    add_tariffs,
    audited,
    author,
    count_of,
    shown,
)

RIGHT = {"code": "Т-1", "name": "Дневной"}


@pytest.fixture
async def admin(portal: Portal) -> int:
    return await portal.add(email="admin@example.com", phone=None, role=Role.ADMIN, subscriber_id=None)


async def known_of(database: Database, resource: Resource, key: int) -> dict[str, Any]:
    return await read_row(database, resource, key)


async def test_a_new_row_and_its_entry(database: Database, admin: int) -> None:
    key = await create(database, TARIFFS, RIGHT, author(admin))

    assert await known_of(database, TARIFFS, key) == RIGHT
    assert await audited(database) == [
        ("registry:tariffs:create", {"key": key, "code": "Т-1", "name": "Дневной"}, None)
    ]


async def test_a_changed_row_and_what_it_was(database: Database, admin: int) -> None:
    [key] = await add_tariffs(database, "Т-1", name="Дневной")
    known = await known_of(database, TARIFFS, key)

    await change(database, TARIFFS, key, RIGHT | {"name": "Ночной"}, known=known, author=author(admin))

    assert await known_of(database, TARIFFS, key) == {"code": "Т-1", "name": "Ночной"}
    assert await audited(database) == [
        ("registry:tariffs:change", {"key": key, "name": "Дневной → Ночной"}, None)
    ]


async def test_nothing_changed_is_no_entry(database: Database, admin: int) -> None:
    [key] = await add_tariffs(database, "Т-1", name="Дневной")

    await change(database, TARIFFS, key, RIGHT, known=RIGHT, author=author(admin))

    assert await audited(database) == []


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({}, {"code", "name"}),
        ({"code": "Т-1", "name": ""}, {"name"}),
        ({"code": "Т" * 33, "name": "x"}, {"code"}),
        ({"code": "занят", "name": "x"}, {"code"}),
    ],
)
async def test_a_wrong_form_writes_nothing(
    database: Database, admin: int, form: dict[str, str], fields: set[str]
) -> None:
    await add_tariffs(database, "занят")
    [key] = await add_tariffs(database, "другой")
    known = await known_of(database, TARIFFS, key)

    with pytest.raises(FormError) as refused:
        await create(database, TARIFFS, form, author(admin))
    assert refused.value.errors.keys() == fields
    with pytest.raises(FormError) as refused:
        await change(database, TARIFFS, key, form, known=known, author=author(admin))
    assert refused.value.errors.keys() == fields

    assert sorted(await shown(database, TARIFFS)) == ["другой", "занят"]
    assert await audited(database) == []


async def test_what_is_unique_with_another_column_is_said_above_the_form(
    database: Database, admin: int
) -> None:
    form = {"name": "Линия", "protocol": "modbus-tcp", "host": "10.0.0.1", "port": "502"}
    await create(database, GATEWAYS, form, author(admin))

    with pytest.raises(FormError) as refused:
        await create(database, GATEWAYS, form, author(admin))

    assert refused.value.errors.keys() == {""}
    assert await count_of(database, Gateway) == 1
    assert len(await audited(database)) == 1


async def test_whoever_comes_second_is_shown_what_the_first_wrote(database: Database, admin: int) -> None:
    [key] = await add_tariffs(database, "Т-1", name="Дневной")
    known = await known_of(database, TARIFFS, key)
    await change(database, TARIFFS, key, RIGHT | {"name": "Первый"}, known=known, author=author(admin))

    with pytest.raises(ConflictError) as refused:
        await change(database, TARIFFS, key, RIGHT | {"name": "Второй"}, known=known, author=author(admin))
    assert refused.value.now == {"code": "Т-1", "name": "Первый"}
    assert await known_of(database, TARIFFS, key) == {"code": "Т-1", "name": "Первый"}

    now = refused.value.now
    await change(database, TARIFFS, key, RIGHT | {"name": "Второй"}, known=now, author=author(admin))
    assert (await audited(database))[-1][1] == {"key": key, "name": "Первый → Второй"}


async def test_of_many_at_once_one_wins(database: Database, admin: int) -> None:
    [key] = await add_tariffs(database, "Т-1", name="Дневной")
    known = await known_of(database, TARIFFS, key)
    forms = [RIGHT | {"name": f"Имя {number}"} for number in range(6)]

    results = await asyncio.gather(
        *(change(database, TARIFFS, key, form, known=known, author=author(admin)) for form in forms),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in results) == [*["ConflictError"] * 5, "NoneType"]
    assert len(await audited(database)) == 1


async def test_two_new_rows_with_one_code_at_once(database: Database, admin: int) -> None:
    results = await asyncio.gather(
        *(create(database, TARIFFS, RIGHT, author(admin)) for _ in range(4)), return_exceptions=True
    )

    assert sum(isinstance(one, int) for one in results) == 1
    assert all(isinstance(one, int | FormError) for one in results)
    assert await count_of(database, Tariff) == 1
    assert len(await audited(database)) == 1


async def test_foreign_keys_are_typed_by_another_tables_own_key(database: Database, admin: int) -> None:
    place = await factories.premises(database)
    home = await factories.account(database, premises_id=place, number="5500")
    await add_tariffs(database, "Т-1")
    form = {"code": "urn:uuid:1", "account_id": "5500", "tariff_id": "Т-1"}

    key = await create(database, POINTS, form, author(admin))

    row = await known_of(database, POINTS, key)
    assert row["account_id"] == home
    assert await shown_references(database, POINTS, row) == form
    for name, typed in (("account_id", "5501"), ("tariff_id", "т-1"), ("account_id", "55' OR 1=1")):
        with pytest.raises(FormError) as refused:
            await create(database, POINTS, form | {"code": "urn:uuid:2", name: typed}, author(admin))
        assert refused.value.errors.keys() == {name}
    assert await count_of(database, MeteringPoint) == 1


async def test_a_name_that_two_people_have_refers_to_neither(database: Database, admin: int) -> None:
    place = await factories.premises(database)
    key = await factories.account(database, premises_id=place, number="5500")
    await factories.subscriber(database, full_name="Иванов Иван")
    known = await known_of(database, ACCOUNTS, key)
    form = {"number": "5500", "subscriber_id": "Иванов Иван", "note": ""}
    await factories.subscriber(database, full_name="Иванов Иван")

    with pytest.raises(FormError) as refused:
        await change(database, ACCOUNTS, key, form, known=known, author=author(admin))

    assert refused.value.errors.keys() == {"subscriber_id"}
    assert (await known_of(database, ACCOUNTS, key))["subscriber_id"] is None


async def test_the_subscriber_sees_who_touched_her_things(
    database: Database, portal: Portal, admin: int
) -> None:
    owner = await factories.subscriber(database)
    login = await portal.add(email="own@example.com", phone=None, subscriber_id=owner)
    point = await factories.a_metered_point(database, subscriber_id=owner)
    known = await known_of(database, POINTS, point.point_id)
    form = await shown_references(database, POINTS, known)

    await change(database, POINTS, point.point_id, form | {"code": "x"}, known=known, author=author(admin))

    [(action, facts, subject)] = await audited(database)
    assert (action, subject) == ("registry:points:change", login)
    assert facts == {"key": point.point_id, "code": f"{known['code']} → x"}


async def test_removing_is_all_or_none(database: Database, admin: int) -> None:
    free, used = await add_tariffs(database, "свободен", "занят")
    place = await factories.premises(database)
    home = await factories.account(database, premises_id=place)
    await factories.point(database, account_id=home, tariff_id=used)

    with pytest.raises(InputError, match="Something else needs this"):
        await remove(database, TARIFFS, [free, used], author(admin))
    with pytest.raises(NotFoundError):
        await remove(database, TARIFFS, [free, 10**12], author(admin))
    assert await count_of(database, Tariff) == 2
    assert await audited(database) == []

    await remove(database, TARIFFS, [free], author(admin))

    assert await shown(database, TARIFFS) == ["занят"]
    assert await audited(database) == [
        ("registry:tariffs:remove", {"key": free, "code": "свободен → ", "name": "Тариф → "}, None)
    ]


async def test_a_thousand_at_once_and_no_more(database: Database, admin: int) -> None:
    with pytest.raises(InputError, match="too much at once"):
        await remove(database, TARIFFS, range(1, 1002), author(admin))


async def rename(doing: Doing) -> None:
    await doing.connection.execute(update(Tariff).where(Tariff.id.in_(doing.ids)).values(name="Новое"))  # type: ignore[union-attr]
    found = await doing.connection.execute(select(Tariff.code).where(Tariff.id.in_(doing.ids)))  # type: ignore[union-attr]
    if "нельзя" in found.scalars().all():
        raise InputError("Not this one.")


RENAME = Action("rename", "Rename", rename)


async def test_an_action_is_done_to_all_rows_or_to_none(database: Database, admin: int) -> None:
    first, second, third = await add_tariffs(database, "а", "б", "нельзя", name="Старое")

    for keys in ([first, third], [first, 10**6], [first, 10**15]):
        with pytest.raises((InputError, NotFoundError)):
            await act(database, TARIFFS, RENAME, keys, author(admin))
    assert (await known_of(database, TARIFFS, first))["name"] == "Старое"
    assert await audited(database) == []

    await act(database, TARIFFS, RENAME, [first, second], author(admin))

    names = [(await known_of(database, TARIFFS, key))["name"] for key in (first, second, third)]
    assert names == ["Новое", "Новое", "Старое"]
    assert [entry[:2] for entry in await audited(database)] == [
        ("registry:tariffs:rename", {"key": first}),
        ("registry:tariffs:rename", {"key": second}),
    ]


async def test_what_only_leaves_out_cannot_be_written(database: Database, admin: int) -> None:
    resource = replace(TARIFFS, only=Tariff.code == "моё")
    mine, other = await add_tariffs(database, "моё", "чужое")
    known = await known_of(database, TARIFFS, other)

    with pytest.raises(NotFoundError):
        await change(database, resource, other, RIGHT, known=known, author=author(admin))
    with pytest.raises(NotFoundError):
        await remove(database, resource, [mine, other], author(admin))
    with pytest.raises(NotFoundError):
        await act(database, resource, RENAME, [other], author(admin))
    assert await count_of(database, Tariff) == 2
    assert await audited(database) == []


async def test_the_resources_own_check_has_its_say(database: Database, admin: int) -> None:
    async def no_nights(_connection: Any, values: dict[str, Any], key: int | None) -> None:
        if values["name"] == "Ночной" and key is None:
            raise InputError("No nights.", field="name")

    resource = replace(TARIFFS, check=no_nights)

    with pytest.raises(FormError) as refused:
        await create(database, resource, RIGHT | {"name": "Ночной"}, author(admin))
    assert str(refused.value.errors["name"]) == "No nights."
    assert await count_of(database, Tariff) == 0
    key = await create(database, resource, RIGHT, author(admin))
    known = await known_of(database, resource, key)
    await change(database, resource, key, RIGHT | {"name": "Ночной"}, known=known, author=author(admin))


async def test_an_hour_that_exists_twice_stays_where_it_was(database: Database, admin: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    second = datetime(2026, 10, 25, 1, 30, 0, 250_000, tzinfo=UTC)
    point = await factories.a_metered_point(database, installed_at=second)
    resource = Resource(
        Installation,
        "/admin/installations",
        "Installations",
        (),
        form=(
            FormField(Installation.installed_at, "Since*"),
            FormField(Installation.ct_ratio, "Ratio*"),
        ),
    )
    known = await known_of(database, resource, point.installation_id)
    form = {one.name: text_of(one, known[one.name], zone=berlin) for one in resource.form} | {
        "ct_ratio": "40"
    }
    writer = replace(author(admin), zone=berlin)

    await change(database, resource, point.installation_id, form, known=known, author=writer)

    now = await known_of(database, resource, point.installation_id)
    assert now["installed_at"] == second
    assert now["ct_ratio"] == 40
    await change(
        database,
        resource,
        point.installation_id,
        form | {"installed_at": "2026-10-25T02:31"},
        known=now,
        author=writer,
    )
    moved = await known_of(database, resource, point.installation_id)
    assert moved["installed_at"] == datetime(2026, 10, 25, 0, 31, tzinfo=UTC)


async def test_a_row_that_is_gone_is_said_to_be(database: Database, admin: int) -> None:
    for key in (7, 2**40):
        with pytest.raises(NotFoundError):
            await change(database, TARIFFS, key, RIGHT, known=RIGHT, author=author(admin))
