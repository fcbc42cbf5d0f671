"""/meters/[meter]: the card of a meter: its load, itself, its verification, and what it shows."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.breadcrumb import breadcrumb
from lk_portal.components.checked_field import checked_field
from lk_portal.components.dialog import cancel_button, dialog
from lk_portal.components.facts import fact, facts, load_badge
from lk_portal.components.gone import no_longer_here
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, link_button, notice, skeleton
from lk_portal.components.own_forms import LONGEST, buttons, submit
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.meters import MAX_OWN_NAME
from lk_portal.state.meter import NAME, MeterState

RowVar = rx.Var[dict[str, str]]
HEADING = "text-lg font-semibold mb-3"


@portal_page(
    route="/meters/[meter]",
    title=_("Meter"),
    icon="meter",
    under="/accounts",
    on_load=(MeterState.load,),
    tab=rx.cond(MeterState.is_shown, f"{_('Meter')} {MeterState.name}", ""),
)
def meter() -> rx.Component:
    """What a person looks for first comes first: is there current, and until when are there data."""
    return rx.cond(
        MeterState.is_shown,
        rx.el.div(
            breadcrumb(
                (_("Personal accounts"), "/accounts"),
                (MeterState.account, MeterState.account_link),
                here=MeterState.name,
            ),
            _heading(),
            rx.el.div(
                rx.cond(MeterState.gone != "", _gone(), _load()),
                card(facts(MeterState.facts)),
                _verification(),
                _readings(),
                _links(),
                class_name="grid gap-4",
            ),
            rx.cond(MeterState.is_renaming, _rename_dialog()),
        ),
        rx.cond(
            MeterState.is_gone,
            no_longer_here(),
            rx.el.div(skeleton("h-6 w-64 mb-4"), skeleton("h-28 w-full mb-4"), skeleton("h-64 w-full")),
        ),
    )


def _heading() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.h2(MeterState.name, class_name="text-xl font-semibold break-all"),
            rx.cond(
                MeterState.gone == "",
                rx.el.button(
                    icon("pencil"),
                    _("Rename"),
                    id="rename",
                    type="button",
                    on_click=MeterState.ask_name,
                    class_name="btn btn-ghost min-h-11",
                ),
            ),
            class_name="flex flex-wrap items-center gap-2",
        ),
        rx.el.p(
            rx.cond(
                MeterState.done != "",
                rx.el.span(
                    icon("check", class_name="size-5 text-success"),
                    MeterState.done,
                    class_name="flex gap-2 items-center",
                ),
            ),
            role="status",
        ),
        class_name="mb-3",
    )


def _load() -> rx.Component:
    load = MeterState.load_texts
    return card(
        rx.el.p(
            rx.el.span(_("Load state:")),
            load_badge(load["load_state"], load["load"], class_name="text-xl font-semibold"),
            rx.el.span(load["load_at"], class_name="text-sm"),
            id="load",
            class_name="flex flex-wrap items-center gap-x-3 gap-y-1",
        ),
        rx.cond(load["reason"] != "", rx.el.p(load["reason"], id="load-reason", class_name="mt-2")),
        rx.cond(
            load["advice"] != "",
            rx.el.p(rx.el.strong(_("What to do:")), " ", load["advice"], id="load-advice", class_name="mt-1"),
        ),
    )


def _gone() -> rx.Component:
    return rx.el.div(
        notice(MeterState.gone),
        rx.cond(
            MeterState.replaced_by_link != "",
            link_button(_("To the new meter"), to=MeterState.replaced_by_link, icon_name="meter"),
        ),
    )


def _verification() -> rx.Component:
    return card(
        rx.el.h2(_("Verification of the meter"), class_name=HEADING),
        rx.cond(
            MeterState.warning != "",
            rx.el.div(
                rx.cond(
                    MeterState.is_overdue,
                    notice(MeterState.warning, kind="error", icon_name="critical"),
                    notice(MeterState.warning, kind="warning", icon_name="warning"),
                ),
                class_name="mb-3",
            ),
        ),
        rx.el.dl(
            rx.foreach(MeterState.verification, lambda row: fact(row["name"], row["value"])),
            fact(_("Seal number"), MeterState.seal),
            class_name="grid gap-x-6 gap-y-3 sm:grid-cols-2",
        ),
        rx.cond(
            MeterState.earlier_seals.length() > 0,
            rx.el.details(
                rx.el.summary(
                    _("Earlier seals"), class_name="link min-h-11 inline-flex items-center cursor-pointer"
                ),
                rx.el.ul(rx.foreach(MeterState.earlier_seals, rx.el.li), class_name="list-disc pl-6"),
                class_name="mt-2",
            ),
        ),
    )


def _readings() -> rx.Component:
    return card(
        rx.el.h2(rx.cond(MeterState.gone == "", _("Last readings"), _("Final readings")), class_name=HEADING),
        rx.cond(
            MeterState.readings.length() > 0,
            rx.el.ul(rx.foreach(MeterState.readings, _reading), class_name="divide-y divide-base-300"),
            empty(_("There are no readings yet"), _("They appear here when the meter has been read.")),
        ),
        rx.el.div(
            rx.el.p(MeterState.fresh, id="fresh", class_name="empty:hidden"),
            rx.cond(
                MeterState.late != "",
                rx.el.p(
                    icon("warning", class_name="size-4 mt-1 text-warning"),
                    rx.el.span(MeterState.late),
                    id="late",
                    class_name="flex gap-1.5",
                ),
            ),
            rx.el.p(MeterState.next_poll, class_name="empty:hidden"),
            class_name="mt-3 text-sm grid gap-1",
        ),
    )


def _reading(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.span(row["register"], class_name="grow"),
        rx.el.span(row["value"], class_name="font-semibold tabular-nums sm:w-48 sm:text-right"),
        rx.el.span(row["at"], class_name="text-sm tabular-nums sm:w-40 sm:text-right"),
        key=row["register"],
        class_name="flex flex-col sm:flex-row sm:items-baseline sm:gap-3 py-2",
    )


def _links() -> rx.Component:
    return rx.el.div(
        link_button(_("Consumption chart"), to=MeterState.chart_link, icon_name="chart"),
        link_button(_("Events of the meter"), to=MeterState.events_link, icon_name="pulse"),
        class_name="flex flex-wrap gap-2",
    )


def _rename_dialog() -> rx.Component:
    return dialog(
        _("Renaming the meter"),
        rx.el.form(
            checked_field(
                NAME,
                _("Name of the meter"),
                error=MeterState.error,
                hint=_(
                    "From 1 to {most} characters. The serial number takes your own name away.",
                    most=MAX_OWN_NAME,
                ),
                default_value=MeterState.name,
                auto_complete="off",
                max_length=LONGEST,
            ),
            buttons(submit(_("Apply")), cancel_button(MeterState.close_dialog)),
            on_submit=MeterState.rename,
            reset_on_submit=False,
            class_name="grid gap-3",
        ),
        name="rename-meter",
    )
