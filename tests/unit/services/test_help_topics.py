"""The help and the operator guide are whole: the same topics in every language, their links and pictures lead
somewhere, and the guides in docs are what is assembled from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lk_portal.errors import NotFoundError
from lk_portal.security.markup import render
from lk_portal.services.help_topics import FOLDER, Book, picture_sizes, topic, topics
from lk_portal.settings import KNOWN_LOCALES
from tests.docs import guide
from tests.docs.pictures import MAX_BYTES
from tests.docs.shots import HELP, SHOTS

PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]*)\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)]*)\)")
FIXED = {"/info/agreement", "/info/consent", "/info/help"}
of_every_book = pytest.mark.parametrize("book", Book)
in_every_language = pytest.mark.parametrize("locale", KNOWN_LOCALES)


def names(locale: str, book: Book) -> list[str]:
    return sorted(path.name for path in (FOLDER / locale / book.value[0]).iterdir() if path.is_file())


@of_every_book
def test_every_language_has_every_topic(book: Book) -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(KNOWN_LOCALES)
    assert names("ru", book) == names("en", book)
    assert len(topics("ru", book)) == len(names("ru", book)) > 10


@of_every_book
@in_every_language
def test_a_topic_has_a_title_and_begins_no_heading_too_deep(locale: str, book: Book) -> None:
    for one in topics(locale, book):
        assert one.title
        assert not one.title.startswith("#")
        levels = [heading.level for heading in render(one.text).headings]
        assert set(levels) <= {2, 3}, one.slug
        assert levels[:1] in ([], [2]), one.slug


@of_every_book
@in_every_language
def test_the_size_of_every_picture_is_known(locale: str, book: Book) -> None:
    found = {address for one in topics(locale, book) for address in PICTURE.findall(one.text)}

    assert found
    assert found <= picture_sizes().keys()
    assert all(width >= 390 and height >= 390 for width, height in picture_sizes().values())


def test_a_topic_is_found_by_its_address() -> None:
    assert topic("ru", "help-sign-in").title == "Регистрация и вход"
    assert topic("en", "help-sign-in").title == "Registering and signing in"
    for slug in ("help-", "help-nothing", "sign-in", "10-sign-in", "help-../ru/10-sign-in"):
        with pytest.raises(NotFoundError):
            topic("ru", slug)


def test_a_topic_is_found_in_its_own_book_only() -> None:
    assert topic("ru", "help-staff-tickets", Book.GUIDE).title == "Как ответить на обращение"
    for slug, book in (("help-staff-tickets", Book.HELP), ("help-sign-in", Book.GUIDE)):
        with pytest.raises(NotFoundError):
            topic("ru", slug, book)


@in_every_language
def test_links_lead_to_topics_and_fixed_pages(locale: str) -> None:
    known = {f"/info/{one.slug}" for one in topics(locale)} | FIXED
    links = {link for one in topics(locale) for link in LINK.findall(one.text)}

    assert len(links) > 3
    assert links <= known


@of_every_book
@in_every_language
def test_every_picture_is_there_small_and_one_that_can_be_taken_again(locale: str, book: Book) -> None:
    pictures = [link for one in topics(locale, book) for link in PICTURE.findall(one.text)]
    can_be_taken = {str(file) for shot in SHOTS for file in shot.files().values()}

    assert len(pictures) > 5
    for address in pictures:
        file = HELP / Path(address).name
        assert address == f"/pictures/{file.name}"
        assert file.stem.endswith(f"-{locale}")
        assert 1_000 < file.stat().st_size <= MAX_BYTES, address
        assert str(file) in can_be_taken, address


def test_no_picture_is_left_over() -> None:
    named = {
        Path(address).name
        for book in Book
        for locale in KNOWN_LOCALES
        for one in topics(locale, book)
        for address in PICTURE.findall(one.text)
    }

    assert {path.name for path in HELP.iterdir()} == named


def test_no_two_pictures_are_one_file() -> None:
    files = [file for shot in SHOTS for file in shot.files().values()]

    assert len(files) == len(set(files))


@of_every_book
@in_every_language
def test_the_guides_are_the_help(locale: str, book: Book) -> None:
    written = guide.path_of(locale, book).read_text(encoding="utf-8")

    assert written == guide.assembled(locale, book), "run `make guide`"


@of_every_book
def test_a_guide_leads_to_its_own_topics_and_pictures(book: Book) -> None:
    text = guide.assembled("ru", book)
    anchors = set(re.findall(r'<a id="([^"]+)">', text))

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) == anchors == {one.slug for one in topics("ru", book)}
    assert "](/" not in text


def test_the_guides_know_of_each_other() -> None:
    text = guide.assembled("ru")

    assert "](../../assets/pictures/login-telephone-ru.webp)" in text
