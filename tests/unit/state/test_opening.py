"""Opening a page in one event: the frame runs its loads, and none that the person may not fire."""

from __future__ import annotations

from typing import Any

import pytest
import reflex as rx
from reflex.event import Event

from lk_portal.pages.registry import all_pages, menu_pages
from lk_portal.services.access import Duty, Identity, Role, identity_of
from lk_portal.state import live, opening
from lk_portal.state.account import AccountState
from lk_portal.state.accounts import AccountsState
from lk_portal.state.consent import ConsentState
from lk_portal.state.desk_home import DeskHomeState
from lk_portal.state.guard import Access, acting_as
from lk_portal.state.home import HomeState
from lk_portal.state.info import InfoState
from lk_portal.state.opening import OpeningMiddleware, is_kept, load_page, load_with_frame
from lk_portal.state.payloads import BEGINS_PAGE
from lk_portal.state.shell import ShellState
from lk_portal.state.ticket import TicketState
from tests.unit.state.people import People, client_state, come_from

LOAD = HomeState.event_handlers["load"]
NOT_FOUND = "/not-found"
ENTER = ShellState.event_handlers["enter"]


async def identity(people: People, session: str) -> Identity:
    portal = people.portal
    found = await identity_of(portal.database, portal.settings, session_hash=session, now=portal.clock())
    assert found is not None
    return found


async def entered(
    route: str, person: Identity | None, *, handler: str = "enter"
) -> tuple[rx.State, list[Any]]:
    root = client_state(person.session_hash if person else "", route)
    frame = await root.get_state(ShellState)
    enter = ShellState.event_handlers[handler].fn
    if person is None:
        return root, await enter(frame, route)
    with acting_as(person):
        return root, await enter(frame, route)


async def test_the_frame_s_event_fills_the_page_too(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root, events = await entered("/accounts", await identity(people, session))
    accounts = await root.get_state(AccountsState)
    assert events == []
    assert len(accounts.accounts) == 1
    assert (await root.get_state(ShellState)).name == "anna"


async def test_a_load_that_the_person_may_not_fire_is_not_run(application: rx.App, people: People) -> None:
    session = await people.add("olga", Role.OPERATOR)
    root, events = await entered("/accounts", await identity(people, session))
    assert len(events) == 1
    assert NOT_FOUND in str(events[0].args)
    assert not (await root.get_state(AccountsState)).is_loaded


async def test_a_visitor_gets_a_public_page_filled(application: rx.App, people: People) -> None:
    root, events = await entered("/info", None, handler="enter_public")
    assert events == []
    assert (await root.get_state(InfoState)).is_loaded


async def test_a_visitor_who_names_another_page_gets_nothing_of_it(
    application: rx.App, people: People
) -> None:
    root, events = await entered("/accounts", None, handler="enter_public")
    assert NOT_FOUND in str(events[0].args)
    assert not (await root.get_state(AccountsState)).is_loaded


@pytest.mark.parametrize("route", ["", "/none", "/accounts/1"])
async def test_an_unknown_page_has_nothing_to_load(application: rx.App, people: People, route: str) -> None:
    session, _placed = await people.subscriber("anna")
    _root, events = await entered(route, await identity(people, session))
    assert events == []


def test_every_section_opens_with_one_event_of_ours(application: rx.App) -> None:
    for page in menu_pages("main"):
        assert len(application.get_load_events(page.route)) == 1, page.route


def test_a_page_for_those_who_owe_something_keeps_its_own_event(application: rx.App) -> None:
    consent = next(page for page in all_pages() if page.route == "/consent")
    assert len(application.get_load_events("/consent")) == 1 + len(consent.on_load) > 1
    assert not load_with_frame("/x", [ConsentState.event_handlers["load"]], enter=ENTER, is_public=True)


def test_what_yields_stays_an_event(application: rx.App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_loads", {})
    assert not load_with_frame("/x", [AccountState.event_handlers["load"]], enter=ENTER, is_public=False)
    assert load_with_frame("/x", [LOAD], enter=ENTER, is_public=False)
    assert list(opening._loads) == ["/x"]


def test_a_load_that_declares_nothing_stays_an_event_for_the_guard_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "_loads", {})
    undeclared = rx.event(lambda _state: None)
    handler = type("Handler", (), {"fn": staticmethod(undeclared), "state": HomeState})
    assert not load_with_frame("/x", [handler], enter=ENTER, is_public=False)
    assert opening._loads == {}


async def test_the_declaration_is_asked_each_time(
    application: rx.App, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Declarations do not change while a portal runs; that they are looked at is seen when one does."""
    session, _placed = await people.subscriber("anna")
    only_admins = Access(is_public=False, roles=frozenset({Role.ADMIN}), duty=Duty.NONE)
    monkeypatch.setattr(opening, "access_of", lambda _fn: only_admins)
    root = client_state(session, "/accounts")
    with acting_as(await identity(people, session)):
        events = await load_page(await root.get_state(ShellState), "/accounts")
    assert NOT_FOUND in str(events[0].args)


async def begun(application: rx.App, session: str, path: str) -> tuple[rx.State, list[Any]]:
    """The tab's state after the event that begins a page, and the events that are still to come."""
    root = client_state(session, path)
    answer = await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
    assert answer is None, "the event itself goes on, to say that the page is filled"
    return root, application.get_load_events(path)


async def test_the_event_that_begins_a_page_fills_it(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root, to_come = await begun(application, session, "/accounts")
    assert to_come == []
    assert len((await root.get_state(AccountsState)).accounts) == 1
    assert (await root.get_state(ShellState)).name == "anna"
    assert len(application.get_load_events("/accounts")) == 1, "for whoever fills the state again otherwise"


async def test_the_first_page_is_one_too(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root, to_come = await begun(application, session, "/")
    assert to_come == []
    assert (await root.get_state(HomeState)).is_loaded


async def test_a_visitor_is_led_to_sign_in_and_nothing_is_filled(application: rx.App, people: People) -> None:
    root, to_come = await begun(application, "", "/accounts")
    assert "/login?next=%2Faccounts" in str(to_come)
    assert not (await root.get_state(AccountsState)).is_loaded


async def test_staff_are_told_that_a_subscriber_s_page_is_not_there(
    application: rx.App, people: People
) -> None:
    session = await people.add("olga", Role.OPERATOR)
    root, to_come = await begun(application, session, "/accounts")
    assert NOT_FOUND in str(to_come)
    assert not (await root.get_state(AccountsState)).is_loaded


async def test_a_copied_tab_gets_nothing_of_the_other_session(application: rx.App, people: People) -> None:
    first, _placed = await people.subscriber("anna")
    second, _other = await people.subscriber("boris")
    root, _events = await begun(application, first, "/accounts")
    hers = (await root.get_state(AccountsState)).accounts
    come_from(root, second, "/info")
    await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
    assert hers
    assert (await root.get_state(AccountsState)).accounts == []


async def test_a_page_that_fails_says_so_under_a_number(
    application: rx.App, people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session, _placed = await people.subscriber("anna")

    async def broken(_state: rx.State) -> None:
        raise RuntimeError("the disk is gone")

    handler = opening._loads["/accounts"][0]
    broken.__dict__.update(handler.fn.__dict__)
    failing = type("Handler", (), {"fn": staticmethod(broken), "state": AccountsState})
    monkeypatch.setitem(opening._loads, "/accounts", (failing,))
    _root, to_come = await begun(application, session, "/accounts")
    assert "tell_problem" in str(to_come)
    assert "the disk is gone" in caplog.text


HYDRATE = Event(name="reflex___state____state.hydrate_and_load")
ONE, TWO = "/support/1", "/support/2"


@pytest.mark.parametrize(
    ("path", "is_kept"),
    [
        (ONE, True),
        (TWO, False),
        ("/support", False),
        ("/", False),
        ("/support/1/", False),
        ("/nowhere", False),
    ],
)
@pytest.mark.parametrize("event", [HYDRATE, Event(name=BEGINS_PAGE)], ids=["connected", "gone to"])
async def test_what_shows_one_thing_is_empty_where_another_is(
    application: rx.App, people: People, path: str, is_kept: bool, event: Event
) -> None:
    session, _placed = await people.subscriber("anna")
    root, _to_come = await begun(application, session, ONE)
    ticket = await root.get_state(TicketState)
    ticket.ticket, ticket.draft_key, ticket._ticket_id = {"subject": "Первое"}, "1", 1
    home = await root.get_state(HomeState)
    home.is_loaded = True

    come_from(root, session, path)
    await OpeningMiddleware().preprocess(application, root, event)

    if event is HYDRATE or not is_kept:
        assert bool(ticket.ticket and ticket.draft_key and ticket._ticket_id) is is_kept
    assert home.is_loaded, "only what shows one of many is emptied"


async def test_a_page_with_its_own_events_is_left_to_them(application: rx.App, people: People) -> None:
    session, placed = await people.subscriber("anna")
    root, to_come = await begun(application, session, f"/meters/{placed.serial}")
    assert len(to_come) == 2
    assert (await root.get_state(ShellState)).name == ""


BEGINNING = Event(name=BEGINS_PAGE)
LOADED = Event(name=HYDRATE.name, payload={"hashes": ["names", "a-state"]})
"""What a document that was just loaded sends; HYDRATE is sent when its connection was lost and is back."""


async def test_other_events_open_nothing(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root = client_state(session, "/accounts")
    for event in (LOADED, Event(name="reflex___state____state.set_is_hydrated")):
        assert await OpeningMiddleware().preprocess(application, root, event) is None
    assert (await root.get_state(ShellState)).name == ""


async def test_a_page_that_is_back_at_a_portal_started_anew_is_never_empty(
    application: rx.App, people: People
) -> None:
    """The answer to its first event has all that the page shows; what is chosen then is not loaded away."""
    session, _placed = await people.subscriber("anna")
    root = client_state(session, "/accounts")
    await OpeningMiddleware().preprocess(application, root, HYDRATE)
    accounts = await root.get_state(AccountsState)
    assert len(accounts.accounts) == 1

    accounts.accounts = []
    await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
    assert (accounts.accounts, application.get_load_events("/accounts")) == ([], [])

    await OpeningMiddleware().preprocess(application, root, HYDRATE)
    assert accounts.accounts == [], "what is known of the tab is not filled twice"
    await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
    assert len(accounts.accounts) == 1


async def test_a_page_is_kept_until_it_begins_anew(application: rx.App, people: People) -> None:
    """What was typed stays when a connection is back, and no longer than until the person goes somewhere."""
    session, _placed = await people.subscriber("anna")
    root, _to_come = await begun(application, session, "/accounts")
    root.is_hydrated = True
    assert not await is_kept(root)

    for _connection in range(2):
        for event in (HYDRATE, BEGINNING):
            await OpeningMiddleware().preprocess(application, root, event)
            assert await is_kept(root)
    await OpeningMiddleware().preprocess(application, root, BEGINNING)
    assert not await is_kept(root), "she has gone to the same page once more"

    await OpeningMiddleware().preprocess(application, root, HYDRATE)
    come_from(root, session, "/info")
    await OpeningMiddleware().preprocess(application, root, BEGINNING)
    assert not await is_kept(root), "she had gone on before the connection was back"

    for event in (LOADED, BEGINNING):
        await OpeningMiddleware().preprocess(application, root, event)
        assert not await is_kept(root)


async def test_of_a_page_that_was_not_filled_to_the_end_nothing_is_kept(
    application: rx.App, people: People
) -> None:
    """The line died first: what only a page that begins anew sets would never be there."""
    session, _placed = await people.subscriber("anna")
    root, _to_come = await begun(application, session, "/accounts")
    for event in (HYDRATE, BEGINNING):
        await OpeningMiddleware().preprocess(application, root, event)
        assert not await is_kept(root)

    root.is_hydrated = True
    await OpeningMiddleware().preprocess(application, root, HYDRATE)
    root.is_hydrated = False
    await OpeningMiddleware().preprocess(application, root, HYDRATE)
    assert await is_kept(root), "a page that is kept stays so when the next connection is lost, too"


async def test_of_a_page_whose_states_are_gone_nothing_is_kept(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root = client_state(session, "/accounts")
    for event in (HYDRATE, BEGINNING):
        await OpeningMiddleware().preprocess(application, root, event)
        assert not await is_kept(root)


async def test_nobody_gets_a_page_by_coming_back_that_she_may_not_open(
    application: rx.App, people: People
) -> None:
    session = await people.add("olga", Role.OPERATOR)
    for who in ("", session):
        root = client_state(who, "/accounts")
        await OpeningMiddleware().preprocess(application, root, HYDRATE)
        assert not (await root.get_state(AccountsState)).is_loaded
        await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
        assert application.get_load_events("/accounts"), "she is led elsewhere"


async def test_a_tab_loaded_anew_keeps_only_what_its_page_shows(application: rx.App, people: People) -> None:
    session, _placed = await people.subscriber("anna")
    root, _to_come = await begun(application, session, "/accounts")
    accounts, info = await root.get_state(AccountsState), await root.get_state(InfoState)
    come_from(root, session, "/info")
    await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))
    assert accounts.accounts, "going on within the tab empties nothing"
    assert info.is_loaded

    await OpeningMiddleware().preprocess(application, root, HYDRATE)

    assert (accounts.accounts, accounts.is_loaded, info.is_loaded) == ([], False, True)
    assert (await root.get_state(ShellState)).name == "anna", "the frame is of no page"


@pytest.mark.parametrize("event", [HYDRATE, Event(name=BEGINS_PAGE)], ids=["connected", "gone to"])
async def test_a_page_that_was_left_is_told_nothing_any_more(
    application: rx.App, people: People, monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    """On a page that follows nothing the one before it would be counted again and again."""
    monkeypatch.setattr(live, "_followers", {})
    olga = await people.add("olga", Role.OPERATOR)
    root, _to_come = await begun(application, olga, "/admin")
    assert followed() == {DeskHomeState}

    come_from(root, olga, "/settings")
    await OpeningMiddleware().preprocess(application, root, event)

    assert followed() == set()


async def test_the_frame_goes_on_following_from_page_to_page(
    application: rx.App, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_followers", {})
    session, _placed = await people.subscriber("anna")
    root, _to_come = await begun(application, session, "/accounts")
    assert followed() == {AccountsState, ShellState}

    come_from(root, session, "/settings")
    await OpeningMiddleware().preprocess(application, root, Event(name=BEGINS_PAGE))

    assert followed() == {ShellState}


def followed() -> set[type[rx.State]]:
    return {one.state for one in live._followers.values()}


def test_no_page_shows_what_another_page_is_filled_with(application: rx.App) -> None:
    """Such a state would be emptied when the tab is loaded anew at a page that only shows it."""
    filled = set().union(*opening._filled.values())
    home = next(page for page in all_pages() if page.route == "/")
    assert HomeState in states_of(home.layout())
    for page in all_pages():
        shown = {state for state in states_of(page.layout()) if state in filled}
        assert shown <= opening._filled[page.route], page.route


def states_of(component: rx.Component) -> set[type[rx.State]]:
    """The states whose values a page shows."""
    found = (var._get_all_var_data() for var in component._get_vars(include_children=True))
    return {rx.State.get_class_substate(data.state) for data in found if data is not None and data.state}
