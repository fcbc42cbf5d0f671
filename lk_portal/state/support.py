"""The state of /support: the two lists of обращения, and the form of a new one. The address says which."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _
from lk_portal.security.navigation import SUPPORT
from lk_portal.services import ticket_view
from lk_portal.services.access import Role
from lk_portal.services.changes import subscriber_topic
from lk_portal.services.context import current
from lk_portal.services.events import find_event
from lk_portal.services.ticket_rules import MAX_SUBJECT
from lk_portal.services.ticket_view import Place
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow
from lk_portal.state.ticket_form import TicketFormState
from lk_portal.state.tickets_view import account_row, event_name, event_text, ticket_row

FORM = "new-ticket"
ARCHIVE = "archive"
MAX_EVENT_DIGITS = 12


class SupportState(TicketFormState, rx.State):
    """One page of one list; or, `is_form`, what the form offers, perhaps about an event of a meter."""

    is_loaded: bool = False
    is_form: bool = False
    is_archive: bool = False
    rows: list[dict[str, str]] = []
    further: str = ""
    back: str = ""

    accounts: list[list[str]] = []
    account: str = ""
    subject: str = ""
    event_id: str = ""
    event: str = ""

    # Where the shown page of the list begins. A text, for Reflex wraps dataclasses in its state.
    _after: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        self.is_form = query.get("new", "") == "1"
        self.is_archive = query.get("tab", "") == ARCHIVE
        self._after = query.get("after", "")
        try:
            await (self._fill_form(query.get("event", "")) if self.is_form else self._show())
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        self.is_loaded = True
        return None

    async def _show(self) -> None:
        """Read the list again; also called when something of the subscriber's has changed."""
        owner = subscriber_id()
        follow(self.router.session.client_token, type(self), frozenset({subscriber_topic(owner)}))
        if self.is_form:
            return
        found, further = await ticket_view.tickets_of(
            current().database,
            subscriber_id=owner,
            is_archive=self.is_archive,
            after=Place.parse(self._after) if self._after else None,
        )
        rows = [ticket_row(ticket) for ticket in found]
        if rows != self.rows:
            self.rows = rows
        own = f"{SUPPORT}?tab={ARCHIVE}" if self.is_archive else SUPPORT
        self.back = own if self._after else ""
        self.further = f"{own}{'&' if self.is_archive else '?'}after={further}" if further else ""

    async def _fill_form(self, event_id: str) -> None:
        """Offer the accounts; an event that the address names gives a subject and its account."""
        owner = subscriber_id()
        found = await ticket_view.accounts_offered(current().database, subscriber_id=owner)
        self.accounts = [account_row(account) for account in found]
        self.account, self.subject, self.event, self.event_id = "", "", "", ""
        if event_id:
            event = await find_event(current().database, subscriber_id=owner, event_id=_event_id(event_id))
            self.event, self.event_id = event_text(event), str(event.event_id)
            own = (one.number for one in found if one.account_id == event.account_id)
            self.account = next(own, "")
            self.subject = _("Event of the meter: {name}", name=event_name(event))[:MAX_SUBJECT]
        self._offer_form(FORM, self.event_id)


def _event_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_EVENT_DIGITS):
        raise NotFoundError
    return int(text)
