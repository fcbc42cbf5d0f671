"""/diagnostics: what a meter reported about itself and the grid, by severity, a month at a time."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.choices import interval_field, meter_field
from lk_portal.components.diagnostics_events import event_groups, group_icon
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, icon_link, link_button, notice, skeleton
from lk_portal.i18n import _
from lk_portal.metering.types import Severity
from lk_portal.pages.registry import portal_page
from lk_portal.services.seen import Section
from lk_portal.state.diagnostics import DiagnosticsState
from lk_portal.state.diagnostics_url import Layout
from lk_portal.state.diagnostics_view import group_text


@portal_page(
    route="/diagnostics",
    title=_("Diagnostics"),
    icon="pulse",
    menu="main",
    badge=Section.EVENTS,
    order=40,
    on_load=(DiagnosticsState.load,),
)
def diagnostics() -> rx.Component:
    """The form, the period with its arrows, and the events."""
    return rx.cond(
        DiagnosticsState.is_loaded & (DiagnosticsState.meters.length() == 0),
        card(empty(_("There is no meter yet"), _("Meters appear here when the utility has added them."))),
        rx.el.div(
            _form(),
            rx.cond(
                DiagnosticsState.error != "",
                notice(DiagnosticsState.error, kind="error", icon_name="warning"),
            ),
            rx.cond(
                DiagnosticsState.heading != "",
                _period_card(),
                rx.cond(DiagnosticsState.is_loaded, rx.fragment(), skeleton("h-96 w-full")),
            ),
            class_name="grid gap-4 grid-cols-[minmax(0,1fr)]",
        ),
    )


def _form() -> rx.Component:
    return rx.el.form(
        meter_field(
            DiagnosticsState.meters,
            DiagnosticsState.serial,
            key=DiagnosticsState.serial + " " + DiagnosticsState.query,
        ),
        interval_field(key=DiagnosticsState.query, default_value=DiagnosticsState.grain),
        rx.el.fieldset(
            rx.el.legend(_("Events"), class_name="text-sm mb-1"),
            rx.el.div(*(_box(group) for group in Severity), class_name="flex flex-wrap gap-x-5"),
        ),
        rx.el.button(
            _("Show"),
            type="submit",
            class_name="btn btn-primary min-h-11 text-base self-end w-full lg:w-auto",
        ),
        on_submit=DiagnosticsState.show,
        reset_on_submit=False,
        class_name=(
            "card bg-base-100 border border-base-300 p-4 grid gap-3 sm:grid-cols-[minmax(0,1fr)_10rem]"
        ),
        custom_attrs={"aria-label": _("What to show")},
    )


def _box(group: Severity) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=group.value,
            key=DiagnosticsState.query,
            default_checked=DiagnosticsState.groups.contains(group.value),
            class_name="checkbox checkbox-primary shrink-0",
        ),
        group_text(group),
        class_name="flex items-center gap-2 min-h-11 cursor-pointer",
    )


def _period_card() -> rx.Component:
    return card(
        rx.el.div(
            icon_link(_("Earlier"), to=DiagnosticsState.earlier, icon_name="left"),
            rx.el.h2(DiagnosticsState.heading, class_name="text-lg font-semibold grow text-center"),
            icon_link(_("Later"), to=DiagnosticsState.later, icon_name="right"),
            class_name="flex items-center",
        ),
        rx.el.div(
            rx.el.ul(
                *(_count(group) for group in Severity),
                class_name="flex flex-wrap gap-x-4 gap-y-1 max-sm:text-sm",
            ),
            _layouts(),
            class_name="flex flex-wrap items-center justify-between gap-3 my-3",
        ),
        rx.el.p(DiagnosticsState.summary, role="status", class_name="sr-only"),
        rx.cond(DiagnosticsState.note != "", notice(DiagnosticsState.note)),
        rx.cond(
            DiagnosticsState.empty_title != "",
            empty(DiagnosticsState.empty_title, DiagnosticsState.empty_advice),
            event_groups(),
        ),
        _pages(),
    )


def _count(group: Severity) -> rx.Component:
    return rx.el.li(
        group_icon(group),
        rx.el.span(group_text(group), ": "),
        rx.el.span(DiagnosticsState.counts[group.value], class_name="font-semibold tabular-nums"),
        class_name="flex items-center gap-1.5",
    )


def _layouts() -> rx.Component:
    return rx.el.nav(
        _layout_link(_("List"), Layout.LIST, DiagnosticsState.as_list, icon_name="list"),
        _layout_link(_("Table"), Layout.TABLE, DiagnosticsState.as_table, icon_name="table"),
        class_name="flex gap-1",
        custom_attrs={"aria-label": _("View")},
    )


def _layout_link(text: str, layout: Layout, to: rx.Var[str], *, icon_name: str) -> rx.Component:
    is_here = DiagnosticsState.layout == layout.value
    return router_link(
        icon(icon_name),
        rx.el.span(text),
        to=to,
        class_name=rx.cond(is_here, "btn min-h-11 btn-active", "btn min-h-11 btn-ghost"),
        custom_attrs={"aria-current": rx.cond(is_here, "true", "false")},
    )


def _pages() -> rx.Component:
    return rx.el.div(
        rx.cond(
            DiagnosticsState.previous_page != "",
            link_button(_("To the events before"), to=DiagnosticsState.previous_page, icon_name="left"),
        ),
        rx.cond(
            DiagnosticsState.next_page != "",
            link_button(_("More events"), to=DiagnosticsState.next_page, icon_name="right"),
        ),
        class_name="flex flex-wrap gap-2",
    )
