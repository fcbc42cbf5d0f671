"""The staff's pages of texts and documents, opened at their addresses."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from lk_portal.services import documents, info_editing
from lk_portal.services.access import Identity, Role
from lk_portal.services.content import InfoKind
from lk_portal.services.documents import DocumentKind
from lk_portal.services.info_editing import Release
from lk_portal.state.agreement_admin import AgreementAdminState, AgreementNewState
from lk_portal.state.guard import acting_as, declared_access
from lk_portal.state.info_admin import InfoAdminState
from lk_portal.state.info_editor import InfoEditorState, InfoHistoryState
from tests.integration.services.infos import DAY, draft, put_out, write
from tests.integration.services.people import visit
from tests.unit.state.opened_pages import opened
from tests.unit.state.people import NOW, People

pytestmark = pytest.mark.usefixtures("application")
OPERATOR = Identity(2, Role.OPERATOR, None, "Оператор", "hash")


@pytest_asyncio.fixture
async def admin(people: People) -> Identity:
    await people.add("admin", Role.ADMIN)
    return Identity(1, Role.ADMIN, None, "Администратор", "hash")


@pytest.mark.parametrize(
    ("state", "handler", "roles"),
    [
        (InfoAdminState, "load", {Role.OPERATOR, Role.ADMIN}),
        (InfoEditorState, "load", {Role.ADMIN}),
        (InfoHistoryState, "load", {Role.ADMIN}),
        (InfoHistoryState, "restore", {Role.ADMIN}),
        (AgreementAdminState, "load", {Role.OPERATOR, Role.ADMIN}),
        (AgreementAdminState, "search", {Role.OPERATOR, Role.ADMIN}),
        (AgreementNewState, "load", {Role.ADMIN}),
    ],
)
def test_who_may_fire_which_handler(state: type, handler: str, roles: set[Role]) -> None:
    access = declared_access(f"{state.get_full_name()}.{handler}")  # type: ignore[attr-defined]

    assert access is not None
    assert (access.is_public, access.roles) == (False, roles)


async def test_the_list_says_how_each_text_stands(people: People, admin: Identity) -> None:
    await write(people.database, "draft", position=1)
    await put_out(people.database, "out", position=2, is_public=False)
    await put_out(people.database, "soon", position=3, at=NOW + DAY)

    state = await opened(InfoAdminState, "/admin/info", identity=admin)

    assert [(row["slug"], row["out"]) for row in state.rows] == [
        ("draft", "draft"),
        ("out", "published"),
        ("soon", "scheduled"),
    ]
    assert [row["audience"] for row in state.rows] == ["все", "вошедшие", "все"]
    assert state.may_write
    assert not (await opened(InfoAdminState, "/admin/info", identity=OPERATOR)).may_write


async def test_blocks_that_nobody_wrote_are_offered(people: People, admin: Identity) -> None:
    address = "/admin/info?kind=block"
    state = await opened(InfoAdminState, address, identity=admin)
    assert [one["link"] for one in state.unwritten] == ["/admin/info/new?kind=block&slug=login-welcome"]

    await write(people.database, "login-welcome", kind=InfoKind.BLOCK)
    assert (await opened(InfoAdminState, address, identity=admin)).unwritten == []


async def test_the_editor_begins_with_what_is_there(people: People, admin: Identity) -> None:
    await put_out(people.database, "soon", at=NOW + timedelta(hours=30), position=4)

    state = await opened(InfoEditorState, "/admin/info/1", identity=admin)

    assert (state.slug, state.version, state.position, state.out) == ("soon", "2", "4", "scheduled")
    assert state.release_at.startswith("2026-11-2")
    assert state.public_link == ""
    assert [one["link"] for one in state.translations] == ["/admin/info/new?kind=page&slug=soon&locale=en"]


async def test_a_new_text_begins_as_its_address_says(people: People, admin: Identity) -> None:
    address = "/admin/info/new?kind=news&slug=works&locale=en"
    state = await opened(InfoEditorState, address, identity=admin)
    assert (state.page, state.kind, state.slug, state.locale) == ("", "news", "works", "en")

    odd = await opened(InfoEditorState, "/admin/info/new?kind=x&locale=xx", identity=admin)
    assert (odd.kind, odd.locale) == ("page", "ru")


@pytest.mark.parametrize("name", ["9", "x", "0" * 30, "-1", "٣", "save"])
async def test_what_there_is_not_is_not_edited(people: People, admin: Identity, name: str) -> None:
    for state, address in ((InfoEditorState, name), (InfoHistoryState, f"{name}/history")):
        shown = await opened(state, f"/admin/info/{address}", identity=admin)
        assert not shown.is_loaded


async def test_a_revision_is_brought_back_only_over_what_was_seen(people: People, admin: Identity) -> None:
    await write(people.database, text="Один")
    await write(people.database, text="Два")
    state = await opened(InfoHistoryState, "/admin/info/1/history?show=1", identity=admin)
    assert [(line["change"], line["text"]) for line in state.lines if line["text"]] == [
        ("added", "Заголовок tariffs"),
        ("added", "Один"),
    ]
    await write(people.database, text="Чужое")

    with acting_as(admin):
        await state.restore()
    assert "Пока вы писали" in state.problem
    assert (await info_editing.page(people.database, 1)).text == "Чужое"

    again = await opened(InfoHistoryState, "/admin/info/1/history?show=1", identity=admin)
    with acting_as(admin):
        await again.restore()
        await again.restore()  # what it shows now is the newest
    assert (again.problem, again.shown) == ("", "4")
    assert (await info_editing.page(people.database, 1)).text == "Один"
    assert len(again.rows) == 4


async def test_restoring_without_a_page_does_nothing(people: People, admin: Identity) -> None:
    await write(people.database)
    state = await opened(InfoHistoryState, "/admin/info/7/history", identity=admin)
    with acting_as(admin):
        await state.restore()

    assert (await info_editing.page(people.database, 1)).version == 1


async def test_a_long_list_of_pages_stays_small(people: People, admin: Identity) -> None:
    for number in range(info_editing.ROWS + 1):
        await info_editing.write(
            people.database,
            draft(f"page-{number:03}", title="Длинный заголовок страницы о тарифах и расчетах" * 2),
            page_id=None,
            version=0,
            release=Release.NOW,
            actor=1,
            visit=visit(),
        )

    state = await opened(InfoAdminState, "/admin/info", identity=admin)

    assert len(str(state.rows).encode()) < 30_000
    assert state.further == "/admin/info?kind=page&first=50"
    last = await opened(InfoAdminState, state.further, identity=admin)
    assert (len(last.rows), last.back, last.further) == (1, "/admin/info?kind=page", "")


async def test_versions_and_people_are_shown(people: People, admin: Identity) -> None:
    await people.subscriber("ivanov")
    await documents.publish(
        people.database, kind=DocumentKind.CONSENT, title="Согласие", text="Новое", visit=visit()
    )

    state = await opened(AgreementAdminState, "/admin/agreement", identity=admin)
    assert [(row["link"], bool(row["is_in_force"])) for row in state.versions] == [
        ("/info/agreement?version=1", True),
        ("/info/consent?version=2", True),
        ("/info/consent?version=1", False),
    ]
    assert [row["agreed"] for row in state.versions] == [
        "согласен 1 абонент из 1",
        "согласны 0 абонентов из 1",
        "согласен 1 абонент",
    ]

    found = await opened(AgreementAdminState, "/admin/agreement?tab=consents&q=ivan&owing=1", identity=admin)
    assert [row["name"] for row in found.rows] == ["ivanov"]
    assert found.export == "/admin/agreement/consents?q=ivan&owing=1"
    nobody = await opened(AgreementAdminState, "/admin/agreement?tab=consents&q=petrov", identity=admin)
    assert nobody.rows == []


async def test_the_next_version_begins_with_the_words_in_force(people: People, admin: Identity) -> None:
    state = await opened(AgreementNewState, "/admin/agreement/new?kind=consent", identity=admin)

    assert (state.kind, state.version) == ("consent", "1")
    assert state.text.startswith("# ")
    assert (
        await opened(AgreementNewState, "/admin/agreement/new?kind=x", identity=admin)
    ).kind == "agreement"
