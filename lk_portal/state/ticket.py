"""The state of /support/[number]: one обращение as a dialogue that goes on while the page is open."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import NotFoundError, PortalError
from lk_portal.i18n import _, say
from lk_portal.services import ticket_view, tickets
from lk_portal.services.access import Role
from lk_portal.services.changes import ticket_topic
from lk_portal.services.context import current
from lk_portal.services.ticket_rules import can_reopen
from lk_portal.services.ticket_view import MESSAGES, Dialogue
from lk_portal.services.tickets import Author, TicketStatus
from lk_portal.state.guard import requires, subscriber_id, who
from lk_portal.state.live import follow
from lk_portal.state.opening import is_kept
from lk_portal.state.ticket_form import TicketFormState
from lk_portal.state.tickets_view import (
    earlier_text,
    event_text,
    file_rows,
    message_row,
    reopen_text,
    ticket_number,
    ticket_row,
)
from lk_portal.state.visits import visit_of

FORM = "ticket-answer"


class TicketState(TicketFormState, rx.State):
    """The ticket's head, its messages with their files, and what may be done with it now."""

    is_loaded: bool = False
    ticket: dict[str, str] = {}
    event: str = ""
    messages: list[dict[str, str]] = []
    files: dict[str, list[list[str]]] = {}
    earlier: str = ""
    is_closed: bool = False
    may_reopen: bool = False
    reopen_until: str = ""
    done: str = ""

    _ticket_id: int = 0
    _limit: int = MESSAGES

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, perhaps by the answer to its form, or its connection is back."""
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
            self._offer_form(FORM, number)
        return None

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def show_earlier(self) -> None:
        """More of a long dialogue."""
        if self._ticket_id and self.earlier:
            self._limit += MESSAGES
            await self._show()

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def close(self) -> None:
        """Nothing more is wanted ("Закрыть обращение")."""
        await self._do(tickets.close, _("The request is closed."))

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def reopen(self) -> None:
        """The matter goes on ("Открыть снова")."""
        await self._do(tickets.reopen, _("The request is open again."))

    async def _do(self, deed, sentence: str) -> None:  # type: ignore[no-untyped-def]
        """Do something with the ticket that the page shows, and show what came of it."""
        if not self._ticket_id:
            return
        self.done = self.problem = ""
        try:
            await deed(current().database, author=_author(), ticket_id=self._ticket_id, visit=visit_of(self))
        except PortalError as error:
            self.problem = say(error)
        else:
            self.done = sentence
        await self._show()

    async def _show(self) -> None:
        """Read the dialogue again; also called when it has changed."""
        if not self._ticket_id:
            return
        found = await ticket_view.dialogue_of(
            current().database,
            subscriber_id=subscriber_id(),
            ticket_id=self._ticket_id,
            limit=self._limit,
        )
        follow(self.router.session.client_token, type(self), frozenset({ticket_topic(self._ticket_id)}))
        self._fill(found)
        self.is_loaded = True

    def _fill(self, found: Dialogue) -> None:
        ticket = found.ticket
        self.ticket = ticket_row(ticket)
        self.event = event_text(found.event) if found.event else ""
        self.messages = [message_row(message, ticket) for message in found.messages]
        self.files = {str(message.id): file_rows(message) for message in found.messages}
        self.earlier = earlier_text(found.earlier)
        self.is_closed = ticket.status is TicketStatus.CLOSED
        self.may_reopen = can_reopen(ticket.closed_at, now=current().clock())
        self.reopen_until = reopen_text(ticket) if self.may_reopen else ""


def _author() -> Author:
    """The person whose event this is; the guard has let none through but subscribers."""
    identity = who()
    if identity is None:
        raise NotFoundError
    return Author(identity.user_id, subscriber_id())
