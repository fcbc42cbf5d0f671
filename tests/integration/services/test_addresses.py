"""Suggestions for typed addresses, on both databases."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text, update

from lk_portal.models import Premises, Street
from lk_portal.models.address_text import one_line, search_words
from lk_portal.services.addresses import MAX_ROWS, is_same_address, suggest
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests import factories

Place = tuple[str, str, str, str]


async def add(database: Database, places: Iterable[Place]) -> None:
    names = ("settlement", "street", "house", "flat")
    rows = [dict(zip(names, place, strict=True)) | {"timezone": "Asia/Omsk"} for place in places]
    async with database.writing() as connection:
        await connection.execute(insert(table_of(Premises)), rows)


def flats(settlement: str, street: str, house: str, count: int) -> list[Place]:
    return [(settlement, street, house, str(flat)) for flat in range(count, 0, -1)]


HOME: Place = ("г. Омск", "ул. Фёдора Крылова", "5 А", "12")
NEIGHBOURS: list[Place] = [
    ("г. Омск", "пр-т Мира", "5", "1"),
    ("с. Фёдоровка", "ул. Ленина", "5", ""),
    ("г. Тара", "ул. Крылова", "5", "12"),
]


@pytest.mark.parametrize(
    "typed",
    [
        "г. Омск, ул. Фёдора Крылова, д.5 А, кв.12",
        "омск фед кры",
        "ОМСК ФЕДОРА",
        "крылова, омск",
        "ул Федора Крылова",
        "улица фёдора крыл",
        "Омск Федора Крылова 5",
        "Омск Федора Крылова 5а кв 12",
        "5-а фёдора крылова",
        "кв 12 федора крылова 5а",
        "кв 77 федора крылова",
        "пер. Фёдора",
        "Омская область, Омск, Федора Крылова кварт",
    ],
)
async def test_an_address_is_found_as_people_type_it(database: Database, typed: str) -> None:
    await add(database, [HOME, *NEIGHBOURS])

    assert await suggest(database, typed=typed) == (one_line(*HOME),)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "о",
        "5",
        "омск 6",
        "омск федора крылова 5б",
        "омск федора крылова 5 кв 13",
        "дора",
        "омск ленина",
    ],
)
async def test_what_does_not_fit_is_not_suggested(database: Database, typed: str) -> None:
    await add(database, [HOME, *NEIGHBOURS])

    assert one_line(*HOME) not in await suggest(database, typed=typed)


async def test_one_letter_gives_nothing_two_do(database: Database) -> None:
    await add(database, [HOME])

    assert await suggest(database, typed="о 5") == ()
    assert await suggest(database, typed="ом") == (one_line(*HOME),)


async def test_houses_and_flats_are_sorted_as_people_count(database: Database) -> None:
    await add(database, [("г. Омск", "ул. Мира", house, "") for house in ("10", "2", "1а", "100", "1")])
    await add(database, flats("г. Омск", "ул. Лесная", "3", 11))

    assert [line.rpartition("д.")[2] for line in await suggest(database, typed="мира")] == [
        "1", "1а", "2", "10", "100"
    ]  # fmt: skip
    lesnaya = await suggest(database, typed="лесная")
    assert [line.rpartition("кв.")[2] for line in lesnaya] == [str(flat) for flat in range(1, 12)]


async def test_a_number_is_matched_whole_but_for_the_last_one(database: Database) -> None:
    await add(database, [("г. Омск", "ул. Мира", str(house), "") for house in (1, 2, 10, 11, 21)])

    def houses(lines: tuple[str, ...]) -> list[str]:
        return [line.rpartition("д.")[2] for line in lines]

    assert houses(await suggest(database, typed="мира 1")) == ["1", "10", "11"]
    assert houses(await suggest(database, typed="мира 1 ")) == ["1"]
    assert houses(await suggest(database, typed="1 мира")) == ["1"]


async def test_many_flats_are_shown_by_house_and_then_by_flat(database: Database) -> None:
    for house in ("1", "2", "10"):
        await add(database, flats("г. Омск", "ул. Мира", house, 30))
    await add(database, [("г. Омск", "ул. Мира", "7", "")])
    street = "г. Омск, ул. Мира"

    by_house = await suggest(database, typed="омск мира")
    assert by_house == (f"{street}, д.1,", f"{street}, д.2,", f"{street}, д.7", f"{street}, д.10,")
    by_flat = await suggest(database, typed=f"{by_house[0]} ")
    assert by_flat == tuple(f"{street}, д.1, кв.{flat}" for flat in range(1, MAX_ROWS + 1))
    assert await suggest(database, typed=f"{by_house[0]} 30") == (f"{street}, д.1, кв.30",)
    assert await suggest(database, typed=f"{by_house[0]} кв 30") == (f"{street}, д.1, кв.30",)


async def test_a_house_that_was_chosen_is_not_its_neighbours(database: Database) -> None:
    for house in ("1", "1 корп. 2", "1/3", "11"):
        await add(database, flats("г. Омск", "ул. Мира", house, 30))
    street = "г. Омск, ул. Мира"

    assert await suggest(database, typed=f"{street}, д.1") == (
        f"{street}, д.1,",
        f"{street}, д.1 корп. 2,",
        f"{street}, д.1/3,",
        f"{street}, д.11,",
    )
    for chosen in (f"{street}, д.1", f"{street}, д.1 корп. 2", f"{street}, д.11"):
        found = await suggest(database, typed=f"{chosen}, ")
        assert found == tuple(f"{chosen}, кв.{flat}" for flat in range(1, MAX_ROWS + 1))
    assert await suggest(database, typed=f"{street}, д.1, кв.5") == (f"{street}, д.1, кв.5",)


async def test_many_streets_are_shown_by_name_and_then_by_house(database: Database) -> None:
    for number in range(30, 0, -1):
        await add(database, [("г. Омск", f"ул. {number}-я Линия", str(house), "") for house in (1, 2, 3)])

    lines = await suggest(database, typed="омск")
    assert lines == tuple(f"г. Омск, ул. {number}-я Линия," for number in range(1, MAX_ROWS + 1))
    chosen = await suggest(database, typed=f"{lines[1]} ")
    assert chosen == tuple(f"г. Омск, ул. 2-я Линия, д.{house}" for house in (1, 2, 3))
    assert await suggest(database, typed=f"{lines[1]} 2") == ("г. Омск, ул. 2-я Линия, д.2",)


async def test_a_number_of_the_streets_name_among_very_many(database: Database) -> None:
    await add(database, [("г. Омск", f"ул. {number}-я Линия", "1", "") for number in range(1, 1101)])

    assert (await suggest(database, typed="линия 100"))[0] == "г. Омск, ул. 100-я Линия,"


async def test_a_flat_is_found_without_the_town(database: Database) -> None:
    await add(database, [(f"с. Село{number:03}", "ул. Ленина", "10", "") for number in range(100)])
    await add(database, flats("с. Ядринцево", "ул. Ленина", "10", 40))

    assert len(await suggest(database, typed="ленина 10")) == MAX_ROWS
    assert await suggest(database, typed="ленина 10 33") == ("с. Ядринцево, ул. Ленина, д.10, кв.33",)


async def test_a_number_may_be_the_streets_or_the_houses(database: Database) -> None:
    await add(database, [("г. Омск", "ул. 10 лет Октября", "4", ""), ("г. Омск", "ул. Октября", "10", "")])

    assert await suggest(database, typed="октября 10") == (
        "г. Омск, ул. 10 лет Октября, д.4",
        "г. Омск, ул. Октября, д.10",
    )
    assert await suggest(database, typed="10 лет октября 4") == ("г. Омск, ул. 10 лет Октября, д.4",)


async def test_a_whole_word_comes_before_a_beginning(database: Database) -> None:
    await add(database, [("г. Омск", "ул. Лен", "1", ""), ("г. Омск", "ул. Ленина", "1", "")])
    await add(database, [("г. Омск", "пер. Ленский", "1", "")])

    assert (await suggest(database, typed="лен"))[0] == "г. Омск, ул. Лен, д.1"


async def test_the_same_address_twice_is_one_row(database: Database) -> None:
    await add(database, [HOME, HOME])

    assert await suggest(database, typed="федора") == (one_line(*HOME),)


async def test_a_settlement_without_streets(database: Database) -> None:
    await add(database, [("с. Азово", "", "7", ""), ("п. Светлый", "", "", "")])

    assert await suggest(database, typed="с азово 7") == ("с. Азово, д.7",)
    assert await suggest(database, typed="пос светлый") == ("п. Светлый",)


async def test_houses_without_a_street_in_a_town_with_many(database: Database) -> None:
    await add(database, [("г. Омск", f"ул. Улица{number:02}", "7", "") for number in range(30)])
    await add(database, [("г. Омск", "", "77", "")])

    assert (await suggest(database, typed="г. Омск, "))[0] == "г. Омск, ул. Улица00,"
    assert await suggest(database, typed="г. Омск, 77") == ("г. Омск, д.77",)


async def test_more_streets_than_are_sorted(database: Database) -> None:
    """Of very many the first by name are found, by another way that must mean the same."""
    await add(database, [("г. Омск", f"ул. Улица{number:04}", "1", "") for number in range(1200)])
    await add(database, [HOME])

    lines = await suggest(database, typed="омск")
    assert len(lines) == MAX_ROWS
    assert lines[0] == "г. Омск, ул. Улица0000,"
    assert await suggest(database, typed="омск крыл") == (one_line(*HOME),)
    assert len(await suggest(database, typed="омск 1")) == MAX_ROWS


CRAFTED = (
    '"', "омск*", "омск OR 1", "-омск", "омск^2", "NEAR(омск мира)", "search_text:омск", "{a b}:омск", "%_%",
    "омск' & !'мира", "'омск':A", "<->", "омск) (", "омск\\", "\x00омск", "\ud800омск", "омск\u2028",
    "①", "ﬁ", "омск; DROP TABLE street; --", "🏠 омск", "o'мск", "ⅷ²омск", "İ", "ß",
)  # fmt: skip


async def test_no_text_means_anything_to_the_database(database: Database) -> None:
    await add(database, [HOME])

    for typed in CRAFTED:
        assert set(await suggest(database, typed=typed)) <= {one_line(*HOME)}, typed
    assert await suggest(database, typed="омск*") == (one_line(*HOME),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(typed=st.text(max_size=500) | st.text(alphabet="омскул 5а.,'\"*:()&|!-\\\x00\ud800", max_size=500))
async def test_anything_may_be_typed(database: Database, typed: str) -> None:
    assert await suggest(database, typed=typed) == ()


async def test_500_letters_of_one_word_and_of_many(database: Database) -> None:
    await add(database, [HOME])

    assert await suggest(database, typed="о" * 500) == ()
    assert await suggest(database, typed="омск " * 100) == (one_line(*HOME),)
    assert await suggest(database, typed="9" * 500 + " омск") == ()


async def test_suggestions_have_addresses_only(database: Database) -> None:
    home = await factories.premises(database)
    owner = await factories.subscriber(database, full_name="Омскова Омска")
    await factories.account(database, premises_id=home, subscriber_id=owner, number="5500987654")

    lines = await suggest(database, typed="омск")

    assert len(lines) == 1
    assert "Омскова" not in lines[0]
    assert "5500987654" not in lines[0]
    assert await suggest(database, typed="омскова") == ()


async def test_what_is_chosen_is_the_same_address(database: Database) -> None:
    await add(database, [HOME, *NEIGHBOURS])

    for typed in ("омск", "крылова", "федоровка"):
        for line in await suggest(database, typed=typed):
            assert is_same_address(line, line)


# ---- kept by triggers


async def test_a_moved_address_is_found_under_its_new_name_only(database: Database) -> None:
    await add(database, [HOME])
    premises = table_of(Premises)
    new = {"settlement": "г. Тара", "street": "ул. Новая"}
    async with database.writing() as connection:
        await connection.execute(update(premises).values(**new, search_text=search_words(*new.values())))

    assert await suggest(database, typed="омск") == ()
    assert await suggest(database, typed="тара") == ("г. Тара, ул. Новая, д.5 А, кв.12",)


async def test_a_street_without_premises_is_not_suggested(database: Database) -> None:
    await add(database, [("г. Омск", f"ул. Улица{number:02}", "1", "") for number in range(30)])
    premises = table_of(Premises)
    async with database.writing() as connection:
        await connection.execute(delete(premises).where(premises.c.street == "ул. Улица00"))

    lines = await suggest(database, typed="омск")
    assert lines[0] == "г. Омск, ул. Улица01,"
    assert len(lines) == MAX_ROWS
    assert await suggest(database, typed="улица00") == ()


async def test_words_given_later_are_searched_by(database: Database) -> None:
    """Rows from a bulk load without words are healed by the next that has them."""
    values = "('г. Омск', 'ул. Мира', '1', '', 'Asia/Omsk')"
    async with database.writing() as connection:
        await connection.execute(
            text(f"INSERT INTO premises (settlement, street, house, flat, timezone) VALUES {values}")
        )
    assert await suggest(database, typed="омск") == ()

    await add(database, [("г. Омск", "ул. Мира", "2", "")])

    assert await suggest(database, typed="омск") == ("г. Омск, ул. Мира, д.1", "г. Омск, ул. Мира, д.2")


async def test_each_street_is_there_once(database: Database) -> None:
    await add(database, flats("г. Омск", "ул. Мира", "1", 5))
    await add(database, [HOME, *flats("г. Омск", "ул. Мира", "2", 5)])
    async with database.reading() as connection:
        streets = (await connection.execute(text("SELECT street FROM street ORDER BY 1"))).scalars().all()

    assert len(streets) == 2
    assert table_of(Street).c.search_text.nullable is False
