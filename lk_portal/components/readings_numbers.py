"""The numbers beside the chart of /readings, its comparison, and the same as a table."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import figure_text, link
from lk_portal.i18n import _
from lk_portal.state.readings import ReadingsState

ROWS_ID = "chart-rows"
"""Of the table's body: keys in the chart walk along its rows."""


def numbers() -> rx.Component:
    """Total, average, peak; tariff zones; holes and estimates; freshness."""
    return rx.el.div(
        rx.el.dl(
            figure_text(_("Total"), ReadingsState.total, unit=ReadingsState.unit),
            figure_text(_("Average per day"), ReadingsState.average, unit=ReadingsState.unit),
            figure_text(_("Peak"), ReadingsState.peak, unit=ReadingsState.peak_unit),
            class_name="grid grid-cols-2 lg:grid-cols-1 gap-3",
        ),
        rx.el.ul(rx.foreach(ReadingsState.legend, _legend_entry), class_name="grid gap-1 mt-3"),
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
        rx.el.p(
            ReadingsState.summary, " ", ReadingsState.comparison_summary, role="status", class_name="sr-only"
        ),
    )


def _legend_entry(entry: rx.Var[list[str]]) -> rx.Component:
    return rx.el.li(
        rx.el.span(class_name="swatch", style={"background": entry[0]}),
        rx.el.span(entry[1], class_name="grow"),
        rx.el.span(entry[2], class_name="tabular-nums"),
        class_name="flex items-center gap-2",
    )


def comparison() -> rx.Component:
    """The earlier period in figures, over what both have in full; nothing when none is compared."""
    return _if_compared(
        rx.el.div(
            rx.el.h4(
                rx.el.span(class_name="swatch swatch-outline"),
                rx.el.span(_("Compared with"), ": ", ReadingsState.other_heading),
                class_name="flex items-center gap-2 font-semibold",
            ),
            rx.cond(
                ReadingsState.is_comparable,
                rx.el.dl(
                    figure_text(
                        _("Difference"), ReadingsState.difference, unit=ReadingsState.difference_unit
                    ),
                    figure_text(_("Now"), ReadingsState.now_total, unit=ReadingsState.unit),
                    figure_text(_("Then"), ReadingsState.then_total, unit=ReadingsState.unit),
                    class_name="grid grid-cols-2 md:grid-cols-3 gap-3 mt-2",
                ),
            ),
            rx.foreach(ReadingsState.comparison_notes, lambda text: rx.el.p(text, class_name="mt-2 text-sm")),
            id="comparison",
            class_name="mt-4 pt-4 border-t border-base-300",
        )
    )


def table_twin() -> rx.Component:
    """A row for each column of the chart; its name leads into it."""
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
                        _if_compared(
                            rx.el.th(
                                ReadingsState.other_heading,
                                ", ",
                                ReadingsState.unit,
                                scope="col",
                                class_name="text-right",
                            )
                        ),
                    )
                ),
                rx.el.tbody(rx.foreach(ReadingsState.rows, _row), id=ROWS_ID),
                class_name="table",
            ),
            class_name="overflow-x-auto",
        ),
        class_name="card bg-base-100 border border-base-300",
    )


def _row(row: rx.Var[list[str]]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.cond(row[3] != "", link(row[0], to=row[3]), row[0]), scope="row", class_name="font-normal"
        ),
        rx.el.td(row[1], class_name="text-right tabular-nums"),
        rx.el.td(row[2]),
        _if_compared(rx.el.td(row[4], class_name="text-right tabular-nums")),
    )


def _if_compared(cell: rx.Component) -> rx.Component:
    return rx.cond(ReadingsState.other_heading != "", cell)
