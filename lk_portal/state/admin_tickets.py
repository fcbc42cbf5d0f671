"""The state of /admin/tickets: the staff's queue. What is shown of it is in the address."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _
from lk_portal.security.navigation import DESK
from lk_portal.services.changes import TICKETS
from lk_portal.services.context import current
from lk_portal.services.ticket_queue import (
    MAX_TYPED,
    MOST_PEOPLE,
    Asked,
    Queue,
    QueueCounts,
    Spot,
    queue_counts,
    queue_page,
)
from lk_portal.state.admin_tickets_view import counts_row, queue_address, queue_row
from lk_portal.state.form_once import text_in
from lk_portal.state.guard import STAFF, requires, staff_id
from lk_portal.state.live import follow, once

NOTHING = {queue.value: "" for queue in Queue}


class AdminTicketsState(rx.State):
    """A page of a queue, how much waits in each, and where the others are."""

    is_loaded: bool = False
    queue: str = ""
    typed: str = ""
    rows: list[dict[str, str]] = []
    counts: dict[str, str] = NOTHING
    links: dict[str, str] = NOTHING
    hint: str = ""
    further: str = ""
    back: str = ""

    # Where the shown page begins. A text, for Reflex wraps dataclasses in its state.
    _after: str = ""

    @rx.event
    @requires(*STAFF)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        self.typed = _typed(query.get("q", ""))
        self._after = query.get("after", "")
        try:
            self.queue = _queue(query.get("queue", ""), is_search=bool(self.typed)).value
            await self._show()
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        self.is_loaded = True
        return None

    @rx.event
    @requires(*STAFF)
    async def search(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Something was typed ("Найти"): go to its address, which looks everywhere; else to the queue."""
        typed = _typed(text_in(form, "q")) if isinstance(form, dict) else ""
        return rx.redirect(queue_address(Queue.FOUND, typed=typed) if typed else DESK)

    async def _show(self) -> None:
        """Read the queue again; also called when some ticket has changed, or a promise has passed."""
        staff, portal = staff_id(), current()
        after, queue, typed = self._after, Queue(self.queue), self.typed
        asked = Asked(queue, staff, portal.clock(), typed)
        spot = Spot.parse(after) if after else None
        page = await queue_page(portal.database, asked, after=spot)
        counts = await once(("queue", staff), lambda: _counts(staff))
        follow(self.router.session.client_token, type(self), frozenset({TICKETS}))
        shown = {
            "rows": [queue_row(line, now=asked.now) for line in page.lines],
            "counts": {**NOTHING, **counts_row(counts)},
            "links": {one.value: queue_address(one, typed=typed) for one in Queue},
            "hint": _("Only the first {most} people are shown. Type more.", most=MOST_PEOPLE)
            if page.is_cut
            else "",
            "further": queue_address(queue, typed=typed, after=str(page.further)) if page.further else "",
            "back": queue_address(queue, typed=typed) if after else "",
        }
        for name, value in shown.items():
            if getattr(self, name) != value:
                setattr(self, name, value)


async def _counts(staff: int) -> QueueCounts:
    portal = current()
    return await queue_counts(portal.database, staff_id=staff, now=portal.clock())


def _queue(named: str, *, is_search: bool) -> Queue:
    """The queue an address names; without one, what is new, or all that is found."""
    if not named:
        return Queue.FOUND if is_search else Queue.NEW
    try:
        queue = Queue(named)
    except ValueError:
        raise NotFoundError from None
    return queue if is_search or queue is not Queue.FOUND else Queue.OPEN


def _typed(text: str) -> str:
    return " ".join(text[:MAX_TYPED].split())
