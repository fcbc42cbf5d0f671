"""/admin/connections/[meter]: how a meter is reached, and what comes of reading it now."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.breadcrumb import breadcrumb
from lk_portal.components.facts import facts, load_line
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, link, notice, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.connection import ConnectionState

HEADING = "text-lg font-semibold mb-3"
Row = rx.Var[dict[str, str]]


@portal_page(
    route="/admin/connections/[meter]",
    title=_("Connection of a meter"),
    icon="plug",
    roles=frozenset({Role.OPERATOR, Role.ADMIN}),
    on_load=(ConnectionState.load,),
    tab=rx.cond(ConnectionState.is_shown, f"{_('Meter')} {ConnectionState.serial}", ""),
)
def connection() -> rx.Component:
    """What came of the last poll first, with the button for another."""
    return rx.cond(
        ConnectionState.is_shown,
        rx.el.div(
            breadcrumb((_("Connections"), "/admin/connections"), here=ConnectionState.serial),
            _result(),
            _registers(),
            _archive(),
            card(
                rx.el.h2(_("Connection"), class_name=HEADING),
                rx.el.p(
                    _("Gateway"),
                    ": ",
                    rx.cond(
                        ConnectionState.may_poll,
                        link(
                            ConnectionState.gateway,
                            to=ConnectionState.gateway_url,
                            class_name="link min-h-11 inline-flex items-center",
                        ),
                        rx.el.span(ConnectionState.gateway),
                    ),
                    class_name="mb-3",
                ),
                facts(ConnectionState.facts),
            ),
            class_name="grid gap-4",
        ),
        rx.el.div(skeleton("h-6 w-64 mb-4"), skeleton("h-36 w-full mb-4"), skeleton("h-64 w-full")),
    )


def _result() -> rx.Component:
    """The sentence is a live region: who asked hears the answer when it comes."""
    return card(
        rx.el.h2(_("Last poll"), class_name=HEADING),
        rx.el.div(
            rx.el.p(
                _sign(ConnectionState.phase),
                rx.el.span(ConnectionState.headline, class_name="text-xl font-semibold"),
                rx.cond(
                    (ConnectionState.when != "") & (ConnectionState.phase != "waiting"),
                    rx.el.span(ConnectionState.when, class_name="text-sm"),
                ),
                id="poll-result",
                class_name="flex flex-wrap items-center gap-x-3 gap-y-1",
                custom_attrs={"data-phase": ConnectionState.phase},
            ),
            rx.cond(
                ConnectionState.phase == "waiting",
                rx.el.p(
                    _("The result comes by itself. If it does not come for minutes, no worker is running."),
                    class_name="mt-2",
                ),
                rx.fragment(
                    rx.cond(
                        ConnectionState.advice != "",
                        rx.el.p(
                            rx.el.strong(_("What to do:")), " ", ConnectionState.advice, class_name="mt-2"
                        ),
                    ),
                    rx.cond(
                        ConnectionState.technical != "",
                        rx.el.p(
                            rx.el.span(_("For specialists:")),
                            " ",
                            rx.el.code(ConnectionState.technical, lang="en", id="poll-code"),
                            class_name="text-sm mt-2 break-words",
                        ),
                    ),
                ),
            ),
            role="status",
        ),
        rx.cond(
            ConnectionState.problem != "",
            notice(ConnectionState.problem, kind="error", icon_name="warning"),
        ),
        rx.cond(
            ConnectionState.may_poll & (ConnectionState.phase != "off"),
            rx.el.button(
                icon("refresh"),
                _("Poll now"),
                type="button",
                on_click=ConnectionState.poll_now,
                class_name="btn btn-primary min-h-11 text-base mt-4 self-start",
            ),
        ),
    )


def _sign(phase: rx.Var[str]) -> rx.Component:
    return rx.match(
        phase,
        ("good", icon("check", class_name="size-6 text-success")),
        ("bad", icon("critical", class_name="size-6 text-error")),
        ("waiting", icon("clock", class_name="size-6 text-info")),
        icon("info", class_name="size-6"),
    )


def _registers() -> rx.Component:
    return card(
        rx.el.h2(_("What was read"), class_name=HEADING),
        load_line(ConnectionState.load_state, ConnectionState.load_word),
        rx.cond(
            ConnectionState.registers.length() > 0,
            rx.el.ul(
                rx.foreach(ConnectionState.registers, _register),
                class_name="divide-y divide-base-300 mt-2",
            ),
            empty(_("There are no readings yet"), _("They appear here when the meter has been read.")),
        ),
    )


def _archive() -> rx.Component:
    """Holes of the last days, and what became of asking the meter's archive."""
    return card(
        rx.el.h2(_("Missing data of 30 days"), class_name=HEADING),
        rx.el.p(ConnectionState.archive_note, id="archive-note"),
        rx.el.div(
            rx.cond(
                ConnectionState.replay != "",
                rx.el.p(
                    _sign(ConnectionState.replay_phase),
                    rx.el.span(ConnectionState.replay, class_name="font-semibold"),
                    id="replay-result",
                    class_name="flex items-center gap-3 mt-3",
                    custom_attrs={"data-phase": ConnectionState.replay_phase},
                ),
            ),
            rx.cond(
                ConnectionState.replay_advice != "",
                rx.el.p(
                    rx.el.strong(_("What to do:")), " ", ConnectionState.replay_advice, class_name="mt-2"
                ),
            ),
            role="status",
        ),
        rx.cond(
            ConnectionState.replay_problem != "",
            notice(ConnectionState.replay_problem, kind="error", icon_name="warning"),
        ),
        rx.cond(
            ConnectionState.replay_parts.length() > 0,
            rx.el.ul(
                rx.foreach(ConnectionState.replay_parts, _part),
                id="replay-parts",
                class_name="mt-2 text-sm",
            ),
        ),
        rx.cond(
            ConnectionState.holes.length() > 0,
            rx.el.ul(
                rx.foreach(ConnectionState.holes, _hole),
                id="holes",
                class_name="divide-y divide-base-300 mt-3",
            ),
            rx.el.p(_("Nothing is missing."), class_name="mt-3"),
        ),
        rx.el.p(ConnectionState.holes_note, class_name="text-sm"),
    )


def _part(row: Row) -> rx.Component:
    return rx.el.li(row["when"], ": ", row["fate"], key=row["key"], class_name="py-1")


def _hole(row: Row) -> rx.Component:
    return rx.el.li(
        rx.el.span(row["when"], class_name="font-medium tabular-nums sm:w-80"),
        rx.el.span(row["what"], class_name="grow"),
        rx.cond(
            ConnectionState.may_poll & ConnectionState.has_archive,
            rx.el.button(
                icon("download"),
                _("Fetch from the archive"),
                type="button",
                on_click=ConnectionState.fill_hole(row["key"]),
                aria_label=f"{_('Fetch from the archive')}: {row['when']}",
                class_name="btn btn-outline min-h-11 text-base self-start",
            ),
        ),
        key=row["key"],
        class_name="flex flex-col sm:flex-row sm:items-center gap-1 sm:gap-3 py-2",
    )


def _register(row: Row) -> rx.Component:
    return rx.el.li(
        rx.el.span(row["register"], class_name="grow"),
        rx.el.span(row["value"], class_name="font-semibold tabular-nums sm:w-48 sm:text-right"),
        rx.el.span(row["at"], class_name="text-sm tabular-nums sm:w-40 sm:text-right"),
        key=row["register"],
        class_name="flex flex-col sm:flex-row sm:items-baseline sm:gap-3 py-2",
    )
