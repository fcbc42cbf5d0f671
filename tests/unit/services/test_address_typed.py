"""What was typed as an address: its parts, and whether it is the registry's."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lk_portal.models.address_text import one_line
from lk_portal.services.address_typed import (
    Fitting,
    agrees,
    fits,
    is_same_address,
    numbers_of,
    read_typed,
    without_kinds,
)

HOME = "г. Омск, ул. Фёдора Крылова, д.5 А, кв.12"


@pytest.mark.parametrize(
    "typed",
    [
        HOME,
        HOME.upper(),
        "омск федора крылова 5а 12",
        "Крылова Федора ул, 5-А, кв 12, город Омск",
        "Омск,улица Фёдора Крылова,дом 5А,квартира 12",
        "644099, Россия, Омская область, г. Омск, ул. Фёдора Крылова, д. 5 лит. А, кв. 12",
        "обл Омская г Омск Федора Крылова 5а-12",
        "  Омск;;; Федора — Крылова № 5А / 12  ",
        "кв.12, д.5А, ул. Фёдора Крылова, Омск",
    ],
)
def test_the_same_address_as_people_write_it(typed: str) -> None:
    assert is_same_address(typed, HOME)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "\x00",
        "г. Омск",
        "г. Омск, ул. Фёдора Крылова",
        "г. Омск, ул. Фёдора Крылова, д.5 А",
        "г. Омск, ул. Фёдора Крылова, д.5, кв.12",
        "г. Омск, ул. Фёдора Крылова, д.5 Б, кв.12",
        "г. Омск, ул. Фёдора Крылова, д.5 А, кв.1",
        "г. Омск, ул. Фёдора Крылова, д.12, кв.5 А",
        "г. Омск, ул. Крылова, д.5 А, кв.12",
        "г. Омск, пр. Фёдора Крылова, д.5 А, кв.12",
        "г. Томск, ул. Фёдора Крылова, д.5 А, кв.12",
        "г. Омск, ул. Фёдора Крылова, д.5 А, кв.12, кв.13",
        "%, ул. Фёдора Крылова, д.5 А, кв.12",
        f"{HOME} {HOME}",
        HOME + " " * 300,
        HOME.replace("Омск", "О*"),
    ],
)
def test_another_address(typed: str) -> None:
    assert not is_same_address(typed, HOME)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Омск мира пр. 3", "г. Омск, пр-т Мира, д.3"),
        ("Омск мира пр. 3", "г. Омск, проезд Мира, д.3"),
        ("Омск, 1-я линия 1", "г. Омск, 1-я Линия, д.1"),
        ("Омск, 1 линия, 1", "г. Омск, 1-я Линия, д.1"),
        ("Омск, ул 10 лет Октября, 5 корпус 2 кв 7", "г. Омск, ул. 10 лет Октября, д.5 корп. 2, кв.7"),
        ("казань баумана 1, республика татарстан", "г. Казань, ул. Баумана, д.1"),
        ("Дружино, 4", "д. Дружино, д.4"),
        ("деревня дружино дом 4", "д. Дружино, д.4"),
        ("снт заречное 3-я аллея 17 Омск", "г. Омск, СНТ Заречное, 3-я аллея, д.17"),
        ("красноярский тракт 5 Омск", "г. Омск, Красноярский тракт, д.5"),
        ("ул им Ленина 1 Омск", "г. Омск, ул. Ленина, д.1"),
    ],
)
def test_other_kinds_of_address(typed: str, address: str) -> None:
    assert is_same_address(typed, address)
    assert is_same_address(address, address)


def test_an_address_without_words_is_nobodys() -> None:
    assert not is_same_address("", "")
    assert not is_same_address("5", "д.5")


TOWNS = st.sampled_from(["г. Омск", "с. Азово", "рп. Черлак", "п. Ростовка"])
STREETS = st.sampled_from(["ул. Ленина", "пер. Ленина", "ул. 10 лет Октября", "1-я Линия", ""])
HOUSES = st.sampled_from(["1", "10", "1а", "1 корп. 2", "12/1"])
FLATS = st.sampled_from(["", "1", "2", "10"])
PLACES = st.tuples(TOWNS, STREETS, HOUSES, FLATS)


@given(PLACES, PLACES)
@example(("г. Омск", "", "1", "2"), ("г. Омск", "", "1 корп. 2", ""))
@example(("г. Омск", "", "1", "10"), ("г. Омск", "1-я Линия", "10", ""))
def test_only_the_same_place_is_the_same(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    # Who types no flat may mean one all the same: "1 2" is "д.1, кв.2" as well as "д.1 корп. 2". And a street
    # that has but a number for a name is not told from none: "1-я Линия, 10" from "1, кв.10".
    assume(one[3] or not (two[3] and one[1] == "1-я Линия" and two[1] == ""))
    numbers = [(*numbers_of(house), *numbers_of(flat)) for _, _, house, flat in (one, two)]
    is_same = one[:2] == two[:2] and numbers[0] == numbers[1] and one[3] in ("", two[3])

    assert is_same_address(one_line(*one), one_line(*two)) == is_same


@given(PLACES, st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(place: tuple[str, ...], chance: object) -> None:
    town, street, house, flat = place
    number = f"д.{house}" + (f", кв.{flat}" if flat else "")
    parts = [town, number] if any(map(str.isdigit, street)) else [town, street, number]
    chance.shuffle(parts)  # type: ignore[attr-defined]
    address = one_line(town, "" if len(parts) == 2 else street, house, flat)

    assert is_same_address(", ".join(parts).swapcase(), address)


@given(st.text(max_size=500), st.text(max_size=500))
def test_anything_may_be_typed(typed: str, address: str) -> None:
    read_typed(typed)
    without_kinds(read_typed(typed))
    assert is_same_address(typed, address) in (True, False)


def test_the_parts_of_what_was_typed() -> None:
    typed = read_typed("Омск, ул. Ленина, кв 3, дом 12 к 2")

    assert typed.words == ("омск", "ул", "ленина")
    assert (typed.house, typed.flat) == (("12", "2"), ("3",))
    assert typed.is_open is False
    assert read_typed("Омск, дом 12, кв 3").is_open is True


@pytest.mark.parametrize(
    ("text", "is_open"), [("ленина 1", True), ("ленина 1 ", False), ("ленина 1,", False), ("1 ленина", False)]
)
def test_only_the_last_number_may_go_on(text: str, is_open: bool) -> None:
    assert read_typed(text).is_open is is_open


def test_abbreviations_stand_for_all_they_may_mean() -> None:
    assert read_typed("пр мира").alternatives == (("проспект", "проезд", "пр"), ("мира",))
    assert read_typed("ул").alternatives == (("улица", "ул"),)


@pytest.mark.parametrize("typed", ["г омск ул мира", "Омск мира кварт", "Омская обл., Омск, мира, до"])
def test_kinds_regions_and_unfinished_marks_can_be_left_out(typed: str) -> None:
    assert without_kinds(read_typed(typed)).words == ("омск", "мира")


def test_numbers_of_the_streets_own_name_are_used_up_once() -> None:
    words = "город омск улица 10 лет октября"

    def left(typed: str) -> tuple[tuple[str, ...], int]:
        fit = Fitting(read_typed(typed)).of(words)
        return (*fit.house, *fit.flat), fit.closeness

    assert left("10 лет октября 10") == (("10",), 3)
    assert left("лет октября 10") == ((), 3)
    assert left("октя 5 кв 10") == (("5", "10"), 0)


def test_a_flat_says_nothing_before_the_house_does() -> None:
    assert Fitting(read_typed("омск кв 10")).of("город омск").flat == ()
    assert Fitting(read_typed("омск 5 кв 10")).of("город омск").flat == ("10",)


@pytest.mark.parametrize(
    ("typed", "is_named"),
    [
        ("г. Омск, ул. Мира,", True),
        ("Г ОМСК, МИРА УЛ., 5", True),
        ("г. Омск, ул. Мира", False),
        ("Омск, ул. Мира,", False),
        ("ул. Мира, 5", False),
        ("г. Омск, ул. Мира 5, 2", False),
    ],
)
def test_a_street_in_full_with_a_comma_is_meant(typed: str, is_named: bool) -> None:
    assert Fitting(read_typed(typed)).of("город омск улица мира").is_named is is_named


@pytest.mark.parametrize(
    ("typed", "is_closed"), [("мира 5,", True), ("мира 5 , ", True), ("мира 5 кв 1", True), ("мира 5", False)]
)
def test_a_comma_or_a_flat_closes_the_house(typed: str, is_closed: bool) -> None:
    assert read_typed(typed).is_house_closed is is_closed


def test_numbers_agree_as_far_as_they_go() -> None:
    assert agrees(("5",), ("5", "2"), is_open=False)
    assert agrees(("5", "2", "7"), ("5", "2"), is_open=False)
    assert not agrees(("5",), ("50",), is_open=False)
    assert agrees(("5",), ("50",), is_open=True)
    assert not agrees(("5", "1"), ("50", "1"), is_open=True)
    assert fits(("5", "1"), ("5", "1"), is_open=False)
    assert not fits(("5", "1"), ("5",), is_open=False)
