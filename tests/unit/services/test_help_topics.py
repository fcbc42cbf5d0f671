"""The help is whole: the same topics in every language, its links and pictures lead somewhere, and the user
guide is what is assembled from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lk_portal.errors import NotFoundError
from lk_portal.security.markup import render
from lk_portal.services.help_topics import FOLDER, picture_sizes, topic, topics
from lk_portal.settings import KNOWN_LOCALES
from tests.docs import guide
from tests.docs.pictures import MAX_BYTES
from tests.docs.shots import HELP, SHOTS

PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]*)\)")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)]*)\)")
FIXED = {"/info/agreement", "/info/consent", "/info/help"}


def names(locale: str) -> list[str]:
    return sorted(path.name for path in (FOLDER / locale).glob("*"))


def test_every_language_has_every_topic() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(KNOWN_LOCALES)
    assert names("ru") == names("en")
    assert len(topics("ru")) == len(names("ru")) > 10


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_a_topic_has_a_title_and_begins_no_heading_too_deep(locale: str) -> None:
    for one in topics(locale):
        assert one.title
        assert not one.title.startswith("#")
        levels = [heading.level for heading in render(one.text).headings]
        assert set(levels) <= {2, 3}, one.slug
        assert levels[:1] in ([], [2]), one.slug


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_the_size_of_every_picture_is_known(locale: str) -> None:
    found = {address for one in topics(locale) for address in PICTURE.findall(one.text)}

    assert found
    assert found <= picture_sizes().keys()
    assert all(width >= 390 and height >= 390 for width, height in picture_sizes().values())


def test_a_topic_is_found_by_its_address() -> None:
    assert topic("ru", "help-sign-in").title == "Регистрация и вход"
    assert topic("en", "help-sign-in").title == "Registering and signing in"
    for slug in ("help-", "help-nothing", "sign-in", "10-sign-in", "help-../ru/10-sign-in"):
        with pytest.raises(NotFoundError):
            topic("ru", slug)


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_links_lead_to_topics_and_fixed_pages(locale: str) -> None:
    known = {f"/info/{one.slug}" for one in topics(locale)} | FIXED
    links = {link for one in topics(locale) for link in LINK.findall(one.text)}

    assert len(links) > 3
    assert links <= known


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_every_picture_is_there_small_and_one_that_can_be_taken_again(locale: str) -> None:
    pictures = [link for one in topics(locale) for link in PICTURE.findall(one.text)]
    can_be_taken = {str(file) for shot in SHOTS for file in shot.files().values()}

    assert len(pictures) > 5
    for address in pictures:
        file = HELP / Path(address).name
        assert address == f"/pictures/{file.name}"
        assert file.stem.endswith(f"-{locale}")
        assert 1_000 < file.stat().st_size <= MAX_BYTES, address
        assert str(file) in can_be_taken, address


def test_no_two_pictures_are_one_file() -> None:
    files = [file for shot in SHOTS for file in shot.files().values()]

    assert len(files) == len(set(files))


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
def test_the_user_guide_is_the_help(locale: str) -> None:
    assert guide.path_of(locale).read_text(encoding="utf-8") == guide.assembled(locale), "run `make guide`"


def test_the_guide_leads_to_its_own_topics_and_pictures() -> None:
    text = guide.assembled("ru")
    anchors = set(re.findall(r'<a id="([^"]+)">', text))

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) == anchors == {one.slug for one in topics("ru")}
    assert "](/" not in text
    assert "](../../assets/pictures/login-telephone-ru.webp)" in text
