"""What the demo utility tells its subscribers is there from the start, in both languages, and only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lk_portal.security.markup import render
from lk_portal.services import content
from lk_portal.services.content import InfoKind, Reader
from lk_portal.services.database import Database
from lk_portal.services.demo_info import write_demo_texts
from lk_portal.services.visit import Visit
from lk_portal.settings import KNOWN_LOCALES
from tests.integration.services.infos import put_out

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
VISITOR = Reader("ru", "ru", is_signed_in=False, now=NOW)


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
async def test_a_page_and_two_pieces_of_news_in_every_language(database: Database, locale: str) -> None:
    await write_demo_texts(database, now=NOW)
    reader = replace(VISITOR, locale=locale)

    texts = await content.visible(database, reader)
    assert [one.kind for one in texts] == [InfoKind.PAGE, InfoKind.NEWS, InfoKind.NEWS]
    assert {one.locale for one in texts} == {locale}
    assert "<table>" in render(texts[0].text).html


async def test_staff_finds_a_draft_and_one_that_comes_out_by_itself(database: Database) -> None:
    await write_demo_texts(database, now=NOW)
    later = replace(VISITOR, now=NOW + timedelta(days=4))

    assert "reception" not in [one.slug for one in await content.headlines(database, VISITOR)]
    assert "reception" in [one.slug for one in await content.headlines(database, later)]
    assert "readings" not in [one.slug for one in await content.headlines(database, later)]


async def test_starting_again_writes_nothing(database: Database) -> None:
    await write_demo_texts(database, now=NOW)
    await content.withdraw(
        database,
        slug="works",
        locale="ru",
        actor=None,
        visit=Visit(address="", agent="", at=NOW),
    )
    await write_demo_texts(database, now=NOW)

    assert [one.slug for one in await content.headlines(database, VISITOR)] == [
        "tariffs",
        "works",
        "new-cabinet",
    ]
    assert (await content.of_slug(database, VISITOR, "works")).locale == "en"


async def test_what_the_utility_wrote_is_left_alone(database: Database) -> None:
    await put_out(database, "own")
    await write_demo_texts(database, now=NOW)

    assert [one.slug for one in await content.headlines(database, VISITOR)] == ["own"]
