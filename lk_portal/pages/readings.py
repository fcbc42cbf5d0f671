"""/readings: the tabs "График потребления" and "Таблица показаний"."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.chart import chart_region, consumption_chart, walking_script
from lk_portal.components.export_menu import export_menu
from lk_portal.components.kit import card, empty, icon_link, link_button, notice
from lk_portal.components.readings_form import chart_form
from lk_portal.components.readings_numbers import ROWS_ID, comparison, numbers, table_twin
from lk_portal.components.readings_table import register_table
from lk_portal.components.tabs import Tab, tab_list, tab_panel
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.seen import Section
from lk_portal.services.table_choice import TABLE
from lk_portal.state.readings import CHART, ReadingsState

PANEL = "readings"


@portal_page(
    route="/readings",
    title=_("Readings"),
    icon="chart",
    menu="main",
    order=30,
    badge=Section.READINGS,
    on_load=(ReadingsState.load,),
)
def readings() -> rx.Component:
    """The tabs, and the one that is open."""
    return rx.cond(
        ReadingsState.is_loaded & (ReadingsState.meters.length() == 0),
        card(empty(_("There is no meter yet"), _("Meters appear here when the utility has added them."))),
        rx.el.div(
            walking_script(),  # tabs are walked too, where no chart is
            tab_list(
                _("Readings"),
                Tab(CHART, _("Consumption chart"), ReadingsState.chart_tab, ReadingsState.tab == CHART),
                Tab(TABLE, _("Table of readings"), ReadingsState.table_tab, ReadingsState.tab == TABLE),
                panel=PANEL,
            ),
            tab_panel(
                rx.cond(ReadingsState.tab == TABLE, register_table(), _chart()),
                panel=PANEL,
                open_key=ReadingsState.tab,
            ),
        ),
    )


def _chart() -> rx.Component:
    return rx.el.div(
        rx.el.h2(_("Consumption chart"), class_name="sr-only"),
        chart_form(),
        _error(),
        rx.cond(ReadingsState.heading != "", rx.fragment(_chart_card(), table_twin())),
        class_name="grid grid-cols-1 gap-4",
    )


def _error() -> rx.Component:
    return rx.cond(ReadingsState.error != "", notice(ReadingsState.error, kind="error", icon_name="warning"))


def _chart_card() -> rx.Component:
    return card(
        rx.el.div(
            icon_link(_("Earlier"), to=ReadingsState.earlier, icon_name="left"),
            rx.el.h3(ReadingsState.heading, class_name="text-lg font-semibold grow text-center"),
            icon_link(_("Later"), to=ReadingsState.later, icon_name="right"),
            class_name="flex items-center",
        ),
        _toolbar(),
        rx.el.div(
            rx.el.div(
                chart_region(
                    rx.cond(
                        ReadingsState.is_empty,
                        empty(ReadingsState.empty_title, ReadingsState.empty_advice),
                        consumption_chart(ReadingsState.figure, on_click=ReadingsState.open_bar),
                    ),
                    summary=ReadingsState.summary,
                    period=ReadingsState.heading,
                    unit=ReadingsState.unit,
                    rows_id=ROWS_ID,
                ),
                comparison(),
                class_name="min-w-0",
            ),
            numbers(),
            class_name="grid gap-4 lg:grid-cols-[1fr_15rem]",
        ),
    )


def _toolbar() -> rx.Component:
    """What can be done with the period: the way back, comparing it, taking it along."""
    return rx.el.div(
        rx.cond(
            ReadingsState.back != "",
            link_button(
                _("Back"), to=ReadingsState.back, icon_name="back", custom_attrs={"data-lk-back": ""}
            ),
        ),
        _comparison_switches(),
        rx.el.div(export_menu(ReadingsState.export_query), class_name="ml-auto"),
        class_name="flex flex-wrap items-center gap-x-6 gap-y-1",
        custom_attrs={"data-lk-keep-focus": ""},
    )


def _comparison_switches() -> rx.Component:
    """A year's previous period is last year."""
    return rx.cond(
        ReadingsState.back == "",
        _switch("year", _("Compare with last year"), is_on=ReadingsState.compare != ""),
        rx.fragment(
            _switch("year", _("Compare with last year"), is_on=ReadingsState.compare == "year"),
            _switch(
                "previous", _("Compare with the previous period"), is_on=ReadingsState.compare == "previous"
            ),
        ),
    )


def _switch(against: str, text: str, *, is_on: rx.Var[bool]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            role="switch",
            id=f"compare-{against}",
            key=f"{ReadingsState.compare}-{ReadingsState.back == ''}",
            default_checked=is_on,
            on_change=lambda is_checked: ReadingsState.compare_with(against, is_checked),
            class_name="toggle",
        ),
        text,
        class_name="flex items-center gap-2 min-h-11 cursor-pointer",
    )
