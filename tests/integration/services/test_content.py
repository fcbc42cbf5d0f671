"""The utility's pages, news and blocks: who sees which, in which language, and how they are written."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import AuditEntry
from lk_portal.services import content
from lk_portal.services.content import InfoKind, Reader
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests.integration.services.infos import DAY, SUBSCRIBER, VISITOR, draft, put_out, write
from tests.integration.services.people import NOW, visit


async def slugs(database: Database, reader: Reader) -> list[str]:
    listed = [one.slug for one in await content.headlines(database, reader)]
    assert listed == [one.slug for one in await content.visible(database, reader)]
    return listed


async def is_there(database: Database, reader: Reader, slug: str) -> bool:
    try:
        return (await content.of_slug(database, reader, slug)).slug == slug
    except NotFoundError:
        return False


async def test_pages_stand_in_their_order_and_news_newest_first(database: Database) -> None:
    await put_out(database, "second", position=2)
    await put_out(database, "first", position=1)
    await put_out(database, "old", kind=InfoKind.NEWS, at=NOW - 9 * DAY)
    await put_out(database, "new", kind=InfoKind.NEWS)

    assert await slugs(database, VISITOR) == ["first", "second", "new", "old"]


async def test_a_draft_is_nowhere_until_it_is_published(database: Database) -> None:
    await write(database)
    assert await slugs(database, SUBSCRIBER) == []
    assert not await is_there(database, SUBSCRIBER, "tariffs")

    await content.publish(database, slug="tariffs", locale="ru", at=NOW, actor=None, visit=visit())
    assert await slugs(database, SUBSCRIBER) == ["tariffs"]
    assert await is_there(database, SUBSCRIBER, "tariffs")

    await content.withdraw(database, slug="tariffs", locale="ru", actor=None, visit=visit())
    assert await slugs(database, SUBSCRIBER) == []
    assert not await is_there(database, SUBSCRIBER, "tariffs")


async def test_what_is_scheduled_comes_when_it_is_due(database: Database) -> None:
    await put_out(database, at=NOW + DAY)
    later = replace(VISITOR, now=NOW + DAY)

    assert await slugs(database, VISITOR) == []
    assert not await is_there(database, VISITOR, "tariffs")
    assert await slugs(database, later) == ["tariffs"]
    assert await is_there(database, later, "tariffs")


async def test_some_are_for_people_who_are_signed_in(database: Database) -> None:
    await put_out(database, is_public=False)

    assert await slugs(database, VISITOR) == []
    assert not await is_there(database, VISITOR, "tariffs")
    assert await slugs(database, SUBSCRIBER) == ["tariffs"]
    assert await is_there(database, SUBSCRIBER, "tariffs")


@pytest.mark.parametrize(
    ("there", "locale", "fallback", "seen"),
    [
        (["ru", "en"], "en", "ru", "en"),
        (["ru", "en"], "ru", "en", "ru"),
        (["ru"], "en", "ru", "ru"),
        (["en"], "ru", "ru", "en"),
        (["en", "ru"], "", "", "en"),
    ],
)
async def test_a_text_comes_in_the_language_that_suits_best(
    database: Database, there: list[str], locale: str, fallback: str, seen: str
) -> None:
    for name in there:
        await put_out(database, locale=name, title=f"Title {name}")
    reader = Reader(locale, fallback, is_signed_in=False, now=NOW)

    [listed] = await content.headlines(database, reader)
    assert (listed.locale, listed.title) == (seen, f"Title {seen}")
    assert (await content.of_slug(database, reader, "tariffs")).locale == seen


async def test_a_translation_that_is_a_draft_is_not_chosen(database: Database) -> None:
    await put_out(database, locale="ru")
    await write(database, locale="en")

    assert (await content.of_slug(database, replace(VISITOR, locale="en"), "tariffs")).locale == "ru"


async def test_a_block_has_no_address_and_is_in_no_list(database: Database) -> None:
    assert await content.block(database, VISITOR, "login-welcome") is None
    await put_out(database, "login-welcome", kind=InfoKind.BLOCK, text="Привет")

    found = await content.block(database, VISITOR, "login-welcome")
    assert found is not None
    assert found.text == "Привет"
    assert await slugs(database, SUBSCRIBER) == []
    assert not await is_there(database, SUBSCRIBER, "login-welcome")
    await put_out(database)
    assert await content.block(database, VISITOR, "tariffs") is None


@pytest.mark.parametrize("slug", ["", "other", "x\0", "\ud800", "x" * 5000, "TARIFFS", "tariffs ", "%"])
async def test_there_is_no_other(database: Database, slug: str) -> None:
    await put_out(database)

    assert not await is_there(database, VISITOR, slug)
    assert await content.block(database, VISITOR, slug) is None


async def test_new_ones_are_counted_once_in_all_languages(database: Database) -> None:
    await put_out(database, "old", at=NOW - 3 * DAY)
    await put_out(database, "both", at=NOW - DAY)
    await put_out(database, "both", locale="en", at=NOW - DAY)
    await put_out(database, "inner", at=NOW - DAY, is_public=False, kind=InfoKind.NEWS)
    await put_out(database, "block", at=NOW - DAY, kind=InfoKind.BLOCK)
    await put_out(database, "later", at=NOW + DAY)
    await write(database, "draft")
    since = NOW - 2 * DAY

    assert await content.count_new(database, since=since, now=NOW) == 2
    assert await content.count_new(database, since=since, now=NOW, is_signed_in=False) == 1
    assert await content.count_new(database, since=since, now=NOW + DAY) == 3
    assert await content.count_new(database, since=NOW - DAY, now=NOW) == 0


async def test_writing_again_changes_the_text_and_not_whether_it_is_out(database: Database) -> None:
    await put_out(database)
    await write(database, title="Новый\n заголовок ", text=" Новое ", position=7)

    found = await content.of_slug(database, VISITOR, "tariffs")
    assert (found.title, found.text, found.position) == ("Новый заголовок", "Новое", 7)
    assert found.published_at == NOW - DAY


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slug": ""}, "slug"),
        ({"slug": "Тарифы"}, "slug"),
        ({"slug": "Tariffs"}, "slug"),
        ({"slug": "-a"}, "slug"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "a\n"}, "slug"),
        ({"slug": "../x"}, "slug"),
        ({"slug": "a" * 81}, "slug"),
        ({"slug": "agreement"}, "slug"),
        ({"slug": "consent"}, "slug"),
        ({"slug": "help"}, "slug"),
        ({"slug": "help-sign-in"}, "slug"),
        ({"locale": "de"}, "locale"),
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"text": ""}, "text"),
        ({"text": "x" * 200_001}, "text"),
        ({"text": "x\0"}, "text"),
        ({"position": -1}, "position"),
        ({"position": 10**30}, "position"),
    ],
)
async def test_what_cannot_be_written(database: Database, changes: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        await content.save(
            database,
            draft(**{"slug": "tariffs", **changes}),
            actor=None,
            visit=visit(),  # type: ignore[arg-type]
        )

    assert caught.value.field == field
    assert await _audited(database) == []


async def test_what_is_not_there_cannot_be_published(database: Database) -> None:
    await write(database)
    for slug, locale in (("other", "ru"), ("tariffs", "en")):
        with pytest.raises(NotFoundError):
            await content.publish(database, slug=slug, locale=locale, at=NOW, actor=None, visit=visit())
        with pytest.raises(NotFoundError):
            await content.withdraw(database, slug=slug, locale=locale, actor=None, visit=visit())


async def test_every_deed_is_in_the_audit(database: Database) -> None:
    await put_out(database)
    await content.withdraw(database, slug="tariffs", locale="ru", actor=None, visit=visit())

    assert await _audited(database) == ["web:info:save", "web:info:publish", "web:info:withdraw"]


async def test_two_writing_at_once_leave_one_text(database: Database) -> None:
    ended = await asyncio.gather(
        *(write(database, text=f"Текст {number}") for number in range(8)), return_exceptions=True
    )

    assert all(one is None or isinstance(one, InputError) for one in ended)
    assert None in ended
    await content.publish(database, slug="tariffs", locale="ru", at=NOW, actor=None, visit=visit())
    assert await slugs(database, VISITOR) == ["tariffs"]


async def _audited(database: Database) -> list[str]:
    entry = table_of(AuditEntry)
    async with database.reading() as connection:
        return list((await connection.scalars(select(entry.c.action).order_by(entry.c.id))).all())
