"""The map of completeness as a Plotly figure of plain dictionaries, and as a table. For `state.polling`.

Plotly's small bundle has no heat maps, so a cell is a column of height one, stacked on those below. A hole is
the lightest, and hatched: not told by its colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lk_portal.i18n import _, day_in_year
from lk_portal.services.completeness import Completeness, GatewayDays

STEPS = ((0.999, "#08519c"), (0.95, "#3182bd"), (0.8, "#6baed6"), (0.5, "#bdd7e7"), (0.0, "#eff3ff"))
"""From so much on a cell has this colour: the more there is the darker."""
CLEAR = "rgba(0,0,0,0)"
HOLE_BELOW = 0.8
"""What lacks more is hatched."""
HATCH = "#5b6670"
TICKS, LONGEST_LABEL = 3, 18
"""Under and beside the map: a telephone leaves it a third of its width."""


def heat_figure(found: Completeness) -> dict[str, Any]:
    """A row of cells for every gateway, all together on top; days from left to right."""
    rows = list(reversed(found.rows))
    labels = [row_name(row) for row in rows]
    days = [day_in_year(day) for day in found.days]
    return {
        "data": [_trace(row, label, days) for row, label in zip(rows, labels, strict=True)],
        "layout": _layout(labels, days),
    }


def heat_table(found: Completeness) -> list[list[str]]:
    """The same as texts: name, meters, share of all days, then the share of each day."""
    return [
        [row_name(row), str(row.meters), percent(row.share), *(percent(share) for share in row.shares)]
        for row in found.rows
    ]


def summary_of(found: Completeness) -> str:
    """What the map shows, in a sentence."""
    whole = found.rows[0]
    worst = found.rows[1] if len(found.rows) > 1 else None
    text = _("Data of {days} days are complete by {share}.", days=len(found.days), share=percent(whole.share))
    if worst is None or worst.share is None or worst.share >= STEPS[0][0]:
        return text
    return f"{text} " + _("The worst gateway: {name}, {share}.", name=worst.name, share=percent(worst.share))


def row_name(row: GatewayDays) -> str:
    """What a row is called."""
    return row.name if row.gateway_id else _("All gateways")


def percent(share: float | None) -> str:
    """A share as people read it; it is 100 only when nothing is missing. A dash where nothing should be."""
    if share is None:
        return "—"
    return "100 %" if share >= STEPS[0][0] else f"{min(99, round(share * 100))} %"


def _trace(row: GatewayDays, label: str, days: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": label,
        "x": list(days),
        "y": [1] * len(days),
        "marker": {
            "color": [_color(share) for share in row.shares],
            "line": {"width": 0},
            "pattern": {
                "shape": ["/" if share is not None and share < HOLE_BELOW else "" for share in row.shares],
                "fillmode": "overlay",
                "fgcolor": HATCH,
                "size": 6,
                "solidity": 0.2,
            },
        },
        "customdata": [percent(share) for share in row.shares],
        "hovertemplate": "%{x}: %{customdata}",
    }


def _color(share: float | None) -> str:
    if share is None:
        return CLEAR
    return next(color for least, color in STEPS if share >= least)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _layout(labels: Sequence[str], days: Sequence[str]) -> dict[str, Any]:
    every = max(1, -(-len(days) // TICKS))
    return {
        "barmode": "stack",
        "bargap": 0.06,
        "showlegend": False,
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 36},
        "dragmode": False,
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {
            "type": "category",
            "tickvals": list(range(0, len(days), every)),
            "fixedrange": True,
            "showgrid": False,
            "tickangle": 0,
        },
        "yaxis": {
            "tickvals": [number + 0.5 for number in range(len(labels))],
            "ticktext": [_short(label) for label in labels],
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "range": [0, len(labels)],
        },
        "hoverlabel": {"align": "left"},
    }
