"""The home page as texts and paths: pure, so that every sentence can be tested. For `state.home`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_interval, format_skeleton

from lk_portal.i18n import _, active_locale, clock_text, kwh, moment_text, month_text, ngettext, using_locale
from lk_portal.metering.types import Quantity, Severity
from lk_portal.services.month_days import Comparison, DayUse
from lk_portal.services.overview import AccountNow, LastEvents, MeterNow, Overview, Tickets
from lk_portal.services.periods import Period
from lk_portal.state.load_view import WORDS
from lk_portal.state.readings_url import readings_url

SLOT, BAR, HEIGHT = 10, 8, 60
"""Of the little chart, in its own units: a day's width, its column's, and the height of the highest."""
HATCH = 8
"""Between the lines of a hole, in the same units."""
MOST_ACCOUNTS = 8
"""So many are shown; whoever has more finds them in the section of accounts, and the page stays light."""
SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the state shows: rows of texts; meters by the number of their account."""

    accounts: list[dict[str, str]]
    meters: dict[str, list[dict[str, str]]]
    events: list[dict[str, str]]
    support: dict[str, str]
    more: str


def view_of(found: Overview, *, now: datetime) -> HomeView:
    """The texts of the page in the active language; `now` is aware UTC."""
    accounts = found.accounts[:MOST_ACCOUNTS]
    left = len(found.accounts) - len(accounts)
    return HomeView(
        accounts=[_account(account) for account in accounts],
        meters={account.number: [_meter(meter, account) for meter in account.meters] for account in accounts},
        events=[_event(one, now) for one in _by_severity(found.events)],
        support=_support(found.tickets, _zone(found)),
        more=ngettext(
            "{count} more account is not shown here.", "{count} more accounts are not shown here.", left
        )
        if left
        else "",
    )


def _account(account: AccountNow) -> dict[str, str]:
    single = account.meters[0] if len(account.meters) == 1 else None
    holes = [use for use in account.days if use.is_hole]
    partial = [use for use in account.days if use.has_data and not use.is_whole and not use.is_open]
    return {
        "number": account.number,
        "name": account.note or account.address,
        "address": account.address if account.note else "",
        "month": month_text(account.month.start),
        "figure": kwh(account.total_wh, digits=0) if account.has_data else "",
        **_comparison(account.comparison, account.month),
        **sparkline(account.days),
        "chart_text": _chart_text(account.days),
        "holes_text": _holes_text(len(holes), len(partial)),
        "fresh": _fresh(account.data_until, account.zone),
        "reading": _reading(single, account.zone) if single else "",
        "link": _link(single, account.month) if single else "",
        "meter_count": ngettext("{count} meter", "{count} meters", len(account.meters)),
        "has_meter": "yes" if account.meters else "",
        "is_shared": "yes" if len(account.meters) > 1 else "",
    }


def _meter(meter: MeterNow, account: AccountNow) -> dict[str, str]:
    return {
        "name": meter.name or meter.serial,
        "figure": kwh(meter.month.total_wh, digits=0) if meter.month.has_data else "",
        "fresh": _fresh(meter.data_until, account.zone),
        "reading": _reading(meter, account.zone),
        "link": _link(meter, account.month),
        "load": _(WORDS[meter.load.state]),
        "load_kind": meter.load.state.value,
    }


def _link(meter: MeterNow, month: Period) -> str:
    return readings_url(serial=meter.serial, period=month, quantity=Quantity.A_PLUS)


def _fresh(until: datetime | None, zone: ZoneInfo) -> str:
    return _("Data as of {moment}", moment=_moment(until, zone)) if until else _("There are no data yet")


def _reading(meter: MeterNow, zone: ZoneInfo) -> str:
    if meter.reading_wh is None or meter.reading_at is None:
        return ""
    return _(
        "Last reading: {value} kWh, {moment}",
        value=kwh(meter.reading_wh),
        moment=_moment(meter.reading_at, zone),
    )


def _comparison(found: Comparison | None, month: Period) -> dict[str, str]:
    """The same days of both months, how they differ, and what was left out."""
    if found is None:
        said = _("There is nothing yet to compare with last month.")
        return {"before_label": "", "before": "", "change": "", "change_kind": "", "left_out": said}
    before, this = (_days(one, found.last_day) for one in (month.previous(), month))
    return {
        "before_label": _("Same days of last month ({days}):", days=before),
        "before": kwh(found.before_wh, digits=0),
        "change": _change(found, this),
        "change_kind": _kind(found),
        "left_out": _left_out(found),
    }


def _days(month: Period, last_day: int) -> str:
    """The first days of a month, e.g. "1–25 окт."."""
    last = month.start.replace(day=last_day)
    return _interval(month.start, last, active_locale())


@lru_cache(maxsize=256)
def _interval(first: date, last: date, locale: str) -> str:
    return str(format_interval(first, last, "MMMd", locale=locale))


def _kind(found: Comparison) -> str:
    if _percent(found) == 0:
        return "same"
    return "less" if found.this_wh < found.before_wh else "more"


def _change(found: Comparison, days: str) -> str:
    said = {"days": days, "value": kwh(found.this_wh, digits=0)}
    percent = _percent(found)
    if percent == 0:
        return _("as much now: {value} kWh on {days}", **said)
    if _kind(found) == "less":
        return _("{percent} % less now: {value} kWh on {days}", percent=percent, **said)
    return _("{percent} % more now: {value} kWh on {days}", percent=percent, **said)


def _percent(found: Comparison) -> int:
    """By how many per cent they differ, rounded; of nothing, everything is a hundred more."""
    difference = abs(found.this_wh - found.before_wh)
    if found.before_wh == 0:
        return 100 if difference else 0
    return (200 * difference + found.before_wh) // (2 * found.before_wh)


def _left_out(found: Comparison) -> str:
    if found.days < found.last_day:
        return _(
            "Only days with data in both months are compared: {days} of {all}.",
            days=found.days,
            all=found.last_day,
        )
    return _("Only what has data in both months is compared.") if found.is_partial else ""


def sparkline(days: Sequence[DayUse]) -> dict[str, str]:
    """The columns of a month's days as SVG paths: whole days, the rest (today and days with holes), holes.

    All within `SLOT` times the number of days by `HEIGHT`.
    """
    highest = max((use.total_wh for use in days), default=0) or 1
    whole: list[str] = []
    partial: list[str] = []
    holes: list[str] = []
    for index, use in enumerate(days):
        x = index * SLOT + (SLOT - BAR) // 2
        if use.is_hole:
            holes.append(_hatched(x))
        elif use.has_data:
            height = max(1, HEIGHT * max(use.total_wh, 0) // highest)
            column = f"M{x} {HEIGHT}v-{height}h{BAR}v{height}z"
            (whole if use.is_whole else partial).append(column)
    return {
        "box": f"0 0 {SLOT * (len(days) or 31)} {HEIGHT}",
        "whole": "".join(whole),
        "partial": "".join(partial),
        "holes": "".join(holes),
    }


@lru_cache(maxsize=64)
def _hatched(x: int) -> str:
    """A column without a value: an outline with slanting lines in it, drawn by its strokes."""
    lines = "".join(f"M{x} {y}l{BAR}-{BAR}" for y in range(HEIGHT, HATCH, -HATCH))
    return f"M{x} 0v{HEIGHT}h{BAR}V0z{lines}"


def _chart_text(days: Iterable[DayUse]) -> str:
    """What the little chart shows, for those who do not see it."""
    known = [use for use in days if use.has_data]
    if not known:
        return _("There are no data for this month yet.")
    most = max(known, key=lambda use: use.total_wh)
    return _(
        "By day: {count}, most on {day}, {value} kWh.",
        count=ngettext("{count} day with data", "{count} days with data", len(known)),
        day=_day(most.day),
        value=kwh(most.total_wh, digits=1),
    )


def _day(day: date) -> str:
    return _day_in(day, active_locale())


@lru_cache(maxsize=256)
def _day_in(day: date, locale: str) -> str:
    return str(format_skeleton("MMMMd", day, locale=locale))


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    """Date and time; a town reads its meters at the same few moments, and Babel takes its time."""
    return _moment_in(moment.replace(second=0, microsecond=0), zone, active_locale())


@lru_cache(maxsize=1024)
def _moment_in(moment: datetime, zone: ZoneInfo, locale: str) -> str:
    with using_locale(locale):
        return moment_text(moment, zone)


def _holes_text(holes: int, partial: int) -> str:
    """What the marked columns of the little chart are."""
    said = []
    if holes:
        said.append(
            ngettext("No data for {count} day: hatched.", "No data for {count} days: hatched.", holes)
        )
    if partial:
        said.append(ngettext("{count} day is not whole: pale.", "{count} days are not whole: pale.", partial))
    return " ".join(said)


def _by_severity(events: Iterable[LastEvents]) -> list[LastEvents]:
    return sorted(events, key=lambda one: SEVERITIES.index(one.severity))


def _event(one: LastEvents, now: datetime) -> dict[str, str]:
    return {
        "kind": one.severity.value,
        "word": severity_text(one.severity),
        "count": str(one.count),
        "name": one.entry.name(active_locale()),
        "when": _when(one.occurred_at, one.zone, now),
    }


def severity_text(severity: Severity) -> str:
    """The name of a group of events."""
    return {
        Severity.CRITICAL: _("Critical"),
        Severity.WARNING: _("Warnings"),
        Severity.INFO: _("Informational"),
    }[severity]


def _when(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time, or date and time when it was not today."""
    is_today = moment.astimezone(zone).date() == now.astimezone(zone).date()
    return _("today, {time}", time=clock_text(moment, zone)) if is_today else _moment(moment, zone)


def _support(tickets: Tickets, zone: ZoneInfo) -> dict[str, str]:
    answer = tickets.last_answer
    return {
        "open": ngettext("{count} open request", "{count} open requests", tickets.open)
        if tickets.open
        else "",
        "waiting": ngettext("{count} waits for your answer", "{count} wait for your answer", tickets.waiting)
        if tickets.waiting
        else "",
        "subject": answer.subject if answer else "",
        "answer": " ".join(answer.beginning.split()) if answer else "",
        "when": _moment(answer.at, zone) if answer else "",
        "link": f"/support/{answer.ticket_id}" if answer else "",
    }


def _zone(found: Overview) -> ZoneInfo:
    """The clock of the first account, for what belongs to none."""
    return found.accounts[0].zone if found.accounts else ZoneInfo("UTC")
