"""/support: current and closed обращения, and with ?new=1 the form of a new one."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, field, link, link_button, select, skeleton, text_input
from lk_portal.components.ticket_parts import (
    RowVar,
    described,
    error_place,
    files_field,
    status_badge,
    text_field,
    ticket_form,
)
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import SUPPORT
from lk_portal.services.seen import Section
from lk_portal.services.ticket_rules import CATEGORIES
from lk_portal.state.support import ARCHIVE, SupportState


@portal_page(
    route=SUPPORT,
    title=_("Support"),
    icon="chat",
    menu="main",
    badge=Section.SUPPORT,
    order=50,
    on_load=(SupportState.load,),
)
def support() -> rx.Component:
    """The form, or the lists with the button that leads to it."""
    return rx.cond(
        SupportState.is_loaded,
        rx.cond(SupportState.is_form, _new(), _lists()),
        rx.el.div(skeleton("h-11 w-64 mb-4"), skeleton("h-28 w-full mb-3"), skeleton("h-28 w-full")),
    )


def _lists() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            link(
                _("Create a request"),
                to=f"{SUPPORT}?new=1",
                class_name="btn btn-primary min-h-11 text-base order-first sm:order-last",
            ),
            rx.el.nav(
                _tab(_("Current"), to=SUPPORT, is_here=~SupportState.is_archive),
                _tab(
                    _("Archive of messages"), to=f"{SUPPORT}?tab={ARCHIVE}", is_here=SupportState.is_archive
                ),
                class_name="flex gap-1",
                custom_attrs={"aria-label": _("Requests")},
            ),
            class_name="flex flex-wrap items-center justify-between gap-3 mb-4",
        ),
        rx.cond(SupportState.rows.length() > 0, _rows(), card(_nothing())),
        rx.el.div(
            rx.cond(
                SupportState.back != "",
                link_button(_("To the newest"), to=SupportState.back, icon_name="left"),
            ),
            rx.cond(
                SupportState.further != "",
                link_button(_("Earlier ones"), to=SupportState.further, icon_name="right"),
            ),
            class_name="flex flex-wrap gap-2 mt-3",
        ),
    )


def _tab(text: str, *, to: str, is_here: rx.Var[bool]) -> rx.Component:
    return rx.cond(
        is_here,
        rx.el.span(
            link(text, to=to, class_name="menu-link menu-link-here"), custom_attrs={"data-lk-here": ""}
        ),
        rx.el.span(link(text, to=to, class_name="menu-link")),
    )


def _rows() -> rx.Component:
    return rx.el.ul(rx.foreach(SupportState.rows, _row), class_name="grid gap-3")


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
        rx.el.p(ticket["account"], class_name="text-sm break-words"),
        rx.el.p(
            _("Changed"),
            " ",
            ticket["updated"],
            rx.cond(ticket["promise"] != "", rx.el.span(" · ", ticket["promise"], class_name="font-medium")),
            class_name="text-sm mt-1",
        ),
        key=ticket["number"],
        class_name="card bg-base-100 border border-base-300 p-4",
    )


def _nothing() -> rx.Component:
    return rx.cond(
        SupportState.is_archive,
        empty(_("The archive is empty"), _("Requests that were closed appear here.")),
        empty(
            _("There are no open requests"),
            _("Press “Create a request” to ask the utility a question."),
        ),
    )


def _new() -> rx.Component:
    return rx.el.div(
        link_button(_("To the requests"), to=SUPPORT, icon_name="back", class_name="-ml-4 mb-2"),
        card(
            rx.el.h2(_("New request"), class_name="text-lg font-semibold mb-3"),
            rx.cond(
                SupportState.accounts.length() > 0,
                ticket_form(
                    rx.cond(SupportState.event != "", _event()),
                    _subject(),
                    rx.el.div(_category(), _account(), class_name="grid gap-4 sm:grid-cols-2"),
                    text_field(_("Text of the request")),
                    files_field(),
                    state=SupportState,
                    button=_("Send"),
                ),
                empty(
                    _("There is no account yet"),
                    _("Add your account first: a request is about one of your accounts."),
                ),
            ),
            class_name="max-w-3xl",
        ),
    )


def _event() -> rx.Component:
    return rx.el.div(
        rx.el.input(type="hidden", name="event", value=SupportState.event_id, read_only=True),
        rx.el.p(
            icon("pulse"),
            rx.el.span(SupportState.event, class_name="break-words min-w-0"),
            class_name="flex gap-2 border-l-4 border-primary pl-3 py-1",
        ),
    )


def _subject() -> rx.Component:
    return rx.el.div(
        field(
            _("Subject"),
            text_input("subject", default_value=SupportState.subject, custom_attrs=described("subject")),
            for_id="subject",
        ),
        error_place("subject"),
    )


def _category() -> rx.Component:
    return rx.el.div(
        field(
            _("Category"),
            select(
                "category",
                rx.el.option(_("Choose"), value=""),
                *(rx.el.option(_(text), value=category.value) for category, text in CATEGORIES.items()),
                default_value=rx.cond(SupportState.event_id != "", "meter", ""),
                custom_attrs=described("category"),
            ),
            for_id="category",
        ),
        error_place("category"),
    )


def _account() -> rx.Component:
    return rx.el.div(
        field(
            _("Personal account"),
            select(
                "account",
                rx.foreach(SupportState.accounts, lambda one: rx.el.option(one[1], value=one[0])),
                default_value=SupportState.account,
                custom_attrs=described("account"),
            ),
            for_id="account",
        ),
        error_place("account"),
    )
