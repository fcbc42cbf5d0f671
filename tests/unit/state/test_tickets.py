"""The handlers of /support and of a ticket's page, asked directly for a person who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import text

from lk_portal.i18n import using_locale
from lk_portal.services import ticket_desk, tickets
from lk_portal.services.access import Identity, Role, Visit, identity_of
from lk_portal.services.changes import subscriber_topic, ticket_topic
from lk_portal.services.ticket_view import MESSAGES, FileLine
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.state import live
from lk_portal.state.guard import acting_as
from lk_portal.state.support import SupportState
from lk_portal.state.ticket import TicketState
from lk_portal.state.tickets_view import size_text
from tests import factories
from tests.unit.state.people import NOW, People, client_state, come_from

_KEYS = iter(f"a-key-of-a-form-{number:06}" for number in range(10_000))


@dataclass
class Tab:
    """One tab of a subscriber, and the subscriber."""

    people: People
    root: rx.State
    identity: Identity
    placed: factories.MeteredPoint
    session: str

    async def open(self, path: str) -> Any:
        """Open a page; what its handler answers."""
        come_from(self.root, self.session, path)
        page, _, query = path.partition("?")
        kind = SupportState if page == "/support" else TicketState
        self.root.router_data = {
            **self.root.router_data,
            "pathname": page,
            "asPath": path,
            "query": dict(pair.split("=", 1) for pair in query.split("&") if pair),
        }
        self.root.router = type(self.root.router).from_router_data(self.root.router_data)
        state = await self.root.get_state(kind)
        with acting_as(self.identity):
            return await state.load()

    async def fire(self, kind: type[Any], name: str, *arguments: Any) -> Any:
        state = await self.root.get_state(kind)
        with acting_as(self.identity):
            return await getattr(state, name)(*arguments)

    async def ticket(self, subject: str = "Нет света", *, after: timedelta = timedelta()) -> int:
        database = self.people.database
        async with database.reading() as connection:
            number = (
                await connection.execute(
                    text("SELECT number FROM account WHERE id = :id"), {"id": self.placed.account_id}
                )
            ).scalar_one()
        return await tickets.create(
            database,
            author=Author(self.identity.user_id, self.placed.subscriber_id),
            ticket=NewTicket(subject, "load", number, "С утра."),
            send_key=next(_KEYS),
            visit=Visit("192.0.2.1", "", NOW + after),
        )


async def tab_of(people: People, name: str) -> Tab:
    session, placed = await people.subscriber(name)
    identity = await identity_of(
        people.database, people.portal.settings, session_hash=session, now=people.moments[-1]
    )
    assert identity is not None
    return Tab(people, client_state(session), identity, placed, session)


@pytest.fixture
async def tab(people: People) -> Tab:
    return await tab_of(people, "ivanov")


def is_not_found(answer: Any) -> bool:
    return "/not-found" in str(answer)


async def test_a_list_shows_what_it_is_about_and_follows_its_subscriber(tab: Tab) -> None:
    number = await tab.ticket()
    stranger = await tab_of(tab.people, "petrov")
    await stranger.ticket("CANARY")

    assert await tab.open("/support") is None

    state = await tab.root.get_state(SupportState)
    [row] = state.rows
    assert (row["subject"], row["link"], row["status"]) == ("Нет света", f"/support/{number}", "new")
    assert row["status_text"] == "Новое"
    assert row["promise"].replace("\u202f", " ") == "Ответим до 27 ноября 2026 г."
    topics = [one.topics for one in live._followers.values() if one.state is SupportState]
    assert frozenset({subscriber_topic(tab.placed.subscriber_id)}) in topics


async def test_the_archive_has_what_is_closed(tab: Tab) -> None:
    number = await tab.ticket()
    await tab.open(f"/support/{number}")
    await tab.fire(TicketState, "close")

    await tab.open("/support?tab=archive")
    state = await tab.root.get_state(SupportState)
    assert [row["number"] for row in state.rows] == [str(number)]
    await tab.open("/support")
    assert state.rows == []


async def test_a_long_list_goes_on(tab: Tab) -> None:
    for hour in range(20):
        await tab.ticket(str(hour), after=timedelta(minutes=hour))
    await tab.open("/support")
    state = await tab.root.get_state(SupportState)
    assert (len(state.rows), state.further, state.back) == (20, "", "")


@pytest.mark.parametrize(
    "query", ["after=x", "after=1-x", "new=1&event=1", "new=1&event=x", "new=1&event=-1"]
)
async def test_an_address_that_names_nothing_of_hers_is_not_found(tab: Tab, query: str) -> None:
    assert is_not_found(await tab.open(f"/support?{query}"))


async def test_the_form_offers_her_accounts_and_keys_of_its_own(tab: Tab) -> None:
    other = await tab_of(tab.people, "petrov")
    for one in (tab, other):
        await one.open("/support?new=1")
    own, theirs = [await one.root.get_state(SupportState) for one in (tab, other)]

    assert own.is_form
    assert len(own.accounts) == 1
    assert own.accounts != theirs.accounts
    assert own.send_key != theirs.send_key
    assert own.draft_key != theirs.draft_key, "nobody finds another's draft"
    draft = own.draft_key
    await tab.open("/support?new=1")
    assert own.draft_key == draft, "but she finds her own"


@pytest.mark.parametrize("number", ["0", "999", "x", "٣", "9" * 40, "-1", "1%00"])
async def test_a_ticket_that_is_not_hers_is_not_found(tab: Tab, number: str) -> None:
    other = await tab_of(tab.people, "petrov")
    foreign = await other.ticket("CANARY")

    for asked in (number, str(foreign)):
        assert is_not_found(await tab.open(f"/support/{asked}"))
    state = await tab.root.get_state(TicketState)
    assert state.messages == []
    for handler in ("close", "reopen", "show_earlier"):
        await tab.fire(TicketState, handler)
    assert "CANARY" not in str(tab.root.dict())
    async with tab.people.database.reading() as connection:
        assert (await connection.execute(text("SELECT status FROM ticket"))).scalar_one() == "new"


async def test_an_answer_is_shown_when_the_page_is_told_and_a_note_never(tab: Tab) -> None:
    number = await tab.ticket()
    await tab.open(f"/support/{number}")
    state = await tab.root.get_state(TicketState)
    key = state.send_key
    topics = [one.topics for one in live._followers.values() if one.state is TicketState]
    assert frozenset({ticket_topic(number)}) in topics
    operator = await tab.people.add("operator", Role.OPERATOR)
    staff = await identity_of(tab.people.database, tab.people.portal.settings, session_hash=operator, now=NOW)
    assert staff is not None
    for deed, words in ((ticket_desk.note, "CANARY-NOTE"), (ticket_desk.answer, "<b>Чиним</b>")):
        await deed(
            tab.people.database,
            staff_id=staff.user_id,
            ticket_id=number,
            text=words,
            send_key=next(_KEYS),
            visit=Visit("", "", NOW),
        )

    await tab.fire(TicketState, "_show")

    assert [(one["author"], one["text"]) for one in state.messages] == [
        ("", "С утра."),
        ("staff", "<b>Чиним</b>"),
    ]
    assert state.ticket["status_text"] == "Ждет ответа абонента"
    assert state.ticket["promise"] == ""
    assert state.send_key == key, "what is being typed goes on as one form"
    assert "CANARY-NOTE" not in str(tab.root.dict())
    assert "operator" not in str([state.messages, state.ticket])


async def test_a_ticket_is_closed_and_opened_again_while_that_is_possible(tab: Tab) -> None:
    number = await tab.ticket()
    await tab.open(f"/support/{number}")
    state = await tab.root.get_state(TicketState)

    await tab.fire(TicketState, "close")
    assert (state.is_closed, state.may_reopen, state.done) == (True, True, "Обращение закрыто.")
    assert "08.12.2026" in state.reopen_until
    await tab.fire(TicketState, "reopen")
    assert (state.is_closed, state.ticket["status"]) == (False, "new")

    await tab.fire(TicketState, "close")
    tab.people.wait(timedelta(days=15))
    await tab.fire(TicketState, "reopen")
    assert (state.is_closed, state.may_reopen) == (True, False)
    assert "слишком давно" in state.problem


async def test_of_a_long_dialogue_more_is_shown_when_asked(tab: Tab) -> None:
    number = await tab.ticket()
    for turn in range(MESSAGES + 4):
        await tickets.write(
            tab.people.database,
            author=Author(tab.identity.user_id, tab.placed.subscriber_id),
            ticket_id=number,
            text=str(turn),
            send_key=next(_KEYS),
            visit=Visit("", "", NOW),
        )
    await tab.open(f"/support/{number}")
    state = await tab.root.get_state(TicketState)
    assert (len(state.messages), state.earlier) == (MESSAGES, "Показать еще 5 сообщений")

    await tab.fire(TicketState, "show_earlier")

    assert (len(state.messages), state.earlier) == (MESSAGES + 5, "")


@pytest.mark.parametrize(
    ("size", "ru", "en"),
    [
        (1, "1 КБ", "1 KB"),
        (1_500, "2 КБ", "2 KB"),
        (2_500_000, "2,4 МБ", "2.4 MB"),
        (10 * 2**20, "10,0 МБ", "10.0 MB"),
    ],
)
def test_sizes_are_said_as_people_read_them(size: int, ru: str, en: str) -> None:
    file = FileLine("k", "n", size)
    with using_locale("ru"):
        assert size_text(file) == ru
    with using_locale("en"):
        assert size_text(file) == en
