"""The list of the audit: search, filters, words; on both databases."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from lk_portal.i18n import using_locale
from lk_portal.resources import audit as _declared
from lk_portal.resources import tariffs as _tariffs
from lk_portal.services import audit
from lk_portal.services.audit_list import action_text, detail_text
from lk_portal.services.exports.table_csv import csv_pieces
from lk_portal.services.resource import ADMIN, resource_named
from lk_portal.services.resource.files import rows_of
from lk_portal.services.resource.reading import View, read_page
from lk_portal.services.visit import Visit
from tests.integration.services.people import EMAIL, NOW, Portal

DECLARED = (_declared, _tariffs)
DAY = timedelta(days=1)
OTHER = "other@example.com"


async def write(
    portal: Portal, action: str, actor: int | None, subject: int | None, *, ago: timedelta
) -> None:
    async with portal.database.writing() as connection:
        visit = Visit(address="192.0.2.7", agent="x", at=NOW - ago)
        await audit.record(
            connection, action=action, visit=visit, actor=actor, subject=subject, key=5, name="=1"
        )


@pytest.fixture
async def filled(portal: Portal) -> Portal:
    first, second = await portal.add(), await portal.add(email=OTHER, phone=None)
    await write(portal, "registry:tariffs:change", first, second, ago=40 * DAY)
    await write(portal, "web:session:begin", second, second, ago=3 * DAY)
    await write(portal, "web:session:refuse", None, None, ago=timedelta())
    return portal


async def found(portal: Portal, **wanted: object) -> list[tuple[object, ...]]:
    resource = resource_named("audit")
    assert resource is not None
    page = await read_page(portal.database, resource, View(**wanted), now=NOW + DAY / 2)  # type: ignore[arg-type]
    return [(row.values[2], row.values[1], row.values[3]) for row in page.rows]


async def test_the_newest_stands_first_with_who_and_whose(filled: Portal) -> None:
    assert await found(filled) == [
        ("web:session:refuse", None, None),
        ("web:session:begin", OTHER, OTHER),
        ("registry:tariffs:change", EMAIL, OTHER),
        (audit.USER_CREATED, None, OTHER),
        (audit.USER_CREATED, None, EMAIL),
    ]


async def test_search_goes_by_who_and_by_whose(filled: Portal) -> None:
    whose = [action for action, *_people in await found(filled, query="OTHER@")]
    who = [action for action, *_people in await found(filled, query="+7913")]
    assert whose == ["web:session:begin", "registry:tariffs:change", audit.USER_CREATED]
    assert who == ["registry:tariffs:change", audit.USER_CREATED]
    assert await found(filled, query="ther@") == []
    assert await found(filled, query="%") == []


async def test_filters(filled: Portal) -> None:
    async def actions(**filters: str) -> list[object]:
        return [action for action, *_people in await found(filled, filters=filters)]

    assert await actions(kind="registry") == ["registry:tariffs:change"]
    assert await actions(kind="sign-in") == ["web:session:refuse", "web:session:begin"]
    assert await actions(kind="sign-in", period="day") == ["web:session:refuse"]
    assert len(await actions(period="week")) == 4
    assert len(await actions(kind="unknown", period="unknown")) == 5


async def test_the_file_says_the_same_and_starts_no_formula(filled: Portal) -> None:
    resource = resource_named("audit")
    assert resource is not None
    rows = rows_of(filled.database, resource, View(), now=NOW, zone=ZoneInfo("Asia/Omsk"))
    text = b"".join([piece async for piece in csv_pieces(rows)]).decode("utf-8-sig")
    assert len(text.splitlines()) == 6
    assert "key: 5; name: =1" in text
    assert "192.0.2.7" in text


def test_words() -> None:
    with using_locale("en"):
        _check_words()


def _check_words() -> None:
    assert action_text("registry:tariffs:change") == "Tariffs: changed"
    assert action_text("registry:tariffs:export") == "Tariffs: downloaded"
    assert action_text("registry:gone:remove") == "The utility removed something from its registry"
    assert action_text("web:session:begin") == "Signed in"
    assert action_text("x") == "Something was changed"
    assert detail_text({"a": 1, "b": "c → d"}) == "a: 1; b: c → d"
    assert audit.text_of("registry:tariffs:create") == "The utility added something to its registry"
    assert audit.text_of("registry:tariffs:recount") == "The utility changed something in its registry"


def test_only_administrators_see_it_and_nobody_writes() -> None:
    resource = resource_named("audit")
    assert resource is not None
    assert (resource.readers, resource.form, resource.actions, resource.can_remove) == (ADMIN, (), (), False)
