"""The Plotly figure of /readings as plain dictionaries. Pure; for `state.readings_view`.

It is a dict and never a `go.Figure`, which would be copied for every session. Energies come in Wh and leave
as kWh for the axis. Columns stand at 0, 1, 2...; their names are texts, so that an hour may come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lk_portal.i18n import chart_separators
from lk_portal.services.consumption import Bar

ZONE_COLORS = ("#5b7083", "#0b6fb8", "#d98324", "#5d9732", "#a05bb0")
"""Zone 0 (no zone) to 4; apart in hue and in lightness, so they differ without colour vision too."""
HOLE_COLOR = "#8a949e"
OTHER_COLOR = "#7a8793"
"""The outline of the period compared with; seen on a light and on a dark page."""
CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its bar, what stands under it, what is said of it, and the bar it is compared with."""

    bar: Bar
    tick: str
    hover: str
    other: Bar | None = None


def figure(columns: Sequence[Column], unit: str) -> dict[str, Any]:
    """Columns stacked by tariff zone; an earlier period as outlines; holes hatched from top to bottom."""
    bars = [column.bar for column in columns]
    zones = zones_used(bars)
    data = [_zone_trace(bars, zone, zone_color(zone, zones)) for zone in zones]
    if any(column.other and column.other.covered_s for column in columns):
        data.append(_other_trace(columns))
    data.append(_slot_trace(columns))
    for trace in data:
        trace |= {"type": "bar", "x": list(range(len(bars)))}
    return {"data": data, "layout": _layout([column.tick for column in columns], unit)}


def _zone_trace(bars: Sequence[Bar], zone: int, color: str) -> dict[str, Any]:
    return {
        "y": [zone_wh(bar, zone) / 1000 if bar.covered_s else None for bar in bars],
        "marker": {
            "color": color,
            "pattern": {
                "shape": ["." if bar.estimated_s else "" for bar in bars],
                "fillmode": "overlay",
                "fgcolor": "#ffffff",
                "size": 6,
                "solidity": 0.25,
            },
        },
        "hoverinfo": "skip",
    }


def _other_trace(columns: Sequence[Column]) -> dict[str, Any]:
    """On an axis of its own, so that it is not stacked upon the period's columns."""
    return {
        "y": [c.other.total_wh / 1000 if c.other and c.other.covered_s else None for c in columns],
        "yaxis": "y3",
        "marker": {"color": CLEAR, "line": {"width": 2, "color": OTHER_COLOR}},
        "hoverinfo": "skip",
    }


def _slot_trace(columns: Sequence[Column]) -> dict[str, Any]:
    """Full height over every slot: hatched where there is a hole, else clear; a finger cannot miss it."""
    return {
        "y": [1 if column.bar.expected_s else None for column in columns],
        "yaxis": "y2",
        "marker": {
            "color": CLEAR,
            "line": {"width": 0},
            "pattern": {
                "shape": ["/" if column.bar.is_hole else "" for column in columns],
                "fgcolor": HOLE_COLOR,
                "size": 7,
                "solidity": 0.15,
            },
        },
        "hovertext": [column.hover if column.bar.expected_s else "" for column in columns],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def zone_color(zone: int, zones: Sequence[int]) -> str:
    """A meter without zones is drawn in the first zone's colour: grey is for what is missing."""
    return ZONE_COLORS[1 if zones == [0] else zone]


def zones_used(bars: Sequence[Bar]) -> list[int]:
    """The tariff zones that have energy; 0 is what has no zone."""
    used = [zone for zone in range(5) if any(zone_wh(bar, zone) for bar in bars)]
    return used or [0]


def zone_wh(bar: Bar, zone: int) -> int:
    """Wh (varh) of a bar in a zone; 0 is what has no zone."""
    return bar.total_wh - sum(bar.zones_wh) if zone == 0 else bar.zones_wh[zone - 1]


def _layout(ticks: Sequence[str], unit: str) -> dict[str, Any]:
    every = max(1, -(-len(ticks) // 16))
    shown = range(0, len(ticks), every)
    return {
        "barmode": "stack",
        "bargap": 0.2,
        "showlegend": False,
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "margin": {"l": 52, "r": 8, "t": 24, "b": 36},
        "separators": chart_separators(),
        "dragmode": False,
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {
            "tickvals": list(shown),
            "ticktext": [ticks[mark] for mark in shown],
            "fixedrange": True,
            "range": [-0.6, len(ticks) - 0.4],
            "showgrid": False,
            "tickangle": 0,
            "tickfont": {"size": 11},
        },
        "yaxis": {
            "rangemode": "tozero",
            "fixedrange": True,
            "title": {"text": unit, "standoff": 4},
            "nticks": 6,
        },
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "yaxis3": {"overlaying": "y", "matches": "y", "visible": False, "fixedrange": True},
        "hoverlabel": {"align": "left"},
    }
