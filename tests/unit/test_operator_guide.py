"""The operator guide says what is on the screen: its words, its pages, and the same in both languages.

Words on the screen stand in bold, and nothing else does.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from html import unescape

import pytest

import lk_portal.lk_portal  # noqa: F401 - registers every page
from lk_portal.i18n import _, catalog, using_locale
from lk_portal.pages.registry import PageSpec, all_pages
from lk_portal.security.markup import render
from lk_portal.services.help_topics import Book, Topic, topics
from lk_portal.services.resource import all_resources
from lk_portal.settings import KNOWN_LOCALES

BOLD = re.compile(r"<strong>(.*?)</strong>", re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((/[^)]*)\)")
SHAPE = re.compile(r"^(?:#+ |!\[|\d+\. |- |```)", re.MULTILINE)
PARAMETER = re.compile(r"\{[a-z_]+\}")
LEAST_LETTERS = 10
"""Of a message with parameters; a shorter one could be anything."""
PAIRS = list(zip(*(topics(locale, Book.GUIDE) for locale in ("ru", "en")), strict=True))
LONGEST = 3600
"""Signs of a topic: about a screen and a half."""


def quoted(topic: Topic) -> list[str]:
    """The words on the screen that a topic names, in their order."""
    return [" ".join(unescape(text).split()) for text in BOLD.findall(render(topic.text).html)]


def all_quoted(locale: str) -> set[str]:
    return {text for one in topics(locale, Book.GUIDE) for text in quoted(one)}


def staff_pages() -> list[PageSpec]:
    """The portal's own; a package's are that package's to explain."""
    pages = [page for page in all_pages() if page.route.split("/")[1] == "admin"]
    return [page for page in pages if page.layout.__module__.startswith("lk_portal.pages.")]


def ids_of(text: str, locale: str) -> set[str]:
    """The messages that are shown as this text; where they have parameters, these are filled in it."""
    whole, templates = _shown(locale)
    return whole[text] | {one for one, pattern in templates.items() if pattern.fullmatch(text)}


@cache
def _shown(locale: str) -> tuple[defaultdict[str, set[str]], dict[str, re.Pattern[str]]]:
    """The catalogue's messages by their text, and those with parameters with what they can look like."""
    whole, templates = defaultdict(set), {}
    for message in [one.id for one in catalog("ru") if one.id and isinstance(one.id, str)]:
        text = _in(locale, message)
        whole[text].add(message)
        parts = PARAMETER.split(text)
        if len(parts) > 1 and sum(sign.isalpha() for sign in "".join(parts)) >= LEAST_LETTERS:
            templates[message] = re.compile(".+".join(map(re.escape, parts)))
    return whole, templates


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_what_is_quoted_is_what_the_screen_says(locale: str) -> None:
    unknown = {
        one.slug: wrong
        for one in topics(locale, Book.GUIDE)
        if (wrong := [text for text in quoted(one) if not ids_of(text, locale)])
    }

    assert unknown == {}
    assert len(all_quoted(locale)) > 150


def test_a_word_that_is_on_no_screen_is_noticed() -> None:
    assert ids_of("Взять себе", "ru") == {"Take it"}
    assert ids_of("Взять", "ru") == set()
    assert len(ids_of("Вы смотрите глазами абонента Иванов до 15:40.", "ru")) == 1
    assert ids_of("Вы смотрите глазами абонента Иванов.", "ru") == set()


@pytest.mark.parametrize(("russian", "english"), PAIRS, ids=[one.slug for one, _english in PAIRS])
def test_both_languages_say_the_same(russian: Topic, english: Topic) -> None:
    """The same headings, steps, pictures and links, and the same words of the screen, one after the other."""
    assert russian.slug == english.slug
    assert SHAPE.findall(russian.text) == SHAPE.findall(english.text)
    assert Counter(LINK.findall(russian.text)) == Counter(LINK.findall(english.text))
    pairs = zip(quoted(russian), quoted(english), strict=True)
    assert [pair for pair in pairs if not ids_of(pair[0], "ru") & ids_of(pair[1], "en")] == []


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_topics_are_short(locale: str) -> None:
    assert [one.slug for one in topics(locale, Book.GUIDE) if len(one.text) > LONGEST] == []


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_every_page_of_the_staff_is_explained(locale: str) -> None:
    """By its name; one that an address without parameters leads to, by a link as well."""
    linked = {address for one in topics(locale, Book.GUIDE) for address in LINK.findall(one.text)}
    words, pages = all_quoted(locale), staff_pages()

    assert len(pages) > 30
    assert [page.route for page in pages if not _names(page.title) & words] == []
    assert [page.route for page in pages if "[" not in page.route and page.route not in linked] == []


def _names(title: str) -> set[str]:
    """A page's title in all languages, whichever one it was registered in."""
    return {title, *(_in(locale, one) for locale in KNOWN_LOCALES for one in ids_of(title, "ru"))}


def _in(locale: str, message: str) -> str:
    with using_locale(locale):
        return _(message)


def test_every_link_to_a_page_leads_to_one() -> None:
    routes = {page.route for page in all_pages()}
    linked = {address for one in topics("ru", Book.GUIDE) for address in LINK.findall(one.text)}
    known = {f"/info/{one.slug}" for book in Book for one in topics("ru", book)}

    assert linked - known <= routes


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_everything_that_can_be_done_with_rows_is_explained(locale: str) -> None:
    words = all_quoted(locale)
    labels = {one.label for each in all_resources() for one in each.actions}

    assert len(labels) > 8
    assert {label for label in labels if _in(locale, label) not in words} == set()
