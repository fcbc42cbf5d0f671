"""The tab "Таблица показаний" of /readings: what the registers showed, page by page."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.choices import meter_field
from lk_portal.components.export_menu import export_menu
from lk_portal.components.kit import card, empty, field, icon_link, notice
from lk_portal.components.readings_form import date_input, energy_field
from lk_portal.i18n import _
from lk_portal.state.readings import ReadingsState
from lk_portal.state.readings_table import ReadingsTableState


def register_table() -> rx.Component:
    """The form and the table."""
    return rx.el.div(
        rx.el.h2(_("Table of readings"), class_name="sr-only"),
        _form(),
        rx.cond(
            ReadingsTableState.error != "",
            notice(ReadingsTableState.error, kind="error", icon_name="warning"),
        ),
        rx.cond(
            ReadingsTableState.columns.length() > 0,
            _page(),
            rx.cond(
                ReadingsTableState.empty_title != "",
                card(_arrows(), empty(ReadingsTableState.empty_title, ReadingsTableState.empty_advice)),
            ),
        ),
        class_name="grid grid-cols-1 gap-4",
    )


def _form() -> rx.Component:
    return rx.el.form(
        meter_field(ReadingsState.meters, ReadingsTableState.serial, class_name="col-span-2 lg:col-span-4"),
        energy_field(ReadingsTableState.energy),
        field(_("Date"), date_input("date", ReadingsTableState.day), for_id="date"),
        rx.el.button(
            _("Show"),
            type="submit",
            class_name="btn btn-primary min-h-11 text-base self-end col-span-2 lg:col-span-1",
        ),
        on_submit=ReadingsTableState.show,
        reset_on_submit=False,
        class_name="card bg-base-100 border border-base-300 p-4 grid gap-3 grid-cols-2 lg:grid-cols-4",
        custom_attrs={"aria-label": _("What to show"), "data-lk-keep-focus": ""},
    )


def _page() -> rx.Component:
    return card(
        _arrows(),
        rx.cond(
            ReadingsTableState.rows.length() > 0,
            rx.el.div(export_menu(ReadingsTableState.export_query), class_name="flex justify-end"),
        ),
        rx.el.div(
            rx.el.table(
                rx.el.thead(rx.el.tr(_head())),
                rx.el.tbody(rx.foreach(ReadingsTableState.rows, _row)),
                class_name="table table-sm register-table",
            ),
            class_name="overflow-x-auto",
            tab_index=0,
            role="region",
            custom_attrs={"aria-label": _("Table of readings")},
        ),
        rx.cond(
            ReadingsTableState.ratio_note != "",
            rx.el.p(ReadingsTableState.ratio_note, class_name="text-sm"),
        ),
    )


def _arrows() -> rx.Component:
    """The newest readings stand above, so the later page is to the right, as with the chart's periods."""
    return rx.el.div(
        _arrow(_("Earlier"), ReadingsTableState.earlier, "left"),
        rx.el.h3(ReadingsTableState.heading, class_name="text-lg font-semibold grow text-center"),
        _arrow(_("Later"), ReadingsTableState.later, "right"),
        class_name="flex items-center min-h-11",
    )


def _arrow(label: str, to: rx.Var[str], icon_name: str) -> rx.Component:
    return rx.cond(
        to != "", icon_link(label, to=to, icon_name=icon_name), rx.el.span(class_name="size-11 shrink-0")
    )


def _head() -> rx.Component:
    return rx.fragment(
        rx.el.th(_("Date and time"), scope="col"),
        rx.cond(ReadingsTableState.has_serials, rx.el.th(_("Meter"), scope="col")),
        rx.foreach(
            ReadingsTableState.columns, lambda name: rx.el.th(name, scope="col", class_name="text-right")
        ),
        rx.el.th(ReadingsTableState.consumption_column, scope="col", class_name="text-right"),
        rx.el.th(_("Quality"), scope="col"),
    )


def _row(row: rx.Var[list[str]]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(row[0], scope="row", class_name="font-normal whitespace-nowrap"),
        rx.cond(ReadingsTableState.has_serials, rx.el.td(row[1])),
        rx.foreach(row[4:], lambda value: rx.el.td(value, class_name="text-right tabular-nums")),
        rx.el.td(row[3], class_name="text-right tabular-nums"),
        rx.el.td(row[2]),
    )
