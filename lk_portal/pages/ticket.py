"""/support/[number]: one обращение, with the form to go on with it."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, link_button, notice, skeleton
from lk_portal.components.ticket_parts import (
    RowVar,
    file_line,
    files_field,
    status_badge,
    text_field,
    ticket_form,
)
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import SUPPORT
from lk_portal.settings import load_settings
from lk_portal.state.ticket import TicketState
from lk_portal.state.tickets_view import STAFF

TURN = "bg-base-100 border border-base-300 rounded-box p-4 min-w-0"


@portal_page(
    route=f"{SUPPORT}/[number]",
    title=_("Request"),
    icon="chat",
    on_load=(TicketState.load,),
    tab=rx.cond(TicketState.is_loaded, TicketState.ticket["subject"], ""),
)
def ticket() -> rx.Component:
    """What it is about, the dialogue, and what can be done."""
    return rx.el.div(
        link_button(_("To the requests"), to=SUPPORT, icon_name="back", class_name="-ml-4 mb-2"),
        rx.cond(
            TicketState.is_loaded,
            rx.el.div(_head(), _dialogue(), _further(), class_name="grid gap-4 max-w-3xl"),
            rx.el.div(skeleton("h-36 w-full mb-4"), skeleton("h-64 w-full"), class_name="max-w-3xl"),
        ),
    )


def _head() -> rx.Component:
    own = TicketState.ticket
    return card(
        rx.el.div(
            rx.el.h2(
                own["subject"], id="subject-text", class_name="text-lg font-semibold break-words min-w-0"
            ),
            rx.el.span(status_badge(own), role="status"),
            class_name="flex flex-wrap items-center justify-between gap-x-3 gap-y-1",
        ),
        rx.el.p(_("No."), " ", own["number"], " · ", own["category"], class_name="text-sm mt-1"),
        rx.el.p(own["account"], class_name="text-sm break-words"),
        rx.el.p(_("Sent"), " ", own["created"], class_name="text-sm"),
        rx.cond(own["promise"] != "", rx.el.p(own["promise"], class_name="font-medium mt-1")),
        rx.cond(own["closed"] != "", rx.el.p(_("Closed"), " ", own["closed"], class_name="text-sm mt-1")),
        rx.cond(
            TicketState.event != "",
            rx.el.p(
                icon("pulse"),
                rx.el.span(TicketState.event, class_name="break-words min-w-0"),
                class_name="flex gap-2 border-l-4 border-primary pl-3 py-1 mt-2",
            ),
        ),
    )


def _dialogue() -> rx.Component:
    return rx.el.div(
        rx.cond(
            TicketState.earlier != "",
            rx.el.button(
                TicketState.earlier,
                type="button",
                on_click=TicketState.show_earlier,
                class_name="btn btn-ghost min-h-11 text-base mb-2",
            ),
        ),
        # What comes while the page is open is read out.
        rx.el.div(
            rx.el.ol(rx.foreach(TicketState.messages, _message), class_name="grid gap-3"),
            role="log",
            custom_attrs={"aria-label": _("Dialogue")},
        ),
    )


def _message(message: RowVar) -> rx.Component:
    is_staff = message["author"] == STAFF
    return rx.el.li(
        rx.el.p(
            rx.el.span(rx.cond(is_staff, load_settings().utility_name, _("You")), class_name="font-semibold"),
            rx.el.span(message["at"], class_name="text-sm tabular-nums"),
            class_name="flex flex-wrap justify-between gap-x-3",
        ),
        rx.el.p(message["text"], class_name="whitespace-pre-wrap break-words mt-1"),
        rx.el.ul(rx.foreach(TicketState.files[message["id"]], file_line), class_name="mt-1 empty:hidden"),
        key=message["id"],
        class_name=rx.cond(
            is_staff,
            f"{TURN} mr-4 sm:mr-16 border-l-4 border-l-primary",
            f"{TURN} ml-4 sm:ml-16",
        ),
    )


def _further() -> rx.Component:
    """To write and close while it is open; to open it again for a while after."""
    return rx.el.div(
        rx.cond(TicketState.done != "", notice(TicketState.done, icon_name="check")),
        rx.cond(
            TicketState.is_closed,
            rx.cond(
                TicketState.may_reopen,
                _reopening(),
                notice(_("This request is closed for good. Create a new one.")),
            ),
            rx.el.div(
                card(
                    ticket_form(
                        _number(),
                        text_field(_("Your message")),
                        files_field(),
                        state=TicketState,
                        button=_("Send"),
                    )
                ),
                rx.el.button(
                    _("Close the request"),
                    type="button",
                    on_click=TicketState.close,
                    class_name="btn min-h-11 text-base justify-self-start",
                ),
                class_name="grid gap-4",
            ),
        ),
        class_name="grid gap-4",
    )


def _number() -> rx.Component:
    return rx.el.input(type="hidden", name="ticket", value=TicketState.ticket["number"], read_only=True)


def _reopening() -> rx.Component:
    return card(
        rx.el.p(TicketState.reopen_until, class_name="mb-2"),
        rx.cond(TicketState.problem != "", notice(TicketState.problem, kind="error", icon_name="warning")),
        rx.el.button(
            _("Open again"),
            type="button",
            on_click=TicketState.reopen,
            class_name="btn btn-primary min-h-11 text-base self-start",
        ),
    )
