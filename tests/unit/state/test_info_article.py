"""/info/[slug]: documents, topics of the help, pages and news; and what there is not."""

from __future__ import annotations

import pytest

from lk_portal.i18n import using_locale
from lk_portal.models import DocumentKind
from lk_portal.services import content, documents, help_topics
from lk_portal.services.access import Identity
from lk_portal.services.content import InfoKind
from lk_portal.services.database import Database
from lk_portal.services.help_topics import Book
from lk_portal.state.info_article import ArticleState
from tests.integration.services.infos import DAY, put_out, write
from tests.integration.services.people import visit
from tests.unit.state import opened_pages
from tests.unit.state.opened_pages import OPERATOR, SOMEBODY
from tests.unit.state.people import NOW, People

pytestmark = pytest.mark.usefixtures("application")


async def opened(path: str) -> ArticleState:
    state: ArticleState = await opened_pages.opened(ArticleState, path)
    return state


async def publish(people: People, text: str) -> None:
    await documents.publish(
        people.database,
        kind=DocumentKind.AGREEMENT,
        title="Соглашение",
        text=text,
        visit=visit(),
    )


async def test_the_version_in_force_is_shown(people: People) -> None:
    state = await opened("/info/agreement")

    assert state.title == "Пользовательское соглашение"
    assert "<h1" not in state.html
    assert "<h2" in state.html
    assert (state.newest, state.versions, state.is_missing) == ("", [], False)
    assert [one["link"] for one in state.headings][:2] == ["#section-1", "#section-2"]


async def test_an_earlier_one_is_shown_with_a_note(people: People) -> None:
    await publish(people, "Новое")

    newest, first = await opened("/info/agreement"), await opened("/info/agreement?version=1")

    assert "Новое" in newest.html
    assert [one["link"] for one in newest.versions] == ["/info/agreement?version=1"]
    assert "Новое" not in first.html
    assert (newest.newest, first.newest) == ("", "/info/agreement")


@pytest.mark.parametrize(
    "path",
    [
        "/info/other",
        "/info/agreement/consent/x",
        "/info/agreement?version=2",
        "/info/agreement?version=0",
        "/info/agreement?version=-1",
        "/info/agreement?version=x",
        "/info/agreement?version=1' OR 1=1",
        "/info/agreement?version=99999999999999999999",
        "/info/agreement?version=%D9%A1",
        "/info/%00",
        "/info/help-",
        "/info/help-nothing",
        "/info/help-../ru/10-sign-in",
        "/info/help-sign-in/x",
        "/info/tariffs",
        "/info/" + "x" * 5000,
    ],
)
async def test_what_there_is_not_is_not_found(people: People, path: str) -> None:
    state = await opened(path)

    assert state.is_missing
    assert (state.title, state.html) == ("", "")
    assert state.sign_in.startswith("/login?next=%2Finfo%2F")


async def test_markup_in_a_document_does_not_act(people: People) -> None:
    await publish(people, "<script>alert(1)</script>\n\n[x](javascript:alert(1))")

    state = await opened("/info/agreement")

    assert "<script" not in state.html
    assert "href=" not in state.html


async def test_a_topic_of_the_help_leads_to_its_neighbours(people: People) -> None:
    first, second, *_others, last = help_topics.topics("ru")

    at_first, at_last = await opened(f"/info/{first.slug}"), await opened(f"/info/{last.slug}")

    assert (at_first.title, at_first.is_missing) == (first.title, False)
    assert "<img" in at_first.html
    assert [one["title"] for one in at_first.parents] == ["Информация", "Помощь"]
    assert [(one["label"], one["title"]) for one in at_first.beside] == [("Следующая тема", second.title)]
    assert [one["label"] for one in at_last.beside] == ["Предыдущая тема"]
    assert [one["title"] for one in at_first.headings] == ["Первый раз: регистрация", "Вход", "Выход"]


async def test_the_help_lists_its_topics(people: People) -> None:
    state = await opened("/info/help")

    assert state.title == "Помощь"
    assert [one["title"] for one in state.topics] == [one.title for one in help_topics.topics("ru")]


async def test_the_staff_read_the_operator_guide(people: People) -> None:
    first, second, *_others = help_topics.topics("ru", Book.GUIDE)

    index = await opened_pages.opened(ArticleState, "/info/help-staff", identity=OPERATOR)
    topic = await opened_pages.opened(ArticleState, f"/info/{first.slug}", identity=OPERATOR)

    assert (index.title, index.topics[1]["title"]) == ("Руководство оператора", second.title)
    assert (topic.title, topic.is_missing) == (first.title, False)
    assert "<img" in topic.html
    assert 'href="/admin"' in topic.html
    assert topic.parents[-1] == {"title": "Руководство оператора", "link": "/info/help-staff"}
    assert [one["title"] for one in topic.beside] == [second.title]


@pytest.mark.parametrize("identity", [None, SOMEBODY], ids=["visitor", "subscriber"])
@pytest.mark.parametrize("slug", ["help-staff", "help-staff-users", "help-staff-tickets/"])
async def test_nobody_else_does(people: People, slug: str, identity: Identity | None) -> None:
    nothing = await opened_pages.opened(ArticleState, "/info/help-nothing", identity=identity)
    shown = await opened_pages.opened(ArticleState, f"/info/{slug}", identity=identity)

    assert shown.is_missing
    assert str(shown.dict()).replace(slug.rstrip("/"), "help-nothing") == str(nothing.dict())


async def test_the_guide_is_gone_once_the_role_is(people: People) -> None:
    state = await opened_pages.opened(ArticleState, "/info/help-staff-users", identity=OPERATOR)
    assert state.html

    await state._show()

    assert (state.is_missing, state.html, state.title) == (True, "", "")


async def test_news_have_a_day_and_pages_none(people: People) -> None:
    await put_out(people.database, "tariffs", text="## Один")
    await put_out(people.database, "works", kind=InfoKind.NEWS)

    page, news = await opened("/info/tariffs"), await opened("/info/works")

    assert (page.title, page.note, page.headings) == ("Заголовок tariffs", "", [])
    assert '<h2 id="section-1">Один</h2>' in page.html
    assert news.note.startswith("Опубликовано 23 ноября 2026")


async def test_a_text_in_another_language_says_so(people: People) -> None:
    await put_out(people.database)

    with using_locale("en"):
        assert (await opened("/info/tariffs")).language == "ru"
    assert (await opened("/info/tariffs")).language == ""


async def hidden(database: Database) -> tuple[str, ...]:
    await write(database, "draft")
    await put_out(database, "later", at=NOW + DAY)
    await put_out(database, "block", kind=InfoKind.BLOCK)
    return "draft", "later", "block"


async def test_what_is_not_out_is_as_what_there_is_not(people: People) -> None:
    missing = (await opened("/info/nothing")).dict()
    for slug in await hidden(people.database):
        state = await opened(f"/info/{slug}")
        assert str(state.dict()).replace(slug, "nothing") == str(missing)


async def test_what_is_for_people_who_are_signed_in_is_shown_to_them(people: People) -> None:
    await put_out(people.database, "inner", is_public=False, text="Внутреннее")

    assert (await opened("/info/inner")).is_missing
    shown = await opened_pages.opened(ArticleState, "/info/inner", identity=SOMEBODY)
    assert "Внутреннее" in shown.html


async def test_an_open_page_follows_what_becomes_of_its_text(people: People) -> None:
    await put_out(people.database)
    state = await opened("/info/tariffs")

    await write(people.database, text="Новое")
    await state._show()
    assert "Новое" in state.html

    await content.withdraw(people.database, slug="tariffs", locale="ru", actor=None, visit=visit())
    await state._show()
    assert (state.is_missing, state.html, state.title) == (True, "", "")


async def test_nothing_of_the_page_before_stays(people: People) -> None:
    state = await opened("/info/help-sign-in")
    assert state.beside

    state.router_data = {**state.router_data, "pathname": "/info/agreement", "asPath": "/info/agreement"}
    state._get_root_state().router = type(state.router).from_router_data(state.router_data)
    await ArticleState.load.fn(state)

    assert state.title == "Пользовательское соглашение"
    assert state.beside == []
