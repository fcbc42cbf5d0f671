"""/info and /info/[slug]: what everybody may read, and what there is not."""

from __future__ import annotations

import pytest

from lk_portal.models import DocumentKind
from lk_portal.services import documents
from lk_portal.state.info import DocumentState, InfoState
from tests.unit.state.people import NOW, People, client_state

pytestmark = pytest.mark.usefixtures("application")


async def opened(path: str) -> DocumentState:
    root = client_state("")
    root.router_data = {**root.router_data, "pathname": path.partition("?")[0], "asPath": path}
    root.router = type(root.router).from_router_data(root.router_data)
    state = await root.get_state(DocumentState)
    await DocumentState.load.fn(state)
    return state


async def publish(people: People, text: str) -> None:
    await documents.publish(
        people.database, kind=DocumentKind.AGREEMENT, title="Соглашение", text=text, now=NOW
    )


async def test_both_documents_are_listed(people: People) -> None:
    state = await client_state("").get_state(InfoState)

    await InfoState.load.fn(state)

    assert [one["link"] for one in state.documents] == ["/info/agreement", "/info/consent"]


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
    ],
)
async def test_what_there_is_not_is_not_found(people: People, path: str) -> None:
    state = await opened(path)

    assert state.is_missing
    assert (state.title, state.html) == ("", "")


async def test_markup_in_a_document_does_not_act(people: People) -> None:
    await publish(people, "<script>alert(1)</script>\n\n[x](javascript:alert(1))")

    state = await opened("/info/agreement")

    assert "<script" not in state.html
    assert "href=" not in state.html
