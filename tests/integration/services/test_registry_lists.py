"""The lists of the registry: what they show, find and refuse. On both databases."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lk_portal import resources
from lk_portal.errors import FormError, InputError
from lk_portal.models import Account, AuditEntry, MeteringPoint, Premises
from lk_portal.services import context
from lk_portal.services.addresses import suggest
from lk_portal.services.answer_templates import offered
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.desk_counts import desk_counts
from lk_portal.services.periods import ReadingDays
from lk_portal.services.reading_days import reading_days
from lk_portal.services.resource import Resource, resource_named
from lk_portal.services.resource.reading import View, read_page, read_row
from lk_portal.services.resource.writing import change, create, remove, shown_references
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.polled import HOUR, T0, poll
from tests.integration.services.registry_staff import NOW, OMSK, SETTINGS, author

for _module in pkgutil.iter_modules(resources.__path__, prefix=f"{resources.__name__}."):
    importlib.import_module(_module.name)

LISTS = ("subscribers", "accounts", "premises", "points", "meters")
FURTHER = ("installations", "verifications", "seals", "tariffs", "zones", "billing")


@pytest.fixture(autouse=True)
def portal(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The declarations ask the portal for its clock and its zone."""
    monkeypatch.setattr(context._Installed, "portal", None)
    context.install(Portal(SETTINGS, database, lambda: NOW))
    yield


def named(name: str) -> Resource:
    found = resource_named(name)
    assert found is not None
    return found


async def rows(database: Database, name: str, **view: Any) -> list[tuple[Any, ...]]:
    page = await read_page(database, named(name), View(**view), now=NOW)
    return [row.values for row in page.rows]


async def errors_of(database: Database, name: str, form: dict[str, object]) -> set[str]:
    with pytest.raises(FormError) as raised:
        await create(database, named(name), form, await author(database))
    return set(raised.value.errors)


async def test_every_list_can_be_read_with_each_of_its_filters_and_searched(database: Database):
    placed = await factories.a_metered_point(database, tariff_id=await factories.tariff(database))
    await factories.verification(database, meter_id=placed.meter_id, verified_on=date(2020, 1, 1))
    await factories.seal(database, meter_id=placed.meter_id, number="П-1", placed_on=date(2020, 1, 1))
    await create(database, named("billing"), {"since": "2020-01-01", "day": "1"}, await author(database))
    for name in LISTS + FURTHER:
        assert await rows(database, name), name
        for one in named(name).filters:
            seen = [len(await rows(database, name, filters={one.name: c.name})) for c in one.choices]
            assert len(seen) > 1
        assert not named(name).search or await rows(database, name, query="нет такого") == []
        for column in named(name).columns:
            if column.is_sortable:
                assert await rows(database, name, sort=str(column.expression.key))


async def test_a_meter_says_where_it_stands_and_when_it_must_be_verified(database: Database):
    placed = await factories.a_metered_point(database)
    in_store = await factories.meter(database, serial="СКЛАД-1")
    await factories.verification(
        database, meter_id=placed.meter_id, verified_on=date(2010, 1, 1), due_on=date(2026, 1, 1)
    )
    await poll(database, placed.meter_id, (T0, 1000), (T0 + HOUR, 1500))

    (shown,) = await rows(database, "meters", filters={"place": "standing"})
    assert shown[0] == placed.serial
    assert shown[2].startswith("5500")
    assert shown[3].startswith("г. Омск, ул. Ленина, д.")
    assert shown[5] == date(2026, 1, 1)
    assert shown[6] == T0 + HOUR
    (other,) = await rows(database, "meters", filters={"place": "store"})
    assert (other[0], other[2], other[3]) == ("СКЛАД-1", None, None)
    assert [row[0] for row in await rows(database, "meters", filters={"due": "overdue"})] == [placed.serial]
    assert [row[0] for row in await rows(database, "meters", query="склад")] == ["СКЛАД-1"]
    assert in_store


async def test_only_the_newest_verification_is_overdue(database: Database):
    soon, overdue, renewed = [await factories.meter(database, serial=f"М{n}") for n in (1, 2, 3)]
    day = NOW.date()
    for meter, due in (
        (soon, day + timedelta(days=10)),
        (overdue, day - timedelta(days=1)),
        (renewed, day - timedelta(days=1)),
        (renewed, day + timedelta(days=900)),
    ):
        await factories.verification(database, meter_id=meter, verified_on=date(2010, 1, 1), due_on=due)

    for choice, serials in (("overdue", ["М2"]), ("soon", ["М1"]), ("later", ["М3"])):
        found = await rows(database, "verifications", filters={"due": choice})
        assert [row[0] for row in found] == serials
    for choice, serials in (("overdue", ["М2"]), ("soon", ["М1"])):
        assert [row[0] for row in await rows(database, "meters", filters={"due": choice})] == serials


async def test_the_verifications_that_the_desk_counts_are_a_choice(database: Database):
    overdue, soon, later = [await factories.a_metered_point(database) for _number in range(3)]
    for point, days in ((overdue, -1), (soon, 59), (later, 61)):
        await factories.verification(
            database,
            meter_id=point.meter_id,
            verified_on=date(2010, 1, 1),
            due_on=NOW.date() + timedelta(days=days),
        )

    found = await rows(database, "verifications", filters={"due": "due"})

    assert {row[-1] for row in found} == {NOW.date() + timedelta(days=days) for days in (-1, 59)}
    assert len(found) == (await desk_counts(database, now=NOW, today=NOW.date())).verifications


async def test_an_account_is_found_by_its_number_its_owner_and_its_street(database: Database):
    owner = await factories.subscriber(database, full_name="Ягодкина Анна")
    home = await factories.premises(database, street="пер. Тихий")
    await factories.account(database, premises_id=home, subscriber_id=owner, number="7700112233")
    await factories.a_metered_point(database)

    for typed in ("770011", "ягодкина", "пер. тихий", "Ягод"):
        found = await rows(database, "accounts", query=typed)
        assert [row[0] for row in found] == ["7700112233"], typed
        assert found[0][2] == "Ягодкина Анна"
    assert len(await rows(database, "accounts")) == 2


async def test_a_new_subscriber_is_put_in_from_the_name_to_the_meter(database: Database):
    who = await author(database)
    person = await create(database, named("subscribers"), {"full_name": "Новикова О."}, who)
    home = await create(
        database,
        named("premises"),
        {"settlement": "г. Тара", "street": "ул. Новая", "house": "1", "timezone": "Asia/Omsk"},
        who,
    )
    account = await create(
        database,
        named("accounts"),
        {"number": "123", "premises_id": str(home), "subscriber_id": str(person)},
        who,
    )
    code = "urn:uuid:5a3f0c9e-7d1b-4c52-9a80-2f6b1e0d4c77"
    await create(database, named("points"), {"code": code, "account_id": "123"}, who)
    await create(database, named("meters"), {"serial": "N-1", "model": "МИР С-07"}, who)
    placed = {"meter_id": "N-1", "point_id": code, "installed_at": "2026-11-01T12:00"}
    key = await create(database, named("installations"), {**placed, "ct_ratio": "1,5"}, who)

    (shown,) = await rows(database, "installations")
    assert shown[:2] == ("N-1", "123")
    assert shown[3] == datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert [str(ratio.normalize()) for ratio in shown[5:]] == ["1.5", "1"]
    assert (await rows(database, "accounts"))[0][4] == 1
    assert await suggest(database, typed="тара новая") == ("г. Тара, ул. Новая, д.1",)
    values = await read_row(database, named("accounts"), account)
    assert (await shown_references(database, named("accounts"), values))["premises_id"] == home
    async with database.reading() as connection:
        actions = (await connection.execute(select(table_of(AuditEntry).c.action))).scalars().all()
    assert "registry:installations:create" in actions
    assert key


async def test_a_changed_address_is_found_by_its_new_words(database: Database):
    key = await factories.premises(database, street="ул. Старая", house="1")
    known = await read_row(database, named("premises"), key)
    form = {"settlement": "г. Омск", "street": "ул. Молодая", "house": "1"}
    await change(database, named("premises"), key, form, known=known, author=await author(database))

    assert await suggest(database, typed="молодая") == ("г. Омск, ул. Молодая, д.1",)
    assert await suggest(database, typed="старая") == ()
    async with database.reading() as connection:
        zone = await connection.execute(select(table_of(Premises).c.timezone))
    assert zone.scalar_one() == "Asia/Omsk"


async def test_a_new_owner_gets_the_account_without_the_names_of_the_one_before(database: Database):
    placed = await factories.a_metered_point(database)
    heir = await factories.subscriber(database, full_name="Наследник")
    account, point = table_of(Account), table_of(MeteringPoint)
    async with database.writing() as connection:
        await connection.execute(account.update().values(note="дача", removed_at=NOW))
    key = placed.account_id
    known = await read_row(database, named("accounts"), key)
    form = {"number": known["number"], "premises_id": str(known["premises_id"]), "subscriber_id": str(heir)}
    await change(database, named("accounts"), key, form, known=known, author=await author(database))

    async with database.reading() as connection:
        row = (await connection.execute(select(account))).one()
        name = (await connection.execute(select(point.c.name))).scalar_one()
    assert (row.subscriber_id, row.note, row.removed_at, name) == (heir, "", None, "")


@pytest.mark.parametrize(
    ("name", "form", "field"),
    [
        ("premises", {"settlement": "г. Омск", "timezone": "Omsk"}, "timezone"),
        ("points", {"code": "5a3f0c9e", "account_id": "1"}, "code"),
        ("accounts", {"number": "2", "premises_id": "999"}, "premises_id"),
        ("accounts", {"number": "2", "premises_id": "д. 5"}, "premises_id"),
        ("meters", {"serial": "N", "model": "М", "map_name": "нет"}, "map_name"),
        (
            "verifications",
            {"meter_id": "N-1", "kind": "periodic", "verified_on": "2026-01-02", "due_on": "2026-01-01"},
            "due_on",
        ),
        (
            "seals",
            {"meter_id": "N-1", "number": "1", "placed_on": "2026-01-02", "removed_on": "2026-01-01"},
            "removed_on",
        ),
        (
            "zones",
            {
                "tariff_id": "T",
                "valid_from": "2026-01-01",
                "zone": "2",
                "start_minute": "6:40",
                "end_minute": "8:20",
            },
            "start_minute",
        ),
        (
            "zones",
            {
                "tariff_id": "T",
                "valid_from": "2027-01-01",
                "zone": "2",
                "start_minute": "0:05",
                "end_minute": "0:05",
            },
            "end_minute",
        ),
        ("billing", {"since": "2026-01-02", "day": "5"}, "since"),
        ("billing", {"since": "1926-01-01", "day": "5"}, "since"),
        ("billing", {"since": "2026-01-01", "day": "29"}, "day"),
        ("billing", {"since": "2026-01-01", "day": "0"}, "day"),
    ],
)
async def test_what_contradicts_itself_is_refused_beside_its_field(
    database: Database, name: str, form: dict[str, object], field: str
):
    home = await factories.premises(database)
    await factories.account(database, premises_id=home, number="1")
    await factories.meter(database, serial="N-1")
    tariff = await factories.tariff(database, zones=())
    async with database.writing() as connection:
        await connection.execute(table_of(factories.Tariff).update().values(code="T"))
    await factories.tariff_zone(
        database, tariff_id=tariff, zone=1, start=420, end=60, valid_from=date(2026, 1, 1)
    )
    before = len(await rows(database, name))

    assert await errors_of(database, name, form) == {field}
    assert len(await rows(database, name)) == before


async def test_spans_that_meet_and_those_of_another_version_are_no_overlap(database: Database):
    tariff = await factories.tariff(database, zones=())
    async with database.writing() as connection:
        await connection.execute(table_of(factories.Tariff).update().values(code="T"))
    await factories.tariff_zone(
        database, tariff_id=tariff, zone=1, start=420, end=1380, valid_from=date(2026, 1, 1)
    )
    who = await author(database)
    for day, start, end in (("2026-01-01", "23:00", "7:00"), ("2027-01-01", "0:00", "24:00")):
        form = {"tariff_id": "T", "valid_from": day, "zone": "2", "start_minute": start, "end_minute": end}
        await create(database, named("zones"), form, who)
    assert len(await rows(database, "zones")) == 3


async def test_billing_days_hold_from_their_month_on_and_the_setting_before(database: Database):
    who = await author(database)
    assert await reading_days(database, SETTINGS) == ReadingDays(SETTINGS.reading_day)
    for since, day in (("2026-06-01", "5"), ("2026-03-01", "20")):
        await create(database, named("billing"), {"since": since, "day": day}, who)

    days = await reading_days(database, SETTINGS)

    assert [days.start_in(2026, month).day for month in (2, 3, 5, 6, 12)] == [25, 20, 20, 5, 5]
    assert await errors_of(database, "billing", {"since": "2026-03-01", "day": "7"}) == {"since"}


async def test_a_template_of_the_list_is_offered_at_the_desk_in_its_place(database: Database):
    who = await author(database)
    before = [one.title for one in await offered(database)]
    for title, place in (("Последний", "900"), ("Первый", "-1")):
        await create(database, named("answers"), {"title": title, "text": "Слова", "position": place}, who)

    assert [one.title for one in await offered(database)] == ["Первый", *before, "Последний"]
    assert await errors_of(database, "answers", {"title": "", "text": ""}) == {"title", "text"}


async def test_a_meter_is_not_installed_twice_at_once(database: Database):
    placed = await factories.a_metered_point(database)
    other = await factories.a_metered_point(database, installed_at=NOW - timedelta(days=30))
    spare = await factories.meter(database, serial="SPARE")
    code = {row[0]: row[2] for row in await rows(database, "installations")}
    there, elsewhere = code[placed.serial], code[other.serial]
    at = {"installed_at": "2026-11-01T12:00"}

    assert await errors_of(
        database, "installations", {"meter_id": placed.serial, "point_id": elsewhere, **at}
    ) == {"meter_id"}
    assert await errors_of(database, "installations", {"meter_id": "SPARE", "point_id": there, **at}) == {
        "point_id"
    }
    past = {"installed_at": "2026-10-01T12:00", "removed_at": "2026-10-02T12:00"}
    assert await create(
        database,
        named("installations"),
        {"meter_id": "SPARE", "point_id": elsewhere, **past},
        await author(database),
    )
    future = {"meter_id": "SPARE", "point_id": elsewhere, "installed_at": "2027-10-01T12:00"}
    assert await errors_of(database, "installations", future) == {"installed_at"}
    assert spare


async def test_an_installation_does_not_end_before_its_last_reading(database: Database):
    placed = await factories.a_metered_point(database)
    await poll(database, placed.meter_id, (T0, 1000), (T0 + HOUR, 1500))
    who, key = await author(database), placed.installation_id
    known = await read_row(database, named("installations"), key)
    local = f"{(T0 + HOUR).astimezone(OMSK):%Y-%m-%dT%H:%M}"
    with pytest.raises(FormError) as raised:
        await change(database, named("installations"), key, {"removed_at": local}, known=known, author=who)
    assert set(raised.value.errors) == {"removed_at"}
    later = f"{(T0 + 2 * HOUR).astimezone(OMSK):%Y-%m-%dT%H:%M}"
    await change(database, named("installations"), key, {"removed_at": later}, known=known, author=who)
    assert (await rows(database, "installations"))[0][4] == T0 + 2 * HOUR


async def test_a_tariff_in_use_cannot_be_removed(database: Database):
    tariff = await factories.tariff(database)
    placed = await factories.a_metered_point(database, tariff_id=tariff)
    with pytest.raises(InputError):
        await remove(database, named("tariffs"), [tariff], await author(database))
    assert len(await rows(database, "tariffs")) == 1
    free = await factories.tariff(database)
    await remove(database, named("tariffs"), [free], await author(database))
    assert len(await rows(database, "tariffs")) == 1
    assert placed
