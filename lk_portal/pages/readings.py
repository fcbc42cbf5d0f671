"""/readings, tab "График потребления": consumption over a day, a month or a year."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.chart import consumption_chart
from lk_portal.components.icons import icon
from lk_portal.components.kit import (
    card,
    empty,
    field,
    figure_text,
    icon_link,
    link,
    link_button,
    notice,
    select,
)
from lk_portal.i18n import _, month_names
from lk_portal.metering.types import Quantity
from lk_portal.pages.registry import portal_page
from lk_portal.services.seen import Section
from lk_portal.state.readings import ReadingsState
from lk_portal.state.readings_view import quantity_text

COLUMNS = "grid-cols-[3fr_5fr] lg:grid-cols-4"
PICKER = "col-span-2 order-1 lg:order-none lg:col-span-1"
"""On a telephone the period has a row of its own, below interval and energy."""


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
    """The form, the chart with its numbers beside it, and the same as a table."""
    return rx.el.div(
        rx.el.h2(_("Consumption chart"), class_name="text-lg font-semibold mb-3"),
        rx.cond(
            ReadingsState.is_loaded & (ReadingsState.meters.length() == 0),
            card(empty(_("There is no meter yet"), _("Meters appear here when the utility has added them."))),
            rx.el.div(_form(), _error(), _chart_card(), _table(), class_name="grid gap-4"),
        ),
    )


def _form() -> rx.Component:
    return rx.el.form(
        field(
            _("Meter"),
            select(
                "meter",
                rx.foreach(ReadingsState.meters, lambda meter: rx.el.option(meter[1], value=meter[0])),
                key=ReadingsState.serial,
                default_value=ReadingsState.serial,
            ),
            for_id="meter",
            class_name="col-span-2 lg:col-span-4",
        ),
        field(
            _("Interval"),
            select(
                "interval",
                rx.el.option(_("Day"), value="day"),
                rx.el.option(_("Month"), value="month"),
                rx.el.option(_("Year"), value="year"),
                value=ReadingsState.grain,
                on_change=ReadingsState.pick_grain,
            ),
            for_id="interval",
        ),
        _period_picker(),
        field(
            _("Type of energy"),
            select(
                "energy",
                *(rx.el.option(quantity_text(quantity), value=quantity.name) for quantity in Quantity),
                key=ReadingsState.energy,
                default_value=ReadingsState.energy,
            ),
            for_id="energy",
        ),
        rx.el.button(
            _("Show"),
            type="submit",
            class_name=(
                "btn btn-primary min-h-11 text-base self-end order-2 col-span-2 lg:order-none lg:col-span-1"
            ),
        ),
        on_submit=ReadingsState.show,
        reset_on_submit=False,
        class_name=f"card bg-base-100 border border-base-300 p-4 grid gap-3 {COLUMNS}",
        custom_attrs={"aria-label": _("What to show")},
    )


def _period_picker() -> rx.Component:
    return rx.match(
        ReadingsState.grain,
        ("day", rx.el.div(_day_picker(), class_name=PICKER)),
        ("month", rx.el.div(_month_picker(), _year_picker(), class_name=f"{PICKER} grid grid-cols-2 gap-3")),
        rx.el.div(_year_picker(), class_name=PICKER),
    )


def _day_picker() -> rx.Component:
    return field(
        _("Period"),
        rx.el.input(
            id="day",
            name="day",
            type="date",
            key=ReadingsState.day,
            default_value=ReadingsState.day,
            required=True,
            class_name="input w-full min-h-11 text-base",
        ),
        for_id="day",
    )


def _month_picker() -> rx.Component:
    return field(
        _("Period"),
        select(
            "month",
            *(rx.el.option(name, value=str(number)) for number, name in enumerate(month_names(), start=1)),
            key=ReadingsState.month,
            default_value=ReadingsState.month,
        ),
        for_id="month",
    )


def _year_picker() -> rx.Component:
    return field(
        _("Year"),
        select(
            "year",
            rx.foreach(ReadingsState.years, lambda year: rx.el.option(year, value=year)),
            key=ReadingsState.year,
            default_value=ReadingsState.year,
        ),
        for_id="year",
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
        rx.cond(
            ReadingsState.back != "",
            link_button(_("Back"), to=ReadingsState.back, icon_name="back", class_name="self-start"),
        ),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    ReadingsState.is_empty,
                    empty(
                        _("No data for this period"), _("Choose another period or another type of energy.")
                    ),
                    consumption_chart(
                        ReadingsState.figure, summary=ReadingsState.summary, on_click=ReadingsState.open_bar
                    ),
                ),
                class_name="min-w-0",
            ),
            _figures(),
            class_name="grid gap-4 lg:grid-cols-[1fr_14rem]",
        ),
    )


def _figures() -> rx.Component:
    return rx.el.div(
        rx.el.dl(
            figure_text(_("Total"), ReadingsState.total, unit=ReadingsState.unit),
            figure_text(_("Average per day"), ReadingsState.average, unit=ReadingsState.unit),
            figure_text(_("Peak"), ReadingsState.peak, unit=ReadingsState.peak_unit),
            class_name="grid grid-cols-2 lg:grid-cols-1 gap-3",
        ),
        rx.el.ul(
            rx.foreach(
                ReadingsState.legend,
                lambda entry: rx.el.li(
                    rx.el.span(class_name="swatch", style={"background": entry[0]}),
                    rx.el.span(entry[1], class_name="grow"),
                    rx.el.span(entry[2], class_name="tabular-nums"),
                    class_name="flex items-center gap-2",
                ),
            ),
            class_name="grid gap-1 mt-3",
        ),
        rx.cond(
            ReadingsState.is_incomplete,
            rx.el.p(
                rx.el.span(class_name="swatch swatch-hole"),
                rx.el.span(ReadingsState.coverage),
                class_name="flex items-center gap-2 mt-3",
            ),
        ),
        rx.cond(
            ReadingsState.has_estimates,
            rx.el.p(_("Dotted columns hold estimated values."), class_name="mt-2 text-sm"),
        ),
        rx.el.p(ReadingsState.fresh, id="fresh", class_name="mt-3 text-sm"),
        rx.el.p(ReadingsState.summary, role="status", class_name="sr-only"),
    )


def _table() -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            icon("right", class_name="size-4"),
            _("The same as a table"),
            class_name="list-none min-h-11 flex items-center gap-2 cursor-pointer px-4",
        ),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(_("Period"), scope="col"),
                        rx.el.th(
                            _("Consumption"), ", ", ReadingsState.unit, scope="col", class_name="text-right"
                        ),
                        rx.el.th(_("Quality"), scope="col"),
                    )
                ),
                rx.el.tbody(rx.foreach(ReadingsState.rows, _table_row)),
                class_name="table",
            ),
            class_name="overflow-x-auto",
        ),
        class_name="card bg-base-100 border border-base-300",
    )


def _table_row(row: rx.Var[list[str]]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.cond(row[3] != "", link(row[0], to=row[3]), row[0]), scope="row", class_name="font-normal"
        ),
        rx.el.td(row[1], class_name="text-right tabular-nums"),
        rx.el.td(row[2]),
    )
