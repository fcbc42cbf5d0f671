"""The words of /readings: periods, columns, coverage, and why there is nothing to see.

Pure; for the chart's view, the table of readings and their pages.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from lk_portal.i18n import (
    _,
    active_locale,
    clock_text,
    day_in_year,
    day_text,
    days_text,
    kwh,
    moment_text,
    month_text,
    short_month_names,
)
from lk_portal.services.consumption import Bar, Basis, Consumption, Grain, Period

SECONDS_PER_HOUR = 3600
MINUS = "−"


def period_text(period: Period) -> str:
    """The period as a heading: a day, a month with its year, a year, or the days of a billing period."""
    if period.grain is Grain.DAY:
        return day_text(period.start)
    if period.basis is Basis.BILLING:
        return days_text(period.start, period.last)
    if period.grain is Grain.MONTH:
        text = month_text(period.start)
        return text[:1].upper() + text[1:]
    return str(period.start.year)


def bar_label(bar: Bar, period: Period, zone: ZoneInfo) -> str:
    """A column's name: the hour, the day of the month, the month; of a billing period the day and month."""
    if period.grain is Grain.DAY:
        return _hour_label(bar, zone)
    local = bar.start.astimezone(zone)
    if period.basis is Basis.BILLING:
        return day_in_year(local.date())
    if period.grain is Grain.YEAR:
        return short_month_names(active_locale())[local.month - 1]
    return str(local.day)


def peak_label(bar: Bar, period: Period, zone: ZoneInfo) -> str:
    """The name of a column where no axis stands beside it: a day with its month."""
    if period.grain is Grain.MONTH:
        return day_in_year(bar.start.astimezone(zone).date())
    return bar_label(bar, period, zone)


def _hour_label(bar: Bar, zone: ZoneInfo) -> str:
    local = bar.start.astimezone(zone)
    text = clock_text(bar.start, zone)
    is_repeated = any(
        (bar.start + step).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        for step in (timedelta(hours=-1), timedelta(hours=1))
    )
    return f"{text} {local:%z}" if is_repeated else text


def tick_label(bar: Bar, period: Period, zone: ZoneInfo) -> str:
    """What stands under a column, for which a telephone has little room: an hour's or a day's number only."""
    local = bar.start.astimezone(zone)
    if period.grain is Grain.DAY:
        return f"{local.hour:02}"
    if period.grain is Grain.MONTH:
        return str(local.day)
    return short_month_names(active_locale())[local.month - 1][:3]


def coverage_text(consumption: Consumption) -> str:
    """How much of the period has data, in words ("данные за N из M часов")."""
    is_running = any(bar.is_open for bar in consumption.bars)
    return _coverage(consumption.covered_s, _due_s(consumption, is_running=is_running))


def note(bar: Bar) -> str:
    """What is to be known of a value besides the number; "" when it is whole and measured."""
    if bar.is_hole:
        return _("no data")
    parts = []
    due_s = _due_s(bar, is_running=bar.is_open)
    if bar.covered_s < due_s:
        parts.append(_coverage(bar.covered_s, due_s))
    if bar.estimated_s:
        parts.append(_("estimated"))
    return ", ".join(parts)


def slot_text(bar: Bar, unit: str) -> str:
    """A column's value with what is to be known of it, in words; "" before the meter and in the future."""
    if not bar.expected_s:
        return ""
    if bar.is_hole:
        return note(bar)
    parts = [f"{kwh(bar.total_wh)} {unit}" if bar.covered_s else "", note(bar)]
    return ", ".join(part for part in parts if part)


def _coverage(covered_s: int, due_s: int) -> str:
    return _("data for {covered} of {expected} hours", covered=_hours(covered_s), expected=_hours(due_s))


def _due_s(of: Bar | Consumption, *, is_running: bool) -> int:
    """Seconds there should be data for; of what still runs whole hours: a value comes after its hour."""
    whole = of.expected_s - of.expected_s % SECONDS_PER_HOUR if is_running else of.expected_s
    return max(whole, of.covered_s)


def _hours(seconds: int) -> str:
    hours = seconds / SECONDS_PER_HOUR
    return kwh(round(hours * 1000), digits=0 if hours == int(hours) else 1)


def fresh_text(consumption: Consumption) -> str:
    """Until when there are data; "" when there are none."""
    if consumption.data_until is None:
        return ""
    return _("Data as of {moment}", moment=moment_text(consumption.data_until, _zone(consumption)))


def empty_texts(consumption: Consumption) -> tuple[str, str]:
    """Why a period has no data at all, and what to do."""
    bars, since = consumption.bars, consumption.point.since
    if bars and bars[-1].end <= since:
        day = day_text(since.astimezone(_zone(consumption)).date())
        return _("The meter was installed on {day}", day=day), _("Choose a later period.")
    if bars and not any(bar.expected_s or bar.is_open for bar in bars):
        return _("This period has not begun yet"), _("Choose an earlier period.")
    if consumption.data_until is None:
        return _("The meter has sent no readings yet"), _(
            "They appear here by themselves as soon as they come."
        )
    return _("No data for this period"), _("Choose another period or another type of energy.")


def _zone(consumption: Consumption) -> ZoneInfo:
    return ZoneInfo(consumption.point.timezone)


def signed(energy_wh: int, *, digits: int = 2) -> str:
    """A difference in kWh with its sign, e.g. "+12,50" or "−3,00"; zero has none."""
    text = kwh(abs(energy_wh), digits=digits)
    if not any(digit in text for digit in "123456789"):
        return text
    return ("+" if energy_wh > 0 else MINUS) + text


def percent(difference: int, of: int) -> str:
    """A difference as a share, e.g. "+5,1 %"; "" of nothing."""
    return f"{signed(round(100_000 * difference / of), digits=1)}\u00a0%" if of else ""
