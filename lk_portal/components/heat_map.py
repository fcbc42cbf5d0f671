"""The map of holes: a figure, a sentence, and the same as a table. Brings Plotly's bundle along."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import reflex as rx
from reflex_components_plotly.plotly import PlotlyBasic

from lk_portal.components.chart import CONFIG
from lk_portal.components.kit import link
from lk_portal.i18n import _


def heat_map(state: Any) -> rx.Component:
    """The map of a state that has `figure`, `summary`, `days`, `table` and `links`."""
    return rx.fragment(
        rx.el.p(state.summary, id="map-summary"),
        rx.el.div(
            PlotlyBasic.create(
                data=state.figure.to(go.Figure),
                template=go.layout.Template(),
                config=CONFIG,
                style={"width": "100%", "height": "100%"},
            ),
            class_name="chart",
            custom_attrs={"aria-hidden": "true"},
        ),
        rx.el.p(
            _("The darker the more data. Hatched: more than a fifth is missing. No colour: nothing was due."),
            class_name="text-sm",
        ),
        _table(state),
    )


def _table(state: Any) -> rx.Component:
    table = rx.el.table(
        rx.el.caption(_("Completeness of the data by day"), class_name="sr-only"),
        rx.el.thead(
            rx.el.tr(
                rx.el.th(_("Gateway"), scope="col"),
                rx.el.th(_("Meters"), scope="col", class_name="text-right"),
                rx.el.th(_("All days"), scope="col", class_name="text-right"),
                rx.foreach(state.days, lambda day: rx.el.th(day, scope="col", class_name="text-right")),
            )
        ),
        rx.el.tbody(rx.foreach(state.table, lambda row, number: _row(state, row, number))),
        class_name="table table-sm tabular-nums whitespace-nowrap",
    )
    return rx.el.details(
        rx.el.summary(_("As a table"), class_name="link min-h-11 inline-flex items-center cursor-pointer"),
        rx.el.div(
            table,
            class_name="overflow-x-auto",
            tab_index=0,
            role="region",
            custom_attrs={"aria-label": _("Completeness of the data by day")},
        ),
    )


def _row(state: Any, row: Any, number: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.cond(state.links[number] != "", link(row[0], to=state.links[number]), row[0]),
            scope="row",
        ),
        rx.foreach(row[1:], lambda cell: rx.el.td(cell, class_name="text-right")),
        key=number,
    )
