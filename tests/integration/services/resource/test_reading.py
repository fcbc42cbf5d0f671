"""Pages, searches and filters of a declared list, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, exists, insert, select

from lk_portal.errors import NotFoundError
from lk_portal.models import Account, Premises, Subscriber, Tariff
from lk_portal.services.database import Database
from lk_portal.services.resource import Choice, Filter
from lk_portal.services.resource.cursor import encode
from lk_portal.services.resource.reading import MOST_COUNTED, PAGE, begin_with, read_row
from tests import factories
from tests.integration.services.resource.declared import (
    ACCOUNTS,
    POINTS,
    TARIFFS,
    add_tariffs,
    page_of,
    shown,
)


async def many_accounts(database: Database, *, houses: int = 3, count: int = 70) -> list[str]:
    """Accounts that share a few houses; their numbers, oldest first."""
    places = [await factories.premises(database, street=f"ул. {house}") for house in range(houses)]
    numbers = [f"N{number:04}" for number in range(count)]
    for number, text in enumerate(numbers):
        await factories.account(database, premises_id=places[number * 7 % houses], number=text)
    return numbers


@pytest.mark.parametrize("sort", ["", "number", "-number", "premises_id", "-premises_id"])
async def test_paging_forward_and_back_sees_every_row_once(database: Database, sort: str) -> None:
    numbers = await many_accounts(database)

    forward, pages = [], []
    page = await page_of(database, ACCOUNTS, sort=sort)
    assert page.earlier == ""
    while True:
        pages.append([row.values[0] for row in page.rows])
        forward += pages[-1]
        if not page.later:
            break
        page = await page_of(database, ACCOUNTS, sort=sort, after=page.later)
    back = [pages[-1]]
    while page.earlier:
        page = await page_of(database, ACCOUNTS, sort=sort, before=page.earlier)
        back.append([row.values[0] for row in page.rows])

    assert sorted(forward) == numbers
    assert [len(one) for one in pages] == [PAGE, PAGE, 20]
    assert back == pages[::-1]
    if sort == "number":
        assert forward == numbers
    if sort == "-number":
        assert forward == numbers[::-1]
    assert page.count == len(numbers)


@pytest.mark.parametrize("sort", ["code", "-code"])
async def test_rows_that_come_and_go_meanwhile_move_nobody_else(database: Database, sort: str) -> None:
    codes = [f"M{number:03}" for number in range(60)]
    await add_tariffs(database, *codes)
    seen = []
    page = await page_of(database, TARIFFS, sort=sort)
    for turn in range(9):
        seen += [row.values[0] for row in page.rows]
        # One before and one behind the page that was read, and a row of it goes.
        await add_tariffs(database, f"A{turn}", f"Z{turn}")
        async with database.writing() as connection:
            await connection.execute(delete(Tariff).where(Tariff.code == seen[-1]))  # type: ignore[arg-type]
        if not page.later:
            break
        page = await page_of(database, TARIFFS, sort=sort, after=page.later)

    assert sorted(code for code in seen if code.startswith("M")) == codes
    assert len(seen) == len(set(seen))


async def test_a_page_whose_rows_are_gone_is_the_first(database: Database) -> None:
    await add_tariffs(database, "a", "b")

    assert await shown(database, TARIFFS, sort="code", after=encode("x", 1)) == ["a", "b"]
    assert await shown(database, TARIFFS, sort="code", before=encode("a", 1)) == ["a", "b"]


@pytest.mark.parametrize(
    "after",
    ["x", encode(5, 1), encode("b", 2**62), "/w==", encode(None, 1)],
)
@pytest.mark.parametrize("sort", ["", "code", "nothing", "--code", "name", "-"])
async def test_garbage_in_the_address_is_the_first_page(database: Database, after: str, sort: str) -> None:
    await add_tariffs(database, "a", "b", "c")

    assert await shown(database, TARIFFS, sort=sort, after=after) in (["a", "b", "c"], ["b", "c"])
    assert await shown(database, ACCOUNTS, sort="premises_id", after=encode(2**40, 1)) == []


async def test_nothing_is_an_empty_page(database: Database) -> None:
    page = await page_of(database, TARIFFS)

    assert (page.rows, page.count, page.earlier, page.later) == ((), 0, "", "")


async def test_no_more_is_counted_than_is_told(database: Database) -> None:
    rows = [{"code": f"C{number:05}", "name": "x"} for number in range(MOST_COUNTED + 200)]
    async with database.writing() as connection:
        await connection.execute(insert(Tariff), rows)

    assert (await page_of(database, TARIFFS)).count == MOST_COUNTED + 1
    assert (await page_of(database, TARIFFS, query="C0001")).count == 10


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("т-1", ["Т-10", "Т-11"]),
        ("Т-1", ["Т-10", "Т-11"]),
        ("ночь", ["Ночь"]),
        ("НОЧ", ["Ночь"]),
        ("  ночь ", ["Ночь"]),
        ("очь", []),
        ("50%", ["50%"]),
        ("50_", ["50_a"]),
        ("%", []),
        ("_", []),
        ("\\", ["\\x"]),
        ("'", []),
        ("abc", ["ABC"]),
        ("Г. ОМ", ["г. Омск"]),
        ("г. ом", ["г. Омск"]),
        ("a\0", []),
        ("\ud800", []),
        ("😀", []),
    ],
)
async def test_search_is_by_the_beginning_in_any_capitals(
    database: Database, typed: str, found: list[str]
) -> None:
    await add_tariffs(database, "Т-10", "Т-11", "Ночь", "50%", "500", "50_a", "50xa", "\\x", "ABC", "г. Омск")

    assert sorted(await shown(database, TARIFFS, query=typed)) == found


async def test_search_goes_over_foreign_keys(database: Database) -> None:
    owner = await factories.subscriber(database, full_name="Петров Пётр")
    tariff = await factories.tariff(database)
    theirs = await factories.a_metered_point(database, subscriber_id=owner, tariff_id=tariff)
    other = await factories.a_metered_point(database)

    [row] = (await page_of(database, POINTS, query="петров")).rows

    assert row.key == theirs.point_id != other.point_id
    assert row.values[2:] == ("г. Омск", "Двухзонный")
    both = (await page_of(database, POINTS, query="urn:uuid")).rows
    assert {one.values[3] for one in both} == {"Двухзонный", None}, "a point without a tariff is there too"


async def test_an_empty_foreign_key_hides_no_row(database: Database) -> None:
    place = await factories.premises(database, street="ул. Мира")
    await factories.account(database, premises_id=place, number="1")

    [row] = (await page_of(database, ACCOUNTS)).rows

    assert row.values == ("1", place, "ул. Мира", None)


FREE = Filter(
    "owner",
    "Owner",
    [
        Choice("none", "None", Account.subscriber_id.is_(None)),  # type: ignore[union-attr]
        Choice("some", "Some", Account.subscriber_id.is_not(None)),  # type: ignore[union-attr]
        Choice("ivanov", "Ivanov", Subscriber.full_name == "Иванов Иван Иванович"),  # type: ignore[arg-type]
        Choice(
            "old",
            "Old",
            lambda now: exists(
                select(Subscriber.id).where(
                    Subscriber.id == Account.subscriber_id,
                    Subscriber.created_at < now,
                )
            ),
        ),
        Choice("new", "New", lambda now: Subscriber.created_at >= now),  # type: ignore[arg-type,return-value]
    ],
)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("", ["1", "2", "3"]),
        ("unknown", ["1", "2", "3"]),
        ("none", ["1"]),
        ("some", ["2", "3"]),
        ("ivanov", ["2"]),
        ("old", ["2", "3"]),
        ("new", []),
    ],
)
async def test_filters_also_over_other_tables(database: Database, choice: str, found: list[str]) -> None:
    resource = replace(ACCOUNTS, filters=(FREE,))
    place = await factories.premises(database)
    await factories.account(database, premises_id=place, number="1")
    for number, name in (("2", "Иванов Иван Иванович"), ("3", "Петров")):
        owner = await factories.subscriber(database, full_name=name)
        await factories.account(database, premises_id=place, number=number, subscriber_id=owner)

    page = await page_of(database, resource, sort="number", filters={"owner": choice})

    assert [row.values[0] for row in page.rows] == found
    assert page.count == len(found)


@pytest.mark.parametrize("only", [Account.number == "2", Premises.street == "ул. Мира"])
async def test_only_shows_and_opens_nothing_else(database: Database, only: object) -> None:
    resource = replace(ACCOUNTS, only=only)
    keys = {}
    for number, street in (("1", "ул. Ленина"), ("2", "ул. Мира")):
        place = await factories.premises(database, street=street)
        keys[number] = await factories.account(database, premises_id=place, number=number)

    assert await shown(database, resource) == ["2"]
    assert await shown(database, resource, query="1") == []
    assert (await read_row(database, resource, keys["2"]))["number"] == "2"
    with pytest.raises(NotFoundError):
        await read_row(database, resource, keys["1"])
    assert (await read_row(database, ACCOUNTS, keys["1"]))["number"] == "1"


@pytest.mark.parametrize("key", [0, 5, 2**31, 10**17])
async def test_a_row_that_is_not_there(database: Database, key: int) -> None:
    with pytest.raises(NotFoundError):
        await read_row(database, TARIFFS, key)


async def test_suggestions_begin_as_was_typed(database: Database) -> None:
    await add_tariffs(database, *(f"Т-{number:02}" for number in range(30)), "Д")

    assert await begin_with(database, Tariff.code, "т-0") == [f"Т-{number:02}" for number in range(10)]
    assert await begin_with(database, Tariff.code, "%") == []
    assert await begin_with(database, Tariff.code, " \0") == []
