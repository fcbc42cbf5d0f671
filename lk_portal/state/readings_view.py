"""From consumption to what /readings shows: texts, table, and a Plotly figure as plain dictionaries.

Pure: no state, no database, no clock. The figure is a dict and never a `go.Figure`, which would be copied
for every session. Energies come in Wh and leave as kWh for the chart's axis and as texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lk_portal.i18n import (
    _,
    active_locale,
    chart_separators,
    clock_text,
    day_text,
    kwh,
    moment_text,
    month_text,
    short_month_names,
)
from lk_portal.metering.types import Quantity
from lk_portal.services.consumption import Bar, Consumption, Grain, Period
from lk_portal.state.readings_url import readings_url

ZONE_COLORS = ("#5b7083", "#0b6fb8", "#d98324", "#5d9732", "#a05bb0")
"""Zone 0 (no zone) to 4; apart in hue and in lightness, so they differ without colour vision too."""
HOLE_COLOR = "#8a949e"
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class ReadingsView:
    """Everything /readings shows of one period."""

    heading: str
    figure: dict[str, Any]
    rows: list[list[str]]
    legend: list[list[str]]
    total: str
    average: str
    peak: str
    peak_unit: str
    unit: str
    coverage: str
    is_incomplete: bool
    has_estimates: bool
    fresh: str
    is_empty: bool
    summary: str
    targets: list[str]
    earlier: str
    later: str
    back: str


def unit_of(quantity: Quantity) -> str:
    """кВт·ч or квар·ч."""
    return _("kvarh") if quantity.is_reactive else _("kWh")


def quantity_text(quantity: Quantity) -> str:
    """The name of an energy type on the screen."""
    return {
        Quantity.A_PLUS: _("Active import"),
        Quantity.A_MINUS: _("Active export"),
        Quantity.R_PLUS: _("Reactive import"),
        Quantity.R_MINUS: _("Reactive export"),
    }[quantity]


def view_of(consumption: Consumption) -> ReadingsView:
    """Build the view of one period of one metering point."""
    period = consumption.period
    zone = ZoneInfo(consumption.point.timezone)
    unit = unit_of(consumption.quantity)
    labels = [bar_label(bar, period, zone) for bar in consumption.bars]
    targets = [_target(consumption, bar, zone) for bar in consumption.bars]
    has_data = any(bar.covered_s for bar in consumption.bars)
    heading = period_text(period)
    total = kwh(consumption.total_wh)
    peak, peak_at = _peak(consumption, labels) if has_data else ("—", "")
    return ReadingsView(
        heading=heading,
        figure=figure(consumption, labels),
        rows=[
            _row(bar, label, target)
            for bar, label, target in zip(consumption.bars, labels, targets, strict=True)
        ],
        legend=_legend(consumption),
        total=total if has_data else "—",
        average=_average(consumption) if has_data else "—",
        peak=peak,
        peak_unit=f"{unit} · {peak_at}" if has_data else unit,
        unit=unit,
        coverage=coverage_text(consumption),
        is_incomplete=consumption.covered_s < consumption.expected_s,
        has_estimates=any(bar.estimated_s for bar in consumption.bars),
        fresh=_fresh(consumption, zone),
        is_empty=not has_data,
        summary=(
            _("{heading}: {total} {unit}", heading=heading, total=total, unit=unit)
            if has_data
            else f"{heading}: {_('no data')}"
        ),
        targets=targets,
        earlier=_url(consumption, period.previous()),
        later=_url(consumption, period.next()),
        back=_url(consumption, period.parent()) if period.grain is not Grain.YEAR else "",
    )


def period_text(period: Period) -> str:
    """The period as a heading: a day, a month with its year, or a year."""
    if period.grain is Grain.DAY:
        return day_text(period.start)
    if period.grain is Grain.MONTH:
        text = month_text(period.start)
        return text[:1].upper() + text[1:]
    return str(period.start.year)


def bar_label(bar: Bar, period: Period, zone: ZoneInfo) -> str:
    """Under the bar: the hour, the day of the month, or the month's short name."""
    local = bar.start.astimezone(zone)
    if period.grain is Grain.YEAR:
        return short_month_names(active_locale())[local.month - 1]
    if period.grain is Grain.MONTH:
        return str(local.day)
    text = clock_text(bar.start, zone)
    is_repeated = any(
        (bar.start + step).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        for step in (timedelta(hours=-1), timedelta(hours=1))
    )
    return f"{text} {local:%z}" if is_repeated else text


def coverage_text(consumption: Consumption) -> str:
    """How much of the period has data, in words ("данные за N из M часов")."""
    return _(
        "data for {covered} of {expected} hours",
        covered=_hours(consumption.covered_s),
        expected=_hours(consumption.expected_s),
    )


def figure(consumption: Consumption, labels: list[str]) -> dict[str, Any]:
    """The Plotly figure: a column for each slot, stacked by tariff zone; holes as hatched full columns."""
    bars = consumption.bars
    marks = list(range(len(bars)))
    hover = [_hover(bar, label, consumption) for bar, label in zip(bars, labels, strict=True)]
    zones = _zones_used(bars)
    data = [
        {
            "type": "bar",
            "x": marks,
            "y": [_zone_wh(bar, zone) / 1000 if bar.covered_s else None for bar in bars],
            "marker": {
                "color": _color(zone, zones),
                "pattern": {
                    "shape": ["." if bar.estimated_s else "" for bar in bars],
                    "fillmode": "overlay",
                    "fgcolor": "#ffffff",
                    "size": 6,
                    "solidity": 0.25,
                },
            },
            "text": hover,
            "textposition": "none",
            "hovertemplate": "%{text}<extra></extra>",
        }
        for zone in zones
    ]
    if any(bar.is_hole for bar in bars):
        data.append(_hole_trace(bars, marks, hover))
    ticks = [_tick(label, consumption.period) for label in labels]
    return {"data": data, "layout": _layout(ticks, marks, unit_of(consumption.quantity))}


def _hole_trace(bars: tuple[Bar, ...], marks: list[int], hover: list[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": marks,
        "y": [1 if bar.is_hole else None for bar in bars],
        "yaxis": "y2",
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": {"shape": "/", "fgcolor": HOLE_COLOR, "size": 7, "solidity": 0.15},
        },
        "text": hover,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _tick(label: str, period: Period) -> str:
    """What stands under a column: of an hour only its number, for a telephone is narrow."""
    return label[:2] if period.grain is Grain.DAY else label


def _color(zone: int, zones: list[int]) -> str:
    """A meter without zones is drawn in the first zone's colour: grey is for what is missing."""
    return ZONE_COLORS[1 if zones == [0] else zone]


def _layout(labels: list[str], marks: list[int], unit: str) -> dict[str, Any]:
    every = max(1, -(-len(labels) // 16))
    shown = marks[::every]
    return {
        "barmode": "stack",
        "bargap": 0.2,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 52, "r": 8, "t": 24, "b": 36},
        "separators": chart_separators(),
        "dragmode": False,
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {
            "tickvals": shown,
            "ticktext": [labels[mark] for mark in shown],
            "fixedrange": True,
            "range": [-0.6, len(labels) - 0.4],
            "showgrid": False,
            "tickangle": 0,
        },
        "yaxis": {
            "rangemode": "tozero",
            "fixedrange": True,
            "title": {"text": unit, "standoff": 4},
            "nticks": 6,
        },
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "hoverlabel": {"align": "left"},
    }


def _zones_used(bars: tuple[Bar, ...]) -> list[int]:
    used = [zone for zone in range(5) if any(_zone_wh(bar, zone) for bar in bars)]
    return used or [0]


def _zone_wh(bar: Bar, zone: int) -> int:
    return bar.total_wh - sum(bar.zones_wh) if zone == 0 else bar.zones_wh[zone - 1]


def _legend(consumption: Consumption) -> list[list[str]]:
    zones = _zones_used(consumption.bars)
    if zones in ([0], [1]):
        return []
    return [
        [
            _color(zone, zones),
            _("T{zone}", zone=zone) if zone else _("No zone"),
            kwh(sum(_zone_wh(bar, zone) for bar in consumption.bars)),
        ]
        for zone in zones
    ]


def _hover(bar: Bar, label: str, consumption: Consumption) -> str:
    if not bar.expected_s:
        return label
    if bar.is_hole:
        return f"{label}: " + _("no data")
    text = f"{label}: {kwh(bar.total_wh)} {unit_of(consumption.quantity)}"
    return text + "<br>" + note(bar) if note(bar) else text


def note(bar: Bar) -> str:
    """What is to be known of a value besides the number; "" when it is whole and measured."""
    if bar.is_hole:
        return _("no data")
    parts = []
    if bar.covered_s < bar.expected_s:
        parts.append(
            _(
                "data for {covered} of {expected} hours",
                covered=_hours(bar.covered_s),
                expected=_hours(bar.expected_s),
            )
        )
    if bar.estimated_s:
        parts.append(_("estimated"))
    return ", ".join(parts)


def _row(bar: Bar, label: str, target: str) -> list[str]:
    value = kwh(bar.total_wh) if bar.covered_s else "—"
    return [label, value, note(bar) if bar.expected_s else "", target]


def _hours(seconds: int) -> str:
    hours = seconds / SECONDS_PER_HOUR
    return kwh(round(hours * 1000), digits=0 if hours == int(hours) else 1)


def _average(consumption: Consumption) -> str:
    days = consumption.covered_s / (24 * SECONDS_PER_HOUR)
    return kwh(round(consumption.total_wh / days)) if days else "—"


def _peak(consumption: Consumption, labels: list[str]) -> tuple[str, str]:
    """The largest column and what stands under it."""
    best = max(range(len(labels)), key=lambda index: consumption.bars[index].total_wh)
    return kwh(consumption.bars[best].total_wh), labels[best]


def _fresh(consumption: Consumption, zone: ZoneInfo) -> str:
    if consumption.data_until is None:
        return ""
    return _("Data as of {moment}", moment=moment_text(consumption.data_until, zone))


def _target(consumption: Consumption, bar: Bar, zone: ZoneInfo) -> str:
    finer = {Grain.YEAR: Grain.MONTH, Grain.MONTH: Grain.DAY}.get(consumption.period.grain)
    if finer is None or not bar.expected_s:
        return ""
    return _url(consumption, Period.containing(finer, bar.start.astimezone(zone).date()))


def _url(consumption: Consumption, period: Period) -> str:
    return readings_url(serial=consumption.point.serial, period=period, quantity=consumption.quantity)
