"""What the states of /accounts and /meters do with what pages, and anybody, send."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import text

from lk_portal.i18n import using_locale
from lk_portal.services.access import Identity, identity_of
from lk_portal.state import live
from lk_portal.state.account import AccountState
from lk_portal.state.accounts import AccountsState
from lk_portal.state.accounts_view import account_link
from lk_portal.state.guard import acting_as
from lk_portal.state.meter import MeterState
from tests import factories
from tests.unit.state.people import People, client_state

GARBAGE: list[Any] = [
    None,
    "",
    "x",
    "\0",
    0,
    True,
    [],
    ["number"],
    {},
    {"note": {"$gt": ""}},
    {"account": [1]},
]


class Tab:
    """One open page of a person."""

    def __init__(self, people: People, identity: Identity, placed: factories.MeteredPoint, path: str) -> None:
        self.people, self.identity, self.placed = people, identity, placed
        self.root = client_state(identity.session_hash, path)

    async def state(self, kind: type[Any]) -> Any:
        return await self.root.get_state(kind)

    async def fire(self, kind: type[Any], handler: str, *arguments: object) -> list[Any]:
        """Fire a handler to its end; gives the events that it answered with."""
        state = await self.state(kind)
        with acting_as(self.identity), using_locale("en"):
            answer = kind.event_handlers[handler].fn(state, *arguments)
            if inspect.isasyncgen(answer):
                return [one async for one in answer if one is not None]
            given = await answer
        return [] if given is None else [given]

    async def rows(self, query: str) -> list[Any]:
        async with self.people.database.reading() as connection:
            return list((await connection.execute(text(query))).all())


async def opened(people: People, path: str = "/accounts", name: str = "ivanov") -> Tab:
    session, placed = await people.subscriber(name)
    identity = await identity_of(
        people.database, people.portal.settings, session_hash=session, now=people.moments[-1]
    )
    assert identity is not None
    return Tab(people, identity, placed, path)


async def own_number(tab: Tab) -> str:
    [(number,)] = await tab.rows(f"SELECT number FROM account WHERE id = {tab.placed.account_id}")
    return str(number)


def leads_to(events: list[Any]) -> str:
    return "".join(str(event.args) for event in events)


@pytest.fixture
def tab_at(application: rx.App, people: People) -> Any:
    async def at(path: str, name: str = "ivanov") -> Tab:
        return await opened(people, path, name)

    return at


async def test_the_list_is_shown_and_followed(tab_at: Any) -> None:
    tab = await tab_at("/accounts")
    await tab.fire(AccountsState, "load")

    state = await tab.state(AccountsState)
    assert [row["number"] for row in state.accounts] == [await own_number(tab)]
    followed = live._followers["tab", live.Slot.PAGE]
    assert f"point:{tab.placed.point_id}" in followed.topics
    assert f"subscriber:{tab.placed.subscriber_id}" in followed.topics


async def test_a_dialog_is_for_an_account_of_ones_own(tab_at: Any) -> None:
    tab, other = await tab_at("/accounts"), await tab_at("/accounts", "petrov")
    await tab.fire(AccountsState, "load")
    state = await tab.state(AccountsState)
    for handler in ("ask_rename", "ask_remove"):
        for number in (*GARBAGE, await own_number(other)):
            await tab.fire(AccountsState, handler, number)
            assert state.dialog == ""

    await tab.fire(AccountsState, "ask_remove", await own_number(tab))
    assert (state.dialog, state.number) == ("remove", await own_number(tab))


async def test_removing_needs_the_question_and_its_account(tab_at: Any) -> None:
    tab = await tab_at("/accounts")
    await tab.fire(AccountsState, "load")
    number = await own_number(tab)
    still_there = "SELECT id FROM account WHERE removed_at IS NULL"
    await tab.fire(AccountsState, "remove", number)
    await tab.fire(AccountsState, "ask_rename", number)
    await tab.fire(AccountsState, "remove", number)
    await tab.fire(AccountsState, "ask_remove", number)
    for garbage in GARBAGE:
        await tab.fire(AccountsState, "remove", garbage)
    assert len(await tab.rows(still_there)) == 1

    await tab.fire(AccountsState, "remove", number)

    state = await tab.state(AccountsState)
    assert await tab.rows(still_there) == []
    assert (state.accounts, state.dialog) == ([], "")
    assert number in state.done


async def test_a_note_is_saved_shown_and_taken_away(tab_at: Any) -> None:
    tab = await tab_at("/accounts")
    await tab.fire(AccountsState, "load")
    state, number = await tab.state(AccountsState), await own_number(tab)
    await tab.fire(AccountsState, "ask_rename", number)
    await tab.fire(AccountsState, "rename", {"note": "x" * 61})
    assert (state.dialog, bool(state.errors["note"])) == ("rename", True)

    await tab.fire(AccountsState, "rename", {"note": "Dacha"})
    assert ([row["note"] for row in state.accounts], state.done) == (["Dacha"], "The note was saved.")

    await tab.fire(AccountsState, "ask_rename", number)
    assert state.note == "Dacha"
    await tab.fire(AccountsState, "rename", {"note": ""})
    assert ([row["note"] for row in state.accounts], state.done) == ([""], "The note was taken away.")


@pytest.mark.parametrize("handler", ["add", "rename", "remove"])
async def test_garbage_changes_nothing(tab_at: Any, handler: str) -> None:
    tab = await tab_at("/accounts")
    await tab.fire(AccountsState, "load")
    await tab.fire(AccountsState, "open_form")
    before = await tab.rows("SELECT * FROM account")
    for garbage in GARBAGE:
        await tab.fire(AccountsState, handler, garbage)

    assert await tab.rows("SELECT * FROM account") == before


async def test_an_account_is_added_by_number_and_address(tab_at: Any, people: People) -> None:
    tab = await tab_at("/accounts")
    home = await factories.premises(people.database, street="ул. Мира", house="5")
    await factories.account(people.database, premises_id=home, number="5500000001")
    await tab.fire(AccountsState, "load")
    await tab.fire(AccountsState, "open_form")
    state = await tab.state(AccountsState)
    await tab.fire(AccountsState, "add", {"account": "5500000001", "address": "Омск, Мира, 6"})
    assert (bool(state.errors["match"]), state.errors["account"], state.is_sending) == (True, "", False)

    await tab.fire(AccountsState, "add", {"account": "5500000001", "address": "Омск, Мира, 5"})

    assert [row["number"] for row in state.accounts] == [await own_number(tab), "5500000001"]
    assert (state.done, state.is_adding, state.errors["match"]) == ("The account was added.", False, "")


async def test_one_with_an_owner_becomes_a_claim_and_is_named(tab_at: Any) -> None:
    tab, other = await tab_at("/accounts"), await tab_at("/accounts", "petrov")
    account = f"SELECT premises_id FROM account WHERE id = {other.placed.account_id}"
    [(house,)] = await other.rows(f"SELECT house FROM premises WHERE id = ({account})")
    await tab.fire(AccountsState, "load")
    await tab.fire(AccountsState, "open_form")
    number = await own_number(other)

    await tab.fire(AccountsState, "add", {"account": number, "address": f"Омск, Ленина, {house}"})

    state = await tab.state(AccountsState)
    assert (state.claimed, state.done, len(state.accounts)) == (number, "", 1)


async def test_a_closed_form_takes_nothing(tab_at: Any, people: People) -> None:
    tab = await tab_at("/accounts")
    home = await factories.premises(people.database, street="ул. Мира", house="5")
    await factories.account(people.database, premises_id=home, number="5500000001")
    await tab.fire(AccountsState, "load")

    await tab.fire(AccountsState, "add", {"account": "5500000001", "address": "Омск, Мира, 5"})

    assert len((await tab.state(AccountsState)).accounts) == 1


# ---- cards


async def test_a_card_is_shown(tab_at: Any) -> None:
    tab = await tab_at("/accounts")
    tab.root = client_state(tab.identity.session_hash, f"/accounts/{await own_number(tab)}")

    events = await tab.fire(AccountState, "load")

    state = await tab.state(AccountState)
    assert events == []
    assert [row["serial"] for row in state.meters] == [tab.placed.serial]
    assert await own_number(tab) in [row["value"] for row in state.facts]


async def test_a_number_may_have_a_slash_in_it(tab_at: Any, people: People) -> None:
    tab = await tab_at("/")
    home = await factories.premises(people.database)
    number, owner = "55-17/А", tab.placed.subscriber_id
    await factories.account(people.database, premises_id=home, number=number, subscriber_id=owner)
    tab.root = client_state(tab.identity.session_hash, account_link(number))

    assert await tab.fire(AccountState, "load") == []
    assert (await tab.state(AccountState)).number == number


@pytest.mark.parametrize("kind", [AccountState, MeterState])
async def test_foreign_unknown_and_malformed_lead_to_the_same_page(tab_at: Any, kind: type[Any]) -> None:
    tab, other = await tab_at("/"), await tab_at("/", "petrov")
    page = "/accounts" if kind is AccountState else "/meters"
    foreign = await own_number(other) if kind is AccountState else other.placed.serial
    answers = set()
    for name in (foreign, "unknown", "%00", "%ED%A0%80", "x" * 300, "..%2F..", "<script>", "", "a/b"):
        tab.root = client_state(tab.identity.session_hash, f"{page}/{name}")
        answers.add(leads_to(await tab.fire(kind, "load")))
        assert (await tab.state(kind)).facts == []

    assert len(answers) == 1
    assert "/not-found" in answers.pop()


async def test_a_card_that_was_shown_is_gone_before_the_next_is_read(tab_at: Any) -> None:
    tab = await tab_at("/")
    tab.root = client_state(tab.identity.session_hash, f"/meters/{tab.placed.serial}")
    await tab.fire(MeterState, "load")
    state = await tab.state(MeterState)
    assert state.is_shown

    state.serial = "another"
    with acting_as(tab.identity):
        steps = MeterState.event_handlers["load"].fn(state)
        await anext(steps)
        assert not state.is_shown
        assert [one async for one in steps] == []
    assert state.is_shown


async def test_a_meter_is_renamed(tab_at: Any) -> None:
    tab = await tab_at("/")
    tab.root = client_state(tab.identity.session_hash, f"/meters/{tab.placed.serial}")
    await tab.fire(MeterState, "load")
    state = await tab.state(MeterState)
    await tab.fire(MeterState, "rename", {"name": "House"})
    assert state.name == "Дом", "the dialog was not open"
    await tab.fire(MeterState, "ask_name")
    for garbage in GARBAGE:
        await tab.fire(MeterState, "rename", garbage)
        assert state.name == "Дом"
    assert (state.is_renaming, state.error) == (True, "Type a name of 1 to 60 characters.")

    await tab.fire(MeterState, "rename", {"name": "House"})

    assert (state.name, state.is_renaming, state.done) == ("House", False, "The meter was renamed.")


async def test_an_account_that_left_the_cabinet_meanwhile_is_not_found(tab_at: Any, people: People) -> None:
    tab = await tab_at("/")
    tab.root = client_state(tab.identity.session_hash, f"/meters/{tab.placed.serial}")
    await tab.fire(MeterState, "load")
    await tab.fire(MeterState, "ask_name")
    async with people.database.writing() as connection:
        await connection.execute(text("UPDATE account SET removed_at = 0"))

    events = await tab.fire(MeterState, "rename", {"name": "House"})

    assert "/not-found" in leads_to(events)
    assert not (await tab.state(MeterState)).is_shown
