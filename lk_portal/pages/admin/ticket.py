"""/admin/tickets/[number]: one обращение on the staff's desk, its subscriber beside it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.desk_parts import due_line, subscriber_card
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, field, link_button, notice, select, skeleton
from lk_portal.components.ticket_parts import (
    RowVar,
    described,
    error_place,
    file_line,
    files_field,
    status_badge,
    text_field,
    ticket_form,
)
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import DESK, DESK_TEMPLATES, DESK_UPLOADS
from lk_portal.services.access import Role
from lk_portal.state.admin_ticket import ANSWER, DONE, NOTE, AdminNoteState, AdminTicketState
from lk_portal.state.admin_tickets_view import NOTE as IS_NOTE
from lk_portal.state.admin_tickets_view import STAFF

TURN = "border rounded-box p-4 min-w-0"
OF_SUBSCRIBER = f"{TURN} bg-base-100 border-base-300 mr-4 sm:mr-16"
OF_STAFF = f"{TURN} bg-base-100 border-base-300 ml-4 sm:ml-16 border-l-4 border-l-primary"
INTERNAL = f"{TURN} bg-warning/15 border-dashed border-warning ml-4 sm:ml-16"
QUIET = "btn min-h-11 text-base"


@portal_page(
    route=f"{DESK}/[number]",
    title=_("Request"),
    icon="chat",
    roles={Role.OPERATOR, Role.ADMIN},
    on_load=(AdminTicketState.load,),
    tab=rx.cond(AdminTicketState.is_loaded, AdminTicketState.ticket["subject"], ""),
)
def ticket() -> rx.Component:
    """What it is about and whose, the dialogue, and what can be done."""
    own = AdminTicketState
    return rx.el.div(
        link_button(_("To the queue"), to=DESK, icon_name="back", class_name="-ml-4 mb-2"),
        rx.cond(
            own.is_loaded,
            rx.el.div(
                rx.el.div(_head(), _dialogue(), _writing(), _forms(), class_name="grid gap-4 min-w-0"),
                rx.el.aside(
                    subscriber_card(own.facts, own.meters, own.events, cabinet=own.cabinet),
                    custom_attrs={"aria-label": _("Subscriber")},
                ),
                class_name="grid gap-4 items-start lg:grid-cols-[minmax(0,1fr)_20rem]",
            ),
            rx.el.div(skeleton("h-36 w-full mb-4"), skeleton("h-64 w-full")),
        ),
    )


def _head() -> rx.Component:
    own = AdminTicketState.ticket
    return card(
        rx.el.div(
            rx.el.h2(own["subject"], class_name="text-lg font-semibold break-words min-w-0"),
            rx.el.span(status_badge(own), role="status"),
            class_name="flex flex-wrap items-center justify-between gap-x-3 gap-y-1",
        ),
        rx.el.p(_("No."), " ", own["number"], " · ", own["category"], class_name="text-sm mt-1"),
        rx.el.p(_("Sent"), " ", own["created"], class_name="text-sm"),
        rx.el.p(due_line(own), class_name="mt-1 empty:hidden"),
        rx.cond(own["closed"] != "", rx.el.p(_("Closed"), " ", own["closed"], class_name="text-sm mt-1")),
        rx.cond(
            AdminTicketState.event != "",
            rx.el.p(
                icon("pulse"),
                rx.el.span(AdminTicketState.event, class_name="break-words min-w-0"),
                class_name="flex gap-2 border-l-4 border-primary pl-3 py-1 mt-2",
            ),
        ),
        rx.el.p(
            icon("user", class_name="size-4"),
            rx.cond(own["assignee"] != "", own["assignee"], _("Nobody has it yet")),
            class_name="flex items-center gap-2 mt-2",
        ),
        _told(),
        rx.el.div(_deeds(), class_name="flex flex-wrap gap-2 mt-2"),
    )


def _told() -> rx.Component:
    """What was done, or could not be; the keyboard goes here."""
    own = AdminTicketState
    return rx.fragment(
        rx.cond(own.trouble != "", notice(own.trouble, kind="error", icon_name="warning")),
        rx.el.div(
            rx.cond(
                own.done != "",
                rx.el.p(
                    icon("check", class_name="size-5 text-success"),
                    rx.el.span(own.done),
                    class_name="flex gap-2 items-center mt-2",
                ),
            ),
            id=DONE,
            role="status",
            tab_index=-1,
        ),
    )


def _deeds() -> rx.Component:
    own = AdminTicketState
    return rx.cond(
        own.is_closed,
        _button(_("Open again"), own.reopen),
        rx.fragment(
            rx.cond(
                own.ticket["is_mine"] != "",
                _button(_("Back to the queue"), own.release),
                rx.fragment(
                    _button(_("Take it"), own.take),
                    rx.cond(own.ticket["assignee"] != "", _button(_("Back to the queue"), own.release)),
                ),
            ),
            _button(_("Close the request"), own.close),
        ),
    )


def _button(text: str, on_click: Any) -> rx.Component:
    return rx.el.button(text, type="button", on_click=on_click, class_name=QUIET)


def _dialogue() -> rx.Component:
    own = AdminTicketState
    return rx.el.div(
        rx.cond(
            own.earlier != "",
            rx.el.button(
                own.earlier,
                type="button",
                on_click=own.show_earlier,
                class_name="btn btn-ghost min-h-11 text-base mb-2",
            ),
        ),
        # What comes while the page is open is read out.
        rx.el.div(
            rx.el.ol(rx.foreach(own.messages, _message), class_name="grid gap-3"),
            role="log",
            custom_attrs={"aria-label": _("Dialogue")},
        ),
    )


def _message(message: RowVar) -> rx.Component:
    return rx.el.li(
        rx.cond(
            message["kind"] == IS_NOTE,
            rx.el.p(_("Internal note: the subscriber does not see it"), class_name="text-sm font-semibold"),
        ),
        rx.el.p(
            rx.el.span(message["author"], class_name="font-semibold"),
            rx.el.span(message["at"], class_name="text-sm tabular-nums"),
            class_name="flex flex-wrap justify-between gap-x-3",
        ),
        rx.el.p(message["text"], class_name="whitespace-pre-wrap break-words mt-1"),
        rx.el.ul(
            rx.foreach(AdminTicketState.files[message["id"]], file_line), class_name="mt-1 empty:hidden"
        ),
        key=message["id"],
        class_name=rx.match(message["kind"], (IS_NOTE, INTERNAL), (STAFF, OF_STAFF), OF_SUBSCRIBER),
    )


def _writing() -> rx.Component:
    """Who else answers just now; the place is always there, so that it is read out when somebody begins."""
    return rx.el.p(
        rx.cond(
            AdminTicketState.writing != "",
            rx.el.span(
                icon("pencil", class_name="size-4"),
                rx.el.span(AdminTicketState.writing),
                class_name="badge badge-warning badge-outline text-base-content h-auto min-h-8 gap-2",
            ),
        ),
        role="status",
        class_name="empty:hidden",
    )


def _forms() -> rx.Component:
    return rx.fragment(
        rx.cond(
            AdminTicketState.is_closed,
            notice(_("The request is closed. Open it again to answer.")),
            card(rx.el.h2(_("Answer to the subscriber"), class_name="text-lg font-semibold mb-3"), _answer()),
        ),
        card(
            rx.el.h2(_("Internal note"), class_name="text-lg font-semibold mb-3"),
            _note(),
            class_name="border-dashed border-warning",
        ),
    )


def _answer() -> rx.Component:
    return ticket_form(
        *_about(ANSWER),
        rx.cond(AdminTicketState.templates.length() > 0, _templates()),
        text_field(
            _("Your answer"),
            prefix="answer-",
            # At once with the first key, then as often as a person is written down.
            on_change=AdminTicketState.typed.throttle(5000),
        ),
        files_field(prefix="answer-"),
        _sent(AdminTicketState.sent_answer),
        state=AdminTicketState,
        button=_("Send the answer"),
        action=DESK_UPLOADS,
        prefix="answer-",
        **{"data-lk-stay": ""},
    )


def _note() -> rx.Component:
    return ticket_form(
        *_about(NOTE),
        text_field(_("Note, which only the staff sees"), prefix="note-"),
        _sent(AdminTicketState.sent_note),
        state=AdminNoteState,
        button=_("Save the note"),
        action=DESK_UPLOADS,
        prefix="note-",
        **{"data-lk-stay": ""},
    )


def _about(form: str) -> tuple[rx.Component, rx.Component]:
    """Which form it is, and for which ticket."""
    return (
        rx.el.input(type="hidden", name="form", value=form, read_only=True),
        rx.el.input(type="hidden", name="ticket", value=AdminTicketState.ticket["number"], read_only=True),
    )


def _templates() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            field(
                _("Answer template"),
                select(
                    "template",
                    rx.el.option(_("Choose"), value=""),
                    rx.foreach(AdminTicketState.templates, lambda one: rx.el.option(one[1], value=one[0])),
                    custom_attrs=described("template"),
                ),
                for_id="template",
                class_name="grow min-w-0",
            ),
            rx.el.button(
                _("Insert"),
                type="button",
                class_name=f"{QUIET} self-end",
                custom_attrs={
                    "data-lk-insert": DESK_TEMPLATES,
                    "data-lk-no-template": _("The template could not be loaded. Try again."),
                },
            ),
            class_name="flex gap-3",
        ),
        error_place("template"),
    )


def _sent(handler: Any) -> rx.Component:
    """What the script presses when the form has arrived."""
    return rx.el.button(type="button", on_click=handler, hidden=True, custom_attrs={"data-lk-sent": ""})
