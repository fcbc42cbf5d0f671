"""What a subscriber sees of her accounts and meters, and that it is hers and of its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, update

from lk_portal.errors import InputError, MeterTimeoutError, NotFoundError
from lk_portal.metering.types import LoadState, Quantity
from lk_portal.models import (
    Account,
    AuditEntry,
    Gateway,
    Installation,
    MeteringPoint,
    Role,
    VerificationKind,
)
from lk_portal.services import meters, users
from lk_portal.services.accounts import AccountCard, AccountLine, account_card, accounts_of
from lk_portal.services.database import Database
from lk_portal.services.load_state import Story, Switching
from lk_portal.services.meters import MeterCard, Polling, SealView, Verifications, meter_card
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.settings import load_settings
from tests import factories
from tests.integration.services.polled import failed, read, rows_of, store_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HALF_HOUR_S = 1800
REPLACED = datetime(2026, 5, 12, 5, 20, tzinfo=UTC)


async def lines(database: Database, subscriber_id: int) -> tuple[AccountLine, ...]:
    return await accounts_of(database, subscriber_id=subscriber_id, now=NOW, default_interval_s=HALF_HOUR_S)


async def account(database: Database, subscriber_id: int, number: str) -> AccountCard:
    return await account_card(
        database, subscriber_id=subscriber_id, number=number, now=NOW, default_interval_s=HALF_HOUR_S
    )


async def card(database: Database, subscriber_id: int, serial: str) -> MeterCard:
    return await meter_card(
        database, subscriber_id=subscriber_id, serial=serial, now=NOW, default_interval_s=HALF_HOUR_S
    )


async def number_of(database: Database, account_id: int) -> str:
    return next(row.number for row in await rows_of(database, Account) if row.id == account_id)


@dataclass
class Replaced:
    """A point at which a second meter took the first one's place."""

    point: factories.MeteredPoint
    number: str
    old: str
    new: str
    new_id: int
    new_place: int


async def a_replacement(database: Database) -> Replaced:
    placed = await factories.a_metered_point(database)
    await leave(database, placed.installation_id)
    await factories.installation_reading(
        database, installation_id=placed.installation_id, value_wh=19_598_620, is_final=True
    )
    new_id = await factories.meter(database, serial="NEW-1")
    place = await factories.installation(
        database, meter_id=new_id, point_id=placed.point_id, installed_at=REPLACED
    )
    await factories.installation_reading(database, installation_id=place, value_wh=1640)
    number = await number_of(database, placed.account_id)
    return Replaced(placed, number, placed.serial, "NEW-1", new_id, place)


async def leave(database: Database, installation_id: int, at: datetime = REPLACED) -> None:
    place = table_of(Installation)
    async with database.writing() as connection:
        await connection.execute(update(place).where(place.c.id == installation_id).values(removed_at=at))


# ---- accounts


async def test_the_list_has_accounts_with_and_without_meters(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await factories.account(
        database,
        premises_id=await factories.premises(database),
        subscriber_id=placed.subscriber_id,
        number="BARE",
    )
    await factories.relay(
        database, meter_id=placed.meter_id, is_output_on=True, control_state=1, read_at=NOW - HOUR
    )

    first, second = await lines(database, placed.subscriber_id)

    assert [one.serial for one in first.meters] == [placed.serial]
    assert first.meters[0].load.state is LoadState.ON
    assert (second.number, second.meters) == ("BARE", ())


async def test_the_list_is_ones_own(database: Database) -> None:
    first, second = [await factories.a_metered_point(database) for _ in range(2)]

    for own in (first, second):
        [line] = await lines(database, own.subscriber_id)
        assert [one.serial for one in line.meters] == [own.serial]
    assert await lines(database, -1) == ()


async def test_the_list_counts_the_meters_that_stand_there_now(database: Database) -> None:
    replaced = await a_replacement(database)

    [line] = await lines(database, replaced.point.subscriber_id)

    assert [one.serial for one in line.meters] == ["NEW-1"]


async def test_a_card_has_everything_of_its_account(database: Database) -> None:
    tariff_id = await factories.tariff(database)
    placed = await factories.a_metered_point(database, tariff_id=tariff_id)
    number = await number_of(database, placed.account_id)

    found = await account(database, placed.subscriber_id, number)

    assert (found.number, found.owner, found.tariffs) == (number, "Иванов Иван Иванович", ("Двухзонный",))
    assert found.address.startswith("г. Омск, ул. Ленина")
    assert [one.serial for one in found.meters] == [placed.serial]
    assert found.replacements == ()


async def test_a_replacement_is_told_with_both_ends(database: Database) -> None:
    replaced = await a_replacement(database)

    found = await account(database, replaced.point.subscriber_id, replaced.number)

    [one] = found.replacements
    assert (one.old.serial, one.new.serial, one.at) == (replaced.old, "NEW-1", REPLACED)
    shown = [(reading.is_final, reading.zone, reading.value_wh) for reading in one.readings]
    assert sorted(shown) == [(False, 0, 1640), (True, 0, 19_598_620)]


async def test_two_points_of_an_account_are_no_replacement(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    second = await factories.point(database, account_id=placed.account_id)
    await factories.installation(
        database, meter_id=await factories.meter(database), point_id=second, installed_at=REPLACED
    )

    found = await account(database, placed.subscriber_id, await number_of(database, placed.account_id))

    assert (len(found.meters), found.replacements) == (2, ())


@pytest.mark.parametrize("number", ["", "nothing", "\0", "\ud800", "' OR 1=1 --", "x" * 5000])
async def test_a_card_of_nothing_is_not_found(database: Database, number: str) -> None:
    placed = await factories.a_metered_point(database)

    with pytest.raises(NotFoundError):
        await account(database, placed.subscriber_id, number)
    with pytest.raises(NotFoundError):
        await card(database, placed.subscriber_id, number)


async def test_nor_is_that_of_somebody_else(database: Database) -> None:
    own, foreign = [await factories.a_metered_point(database) for _ in range(2)]
    number = await number_of(database, foreign.account_id)
    assert (await account(database, foreign.subscriber_id, number)).number == number
    assert (await card(database, foreign.subscriber_id, foreign.serial)).placed.serial == foreign.serial

    with pytest.raises(NotFoundError):
        await account(database, own.subscriber_id, number)
    with pytest.raises(NotFoundError):
        await card(database, own.subscriber_id, foreign.serial)


async def test_nor_is_one_that_was_removed_from_the_cabinet(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    number = await number_of(database, placed.account_id)
    async with database.writing() as connection:
        await connection.execute(update(table_of(Account)).values(removed_at=NOW))

    with pytest.raises(NotFoundError):
        await account(database, placed.subscriber_id, number)
    with pytest.raises(NotFoundError):
        await card(database, placed.subscriber_id, placed.serial)


@asynccontextmanager
async def counted(database: Database) -> AsyncIterator[list[str]]:
    """The statements that the block sends."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:  # type: ignore[no-untyped-def]
        statements.append(statement)

    engines = [database._reader, database._writer]
    for engine in engines:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


# ---- the meter


async def test_a_meter_that_never_told_anything_has_a_card(database: Database) -> None:
    placed = await factories.a_metered_point(database, ct_ratio=Decimal(20))

    found = await card(database, placed.subscriber_id, placed.serial)

    assert (found.placed.load.state, found.story, found.polling) == (LoadState.UNKNOWN, Story(), None)
    assert (found.verifications, found.seals, found.readings) == (Verifications(), (), ())
    assert (found.replaced, found.replaced_by, found.placed.ratio) == ("", "", 20)


async def test_the_story_of_a_load_that_is_off(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await factories.relay(
        database, meter_id=placed.meter_id, is_output_on=False, control_state=2, read_at=NOW - HOUR
    )
    await factories.switching(database, meter_id=placed.meter_id, code=8, at=NOW - 3 * HOUR)
    await factories.switching(database, meter_id=placed.meter_id, code=5, at=NOW - 2 * HOUR)
    await factories.switching(database, meter_id=placed.meter_id, code=1, at=NOW - HOUR)

    found = await card(database, placed.subscriber_id, placed.serial)

    assert found.placed.load.state is LoadState.READY
    assert found.story == Story(Switching(8, NOW - 3 * HOUR), Switching(5, NOW - 2 * HOUR))


async def test_verifications_and_seals(database: Database) -> None:
    meter = (placed := await factories.a_metered_point(database)).meter_id
    for on, due, kind in (
        (date(2010, 1, 1), date(2026, 1, 1), VerificationKind.PERIODIC),
        (date(2020, 6, 24), date(2036, 6, 24), VerificationKind.PERIODIC),
        (date(2021, 3, 2), None, VerificationKind.INSTRUMENTAL),
    ):
        await factories.verification(database, meter_id=meter, verified_on=on, due_on=due, kind=kind)
    await factories.seal(
        database, meter_id=meter, number="A 1", placed_on=date(2020, 1, 1), removed_on=date(2021, 1, 1)
    )
    await factories.seal(database, meter_id=meter, number="A 2", placed_on=date(2021, 1, 1))

    found = await card(database, placed.subscriber_id, placed.serial)

    assert found.verifications == Verifications(date(2021, 3, 2), date(2020, 6, 24), date(2036, 6, 24))
    assert [seal.number for seal in found.seals] == ["A 2", "A 1"]
    assert found.seals[1] == SealView("A 1", date(2020, 1, 1), date(2021, 1, 1))


async def test_last_readings_are_the_newest_accepted_ones(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store_of(database).store((read(placed.meter_id, NOW - 2 * HOUR, 1000, 500),))
    await store_of(database).store((read(placed.meter_id, NOW - HOUR, 1200, 600),))

    found = await card(database, placed.subscriber_id, placed.serial)

    shown = [(one.quantity, one.zone, one.value_wh, one.at) for one in found.readings]
    assert shown == [
        (Quantity.A_PLUS, 0, 1800, NOW - HOUR),
        (Quantity.A_PLUS, 1, 1200, NOW - HOUR),
        (Quantity.A_PLUS, 2, 600, NOW - HOUR),
    ]
    assert found.placed.data_until == NOW - HOUR


async def test_why_there_are_no_newer_data(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    line = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=line)
    assert (await card(database, placed.subscriber_id, placed.serial)).polling == Polling("", None)

    await store_of(database).store((failed(placed.meter_id, NOW - HOUR, MeterTimeoutError(seconds="5")),))
    late = (await card(database, placed.subscriber_id, placed.serial)).polling
    await store_of(database).store((read(placed.meter_id, NOW, 1000),))
    well = (await card(database, placed.subscriber_id, placed.serial)).polling
    await store_of(database).store((read(placed.meter_id, NOW + HOUR, 10),))
    refused = (await card(database, placed.subscriber_id, placed.serial)).polling

    assert late == Polling("timeout", NOW - HOUR + timedelta(seconds=30))
    assert well == Polling("", NOW + timedelta(seconds=HALF_HOUR_S))
    assert refused is not None
    assert refused.error_code == "data"


async def test_a_meter_on_a_line_out_of_use_is_not_read(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    line = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=line)
    async with database.writing() as connection:
        await connection.execute(update(table_of(Gateway)).values(is_enabled=False))

    assert (await card(database, placed.subscriber_id, placed.serial)).polling is None


async def test_a_replaced_meter_says_what_took_its_place(database: Database) -> None:
    replaced = await a_replacement(database)
    owner = replaced.point.subscriber_id

    old, new = await card(database, owner, replaced.old), await card(database, owner, replaced.new)

    assert (old.replaced_by, old.placed.removed_at, old.replaced) == ("NEW-1", REPLACED, "")
    assert [(one.value_wh, one.at) for one in old.readings] == [(19_598_620, REPLACED)]
    assert (new.replaced, new.replaced_by, new.placed.removed_at) == (replaced.old, "", None)


async def test_a_meter_that_went_to_somebody_else_tells_nothing_of_there(database: Database) -> None:
    first, second = [await factories.a_metered_point(database) for _ in range(2)]
    meter = first.meter_id
    await factories.seal(database, meter_id=meter, number="MINE", placed_on=date(2020, 1, 1))
    await factories.verification(database, meter_id=meter, verified_on=date(2020, 6, 24))
    await leave(database, first.installation_id)
    await leave(database, second.installation_id)
    await factories.installation(
        database, meter_id=meter, point_id=second.point_id, installed_at=REPLACED + HOUR
    )
    await factories.seal(database, meter_id=meter, number="THEIRS", placed_on=date(2026, 6, 1))
    await factories.verification(database, meter_id=meter, verified_on=date(2026, 6, 1))
    await factories.relay(database, meter_id=meter, is_output_on=False, control_state=0, read_at=NOW - HOUR)
    await factories.switching(database, meter_id=meter, code=3, at=NOW - 2 * HOUR)
    await store_of(database).store((read(meter, NOW - HOUR, 7777),))

    mine = await card(database, first.subscriber_id, first.serial)
    theirs = await card(database, second.subscriber_id, first.serial)

    assert (mine.placed.load.state, mine.story, mine.readings) == (LoadState.UNKNOWN, Story(), ())
    assert [seal.number for seal in mine.seals] == ["MINE"]
    assert mine.verifications.last_on == date(2020, 6, 24)
    assert theirs.placed.load.state is LoadState.OFF
    assert theirs.story.off is not None
    assert [one.value_wh for one in theirs.readings] == [7777]


async def test_what_a_relay_said_before_it_came_here_says_nothing(database: Database) -> None:
    placed = await factories.a_metered_point(database, installed_at=NOW - HOUR)
    await factories.relay(
        database, meter_id=placed.meter_id, is_output_on=True, control_state=1, read_at=NOW - 2 * HOUR
    )

    assert (await card(database, placed.subscriber_id, placed.serial)).placed.load.state is LoadState.UNKNOWN


async def test_more_meters_cost_no_more_queries(sqlite_database: Database) -> None:
    replaced = await a_replacement(sqlite_database)
    owner = replaced.point.subscriber_id

    async def queries() -> int:
        async with counted(sqlite_database) as sent:
            await lines(sqlite_database, owner)
            await account(sqlite_database, owner, replaced.number)
            await card(sqlite_database, owner, "NEW-1")
        return len(sent)

    before = await queries()
    for _ in range(10):
        point = await factories.point(sqlite_database, account_id=replaced.point.account_id)
        await factories.installation(
            sqlite_database, meter_id=await factories.meter(sqlite_database), point_id=point
        )

    assert 0 < before < 20
    assert await queries() == before


# ---- renaming


async def a_login(database: Database, subscriber_id: int) -> int:
    return await users.create_user(
        database,
        load_settings(bcrypt_rounds=4),
        email=f"p{subscriber_id}@example.com",
        phone=None,
        role=Role.SUBSCRIBER,
        display_name="Иванова",
        password="Correct-horse-2026",
        subscriber_id=subscriber_id,
        now=NOW,
    )


async def rename(database: Database, subscriber_id: int, serial: str, name: str, user_id: int) -> str:
    return await meters.rename(
        database,
        user_id=user_id,
        subscriber_id=subscriber_id,
        serial=serial,
        name=name,
        visit=Visit(address="192.0.2.1", agent="test", at=NOW),
    )


async def test_a_name_is_the_points_and_the_serial_takes_it_away(database: Database) -> None:
    replaced = await a_replacement(database)
    owner = replaced.point.subscriber_id
    user_id = await a_login(database, owner)

    assert await rename(database, owner, "NEW-1", " Наш  дом ", user_id) == "Наш дом"
    assert (await card(database, owner, "NEW-1")).placed.name == "Наш дом"
    assert (await card(database, owner, replaced.old)).placed.name == replaced.old
    assert [row.action for row in await rows_of(database, AuditEntry)][-1] == "web:meter:rename"

    assert await rename(database, owner, "NEW-1", "NEW-1", user_id) == ""
    assert (await card(database, owner, "NEW-1")).placed.name == "NEW-1"


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "я" * 61, "a\0b"])
async def test_a_name_has_one_to_sixty_characters(database: Database, name: str) -> None:
    placed = await factories.a_metered_point(database)

    with pytest.raises(InputError) as refused:
        await rename(database, placed.subscriber_id, placed.serial, name, 1)

    assert refused.value.field == "name"
    assert [row.name for row in await rows_of(database, MeteringPoint)] == ["Дом"]


async def test_neither_a_foreign_meter_nor_one_that_left_can_be_renamed(database: Database) -> None:
    replaced = await a_replacement(database)
    foreign = await factories.a_metered_point(database)
    owner = replaced.point.subscriber_id
    user_id = await a_login(database, owner)

    for serial in (foreign.serial, replaced.old, "nothing", "\0"):
        with pytest.raises(NotFoundError):
            await rename(database, owner, serial, "x", user_id)

    assert {row.name for row in await rows_of(database, MeteringPoint)} == {"Дом"}
