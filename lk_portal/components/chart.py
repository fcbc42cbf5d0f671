"""The consumption chart. Only pages that show one import this module: it brings Plotly's bundle along.

The chart is one stop for the Tab key. In it, arrows walk along the columns and Enter goes into one; what a
column holds is said aloud and written below. assets/walk.js does this from the table with the same columns.
"""

from __future__ import annotations

import plotly.graph_objects as go
import reflex as rx
from reflex_components_plotly.plotly import PlotlyBasic

from lk_portal.i18n import _
from lk_portal.services.table_choice import TABLE

CONFIG = {"displayModeBar": False, "responsive": True, "doubleClick": False, "scrollZoom": False}
SCRIPT = "/walk.js"
_LOAD_EARLY = f"""
if (typeof document !== "undefined" && document.readyState !== "complete"
    && new URLSearchParams(location.search).get("tab") !== "{TABLE}") {{
  import("plotly.js-basic-dist-min").catch(() => undefined);
}}
"""


class _EarlyPlotly(PlotlyBasic):
    """Plotly, asked for as soon as the page's own script is there, and not only with the first figure.

    It is two thirds of what the page weighs, and meanwhile the page has nothing to load: it waits for the
    websocket and the data. A page that opens on the table never needs it.
    """

    def _get_dynamic_imports(self) -> str:
        return super()._get_dynamic_imports() + _LOAD_EARLY


def walking_script() -> rx.Component:
    """The script behind the keys; React loads it once, on the pages that have it."""
    return rx.el.script(src=SCRIPT, custom_attrs={"async": True})


def consumption_chart(figure: rx.Var[dict[str, object]], *, on_click: rx.EventHandler) -> rx.Component:
    """Columns over time; `figure` is a Plotly figure as a dict. What it says stands in words around it."""
    return rx.el.div(
        _EarlyPlotly.create(
            data=figure.to(go.Figure),
            template=go.layout.Template(),
            config=CONFIG,
            on_click=on_click,
            style={"width": "100%", "height": "100%"},
        ),
        class_name="chart",
        custom_attrs={"aria-hidden": "true"},
    )


def chart_region(
    chart: rx.Component, *, summary: rx.Var[str], period: rx.Var[str], unit: rx.Var[str], rows_id: str
) -> rx.Component:
    """The frame around a chart that keys walk in.

    Args:
        chart: The chart, or what stands there instead.
        summary: What it shows, in words.
        period: Changes when other columns are shown.
        unit: Of the values.
        rows_id: Of the body of the table with a row for each column: name, value, quality and, if there is
            one, the value compared with; the name is a link if one can go into the column.
    """
    return rx.fragment(
        walking_script(),
        rx.el.div(
            chart,
            rx.el.div(class_name="chart-cursor", hidden=True, custom_attrs={"aria-hidden": "true"}),
            role="application",
            tab_index=0,
            class_name="chart-region",
            custom_attrs={
                "aria-label": summary,
                "aria-roledescription": _("chart"),
                "aria-describedby": "chart-hint",
                "data-lk-chart": rows_id,
                "data-lk-period": period,
                "data-lk-unit": unit,
                "data-lk-then": _("then"),
            },
        ),
        rx.el.p(
            _("Arrows walk along the columns, Enter goes into one."), id="chart-hint", class_name="chart-hint"
        ),
        rx.el.p(id="chart-walked", role="status", class_name="chart-walked"),
    )
