"""The help ("Помощь") and the operator guide: one Markdown file per topic and language in lk_portal/help.

A file is `NN-name.md`: the number is its place, the name its address (/info/help-name), the first line its
title. A new file is a new topic; a test wants it in every language. docs/user-guide is assembled from them.
Those in the folder `staff` are the operator guide (/info/help-staff-name), which the portal shows to staff
only; the caller looks who reads. docs/operator-guide is assembled from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from PIL import Image

from lk_portal.errors import NotFoundError

FOLDER = Path(__file__).parents[1] / "help"
ASSETS = Path(__file__).parents[2] / "assets"
PICTURES = "/pictures/"
PREFIX = "help-"
"""So begin the addresses of topics, so that none of the utility's pages gets in their way."""


class Book(Enum):
    """Whom a topic is for: its folder below that of the language, and how its address begins."""

    HELP = ("", PREFIX)
    """Everybody, visitors too."""
    GUIDE = ("staff", f"{PREFIX}staff-")
    """Operators and administrators."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `text` is Markdown without the title."""

    slug: str
    title: str
    text: str


@cache
def topics(locale: str, book: Book = Book.HELP) -> tuple[Topic, ...]:
    """All topics of a book in a language, in their order."""
    folder, prefix = book.value
    return tuple(_read(path, prefix) for path in sorted((FOLDER / locale / folder).glob("*.md")))


def topic(locale: str, slug: str, book: Book = Book.HELP) -> Topic:
    """The topic of a book at an address.

    Raises:
        NotFoundError: There is none.
    """
    for one in topics(locale, book):
        if one.slug == slug:
            return one
    raise NotFoundError


@cache
def picture_sizes() -> dict[str, tuple[int, int]]:
    """Width and height of each picture of the help by its address, in pixels."""
    found = {}
    for path in (ASSETS / PICTURES.strip("/")).glob("*.webp"):
        with Image.open(path) as picture:
            found[PICTURES + path.name] = picture.size
    return found


def _read(path: Path, prefix: str) -> Topic:
    title, _newline, text = path.read_text(encoding="utf-8").partition("\n")
    _number, _dash, name = path.stem.partition("-")
    return Topic(prefix + name, title.removeprefix("# ").strip(), text.strip())
