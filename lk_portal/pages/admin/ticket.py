"""/admin/tickets/[number]: one обращение on the staff's desk, its subscriber beside it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.desk_parts import due_line, subscriber_card
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, field, link_button, notice, select, skeleton
from lk_portal.components.ticket_dialogue import (
    MINE,
    OF_STAFF,
    PLAIN,
    THEIRS,
    TURN,
    dialogue,
    message_turn,
    ticket_field,
    ticket_head,
)
from lk_portal.components.ticket_parts import (
    RowVar,
    described,
    error_place,
    files_field,
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

INTERNAL = f"{TURN} bg-warning/15 border-dashed border-warning {MINE}"
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
                rx.el.div(
                    _head(),
                    dialogue(AdminTicketState, _turn),
                    _writing(),
                    _forms(),
                    class_name="grid gap-4 min-w-0",
                ),
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
    return ticket_head(
        AdminTicketState,
        rx.el.p(
            icon("user", class_name="size-4"),
            rx.cond(own["assignee"] != "", own["assignee"], _("Nobody has it yet")),
            class_name="flex items-center gap-2 mt-2",
        ),
        _told(),
        rx.el.div(_deeds(), class_name="flex flex-wrap gap-2 mt-2"),
        due=rx.el.p(due_line(own), class_name="mt-1 empty:hidden"),
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


def _turn(message: RowVar) -> rx.Component:
    return message_turn(
        AdminTicketState,
        message,
        rx.cond(
            message["kind"] == IS_NOTE,
            rx.el.p(_("Internal note: the subscriber does not see it"), class_name="text-sm font-semibold"),
        ),
        author=message["author"],
        class_name=rx.match(
            message["kind"], (IS_NOTE, INTERNAL), (STAFF, f"{OF_STAFF} {MINE}"), f"{PLAIN} {THEIRS}"
        ),
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
        ticket_field(AdminTicketState),
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
