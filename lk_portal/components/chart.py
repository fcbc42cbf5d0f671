"""The consumption chart. Only pages that show one import this module: it brings Plotly's bundle along."""

from __future__ import annotations

import plotly.graph_objects as go
import reflex as rx

CONFIG = {"displayModeBar": False, "responsive": True, "doubleClick": False, "scrollZoom": False}


def consumption_chart(
    figure: rx.Var[dict[str, object]], *, summary: rx.Var[str], on_click: rx.EventHandler
) -> rx.Component:
    """Columns over time; `figure` is a Plotly figure as a dict, `summary` the same in words."""
    return rx.el.div(
        rx.plotly.basic(
            data=figure.to(go.Figure),
            template=go.layout.Template(),
            config=CONFIG,
            on_click=on_click,
            style={"width": "100%", "height": "100%"},
        ),
        role="img",
        class_name="chart",
        custom_attrs={"aria-label": summary},
    )
