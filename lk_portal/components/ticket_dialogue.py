"""What the pages of one обращение share, the subscriber's and the staff's: its head and its dialogue."""

from __future__ import annotations

from collections.abc import Callable

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import card
from lk_portal.components.ticket_parts import RowVar, file_line, status_badge
from lk_portal.i18n import _
from lk_portal.state.admin_ticket import AdminTicketState
from lk_portal.state.ticket import TicketState

TURN = "border rounded-box p-4 min-w-0"
PLAIN = f"{TURN} bg-base-100 border-base-300"
OF_STAFF = f"{PLAIN} border-l-4 border-l-primary"
MINE, THEIRS = "ml-4 sm:ml-16", "mr-4 sm:mr-16"
"""On which side: to the right what the reader's own side wrote."""
Page = type[TicketState] | type[AdminTicketState]


def ticket_head(
    page: Page, *rest: rx.Component, due: rx.Component, account: rx.Component | None = None
) -> rx.Component:
    """What it is about, since when and until when; `rest` stands below."""
    ticket = page.ticket
    return card(
        rx.el.div(
            rx.el.h2(ticket["subject"], class_name="text-lg font-semibold break-words min-w-0"),
            rx.el.span(status_badge(ticket), role="status"),
            class_name="flex flex-wrap items-center justify-between gap-x-3 gap-y-1",
        ),
        rx.el.p(_("No."), " ", ticket["number"], " · ", ticket["category"], class_name="text-sm mt-1"),
        *([account] if account else []),
        rx.el.p(_("Sent"), " ", ticket["created"], class_name="text-sm"),
        due,
        rx.cond(
            ticket["closed"] != "", rx.el.p(_("Closed"), " ", ticket["closed"], class_name="text-sm mt-1")
        ),
        rx.cond(
            page.event != "",
            rx.el.p(
                icon("pulse"),
                rx.el.span(page.event, class_name="break-words min-w-0"),
                class_name="flex gap-2 border-l-4 border-primary pl-3 py-1 mt-2",
            ),
        ),
        *rest,
    )


def dialogue(page: Page, turn: Callable[[RowVar], rx.Component]) -> rx.Component:
    """What was written, oldest first, and a button for more of a long one."""
    return rx.el.div(
        rx.cond(
            page.earlier != "",
            rx.el.button(
                page.earlier,
                type="button",
                on_click=page.show_earlier,
                class_name="btn btn-ghost min-h-11 text-base mb-2",
            ),
        ),
        # What comes while the page is open is read out.
        rx.el.div(
            rx.el.ol(rx.foreach(page.messages, turn), class_name="grid gap-3"),
            role="log",
            custom_attrs={"aria-label": _("Dialogue")},
        ),
    )


def message_turn(
    page: Page,
    message: RowVar,
    *above: rx.Component,
    author: rx.Var[str],
    class_name: rx.Var[str],
) -> rx.Component:
    """One message: who and when, the text, the files."""
    return rx.el.li(
        *above,
        rx.el.p(
            rx.el.span(author, class_name="font-semibold"),
            rx.el.span(message["at"], class_name="text-sm tabular-nums"),
            class_name="flex flex-wrap justify-between gap-x-3",
        ),
        rx.el.p(message["text"], class_name="whitespace-pre-wrap break-words mt-1"),
        rx.el.ul(rx.foreach(page.files[message["id"]], file_line), class_name="mt-1 empty:hidden"),
        key=message["id"],
        class_name=class_name,
    )


def ticket_field(page: Page) -> rx.Component:
    """For which ticket a form is."""
    return rx.el.input(type="hidden", name="ticket", value=page.ticket["number"], read_only=True)
