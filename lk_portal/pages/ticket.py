"""/support/[number]: one обращение, with the form to go on with it."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, link_button, notice, skeleton
from lk_portal.components.ticket_dialogue import (
    MINE,
    OF_STAFF,
    PLAIN,
    THEIRS,
    dialogue,
    message_turn,
    ticket_field,
    ticket_head,
)
from lk_portal.components.ticket_parts import RowVar, files_field, text_field, ticket_form
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import SUPPORT
from lk_portal.settings import load_settings
from lk_portal.state.ticket import TicketState
from lk_portal.state.tickets_view import STAFF


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
            rx.el.div(_head(), dialogue(TicketState, _turn), _further(), class_name="grid gap-4 max-w-3xl"),
            rx.el.div(skeleton("h-36 w-full mb-4"), skeleton("h-64 w-full"), class_name="max-w-3xl"),
        ),
    )


def _head() -> rx.Component:
    own = TicketState.ticket
    return ticket_head(
        TicketState,
        account=rx.el.p(own["account"], class_name="text-sm break-words"),
        due=rx.cond(own["promise"] != "", rx.el.p(own["promise"], class_name="font-medium mt-1")),
    )


def _turn(message: RowVar) -> rx.Component:
    is_staff = message["author"] == STAFF
    return message_turn(
        TicketState,
        message,
        author=rx.cond(is_staff, load_settings().utility_name, _("You")),
        class_name=rx.cond(is_staff, f"{OF_STAFF} {THEIRS}", f"{PLAIN} {MINE}"),
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
                        ticket_field(TicketState),
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
