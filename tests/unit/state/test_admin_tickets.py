"""The handlers of the staff's desk, asked directly for people who are signed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import text

from lk_portal.errors import AccessDeniedError
from lk_portal.services import ticket_desk, ticket_presence, tickets
from lk_portal.services.access import Identity, Role, Visit, identity_of
from lk_portal.services.changes import TICKETS, desk_topic, ticket_topic
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.state import live
from lk_portal.state.admin_ticket import AdminNoteState, AdminTicketState
from lk_portal.state.admin_tickets import AdminTicketsState
from lk_portal.state.guard import STAFF, access_of, acting_as
from tests.unit.state.people import NOW, People, client_state, come_from

_KEYS = iter(f"a-key-of-the-desk-{number:06}" for number in range(10_000))


@dataclass
class Desk:
    """One tab of a member of the staff."""

    people: People
    root: rx.State
    identity: Identity
    session: str

    async def open(self, path: str) -> Any:
        """Open a page; what its handler answers."""
        come_from(self.root, self.session, path)
        page, _, query = path.partition("?")
        kind = AdminTicketsState if page == "/admin/tickets" else AdminTicketState
        asked = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        self.root.router_data = {**self.root.router_data, "pathname": page, "asPath": path, "query": asked}
        self.root.router = type(self.root.router).from_router_data(self.root.router_data)
        return await self.fire(kind, "load")

    async def fire(self, kind: type[Any], name: str, *arguments: Any) -> Any:
        state = await self.root.get_state(kind)
        with acting_as(self.identity):
            return await getattr(state, name)(*arguments)

    async def page(self) -> AdminTicketState:
        found: AdminTicketState = await self.root.get_state(AdminTicketState)
        return found

    async def queue(self) -> AdminTicketsState:
        found: AdminTicketsState = await self.root.get_state(AdminTicketsState)
        return found


async def desk_of(people: People, name: str, role: Role = Role.OPERATOR) -> Desk:
    session = await people.add(name, role)
    identity = await identity_of(
        people.database, people.portal.settings, session_hash=session, now=people.moments[-1]
    )
    assert identity is not None
    return Desk(people, client_state(session), identity, session)


@pytest.fixture
async def desk(people: People) -> Desk:
    return await desk_of(people, "operator")


async def ask(people: People, subject: str = "Нет света", *, name: str = "ivanov") -> int:
    """A subscriber with a ticket of hers."""
    session, placed = await people.subscriber(name)
    identity = await identity_of(people.database, people.portal.settings, session_hash=session, now=NOW)
    assert identity is not None
    async with people.database.reading() as connection:
        query = text("SELECT number FROM account WHERE id = :id")
        number = (await connection.execute(query, {"id": placed.account_id})).scalar_one()
    return await tickets.create(
        people.database,
        author=Author(identity.user_id, placed.subscriber_id),
        ticket=NewTicket(subject, "load", number, "С утра."),
        send_key=next(_KEYS),
        visit=Visit("192.0.2.1", "", NOW),
    )


def is_not_found(answer: Any) -> bool:
    return "/not-found" in str(answer)


async def test_the_queue_opens_on_what_is_new_and_follows_all_tickets(desk: Desk) -> None:
    number = await ask(desk.people)

    assert await desk.open("/admin/tickets") is None

    queue = await desk.queue()
    [row] = queue.rows
    assert (row["subject"], row["link"], row["overdue"]) == ("Нет света", f"/admin/tickets/{number}", "")
    assert row["due"] == "Ответить до 27.11.2026, 18:00"
    assert (queue.queue, queue.counts["new"], queue.counts["mine"]) == ("new", "1", "")
    topics = [one.topics for one in live._followers.values() if one.state is AdminTicketsState]
    assert frozenset({TICKETS}) in topics

    desk.people.wait(timedelta(days=4))
    await desk.fire(AdminTicketsState, "_show")
    assert (queue.rows[0]["overdue"], queue.counts["overdue"]) == ("yes", "1")


async def test_what_is_searched_for_is_in_the_address(desk: Desk) -> None:
    number = await ask(desk.people)
    answer = await desk.fire(AdminTicketsState, "search", {"q": f"  № {number} "})
    assert "queue=found&q=%E2%84%96+" in str(answer)
    assert "/admin/tickets" in str(await desk.fire(AdminTicketsState, "search", {"q": None}))
    assert "/admin/tickets" in str(await desk.fire(AdminTicketsState, "search", []))

    await desk.open(f"/admin/tickets?q={number}")
    queue = await desk.queue()
    assert (queue.queue, [row["number"] for row in queue.rows]) == ("found", [str(number)])
    assert queue.links["closed"] == f"/admin/tickets?queue=closed&q={number}"
    await desk.open(f"/admin/tickets?q={number}&queue=closed")
    assert queue.rows == []


@pytest.mark.parametrize("query", ["queue=x", "after=x", "queue=overdue&after=w-1-1", "after=c-1-1"])
async def test_an_address_that_names_no_queue_is_not_found(desk: Desk, query: str) -> None:
    assert is_not_found(await desk.open(f"/admin/tickets?{query}"))


@pytest.mark.parametrize("number", ["0", "999", "x", "٣", "9" * 40, "-1"])
async def test_a_ticket_that_is_none_is_not_found_and_nothing_can_be_done(desk: Desk, number: str) -> None:
    assert is_not_found(await desk.open(f"/admin/tickets/{number}"))
    for name in ("take", "release", "close", "reopen", "typed", "sent_answer", "sent_note", "show_earlier"):
        assert await desk.fire(AdminTicketState, name) is None
    async with desk.people.database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM ticket_presence"))).scalar_one() == 0


async def test_it_is_taken_given_back_closed_and_opened(desk: Desk) -> None:
    number = await ask(desk.people)
    await desk.open(f"/admin/tickets/{number}")
    page = await desk.page()
    topics = [one.topics for one in live._followers.values() if one.state is AdminTicketState]
    assert any({ticket_topic(number), desk_topic(number)} <= one for one in topics)

    for name, done, status, is_mine in (
        ("take", "Теперь обращение ваше.", "in_work", "yes"),
        ("release", "Обращение возвращено в очередь.", "new", ""),
        ("close", "Обращение закрыто.", "closed", ""),
        ("reopen", "Обращение снова открыто.", "in_work", "yes"),
    ):
        event = await desk.fire(AdminTicketState, name)
        assert "desk_done" in str(event), "the keyboard goes to what was done"
        assert (page.done, page.ticket["status"], page.ticket["is_mine"]) == (done, status, is_mine)


async def test_colleagues_see_who_writes_and_notes_have_keys_of_their_own(desk: Desk) -> None:
    number = await ask(desk.people)
    other = await desk_of(desk.people, "colleague", Role.ADMIN)
    for one in (desk, other):
        await one.open(f"/admin/tickets/{number}")
    mine, theirs = await desk.page(), await other.page()
    notes: AdminNoteState = await desk.root.get_state(AdminNoteState)
    keys = {mine.draft_key, theirs.draft_key, notes.draft_key, mine.send_key, notes.send_key}
    assert len(keys) == 5

    await other.fire(AdminTicketState, "typed")
    await desk.fire(AdminTicketState, "_show")
    await other.fire(AdminTicketState, "_show")
    assert (mine.writing, theirs.writing) == ("отвечает colleague", "")
    desk.people.wait(ticket_presence.SHOWN_FOR)
    await desk.fire(AdminTicketState, "_show")
    assert mine.writing == ""

    draft, key = mine.draft_key, mine.send_key
    await desk.fire(AdminTicketState, "sent_answer")
    assert (mine.draft_key, mine.done) == (draft, "Ответ отправлен.")
    assert mine.send_key != key, "the next answer is another one"


async def test_a_note_is_shown_as_one(desk: Desk) -> None:
    number = await ask(desk.people)
    await desk.open(f"/admin/tickets/{number}")
    for deed, words in ((ticket_desk.note, "Заметка"), (ticket_desk.answer, "<b>Ответ</b>")):
        await deed(
            desk.people.database,
            staff_id=desk.identity.user_id,
            ticket_id=number,
            text=words,
            send_key=next(_KEYS),
            visit=Visit("", "", NOW),
        )
    await desk.fire(AdminTicketState, "_show")

    page = await desk.page()
    assert [(one["kind"], one["text"]) for one in page.messages] == [
        ("", "С утра."),
        ("note", "Заметка"),
        ("staff", "<b>Ответ</b>"),
    ]
    assert page.facts[0]["value"] == "Иванов Иван Иванович"
    assert len(page.meters) == 1


async def test_a_role_that_was_taken_away_sees_nothing_more(desk: Desk) -> None:
    number = await ask(desk.people)
    for path, kind in (
        ("/admin/tickets", AdminTicketsState),
        (f"/admin/tickets/{number}", AdminTicketState),
    ):
        await desk.open(path)
        state = await desk.root.get_state(kind)
        with acting_as(replace(desk.identity, role=Role.SUBSCRIBER)), pytest.raises(AccessDeniedError):
            await state._show()


def test_the_desks_handlers_are_for_the_staff() -> None:
    for state in (AdminTicketsState, AdminTicketState):
        for name, handler in state.event_handlers.items():
            if name == "setvar":
                continue
            access = access_of(handler.fn)
            assert access is not None, name
            assert access.roles == set(STAFF), name
