"""How addresses are spelled: tokens, words to search by, natural order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.models import Premises
from lk_portal.models.address_text import is_number, natural_key, one_line, search_words, tokens_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("г. Омск, ул.Ленина, д.5, кв.12", ["г", "омск", "ул", "ленина", "д", "5", "кв", "12"]),
        ("ЁЛКИНО", ["елкино"]),
        ("Е\u0308лкино", ["елкино"]),
        ("пр-т Мира", ["проспект", "мира"]),
        ("Б-Р Победы", ["бульвар", "победы"]),
        ("р.п. Черлак", ["рп", "черлак"]),
        ("п. г. т. Любинский", ["пгт", "любинский"]),
        ("Санкт-Петербург", ["санкт", "петербург"]),
        ("1-я Линия", ["1", "линия"]),
        ("3-й проезд", ["3", "проезд"]),
        ("50-летия Октября", ["50", "летия", "октября"]),
        ("12-А", ["12а"]),
        ("12 а, кв 3", ["12а", "кв", "3"]),
        ("12А/2", ["12а", "2"]),
        ("12 лит. Б", ["12б"]),
        ("5к2", ["5", "к", "2"]),
        ("5 к 2", ["5", "к", "2"]),
        ("5 г Омск", ["5", "г", "омск"]),
        ("5 г", ["5г"]),
        ("\x00'; DROP TABLE street; -- \ud800", ["drop", "table", "street"]),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


@given(st.text())
def test_a_token_has_letters_and_digits_only(text: str) -> None:
    for token in tokens_of(text):
        assert token.isalnum()
        assert "_" not in token
        assert is_number(token) or not any(letter.isdecimal() for letter in token)


@given(st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюя 0123456789-.,/", max_size=40))
def test_case_and_yo_make_no_difference(text: str) -> None:
    assert tokens_of(text.upper()) == tokens_of(text)
    assert tokens_of(text.replace("ё", "е")) == tokens_of(text)


@pytest.mark.parametrize("kind", ["ул. ", "ул.", "улица ", "УЛ "])
def test_search_words_have_kinds_in_full(kind: str) -> None:
    assert search_words("г. Омск", f"{kind}Ленина") == "город омск улица ленина"


def test_search_words_say_each_word_once() -> None:
    assert search_words("п. Мира", "пр. Мира") == "поселок мира проспект"
    assert search_words("", "") == ""


def test_an_address_on_one_line() -> None:
    assert one_line("г. Омск", "ул. Мира", "5", "1") == "г. Омск, ул. Мира, д.5, кв.1"
    assert one_line("с. Азово", house="7") == "с. Азово, д.7"
    home = Premises(settlement="г. Омск", street="ул. Мира", house="5", flat="", timezone="Asia/Omsk")
    assert home.address == "г. Омск, ул. Мира, д.5"


def test_numbers_sort_as_people_count() -> None:
    houses = ["10а", "2", "10", "1 корп. 2", "Ёлка", "1", "100", "ж"]

    assert sorted(houses, key=natural_key) == ["1", "1 корп. 2", "2", "10", "10а", "100", "Ёлка", "ж"]


@given(st.lists(st.text(max_size=10)))
def test_any_texts_can_be_sorted(texts: list[str]) -> None:
    assert sorted(texts, key=natural_key) is not None
