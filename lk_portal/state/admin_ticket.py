"""The state of /admin/tickets/[number]: one обращение on the staff's desk, with whose it is beside it.

Answers and notes are sent past Reflex, for they carry files (`web.desk`); `sent` is how their forms tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError
from lk_portal.i18n import _, say
from lk_portal.security.navigation import DESK
from lk_portal.services import answer_templates, ticket_desk, ticket_presence
from lk_portal.services.changes import desk_topic, point_topic, subscriber_topic, ticket_topic
from lk_portal.services.context import current
from lk_portal.services.ticket_desk_view import DeskTicket, desk_ticket
from lk_portal.services.ticket_view import MESSAGES
from lk_portal.services.tickets import TicketStatus
from lk_portal.services.viewing import viewing_url
from lk_portal.state.admin_tickets_view import (
    card_events,
    card_facts,
    card_meters,
    desk_message_row,
    head_row,
    writing_text,
)
from lk_portal.state.guard import STAFF, requires, staff_id
from lk_portal.state.live import follow
from lk_portal.state.opening import is_kept
from lk_portal.state.ticket_form import TicketFormState
from lk_portal.state.tickets_view import earlier_text, event_text, file_rows, ticket_number
from lk_portal.state.visits import visit_of

ANSWER, NOTE = "desk-answer", "desk-note"
DONE = "desk-done"
"""Where the keyboard goes when something was done: the sentence that says so."""


class AdminNoteState(TicketFormState, rx.State):
    """The keys of the form for notes, beside those of the answer's."""


class AdminTicketState(TicketFormState, rx.State):
    """The ticket's head and dialogue, who writes now, the subscriber's card; keys of the answer's form."""

    is_loaded: bool = False
    ticket: dict[str, str] = {}
    event: str = ""
    messages: list[dict[str, str]] = []
    files: dict[str, list[list[str]]] = {}
    earlier: str = ""
    writing: str = ""
    is_closed: bool = False
    facts: list[dict[str, str]] = []
    meters: list[dict[str, str]] = []
    events: list[dict[str, str]] = []
    cabinet: str = ""
    templates: list[list[str]] = []
    done: str = ""
    trouble: str = ""

    _ticket_id: int = 0
    _limit: int = MESSAGES

    @rx.event
    @requires(*STAFF)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, perhaps by the answer to one of its forms, or its connection is back."""
        number = self.router.url.path.rstrip("/").rpartition("/")[2]
        is_as_left = bool(self.draft_key) and await is_kept(self)
        if not is_as_left:
            self.reset()
        try:
            self._ticket_id = ticket_number(number)
            await self._show()
        except NotFoundError:
            self._ticket_id = 0
            return rx.redirect("/not-found", replace=True)
        if not is_as_left:
            self._offer_form(ANSWER, number)
            (await self.get_state(AdminNoteState))._offer_form(NOTE, number)
        offered = await answer_templates.offered(current().database)
        self.templates = [[str(one.id), one.title] for one in offered]
        return None

    @rx.event
    @requires(*STAFF)
    async def show_earlier(self) -> None:
        """More of a long dialogue."""
        if self._ticket_id and self.earlier:
            self._limit += MESSAGES
            await self._show()

    @rx.event
    @requires(*STAFF)
    async def typed(self) -> None:
        """Somebody types an answer: colleagues who have the ticket open are told."""
        if self._ticket_id:
            portal = current()
            await ticket_presence.typed(
                portal.database, staff_id=staff_id(), ticket_id=self._ticket_id, now=portal.clock()
            )

    @rx.event
    @requires(*STAFF)
    async def sent_answer(self):  # type: ignore[no-untyped-def]
        """The answer has arrived; its form is another one from now on."""
        if not self._ticket_id:
            return None
        self._offer_form(ANSWER, str(self._ticket_id))
        return await self._done(_("The answer was sent."))

    @rx.event
    @requires(*STAFF)
    async def sent_note(self):  # type: ignore[no-untyped-def]
        """The note has arrived."""
        if not self._ticket_id:
            return None
        (await self.get_state(AdminNoteState))._offer_form(NOTE, str(self._ticket_id))
        return await self._done(_("The note was saved. Only the staff sees it."))

    @rx.event
    @requires(*STAFF)
    async def take(self):  # type: ignore[no-untyped-def]
        """It is this person's work from now on ("Взять себе")."""
        staff = staff_id()
        return await self._do(
            lambda **who: ticket_desk.assign(current().database, assignee_id=staff, **who),
            _("The request is yours now."),
        )

    @rx.event
    @requires(*STAFF)
    async def release(self):  # type: ignore[no-untyped-def]
        """Somebody else may take it ("Вернуть в очередь")."""
        return await self._do(
            lambda **who: ticket_desk.release(current().database, **who),
            _("The request is back in the queue."),
        )

    @rx.event
    @requires(*STAFF)
    async def close(self):  # type: ignore[no-untyped-def]
        """The matter is settled ("Закрыть обращение")."""
        return await self._do(
            lambda **who: ticket_desk.close(current().database, **who), _("The request is closed.")
        )

    @rx.event
    @requires(*STAFF)
    async def reopen(self):  # type: ignore[no-untyped-def]
        """The matter goes on ("Открыть снова")."""
        return await self._do(
            lambda **who: ticket_desk.reopen(current().database, **who), _("The request is open again.")
        )

    async def _do(self, deed: Callable[..., Awaitable[None]], sentence: str):  # type: ignore[no-untyped-def]
        """Do something with the ticket that the page shows, and show what came of it."""
        if not self._ticket_id:
            return None
        try:
            await deed(staff_id=staff_id(), ticket_id=self._ticket_id, visit=visit_of(self))
        except PortalError as error:
            self.done, self.trouble = "", say(error)
            await self._show()
            return None
        return await self._done(sentence)

    async def _done(self, sentence: str):  # type: ignore[no-untyped-def]
        self.done, self.trouble = sentence, ""
        await self._show()
        return rx.set_focus(DONE)

    async def _show(self) -> None:
        """Read the ticket again; also called when it, or something of its subscriber's, has changed."""
        staff, portal = staff_id(), current()
        if not self._ticket_id:
            return
        found = await desk_ticket(
            portal.database,
            staff_id=staff,
            ticket_id=self._ticket_id,
            now=portal.clock(),
            default_interval_s=portal.settings.poll_interval_s,
            limit=self._limit,
        )
        topics = {ticket_topic(self._ticket_id), desk_topic(self._ticket_id)}
        topics |= {subscriber_topic(found.card.subscriber_id)}
        topics |= {point_topic(meter.point_id) for meter in found.card.meters}
        follow(self.router.session.client_token, type(self), frozenset(topics))
        for name, value in _shown(found, staff_id=staff).items():
            # Whatever is the same is not sent anew: a meter's value must not bring the whole dialogue.
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.is_loaded = True


def _shown(found: DeskTicket, *, staff_id: int) -> dict[str, object]:
    """The page's variables."""
    ticket, card = found.ticket, found.card
    return {
        "ticket": head_row(found, staff_id=staff_id, now=current().clock()),
        "event": event_text(found.event) if found.event else "",
        "messages": [desk_message_row(message, ticket) for message in found.messages],
        "files": {str(message.id): file_rows(message) for message in found.messages},
        "earlier": earlier_text(found.earlier),
        "writing": writing_text(found.writing),
        "is_closed": ticket.status is TicketStatus.CLOSED,
        "facts": card_facts(card, ticket),
        "meters": card_meters(card),
        "events": card_events(card, ticket),
        "cabinet": viewing_url(card.subscriber_id, back=f"{DESK}/{ticket.id}"),
    }
