"""The search over everything that can be read: on both databases, and blind to what a reader may not see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lk_portal.models import DocumentKind
from lk_portal.services import documents
from lk_portal.services.content import InfoKind, Reader
from lk_portal.services.database import Database
from lk_portal.services.info_search import Shelf, search
from tests.integration.services.infos import DAY, SUBSCRIBER, VISITOR, draft, put_out, write
from tests.integration.services.people import NOW, visit

CANARY = "канарейка"


async def found(database: Database, reader: Reader, query: str) -> dict[str, Shelf]:
    return {one.slug: one.shelf for one in await search(database, reader, query)}


async def test_it_finds_help_pages_news_and_documents(database: Database) -> None:
    await put_out(database, "tariffs", text="соглашение")
    await put_out(database, "works", kind=InfoKind.NEWS, title="Соглашение")

    assert (await found(database, VISITOR, "соглашение")).items() >= {
        "tariffs": Shelf.PAGE,
        "works": Shelf.NEWS,
        "agreement": Shelf.DOCUMENT,
        "help-sign-in": Shelf.HELP,
    }.items()


async def test_the_operator_guide_is_the_staffs(database: Database) -> None:
    staff = replace(SUBSCRIBER, is_staff=True)

    assert (await found(database, staff, "заменить счетчик"))["help-staff-replacement"] is Shelf.GUIDE
    for reader in (VISITOR, SUBSCRIBER):
        assert Shelf.GUIDE not in (await found(database, reader, "заменить счетчик")).values()
        assert "help-sign-in" in await found(database, reader, "регистрация")


async def test_of_documents_only_what_is_in_force(database: Database) -> None:
    for text in ("старинный", "новейший"):
        await documents.publish(
            database,
            kind=DocumentKind.AGREEMENT,
            title="Соглашение",
            text=f"{text} текст",
            visit=visit(),
        )

    assert await found(database, VISITOR, "старинный") == {}
    assert await found(database, VISITOR, "новейший") == {"agreement": Shelf.DOCUMENT}


@pytest.mark.parametrize("query", [CANARY, "кан", "канарейки", "ИНАЯ канарейка"])
async def test_what_a_visitor_may_not_see_is_not_found(database: Database, query: str) -> None:
    hidden = {"title": f"Иная {CANARY}", "text": f"Иная {CANARY}"}
    await write(database, "draft", **hidden)
    await put_out(database, "later", at=NOW + DAY, **hidden)
    await put_out(database, "inner", is_public=False, **hidden)
    await put_out(database, "block", kind=InfoKind.BLOCK, **hidden)

    assert await found(database, VISITOR, query) == {}
    assert await found(database, SUBSCRIBER, query) == {"inner": Shelf.PAGE}
    later = replace(VISITOR, now=NOW + DAY)
    assert await found(database, later, query) == {"later": Shelf.PAGE}


async def test_it_searches_the_readers_language(database: Database) -> None:
    await put_out(database, text="зебра")
    await put_out(database, locale="en", text="zebra")
    english = replace(VISITOR, locale="en")

    assert await found(database, english, "зебра") == {}
    assert await found(database, english, "zebra registration") == {}
    assert await found(database, english, "zebra") == {"tariffs": Shelf.PAGE}
    assert "help-sign-in" in await found(database, english, "registration")
    assert await found(database, VISITOR, "зебра") == {"tariffs": Shelf.PAGE}


async def test_one_of_two_hundred_long_pages_is_found(database: Database) -> None:
    text = "Обычные слова страницы. " * 200
    for number in range(200):
        await put_out(database, f"page-{number}", text=f"{text} номер{number}")
    assert len(draft(text=text).text) > 4_000
    await search(database, VISITOR, "слова")

    assert list(await found(database, VISITOR, "номер117 слова")) == ["page-117"]
