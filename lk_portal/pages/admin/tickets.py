"""/admin/tickets: the queue of the staff's ticket desk."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.desk_parts import due_line, queue_tab
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, field, link, link_button, notice, skeleton
from lk_portal.components.ticket_parts import RowVar, status_badge
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import DESK
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.services.ticket_queue import MAX_TYPED, Queue
from lk_portal.state.admin_tickets import AdminTicketsState


@portal_page(
    route=DESK,
    title=_("Requests"),
    icon="chat",
    menu="admin",
    group=MenuGroup.REQUESTS,
    roles={Role.OPERATOR, Role.ADMIN},
    order=20,
    on_load=(AdminTicketsState.load,),
)
def tickets() -> rx.Component:
    """The queues as tabs, the search, and a page of tickets."""
    return rx.cond(
        AdminTicketsState.is_loaded,
        rx.el.div(
            _tabs(),
            _search(),
            rx.cond(AdminTicketsState.hint != "", notice(AdminTicketsState.hint)),
            rx.cond(
                AdminTicketsState.rows.length() > 0,
                rx.el.ul(rx.foreach(AdminTicketsState.rows, _row), class_name="grid gap-3"),
                card(_nothing()),
            ),
            _paging(),
            class_name="grid gap-4",
        ),
        rx.el.div(
            skeleton("h-11 w-96 max-w-full mb-4"), skeleton("h-28 w-full mb-3"), skeleton("h-28 w-full")
        ),
    )


def _tabs() -> rx.Component:
    names = {
        Queue.NEW: _("New ones"),
        Queue.OVERDUE: _("Overdue ones"),
        Queue.MINE: _("Mine"),
        Queue.OPEN: _("All open ones"),
        Queue.CLOSED: _("Closed ones"),
    }
    return rx.el.nav(
        *(_tab(queue, text) for queue, text in names.items()),
        rx.cond(AdminTicketsState.typed != "", _tab(Queue.FOUND, _("All found"))),
        class_name="flex flex-wrap gap-1",
        custom_attrs={"aria-label": _("Queues")},
    )


def _tab(queue: Queue, text: str) -> rx.Component:
    return queue_tab(
        text,
        to=AdminTicketsState.links[queue.value],
        count=AdminTicketsState.counts[queue.value],
        is_here=AdminTicketsState.queue == queue.value,
    )


def _search() -> rx.Component:
    return rx.el.form(
        field(
            _("Number of the request, beginning of the account or of the name"),
            rx.el.input(
                id="q",
                name="q",
                type="search",
                key=AdminTicketsState.typed,
                default_value=AdminTicketsState.typed,
                max_length=MAX_TYPED,
                auto_complete="off",
                class_name="input w-full min-h-11 text-base",
            ),
            for_id="q",
            class_name="grow min-w-0",
        ),
        rx.el.button(_("Find"), type="submit", class_name="btn btn-primary min-h-11 text-base self-end"),
        on_submit=AdminTicketsState.search,
        reset_on_submit=False,
        # Before the scripts are there the browser itself goes to the question's address.
        action=DESK,
        method="get",
        role="search",
        class_name="card bg-base-100 border border-base-300 p-4 flex-row gap-3",
    )


def _row(ticket: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(
                ticket["subject"],
                to=ticket["link"],
                class_name="link font-semibold min-h-11 inline-flex items-center break-words min-w-0",
            ),
            status_badge(ticket),
            class_name="flex flex-wrap items-center justify-between gap-x-3 gap-y-1",
        ),
        rx.el.p(_("No."), " ", ticket["number"], " · ", ticket["category"], class_name="text-sm"),
        rx.el.p(ticket["subscriber"], class_name="break-words"),
        rx.el.p(ticket["account"], class_name="text-sm break-words"),
        rx.el.p(
            due_line(ticket),
            rx.cond(ticket["closed"] != "", rx.el.span(_("Closed"), " ", ticket["closed"])),
            rx.cond(
                ticket["assignee"] != "",
                rx.el.span(
                    icon("user", class_name="size-4"),
                    ticket["assignee"],
                    class_name="inline-flex items-center gap-1",
                ),
            ),
            class_name="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm mt-1",
        ),
        key=ticket["number"],
        class_name="card bg-base-100 border border-base-300 p-4",
    )


def _nothing() -> rx.Component:
    return rx.cond(
        AdminTicketsState.typed != "",
        empty(_("Nothing was found"), _("Type the number, or how the account or the name begins.")),
        rx.match(
            AdminTicketsState.queue,
            (
                Queue.NEW.value,
                empty(_("No new requests"), _("What subscribers send appears here by itself.")),
            ),
            (Queue.OVERDUE.value, empty(_("Nothing is overdue"), _("Every promise is kept so far."))),
            (Queue.MINE.value, empty(_("You have no requests"), _("Open a new one and take it."))),
            (Queue.CLOSED.value, empty(_("Nothing is closed yet"), _("Closed requests appear here."))),
            empty(_("No open requests"), _("What subscribers send appears here by itself.")),
        ),
    )


def _paging() -> rx.Component:
    return rx.el.div(
        rx.cond(
            AdminTicketsState.back != "",
            link_button(_("To the beginning"), to=AdminTicketsState.back, icon_name="left"),
        ),
        rx.cond(
            AdminTicketsState.further != "",
            link_button(_("Further"), to=AdminTicketsState.further, icon_name="right"),
        ),
        class_name="flex flex-wrap gap-2 empty:hidden",
    )
