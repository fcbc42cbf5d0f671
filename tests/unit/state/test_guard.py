"""The guard before every event, asked directly: who gets through, and what becomes of a copied tab."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
import reflex as rx
from reflex.event import Event
from reflex.state import StateUpdate
from reflex_base.registry import RegistrationContext
from sqlalchemy import event as sql_event
from sqlalchemy import update

from lk_portal.errors import AccessDeniedError
from lk_portal.i18n import active_locale
from lk_portal.models import UserSession
from lk_portal.security.cookies import SESSION_HASH_COOKIE, read_cookie
from lk_portal.services import access
from lk_portal.services.access import Duty, Identity, Role
from lk_portal.services.tables import table_of
from lk_portal.state.guard import (
    FRAMEWORK_HANDLERS,
    STAFF,
    Access,
    AccessMiddleware,
    acting_as,
    declared_access,
    is_filled_for,
    public,
    requires,
    subscriber_id,
    who,
)
from lk_portal.state.home import HomeState
from lk_portal.state.payloads import QUEUEING_HANDLERS
from tests.unit.state.people import People, client_state, come_from

ROOT = "reflex___state____state"
READINGS = f"{ROOT}.lk_portal___state___readings____readings_state.load"
HOME = f"{ROOT}.lk_portal___state___home____home_state.load"
LOGIN = f"{ROOT}.lk_portal___state___login____login_state.load"
NEW_PASSWORD = f"{ROOT}.lk_portal___state___new_password____new_password_state.load"
CONSENT = f"{ROOT}.lk_portal___state___consent____consent_state.load"
SHELL = f"{ROOT}.lk_portal___state___shell____shell_state.enter"
SETVAR = f"{ROOT}.lk_portal___state___readings____readings_state.setvar"
PEOPLE = [None, *(Identity(1, role, None, "", "") for role in Role)]


ARGUMENTS: dict[str, dict[str, object]] = {
    "set_is_hydrated": {"value": True},
    "handle_frontend_exception": {"info": "", "component_stack": ""},
}


async def fire(application: rx.App, root: rx.State, name: str) -> StateUpdate | None:
    payload = ARGUMENTS.get(name.rpartition(".")[2], {})
    return await AccessMiddleware().preprocess(application, root, Event(name=name, payload=payload))


def target(answer: StateUpdate | None) -> str:
    """Where an answer sends the browser."""
    assert answer is not None
    [event] = answer.events
    return unquote(str(event.payload["path"])).strip('"')


@pytest.mark.parametrize("roles", [(), (Role.SUBSCRIBER,), STAFF, tuple(Role)])
@pytest.mark.parametrize("person", PEOPLE)
def test_a_declared_role_and_no_other(roles: tuple[Role, ...], person: Identity | None) -> None:
    def handler() -> None: ...

    declared: Access = requires(*roles)(handler).lk_access  # type: ignore[attr-defined]

    assert declared.admits(person) == (person is not None and person.role in roles)
    assert public(handler).lk_access.admits(person)  # type: ignore[attr-defined]


def _registered(function: Callable[..., Any]) -> Any:
    return SimpleNamespace(handler=SimpleNamespace(fn=function))


def test_only_what_declares_itself_has_access() -> None:
    registry = RegistrationContext()

    def bare() -> None: ...

    @requires(Role.ADMIN)
    def closed() -> None: ...

    @public
    def open_() -> None: ...

    for function in (bare, closed, open_):
        registry.event_handlers[function.__name__] = _registered(function)
    with registry:
        assert declared_access("bare") is None
        assert declared_access("unheard of") is None
        assert declared_access("closed") == Access(is_public=False, roles=frozenset({Role.ADMIN}))
        assert declared_access("open_") == Access(is_public=True)


async def test_visitors_are_sent_to_sign_in_and_back(application: rx.App, people: People) -> None:
    path = "/readings?meter=1%2F2&interval=day"

    answer = await fire(application, client_state("", path), READINGS)

    assert target(answer) == f"/login?next={path}"
    assert await fire(application, client_state("", "/login"), LOGIN) is None
    assert await fire(application, client_state("", "/login"), READINGS) == StateUpdate()


@pytest.mark.parametrize(("role", "event"), list(product(Role, [READINGS, HOME, LOGIN])))
async def test_a_person_without_the_right_sees_no_more_than_nothing(
    application: rx.App, people: People, role: Role, event: str
) -> None:
    session = await people.add("ivanov", role)

    answer = await fire(application, client_state(session), event)

    if role is Role.SUBSCRIBER or event != READINGS:
        assert answer is None
        found = who()
        assert found is not None
        assert (found.role, found.session_hash) == (role, session)
    else:
        assert target(answer) == "/not-found"


@pytest.mark.parametrize(
    "event",
    [
        SETVAR,
        f"{ROOT}.setvar",
        f"{ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
        f"{READINGS}_",
        "load",
        "",
    ],
)
async def test_what_declares_nothing_is_closed_to_everybody(
    application: rx.App, people: People, event: str
) -> None:
    session = await people.add("admin", Role.ADMIN)

    assert await fire(application, client_state(session), event) == StateUpdate()
    assert await fire(application, client_state(""), event) == StateUpdate()


@pytest.mark.parametrize("event", sorted(FRAMEWORK_HANDLERS))
async def test_the_frameworks_own_events_pass(application: rx.App, people: People, event: str) -> None:
    assert event in application._registration_context.event_handlers
    assert await fire(application, client_state(""), event) is None


async def test_a_handler_speaks_the_language_of_its_page(application: rx.App, people: People) -> None:
    tab = client_state("", "/login")
    seen = []
    for locale in ("en", "ru", "", "xx"):
        come_from(tab, "", "/login", locale=locale)
        await fire(application, tab, LOGIN)
        seen.append(active_locale())

    assert seen == ["en", "ru", "ru", "ru"]


async def test_a_state_holds_texts_of_one_language_only(application: rx.App, people: People) -> None:
    tab = client_state(await people.add("ivanov", Role.SUBSCRIBER))
    session = read_cookie(tab.router.headers.cookie, SESSION_HASH_COOKIE)
    await fire(application, tab, HOME)
    page = await tab.get_state(HomeState)
    page.accounts = [{"name": "Квартира"}]

    come_from(tab, session, locale="ru")
    await fire(application, tab, f"{ROOT}.hydrate")
    assert page.accounts == [{"name": "Квартира"}]

    come_from(tab, session, locale="en")
    await fire(application, tab, f"{ROOT}.hydrate")
    assert (await tab.get_state(HomeState)).accounts == []


async def test_a_copied_tab_is_emptied_before_anything_is_sent(application: rx.App, people: People) -> None:
    owner = await people.add("ivanov", Role.SUBSCRIBER)
    stranger = await people.add("petrov", Role.SUBSCRIBER)
    tab = client_state(owner)
    await fire(application, tab, f"{ROOT}.hydrate")
    page = await tab.get_state(HomeState)
    page.accounts = [{"name": "private"}]

    await fire(application, tab, f"{ROOT}.hydrate")
    assert page.accounts == [{"name": "private"}]
    assert await is_filled_for(tab, owner)

    come_from(tab, stranger)
    await fire(application, tab, f"{ROOT}.hydrate")
    assert (await tab.get_state(HomeState)).accounts == []
    assert await is_filled_for(tab, stranger)
    assert not await is_filled_for(tab, owner)
    assert tab.router.headers.cookie == f"lk_session_hash={stranger}"


async def test_signing_out_empties_the_tab_too(application: rx.App, people: People) -> None:
    tab = client_state(await people.add("ivanov", Role.SUBSCRIBER))
    await fire(application, tab, HOME)
    (await tab.get_state(HomeState)).accounts = [{"name": "private"}]

    come_from(tab, "")
    await fire(application, tab, LOGIN)

    assert (await tab.get_state(HomeState)).accounts == []


async def test_what_only_queues_a_pages_events_is_not_looked_up_and_the_events_are(
    application: rx.App, people: People
) -> None:
    session = await people.add("ivanov", Role.SUBSCRIBER)
    tab = client_state(session)
    await fire(application, tab, HOME)
    people.wait(timedelta(minutes=31))
    asked: list[str] = []
    sql_event.listen(
        people.database._reader.sync_engine,
        "before_cursor_execute",
        lambda *arguments: asked.append(arguments[2]),
    )

    for name in QUEUEING_HANDLERS:
        assert await fire(application, tab, name) is None
    assert asked == []
    assert FRAMEWORK_HANDLERS.keys() > QUEUEING_HANDLERS

    assert target(await fire(application, tab, HOME)) == "/login?next=/readings"
    assert len(asked) == 1


@pytest.mark.parametrize("name", sorted(QUEUEING_HANDLERS))
async def test_what_only_queues_empties_the_state_of_another_session_too(
    application: rx.App, people: People, name: str
) -> None:
    tab = client_state(await people.add("ivanov", Role.SUBSCRIBER))
    await fire(application, tab, HOME)
    (await tab.get_state(HomeState)).accounts = [{"name": "private"}]

    come_from(tab, await people.add("petrov", Role.SUBSCRIBER))
    assert await fire(application, tab, name) is None

    assert (await tab.get_state(HomeState)).accounts == []


async def test_a_session_that_is_over_is_a_visitors(application: rx.App, people: People) -> None:
    session = await people.add("ivanov", Role.SUBSCRIBER)
    tab = client_state(session)
    assert await fire(application, tab, HOME) is None

    people.wait(timedelta(minutes=31))

    assert target(await fire(application, tab, HOME)) == "/login?next=/readings"
    assert who() is None


async def test_a_person_who_was_disabled_is_out_at_the_next_event(
    application: rx.App, people: People
) -> None:
    tab = client_state(await people.add("ivanov", Role.SUBSCRIBER))
    assert await fire(application, tab, HOME) is None

    await access.disable_user(people.database, login="ivanov@example.com", now=people.portal.clock())

    assert target(await fire(application, tab, HOME)).startswith("/login")


def test_only_a_subscriber_has_a_subscribers_number() -> None:
    with acting_as(Identity(1, Role.SUBSCRIBER, 7, "", "")):
        assert subscriber_id() == 7
        with acting_as(Identity(2, Role.ADMIN, None, "", "")), pytest.raises(AccessDeniedError):
            subscriber_id()
        assert subscriber_id() == 7


# Sessions that owe something


async def owing(people: People, name: str, duty: Duty, role: Role = Role.SUBSCRIBER) -> str:
    """A person whose session owes `duty`; the session's hash."""
    session = await people.add(name, role)
    async with people.database.writing() as connection:
        await connection.execute(update(table_of(UserSession)).values(duty=duty))
    return session


@pytest.mark.parametrize("duty", Duty)
@pytest.mark.parametrize("owed", Duty)
def test_a_handler_is_for_sessions_that_owe_what_it_declares(duty: Duty, owed: Duty) -> None:
    def handler() -> None: ...

    declared: Access = requires(*Role, duty=duty)(handler).lk_access  # type: ignore[attr-defined]

    assert declared.admits(Identity(1, Role.SUBSCRIBER, 7, "", "", duty=owed)) == (duty is owed)
    assert not declared.admits(None)


@pytest.mark.parametrize(("duty", "page"), [(Duty.NEW_PASSWORD, "/new-password"), (Duty.CONSENT, "/consent")])
async def test_who_owes_something_is_led_there_and_back(
    application: rx.App, people: People, duty: Duty, page: str
) -> None:
    session = await owing(people, "ivanov", duty)
    path = "/readings?meter=1%2F2&interval=day"

    for event in (READINGS, HOME, SHELL):
        assert target(await fire(application, client_state(session, path), event)) == f"{page}?next={path}"
    assert await fire(application, client_state(session, page), HOME) == StateUpdate()
    assert who() is None


@pytest.mark.parametrize(("duty", "event"), [(Duty.NEW_PASSWORD, NEW_PASSWORD), (Duty.CONSENT, CONSENT)])
async def test_the_page_of_a_duty_is_open_to_those_who_owe_it(
    application: rx.App, people: People, duty: Duty, event: str
) -> None:
    session = await owing(people, "ivanov", duty)

    assert await fire(application, client_state(session), event) is None
    found = who()
    assert found is not None
    assert (found.duty, found.session_hash) == (duty, session)


@pytest.mark.parametrize("event", [NEW_PASSWORD, CONSENT])
async def test_others_are_led_away_from_it(application: rx.App, people: People, event: str) -> None:
    session = await people.add("petrov", Role.SUBSCRIBER)
    page = "/consent"

    assert target(await fire(application, client_state(session, page), event)) == "/"
    assert target(await fire(application, client_state("", page), event)) == f"/login?next={page}"


async def test_for_public_handlers_such_a_person_is_a_visitor(application: rx.App, people: People) -> None:
    session = await owing(people, "ivanov", Duty.CONSENT)
    await fire(application, client_state(session), CONSENT)

    assert await fire(application, client_state(session, "/info"), LOGIN) is None
    assert who() is None


# Sessions that are over


async def test_a_dead_cookie_and_a_copied_token_open_nothing(application: rx.App, people: People) -> None:
    """Hydration sends the whole state; it is emptied before, when its session has ended meanwhile."""
    session = await people.add("ivanov", Role.SUBSCRIBER)
    tab = client_state(session)
    await fire(application, tab, HOME)
    page = await tab.get_state(HomeState)
    page.accounts = [{"name": "private"}]
    await fire(application, tab, f"{ROOT}.hydrate")
    assert page.accounts == [{"name": "private"}]

    await access.disable_user(people.database, login="ivanov@example.com", now=people.portal.clock())

    assert await fire(application, tab, f"{ROOT}.hydrate") is None
    assert (await tab.get_state(HomeState)).accounts == []


async def test_a_page_that_connects_anew_keeps_no_session_alive(application: rx.App, people: People) -> None:
    tab = client_state(await people.add("ivanov", Role.SUBSCRIBER))
    for _ in range(2):
        people.wait(timedelta(minutes=14))
        await fire(application, tab, f"{ROOT}.hydrate")

    people.wait(timedelta(minutes=3))

    assert target(await fire(application, tab, HOME)).startswith("/login")
