"""The table of readings, on both databases: pages, replacement, ratio, rollover, strays, other people's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quantity
from lk_portal.models import RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.register_table import PAGE_ROWS, Nature, RegisterPage, register_page
from tests import factories
from tests.integration.services.test_consumption_questions import statements

HOUR = timedelta(hours=1)
START = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    """A point and the meter that stands there."""

    subscriber_id: int
    point_id: int
    meter_id: int
    serial: str
    installation_id: int


async def a_place(database: Database, *, point_id: int = 0, owner: int = 0, **installed: object) -> Place:
    owner = owner or await factories.subscriber(database)
    if not point_id:
        address = await factories.premises(database)
        account = await factories.account(database, premises_id=address, subscriber_id=owner)
        point_id = await factories.point(database, account_id=account)
    serial = f"R{await factories.subscriber(database)}"
    meter = await factories.meter(database, serial=serial)
    installation = await factories.installation(database, meter_id=meter, point_id=point_id, **installed)  # type: ignore[arg-type]
    return Place(owner, point_id, meter, serial, installation)


async def read(
    database: Database, place: Place, values: dict[datetime, int], *, zone: int = 0, quantity: int = 1
) -> None:
    rows = [
        {
            "meter_id": place.meter_id,
            "quantity": Quantity(quantity),
            "zone": zone,
            "taken_at": at,
            "value_wh": value,
        }
        for at, value in values.items()
    ]
    async with database.writing() as connection:
        await connection.execute(insert(RegisterReading), rows)


def hourly(*values: int, start: datetime = START) -> dict[datetime, int]:
    return {start + number * HOUR: value for number, value in enumerate(values)}


async def ask(
    database: Database, place: Place, before: datetime = LATER, quantity: Quantity = Quantity.A_PLUS
) -> RegisterPage:
    return await register_page(
        database, subscriber_id=place.subscriber_id, serial=place.serial, quantity=quantity, before=before
    )


def used(page: RegisterPage) -> list[int | None]:
    """Consumption, oldest first."""
    return [row.consumption_wh for row in reversed(page.rows)]


def natures(page: RegisterPage) -> list[Nature]:
    return [row.nature for row in reversed(page.rows)]


async def test_rows_come_newest_first_with_what_was_used(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(1000, 1500, 1500))
    await read(database, place, hourly(600, 900, 900), zone=1)
    await read(database, place, hourly(400, 600, 600), zone=2)
    page = await ask(database, place)

    assert [row.at for row in page.rows] == [START + 2 * HOUR, START + HOUR, START]
    assert page.rows[1].values_wh == (1500, 900, 600, None, None)
    assert used(page) == [None, 500, 0], "the first is compared with nothing: that is no zero"
    assert natures(page) == [Nature.FIRST, Nature.MEASURED, Nature.MEASURED]
    assert (page.earlier, page.later) == (None, None)


async def test_the_first_reading_counts_from_the_installation(database: Database) -> None:
    place = await a_place(database, installed_at=START - HOUR)
    await factories.installation_reading(database, installation_id=place.installation_id, value_wh=700)
    await read(database, place, hourly(1000, 1500))

    assert used(await ask(database, place)) == [300, 500]


async def test_pages_follow_each_other_and_nothing_is_lost(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(*range(0, 1300, 10)))
    newest = await ask(database, place)
    assert newest.earlier is not None
    middle = await ask(database, place, newest.earlier)
    assert middle.earlier is not None
    oldest = await ask(database, place, middle.earlier)

    pages = (newest, middle, oldest)
    assert [len(page.rows) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 30]
    assert len({row.at for page in pages for row in page.rows}) == 130
    assert [set(used(page)) for page in pages] == [{10}, {10}, {10, None}]
    assert oldest.earlier is None
    assert oldest.later is not None
    assert (await ask(database, place, oldest.later)).rows == middle.rows
    assert middle.later is not None
    assert (await ask(database, place, middle.later)).rows == newest.rows
    assert newest.later is None


async def test_a_replacement_is_never_subtracted_across(database: Database) -> None:
    old = await a_place(database, removed_at=START + 2 * HOUR)
    new = await a_place(
        database, point_id=old.point_id, owner=old.subscriber_id, installed_at=START + 2 * HOUR
    )
    await factories.installation_reading(database, installation_id=new.installation_id, value_wh=3)
    await read(database, old, hourly(990_000, 990_400))
    await read(database, new, hourly(103, 203, start=START + 3 * HOUR))

    for place in (old, new):
        page = await ask(database, place)
        assert [row.serial for row in page.rows] == [new.serial, new.serial, old.serial, old.serial]
        assert used(page) == [None, 400, 100, 100]


async def test_a_meter_s_life_elsewhere_is_not_shown(database: Database) -> None:
    """Before it came here, the meter stood at a stranger's."""
    place = await a_place(database, installed_at=START + HOUR)
    stranger = await a_place(database, removed_at=START)
    await factories.installation(
        database,
        meter_id=place.meter_id,
        point_id=stranger.point_id,
        installed_at=START - HOUR,
        removed_at=START + HOUR,
    )
    await read(database, place, hourly(5, 10, 20))

    assert [row.at for row in (await ask(database, place)).rows] == [START + 2 * HOUR, START + HOUR]


async def test_a_meter_is_asked_for_where_it_came_last(database: Database) -> None:
    """Whatever was installed since at the point it had left."""
    left = await a_place(database, removed_at=START)
    moved = await a_place(database, owner=left.subscriber_id, removed_at=START)
    await factories.installation(
        database, meter_id=left.meter_id, point_id=moved.point_id, installed_at=START
    )
    await a_place(database, point_id=left.point_id, owner=left.subscriber_id, installed_at=START + 5 * HOUR)
    await read(database, left, hourly(10, 20))

    page = await ask(database, left)

    assert page.point_id == moved.point_id
    assert len(page.rows) == 2


async def test_ratios_apply_to_consumption_and_not_to_what_the_meter_shows(database: Database) -> None:
    place = await a_place(database, ct_ratio=Decimal(40), vt_ratio=Decimal("1.5"))
    await read(database, place, hourly(100, 110))
    page = await ask(database, place)

    assert page.rows[0].values_wh[0] == 110
    assert page.rows[0].consumption_wh == 600
    assert page.ratio == 60


async def test_a_rollover_is_counted_and_a_stray_value_is_not(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(999_999_000, 200, 10**8, 700, 5, 800))
    page = await ask(database, place)

    assert used(page) == [None, 1200, None, 500, None, 100]
    assert natures(page)[1:5] == [Nature.ROLLOVER, Nature.REVIEW, Nature.MEASURED, Nature.REVIEW]


async def test_a_register_that_began_anew_is_believed_after_a_while(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(500_000, 10, 20, 30, 45))
    page = await ask(database, place)

    assert used(page) == [None, None, None, 20, 15]
    assert natures(page)[1:4] == [Nature.REVIEW, Nature.REVIEW, Nature.REBASED]


async def test_a_page_that_begins_after_a_stray_value_is_right(database: Database) -> None:
    place = await a_place(database)
    values = list(range(0, 1300, 10))
    values[-PAGE_ROWS - 1] = 10**8
    await read(database, place, hourly(*values))

    page = await ask(database, place)
    assert used(page)[0] == 20, "since the last value that was believed"
    assert set(used(page)[1:]) == {10}


async def test_a_meter_without_a_sum_shows_what_its_zones_add_up_to(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(600, 900), zone=1)
    await read(database, place, hourly(400, 450), zone=2)
    page = await ask(database, place)

    assert page.rows[0].values_wh == (1350, 900, 450, None, None)
    assert page.rows[0].consumption_wh == 350


async def test_each_energy_has_its_own_table(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(1, 2), quantity=3)

    assert (await ask(database, place)).rows == ()
    assert len((await ask(database, place, quantity=Quantity.R_PLUS)).rows) == 2


async def test_a_foreign_meter_is_not_found(database: Database) -> None:
    place, stranger = await a_place(database), await a_place(database)
    await read(database, stranger, hourly(1))

    assert len((await ask(database, stranger)).rows) == 1
    for serial in (stranger.serial, "nothing", "a\0b", "x" * 5000):
        with pytest.raises(NotFoundError):
            await register_page(
                database,
                subscriber_id=place.subscriber_id,
                serial=serial,
                quantity=Quantity.A_PLUS,
                before=LATER,
            )


async def test_two_statements_that_walk_along_the_key(database: Database) -> None:
    place = await a_place(database)
    await read(database, place, hourly(*range(0, 13000, 10)))

    with statements(database) as sent:
        await ask(database, place, START + 700 * HOUR)

    assert len(sent) == 2
    if database.is_sqlite:
        async with database.reading() as connection:
            plan = (await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sent[1][0], sent[1][1])).all()
        steps = " ".join(str(row[3]) for row in plan)
        assert "TEMP B-TREE" not in steps, "the key gives the order"
        assert "SEARCH register_reading USING PRIMARY KEY" in steps
