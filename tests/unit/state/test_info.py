"""/info: what is listed for whom, what a question finds, and what may be sent as one."""

from __future__ import annotations

from typing import Any

import pytest

from lk_portal.i18n import using_locale
from lk_portal.services.content import InfoKind
from lk_portal.state.info import FEW_NEWS, InfoState
from tests.integration.services.infos import DAY, put_out, write
from tests.unit.state.opened_pages import OPERATOR, SOMEBODY, at, opened
from tests.unit.state.people import NOW, People

pytestmark = pytest.mark.usefixtures("application")
CANARY = "канарейка"


def links(items: list[dict[str, Any]]) -> list[str]:
    return [item["link"] for item in items]


async def test_everything_that_may_be_read_is_listed(people: People) -> None:
    await put_out(people.database, "tariffs")
    await put_out(people.database, "works", kind=InfoKind.NEWS)

    state = await opened(InfoState, "/info")

    assert links(state.documents) == ["/info/agreement", "/info/consent"]
    assert links(state.pages) == ["/info/tariffs"]
    assert links(state.news) == ["/info/works"]
    assert state.news[0]["note"].startswith("23 ноября 2026")
    assert links(state.topics)[0] == "/info/help-sign-in"
    assert (state.query, state.found, state.is_loaded) == ("", [], True)


async def test_the_help_is_in_the_readers_language(people: People) -> None:
    with using_locale("en"):
        state = await opened(InfoState, "/info", locale="en")

    assert state.topics[0]["title"] == "Registering and signing in"


async def test_the_operator_guide_is_listed_for_the_staff_only(people: People) -> None:
    visitor, subscriber, operator = [
        await opened(InfoState, "/info", identity=one) for one in (None, SOMEBODY, OPERATOR)
    ]

    assert links(operator.guide)[:2] == ["/info/help-staff-desk", "/info/help-staff-tickets"]
    assert visitor.guide == subscriber.guide == []
    assert "help-staff" not in str([visitor.dict(), subscriber.dict()])


async def test_the_operator_guide_is_found_by_the_staff_only(people: People) -> None:
    address = "/info?q=второй фактор телефон потерян"
    visitor, subscriber, operator = [
        await opened(InfoState, address, identity=one) for one in (None, SOMEBODY, OPERATOR)
    ]

    shelves = {item["link"]: item["shelf"] for item in operator.found}
    assert shelves["/info/help-staff-users"] == "Руководство оператора"
    assert "help-staff" not in str([visitor.found, subscriber.found])


async def test_older_news_are_one_click_away(people: People) -> None:
    for number in range(FEW_NEWS + 2):
        await put_out(people.database, f"n{number}", kind=InfoKind.NEWS, at=NOW - (number + 1) * DAY)

    few, all_of_them = await opened(InfoState, "/info"), await opened(InfoState, "/info?news=all")

    assert links(few.news) == [f"/info/n{number}" for number in range(FEW_NEWS)]
    assert (few.has_more_news, all_of_them.has_more_news) == (True, False)
    assert len(all_of_them.news) == FEW_NEWS + 2


async def plant_canaries(people: People) -> None:
    """A draft, one that is not due, and one for people who are signed in; the same in title and text."""
    await write(people.database, "draft", title=CANARY, text=CANARY)
    await put_out(people.database, "later", title=CANARY, text=CANARY, at=NOW + DAY)
    await put_out(people.database, "block", title=CANARY, text=CANARY, kind=InfoKind.BLOCK)
    await put_out(people.database, "inner", title=CANARY, text=CANARY, is_public=False)


@pytest.mark.parametrize("address", ["/info", "/info?news=all", f"/info?q={CANARY}", "/info?q=к"])
async def test_a_visitor_sees_nothing_of_what_is_not_for_her(people: People, address: str) -> None:
    await plant_canaries(people)

    state = await opened(InfoState, address)

    shown = str(state.dict()).replace(f"'query': '{CANARY}'", "").replace(f"q={CANARY}", "")
    assert CANARY not in str([state.found, state.news, state.pages, state.topics, state.documents])
    assert "/info/inner" not in shown


async def test_one_who_is_signed_in_finds_what_is_for_her_and_no_more(people: People) -> None:
    await plant_canaries(people)

    listed = await opened(InfoState, "/info", identity=SOMEBODY)
    found = await opened(InfoState, f"/info?q={CANARY}", identity=SOMEBODY)

    assert links(listed.pages) == ["/info/inner"]
    assert links(found.found) == ["/info/inner"]


async def test_a_question_finds_texts_of_every_kind(people: People) -> None:
    await put_out(people.database, "tariffs", text="Слово соглашение на странице")
    await put_out(people.database, "works", kind=InfoKind.NEWS, text="Слово соглашение в новости")

    state = await opened(InfoState, "/info?q=соглашением")

    shelves = {item["link"]: item["shelf"] for item in state.found}
    assert shelves["/info/agreement"] == "Документ"
    assert shelves["/info/help-sign-in"] == "Помощь"
    assert shelves["/info/tariffs"] == "Страница"
    assert shelves["/info/works"] == "Новость"
    assert links(state.found)[0] == "/info/agreement"
    assert state.found_text == f"Найдено {len(state.found)} текстов"


async def test_markup_comes_as_pieces_of_text(people: People) -> None:
    await put_out(people.database, title="<b>Тариф</b>", text="до <script>тариф</script> после")

    state = await opened(InfoState, "/info?q=тариф")

    [item] = [item for item in state.found if item["link"] == "/info/tariffs"]
    assert item["title"] == [["<b>", ""], ["Тариф", "1"], ["</b>", ""]]
    assert item["excerpt"] == [["до <script>", ""], ["тариф", "1"], ["</script> после", ""]]


async def test_what_comes_out_later_is_shown_without_opening_the_page_again(people: People) -> None:
    await put_out(people.database, at=NOW + DAY)
    state = await opened(InfoState, "/info")
    assert state.pages == []

    people.wait(DAY)
    await state._show()

    assert links(state.pages) == ["/info/tariffs"]


@pytest.mark.parametrize(
    ("form", "target"),
    [
        ({"q": "пароль & <b>"}, "/info?q=%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C%20%26%20%3Cb%3E"),
        ({"q": "  a \n b "}, "/info?q=a%20b"),
        ({"q": "x" * 5000}, "/info?q=" + "x" * 200),
        ({"q": ""}, "/info"),
        ({"q": None}, "/info"),
        ({"q": ["a"]}, "/info"),
        ({}, "/info"),
        (None, "/info"),
        ("q", "/info"),
        ([1], "/info"),
    ],
)
async def test_a_question_becomes_an_address(people: People, form: object, target: str) -> None:
    event = await InfoState.search.fn(await at(InfoState, "/info"), form)

    assert f'"{target}"' in str(event.args)


@pytest.mark.parametrize("address", ["/info?q=" + "x" * 9000, "/info?q=%00", "/info?q=%F0", "/info?news=%00"])
async def test_odd_addresses_are_answered(people: People, address: str) -> None:
    state = await opened(InfoState, address)

    assert state.is_loaded
    assert len(state.query) <= 200
