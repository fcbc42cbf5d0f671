"""The search over help, pages, news and the documents in force, for staff the operator guide too. For /info.

There are a few hundred texts at most, so they are searched as they are, for everybody anew: what a reader may
not see is never in the heap. Of texts that were searched before, the plain words are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lk_portal.security.markup import plain
from lk_portal.services import content, documents, help_topics
from lk_portal.services.content import InfoKind, Reader
from lk_portal.services.database import Database
from lk_portal.services.help_topics import Book
from lk_portal.services.text_search import Hit, Source, find


class Shelf(StrEnum):
    """Where a text stands."""

    HELP = "help"
    GUIDE = "guide"
    PAGE = "page"
    NEWS = "news"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found: where it stands, its last part of the address under /info, and the hit."""

    shelf: Shelf
    slug: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class _Text:
    shelf: Shelf
    slug: str
    title: str
    text: str


async def search(database: Database, reader: Reader, query: str) -> tuple[Found, ...]:
    """The texts that have all words of `query` and that the reader may see, best first."""
    books = [*_help(reader), *await _articles(database, reader), *await _documents(database)]
    # A text that is searched for the first time is parsed; nobody else should wait for that.
    hits = await asyncio.to_thread(_find, books, query)
    return tuple(Found(books[hit.number].shelf, books[hit.number].slug, hit) for hit in hits)


def _find(books: Sequence[_Text], query: str) -> tuple[Hit, ...]:
    return find([Source(book.title, plain(book.text)) for book in books], query)


def _help(reader: Reader) -> list[_Text]:
    shelves = [(Shelf.HELP, Book.HELP), *([(Shelf.GUIDE, Book.GUIDE)] if reader.is_staff else [])]
    return [
        _Text(shelf, one.slug, one.title, one.text)
        for shelf, book in shelves
        for one in help_topics.topics(reader.locale, book)
    ]


async def _articles(database: Database, reader: Reader) -> list[_Text]:
    return [
        _Text(Shelf.NEWS if one.kind is InfoKind.NEWS else Shelf.PAGE, one.slug, one.title, one.text)
        for one in await content.visible(database, reader)
    ]


async def _documents(database: Database) -> list[_Text]:
    return [
        _Text(Shelf.DOCUMENT, one.kind.value, one.title, one.text)
        for one in await documents.current(database)
    ]
