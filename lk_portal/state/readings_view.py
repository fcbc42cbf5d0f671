"""From consumption to what /readings shows: texts, figures, table, chart. Pure; for `state.readings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from lk_portal.i18n import _, kwh
from lk_portal.services.comparison import Against, Comparison
from lk_portal.services.consumption import Bar, Consumption, Grain, Period
from lk_portal.services.quantity_texts import unit_of
from lk_portal.state.readings_figure import Column, figure, zone_color, zone_wh, zones_used
from lk_portal.state.readings_texts import (
    SECONDS_PER_HOUR,
    bar_label,
    coverage_text,
    empty_texts,
    fresh_text,
    note,
    peak_label,
    period_text,
    slot_text,
    tick_label,
)
from lk_portal.state.readings_url import readings_url

UNKNOWN = "—"


@dataclass(frozen=True, slots=True)
class ReadingsView:
    """Everything /readings shows of one period; a row: name, value, quality, address, value compared with."""

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
    empty_title: str
    empty_advice: str
    summary: str
    targets: list[str]
    earlier: str
    later: str
    back: str


def view_of(
    consumption: Consumption, compared: Comparison | None = None, against: Against | None = None
) -> ReadingsView:
    """Build the view of one period of one metering point, with an earlier one beside it if there is one."""
    period, unit = consumption.period, unit_of(consumption.quantity)
    zone = ZoneInfo(consumption.point.timezone)
    labels = [bar_label(bar, period, zone) for bar in consumption.bars]
    targets = [_target(consumption, bar, zone, against) for bar in consumption.bars]
    others = compared.matched if compared else (None,) * len(labels)
    has_data = any(bar.covered_s for bar in consumption.bars)
    heading = period_text(period)
    total = kwh(consumption.total_wh) if has_data else UNKNOWN
    peak, peak_at = _peak(consumption, zone) if has_data else (UNKNOWN, "")
    empty_title, empty_advice = empty_texts(consumption)
    return ReadingsView(
        heading=heading,
        figure=figure(
            [
                Column(bar, tick_label(bar, period, zone), _hover(bar, label, unit, other), other)
                for bar, label, other in zip(consumption.bars, labels, others, strict=True)
            ],
            unit,
        ),
        rows=[
            _row(bar, label, target, other)
            for bar, label, target, other in zip(consumption.bars, labels, targets, others, strict=True)
        ],
        legend=_legend(consumption.bars),
        total=total,
        average=_average(consumption) if has_data else UNKNOWN,
        peak=peak,
        peak_unit=f"{unit} · {peak_at}" if has_data else unit,
        unit=unit,
        coverage=coverage_text(consumption),
        is_incomplete=consumption.covered_s < consumption.expected_s,
        has_estimates=any(bar.estimated_s for bar in consumption.bars),
        fresh=fresh_text(consumption),
        is_empty=not has_data,
        empty_title=empty_title,
        empty_advice=empty_advice,
        summary=_summary(heading, total, unit) if has_data else f"{heading}: {_('no data')}",
        targets=targets,
        earlier=_url(consumption, period.previous(), against),
        later=_url(consumption, period.next(), against),
        back=_url(consumption, period.parent(), against) if period.grain is not Grain.YEAR else "",
    )


def _summary(heading: str, total: str, unit: str) -> str:
    return _("{heading}: {total} {unit}", heading=heading, total=total, unit=unit)


def _legend(bars: tuple[Bar, ...]) -> list[list[str]]:
    zones = zones_used(bars)
    if zones in ([0], [1]):
        return []
    return [
        [
            zone_color(zone, zones),
            _("T{zone}", zone=zone) if zone else _("No zone"),
            kwh(sum(zone_wh(bar, zone) for bar in bars)),
        ]
        for zone in zones
    ]


def _hover(bar: Bar, label: str, unit: str, other: Bar | None) -> str:
    parts = [text for text in (slot_text(bar, unit), _then(other, unit)) if text]
    return f"{label}: {'<br>'.join(parts)}" if parts else label


def _then(other: Bar | None, unit: str) -> str:
    if other is None or not other.covered_s:
        return ""
    return _("then {value} {unit}", value=kwh(other.total_wh), unit=unit)


def _row(bar: Bar, label: str, target: str, other: Bar | None) -> list[str]:
    quality = note(bar) if bar.expected_s else ""
    return [label, _value(bar), quality, target, _value(other) if other else UNKNOWN]


def _value(bar: Bar) -> str:
    return kwh(bar.total_wh) if bar.covered_s else UNKNOWN


def _average(consumption: Consumption) -> str:
    days = consumption.covered_s / (24 * SECONDS_PER_HOUR)
    return kwh(round(consumption.total_wh / days))


def _peak(consumption: Consumption, zone: ZoneInfo) -> tuple[str, str]:
    """The largest column and its name."""
    best = max(consumption.bars, key=lambda bar: bar.total_wh)
    return kwh(best.total_wh), peak_label(best, consumption.period, zone).replace(" ", "\u00a0")


def _target(consumption: Consumption, bar: Bar, zone: ZoneInfo, against: Against | None) -> str:
    finer = {Grain.YEAR: Grain.MONTH, Grain.MONTH: Grain.DAY}.get(consumption.period.grain)
    if finer is None or not bar.expected_s:
        return ""
    day = bar.start.astimezone(zone).date()
    return _url(consumption, consumption.period.of(finer, day), against)


def _url(consumption: Consumption, period: Period, against: Against | None) -> str:
    return readings_url(
        serial=consumption.point.serial, period=period, quantity=consumption.quantity, against=against
    )
