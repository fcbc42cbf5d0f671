"""Words as people type them find the texts they mean, in a useful order."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.services.text_search import MAX_HITS, Hit, Piece, Source, find, fold

LETTER = "На почту придет письмо с временным паролем.\nОн действует 24 часа."
SOURCES = (
    Source("Восстановление пароля", "Если пароль забыт, нажмите «Забыли пароль?»"),
    Source("Регистрация", LETTER),
    Source("Тарифы", "Счётчик считает по зонам. Пароль не нужен."),
    Source("Password recovery", "The letter carries a new password."),
)


def numbers(query: str, sources: tuple[Source, ...] = SOURCES) -> list[int]:
    return [hit.number for hit in find(sources, query)]


def marked(pieces: tuple[Piece, ...]) -> list[str]:
    return [piece.text for piece in pieces if piece.is_hit]


def whole(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("регистрация", [1]),
        ("РЕГИСТРАЦИЯ", [1]),
        ("регистр", [1]),
        ("егистрация", []),
        ("счетчик", [2]),
        ("счётчик", [2]),
        ("СЧЕТЧИКИ", [2]),
        ("временный письмо", [1]),
        ("письмо временный", [1]),
        ("письмо регистрация", [1]),
        ("письмо тарифы", []),
        ("24", [1]),
        ("passwords", [3]),
        ("«письмо»,  с!", [1]),
        ("", []),
        ("  ", []),
        ("!?<>", []),
        ("\0\ud800", []),
    ],
)
def test_what_is_found(query: str, found: list[int]) -> None:
    assert numbers(query) == found


def test_a_title_comes_first_then_the_word_itself_then_its_other_forms() -> None:
    assert numbers("пароль") == [0, 2, 1]


def test_a_title_that_has_the_word_itself_beats_one_that_has_its_beginning() -> None:
    sources = (Source("Тарификация", "x"), Source("Тариф", "x"), Source("Другое", "тариф"))

    assert numbers("тариф", sources) == [1, 0, 2]


def test_equally_good_ones_stay_in_their_order() -> None:
    sources = tuple(Source("Новость", f"текст {number}") for number in range(5))

    assert numbers("новость", sources) == [0, 1, 2, 3, 4]


def test_no_more_than_twenty() -> None:
    sources = tuple(Source("Новость", "текст") for _ in range(MAX_HITS + 5))

    assert len(numbers("новость", sources)) == MAX_HITS == 20


def test_what_was_found_is_marked_and_nothing_else() -> None:
    [hit] = find(SOURCES, "временный час")

    assert marked(hit.excerpt) == ["временным", "часа"]
    assert marked(hit.title) == []
    assert whole(hit.title) == "Регистрация"
    assert whole(hit.excerpt) == LETTER.replace("\n", " · ")


def test_the_excerpt_is_where_most_of_the_words_are() -> None:
    text = "пароль один. " + "другое " * 100 + "тут пароль и письмо рядом. " + "дальше " * 100
    [hit] = find((Source("Заголовок", text),), "письмо пароль")

    shown = whole(hit.excerpt)
    assert "пароль и письмо" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 240


def test_a_hit_in_the_title_alone_shows_how_the_text_begins() -> None:
    [hit] = find((Source("Тарифы", "Начало текста. " + "слово " * 100),), "тарифы")

    assert marked(hit.title) == ["Тарифы"]
    assert whole(hit.excerpt).startswith("Начало текста.")
    assert marked(hit.excerpt) == []


def test_letters_of_two_code_points_are_found() -> None:
    assert numbers("твой", (Source("Мой", "тво\u0438\u0306 прибор"),)) == [0]


@given(st.text(max_size=200))
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)


HANGS_S = 60

WORDS = st.text(alphabet="абвеёйи <>&*().\n\u0306İß", max_size=60)


@given(title=WORDS, text=WORDS, query=WORDS)
def test_pieces_are_the_text_itself(title: str, text: str, query: str) -> None:
    for hit in find((Source(title, text),), query):
        assert isinstance(hit, Hit)
        assert all(piece.text for piece in hit.title + hit.excerpt)
        assert marked(hit.title) + marked(hit.excerpt) or not text


def test_hostile_questions_take_no_time() -> None:
    sources = tuple(Source("т" * 200, "аб " * 60_000) for _ in range(5))
    begun = time.perf_counter()
    find(sources, " ".join(f"а{'б' * number}" for number in range(1000)))
    find(sources, "а" * 100_000)

    assert time.perf_counter() - begun < HANGS_S
