"""Parts of the staff's desk: the tabs of the queue, the mark of what is late, and whose a ticket is."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.diagnostics_events import group_icon
from lk_portal.components.facts import fact, load_line
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, link_button
from lk_portal.components.ticket_parts import RowVar
from lk_portal.i18n import _
from lk_portal.metering.types import Severity

HEADING = "text-lg font-semibold mb-3"


def queue_tab(
    text: str, *, to: rx.Var[str], count: rx.Var[str], is_here: rx.Var[bool], class_name: str = ""
) -> rx.Component:
    """A queue with how much waits in it."""
    return router_link(
        rx.el.span(text),
        rx.cond(count != "", rx.el.span(count, class_name="badge badge-outline tabular-nums")),
        to=to,
        class_name=rx.cond(is_here, "menu-link menu-link-here", "menu-link") + f" {class_name}",
        custom_attrs={"aria-current": rx.cond(is_here, "page", "false")},
    )


def due_line(ticket: RowVar) -> rx.Component:
    """By when the answer is due; what is late has a word and an icon, for colour alone says too little."""
    return rx.cond(
        ticket["due"] != "",
        rx.el.span(
            rx.cond(
                ticket["overdue"] != "",
                rx.el.span(
                    icon("warning", class_name="size-4"),
                    rx.el.span(_("Overdue")),
                    class_name="badge badge-error badge-outline text-base-content h-auto min-h-6 gap-1.5",
                ),
            ),
            rx.el.span(ticket["due"], class_name="font-medium"),
            class_name="inline-flex flex-wrap items-center gap-x-2 gap-y-1",
            custom_attrs={"data-overdue": ticket["overdue"]},
        ),
    )


def subscriber_card(
    facts: rx.Var[list[dict[str, str]]],
    meters: rx.Var[list[dict[str, str]]],
    events: rx.Var[list[dict[str, str]]],
    *,
    cabinet: rx.Var[str],
) -> rx.Component:
    """Who wrote: person, account, what the meters do now and reported last; the way into her cabinet."""
    return card(
        rx.el.h2(_("Subscriber"), class_name=HEADING),
        rx.el.dl(
            rx.foreach(facts, lambda row: fact(row["name"], row["value"])),
            class_name="grid gap-y-3 gap-x-6 sm:grid-cols-2 lg:grid-cols-1",
        ),
        rx.el.h3(_("Meters"), class_name="font-semibold mt-5 mb-1"),
        rx.cond(
            meters.length() > 0,
            rx.el.ul(rx.foreach(meters, _meter), class_name="divide-y divide-base-300"),
            rx.el.p(_("No meter stands there."), class_name="text-sm"),
        ),
        rx.el.h3(_("Last events"), class_name="font-semibold mt-5 mb-1"),
        rx.cond(
            events.length() > 0,
            rx.el.ul(rx.foreach(events, _event), class_name="divide-y divide-base-300"),
            rx.el.p(_("The meters have reported nothing."), class_name="text-sm"),
        ),
        link_button(
            _("Through the subscriber's eyes"),
            to=cabinet,
            icon_name="user",
            class_name="self-start mt-3 -ml-4",
        ),
    )


def _meter(meter: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.p(meter["model"], ", ", meter["serial"], class_name="font-medium break-words"),
        load_line(meter["load_state"], meter["load"]),
        rx.el.p(meter["fresh"], class_name="text-sm"),
        key=meter["serial"],
        class_name="py-2",
    )


def _event(event: RowVar) -> rx.Component:
    return rx.el.li(
        rx.match(event["kind"], *((group.value, group_icon(group)) for group in Severity), icon("info")),
        rx.el.div(
            rx.el.p(event["name"], class_name="break-words"),
            rx.el.p(event["word"], " · ", event["at"], class_name="text-sm"),
            class_name="min-w-0",
        ),
        class_name="flex items-start gap-2 py-2",
    )
