"""The handlers of /settings, /new-password and /consent, asked directly for a person who is signed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext
from sqlalchemy import text

from lk_portal.security.cookies import flash_cookie
from lk_portal.security.tokens import seal
from lk_portal.services import audit, documents, email_change, sessions
from lk_portal.services.access import Duty, Identity, Role, Theme, Visit, identity_of, sign_in
from lk_portal.services.documents import DocumentKind
from lk_portal.services.sessions import OwnSession
from lk_portal.state import settings as module
from lk_portal.state.consent import ConsentState
from lk_portal.state.flash import Flash, flash_of
from lk_portal.state.guard import acting_as, declared_access
from lk_portal.state.login import LoginState
from lk_portal.state.new_password import NewPasswordState
from lk_portal.state.settings import SettingsState
from lk_portal.state.settings_view import browser_text, history_row, phone_text, session_row
from lk_portal.state.shell import ShellState
from tests.unit.state.people import NOW, PASSWORD, People, client_state

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
GARBAGE: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    True,
    [],
    ["name"],
    {},
    {"name": {"$gt": ""}},
    {"wanted_email": ["x"]},
]


class Page:
    """One open page of a person, and the person."""

    def __init__(self, people: People, root: rx.State, identity: Identity) -> None:
        self.people, self.root, self.identity = people, root, identity

    async def state(self, kind: type[Any] = SettingsState) -> Any:
        return await self.root.get_state(kind)

    async def rows(self, table: str) -> list[Any]:
        async with self.people.database.reading() as connection:
            return list((await connection.execute(text(f"SELECT * FROM {table}"))).all())


async def opened(
    people: People, name: str = "ivanov", role: Role = Role.SUBSCRIBER, path: str = "/settings"
) -> Page:
    if role is Role.SUBSCRIBER:
        session, _placed = await people.subscriber(name)
    else:
        session = await people.add(name, role)
    identity = await identity_of(
        people.database, people.portal.settings, session_hash=session, now=people.moments[-1]
    )
    assert identity is not None
    return Page(people, client_state(session, path), identity)


@pytest.fixture
async def page(people: People) -> Page:
    return await opened(people)


async def loaded(page: Page) -> Any:
    state = await page.state()
    with acting_as(page.identity):
        await SettingsState.load.fn(state)
    return state


async def fire(page: Page, handler: str, *arguments: object) -> Any:
    state = await page.state()
    with acting_as(page.identity):
        return await getattr(SettingsState, handler).fn(state, *arguments)


def tell(page: Page, payload: dict[str, object]) -> None:
    """The page was led to by the answer to a plain form."""
    portal = page.people.portal
    sealed = seal(
        payload, secret=portal.settings.secret(), purpose="flash", expires_at=NOW + timedelta(minutes=1)
    )
    name = flash_cookie(portal.settings)
    page.root.router_data = {
        **page.root.router_data,
        "headers": {"cookie": f"lk_session_hash={page.identity.session_hash}; {name}={sealed}"},
    }
    page.root.router = type(page.root.router).from_router_data(page.root.router_data)


def test_every_handler_is_for_people_without_duties(application: rx.App) -> None:
    names = [
        name for name in RegistrationContext.get().event_handlers if "settings____settings_state" in name
    ]
    ours = [name for name in names if not name.endswith(".setvar")]

    assert len(ours) >= 10
    for name in ours:
        access = declared_access(name)
        assert access is not None, name
        assert (access.roles, access.duty, access.is_public) == (frozenset(Role), Duty.NONE, False), name


@pytest.mark.parametrize(
    ("handler", "duty", "roles"),
    [
        (NewPasswordState.load, Duty.NEW_PASSWORD, frozenset(Role)),
        (ConsentState.load, Duty.CONSENT, frozenset({Role.SUBSCRIBER})),
    ],
)
def test_the_pages_of_duties_are_for_who_owes_them(handler: Any, duty: Duty, roles: frozenset[Role]) -> None:
    access = handler.fn.lk_access

    assert (access.duty, access.roles) == (duty, roles)


async def test_the_page_shows_ones_own_data_in_the_zone_of_the_utility(page: Page) -> None:
    state = await loaded(page)

    assert (state.name, state.email, state.phone) == ("ivanov", "ivanov@example.com", "")
    assert state.is_subscriber
    assert [row["is_current"] for row in state.sessions] == ["yes"]
    zone = page.people.portal.settings.zone
    assert state.sessions[0]["began"].endswith(f"{NOW.astimezone(zone):%H:%M}")
    assert {row["link"] for row in state.documents} == {
        "/info/agreement?version=1",
        "/info/consent?version=1",
    }
    assert len(state.history) == 2


async def test_nothing_secret_reaches_the_page(page: Page) -> None:
    state = await loaded(page)

    sent = str(state.dict())
    assert "ivanov@example.com" in sent
    assert page.identity.session_hash not in sent
    assert "$2b$" not in sent


async def test_staff_have_the_page_without_documents(people: People) -> None:
    page = await opened(people, "operator", Role.OPERATOR)

    state = await loaded(page)

    assert (state.is_subscriber, state.documents) == (False, [])
    assert state.email == "operator@example.com"


async def test_a_new_name_is_in_the_menu_at_once(page: Page) -> None:
    await loaded(page)
    await fire(page, "edit", "name")

    await fire(page, "save_name", {"name": " Пётр  Иванов "})

    state = await page.state()
    assert (state.name, state.editing, state.done_at) == ("Пётр Иванов", "", "name")
    assert (await page.state(ShellState)).name == "Пётр Иванов"


async def test_what_is_wrong_stands_beside_its_field_and_the_form_stays(page: Page) -> None:
    await loaded(page)
    for row, field in (("name", "name"), ("phone", "phone"), ("email", "wanted_email")):
        await fire(page, "edit", row)
        await fire(page, f"save_{row}", {field: "\0"})

        state = await page.state()
        assert [place for place, sentence in state.errors.items() if sentence] == [field]
        assert state.editing == row
    await fire(page, "edit", "phone")
    assert not any((await page.state()).errors.values())


@pytest.mark.parametrize("payload", GARBAGE)
async def test_garbage_changes_nothing(page: Page, payload: Any) -> None:
    await loaded(page)
    tables = ("portal_user", "user_session", "email_change", "letter", "audit_entry")
    before = {table: await page.rows(table) for table in tables}

    for handler in ("edit", "close", "cancel_email", "end_session", "end_other_sessions"):
        await fire(page, handler, payload)
    for handler in ("save_name", "save_phone", "save_email", "confirm_email"):
        await fire(page, handler, payload)

    assert {table: await page.rows(table) for table in tables} == before


async def test_the_same_handlers_do_change_with_what_the_page_sends(page: Page) -> None:
    await loaded(page)

    await fire(page, "save_name", {"name": "Another"})
    await fire(page, "save_phone", {"phone": "8 913 123-45-67"})

    [user] = await page.rows("portal_user")
    assert (user.display_name, user.phone) == ("Another", "+79131234567")
    state = await page.state()
    assert state.phone == "+7 913 123-45-67"


async def code(page: Page, address: str) -> str:
    people = page.people
    made = await email_change.renew_code(
        people.database,
        people.portal.settings,
        user_id=page.identity.user_id,
        to_address=address,
        now=people.moments[-1],
    )
    assert made is not None
    return made


async def test_a_new_email_by_its_code(page: Page) -> None:
    await loaded(page)
    await fire(page, "edit", "email")
    await fire(page, "save_email", {"wanted_email": "New@Example.com"})
    state = await page.state()
    assert (state.email, state.new_email, state.editing) == ("ivanov@example.com", "new@example.com", "")

    right = await code(page, "new@example.com")
    await fire(page, "confirm_email", {"code": "12345"})
    assert state.errors["code"]
    assert state.new_email
    await fire(page, "confirm_email", {"code": right})

    assert (state.email, state.new_email, state.done_at) == ("new@example.com", "", "email")
    await fire(page, "confirm_email", {"code": right})
    assert state.errors["wanted_email"]
    assert state.editing == "email"


async def test_an_address_of_somebody_else_shows_the_same(page: Page) -> None:
    await page.people.add("petrov", Role.OPERATOR)
    state = await loaded(page)
    seen = []
    for address in ("free@example.com", "petrov@example.com"):
        await fire(page, "save_email", {"wanted_email": address})
        shown = (state.new_email == address, state.new_email_until, dict(state.errors), state.done)
        seen.append((shown, state.history[0]))

    assert seen[0] == seen[1]
    assert seen[0][0][0]


async def test_a_change_is_cancelled_by_its_own_address(page: Page) -> None:
    state = await loaded(page)
    await fire(page, "save_email", {"wanted_email": "new@example.com"})

    await fire(page, "cancel_email", "other@example.com")
    assert state.new_email == "new@example.com"
    await fire(page, "cancel_email", "new@example.com")
    assert state.new_email == ""
    assert await page.rows("email_change") == []


async def second_session(page: Page, name: str = "ivanov") -> str:
    people = page.people
    signed_in = await sign_in(
        people.database,
        people.portal.settings,
        login=f"{name}@example.com",
        password=PASSWORD,
        visit=Visit(address="192.0.2.7", agent=CHROME, at=people.moments[-1]),
    )
    return signed_in.token


async def test_one_session_is_ended(page: Page) -> None:
    await second_session(page)
    await second_session(page)
    state = await loaded(page)
    assert [row["is_current"] for row in state.sessions] == ["yes", "", ""]

    await fire(page, "end_session", state.sessions[2]["reference"])

    assert len(state.sessions) == 2
    assert state.done_at == "sessions"
    assert state.history[0]["text"]


async def test_the_session_of_the_page_and_a_strangers_are_not(people: People, page: Page) -> None:
    other = await opened(people, "petrov")
    await second_session(page)
    state = await loaded(page)

    for reference in (
        state.sessions[0]["reference"],
        sessions.reference_of(other.identity.session_hash),
        other.identity.session_hash,
        "x",
    ):
        await fire(page, "end_session", reference)

    assert len(await page.rows("user_session")) == 3
    await fire(page, "end_session", state.sessions[1]["reference"])
    assert len(await page.rows("user_session")) == 2


async def test_all_others_are_ended_by_who_names_her_own(people: People, page: Page) -> None:
    other = await opened(people, "petrov")
    await second_session(page)
    state = await loaded(page)

    await fire(page, "end_other_sessions", sessions.reference_of(other.identity.session_hash))
    assert len(await page.rows("user_session")) == 3
    await fire(page, "end_other_sessions", state.sessions[0]["reference"])

    left = {row.token_hash for row in await page.rows("user_session")}
    assert left == {page.identity.session_hash, other.identity.session_hash}
    assert len(state.sessions) == 1


@pytest.mark.parametrize(
    ("told", "field", "editing"),
    [
        ({"form": "password", "field": "old"}, "old", "password"),
        ({"form": "password", "field": "password2"}, "password2", "password"),
        ({"form": "password", "field": ""}, "old", "password"),
        ({"form": "withdraw", "field": "sure"}, "withdraw-sure", ""),
        ({"form": "erase", "field": "sure"}, "erase-sure", ""),
        ({"form": "erase", "field": "own-password"}, "own-password", ""),
        ({"form": "erase", "field": ""}, "erase-sure", ""),
        ({"form": "export"}, "export", ""),
    ],
)
async def test_a_plain_form_that_was_refused(
    page: Page, told: dict[str, object], field: str, editing: str
) -> None:
    tell(page, {"message": "Too many attempts. Try again in {seconds} s.", "data": {"seconds": 7}, **told})

    state = await loaded(page)

    assert [place for place, sentence in state.errors.items() if sentence] == [field]
    assert "7" in state.errors[field]
    assert state.editing == editing


async def test_a_plain_form_that_was_done(page: Page) -> None:
    tell(page, {"notice": "The name was changed.", "form": "password"})

    state = await loaded(page)

    assert (state.done_at, bool(state.done), state.editing) == ("password", True, "")


async def test_a_message_is_for_its_own_page_only(page: Page) -> None:
    tell(page, {"notice": "The name was changed.", "form": "password"})
    login = await page.state(LoginState)

    await LoginState.load.fn(login)

    assert (login.message, login.notice) == ("", "")
    assert flash_of(login, "password").notice
    assert flash_of(login, "consent", "") == Flash()
    tell(page, {"message": "Not found", "data": {}, "login": "x"})
    await LoginState.load.fn(login)
    assert (bool(login.message), login.login) == (True, "x")


async def owing(page: Page, duty: Duty) -> Page:
    old = page.identity
    new = Identity(
        old.user_id, old.role, old.subscriber_id, old.display_name, old.session_hash, duty, "", Theme.SYSTEM
    )
    return Page(page.people, page.root, new)


async def test_the_new_passwords_page_says_what_is_wrong_where(page: Page) -> None:
    page = await owing(page, Duty.NEW_PASSWORD)
    state = await page.state(NewPasswordState)
    for field, found in (("password", (True, False)), ("password2", (False, True)), ("", (True, False))):
        tell(page, {"message": "Not found", "form": "new-password", "field": field, "next": "/readings"})
        with acting_as(page.identity):
            await NewPasswordState.load.fn(state)
        assert (bool(state.error), bool(state.repeat_error)) == found
    assert state.next_path == "/readings"


async def test_only_what_is_not_accepted_is_asked_for(page: Page) -> None:
    page = await owing(page, Duty.CONSENT)
    await documents.publish(
        page.people.database,
        kind=DocumentKind.CONSENT,
        title="Согласие",
        text="Новое",
        visit=Visit("", "test", NOW),
    )
    state = await page.state(ConsentState)
    tell(page, {"message": "Not found", "form": "consent", "field": "consent", "next": "/readings"})

    with acting_as(page.identity):
        await ConsentState.load.fn(state)

    [pending] = await documents.pending(page.people.database, user_id=page.identity.user_id)
    assert state.ids == {"agreement": "", "consent": str(pending.id)}
    assert "2" in state.editions["consent"]
    assert [kind for kind, sentence in state.errors.items() if sentence] == ["consent"]
    assert state.next_path == "/readings"


async def test_a_message_for_the_whole_form_is_shown_too(page: Page) -> None:
    page = await owing(page, Duty.CONSENT)
    state = await page.state(ConsentState)
    tell(page, {"message": "Not found", "form": "consent", "field": "documents"})

    with acting_as(page.identity):
        await ConsentState.load.fn(state)

    assert state.problem
    assert not any(state.errors.values())


@pytest.mark.parametrize(
    ("phone", "shown"), [("", ""), ("+79131234567", "+7 913 123-45-67"), ("+4930901820", "+49 30 901820")]
)
def test_a_phone_as_people_write_it(phone: str, shown: str) -> None:
    assert phone_text(phone) == shown


@pytest.mark.parametrize("agent", ["", "curl/8", "Ваш счет взломан, звоните 8 800"])
def test_nobody_puts_words_into_a_list(agent: str) -> None:
    assert browser_text(agent) == browser_text("nothing known")
    assert browser_text(CHROME) == "Chrome, Windows"


def test_times_are_those_of_the_utility() -> None:
    omsk, evening = ZoneInfo("Asia/Omsk"), datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
    session = OwnSession("ref", evening, evening + timedelta(minutes=5), "192.0.2.1", CHROME, False)

    row = session_row(session, omsk)
    line = history_row(audit.Entry(evening, "x", "Not found", "192.0.2.1", CHROME), omsk)

    assert (row["began"], row["seen"]) == ("25.11.2026, 00:30", "25.11.2026, 00:35")
    assert row["is_current"] == ""
    assert "Chrome, Windows" in row["end_label"]
    assert (line["at"], line["browser"]) == ("25.11.2026, 00:30", "Chrome, Windows")


def test_every_plain_form_has_a_place_for_what_is_wrong() -> None:
    assert set(module.PLAIN_FORMS) <= set(module.FIELDS) | {"withdraw", "erase"}
