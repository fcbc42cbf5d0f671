"""The state of /readings. The address is the only source of what is shown: every choice changes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import InputError, NotFoundError
from lk_portal.i18n import _, say
from lk_portal.metering.types import Quantity
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic
from lk_portal.services.comparison import Against, Comparison, comparison
from lk_portal.services.consumption import (
    Basis,
    Consumption,
    Grain,
    Period,
    consumption,
    points_of,
)
from lk_portal.services.context import current
from lk_portal.services.periods import ReadingDays
from lk_portal.services.reading_days import reading_days
from lk_portal.services.table_choice import TABLE, TableChoice, serial_of
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow
from lk_portal.state.meter_choice import meter_text
from lk_portal.state.opening import is_kept
from lk_portal.state.readings_comparison import ComparisonView, comparison_view_of
from lk_portal.state.readings_table import ReadingsTableState
from lk_portal.state.readings_url import ROUTE, Choice, choice_of, fields_of, query_of, table_url
from lk_portal.state.readings_view import ReadingsView, view_of

CHART = "chart"
PRIVATE = {"targets": "_targets"}
NOT_FOUND = "/not-found"


class ReadingsState(rx.State):
    """The chart, its numbers, and the form above it; the tabs of the page."""

    tab: str = CHART
    chart_tab: str = ROUTE
    table_tab: str = ROUTE
    meters: list[list[str]] = []
    years: list[str] = []
    serial: str = ""
    grain: str = Grain.MONTH.value
    basis: str = Basis.CALENDAR.value
    basis_hint: str = ""
    energy: str = Quantity.A_PLUS.name
    day: str = ""
    month: str = ""
    year: str = ""
    compare: str = ""
    error: str = ""
    is_loaded: bool = False
    export_query: str = ""

    heading: str = ""
    figure: dict[str, Any] = {"data": [], "layout": {}}
    rows: list[list[str]] = []
    legend: list[list[str]] = []
    total: str = ""
    average: str = ""
    peak: str = ""
    peak_unit: str = ""
    unit: str = ""
    coverage: str = ""
    is_incomplete: bool = False
    has_estimates: bool = False
    fresh: str = ""
    is_empty: bool = True
    empty_title: str = ""
    empty_advice: str = ""
    summary: str = ""
    earlier: str = ROUTE
    later: str = ROUTE
    back: str = ""

    other_heading: str = ""
    is_comparable: bool = False
    now_total: str = ""
    then_total: str = ""
    difference: str = ""
    difference_unit: str = ""
    comparison_notes: list[str] = []
    comparison_summary: str = ""

    _targets: list[str] = []
    _zones: dict[str, str] = {}
    _first_year: int = 0
    _billing_day: int = 1
    # Of ReadingDays, for Reflex wraps dataclasses in its state.
    _days: tuple[Any, ...] = ()
    # The query of the address that is shown. A text, for Reflex wraps dataclasses in its state.
    _shown: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        await self._know_meters(serial_of(query))
        if not self.meters:
            return None
        if query.get("tab") == TABLE:
            return self._turn_to_table(query)
        self.tab = CHART
        try:
            choice = await self._choice(query)
        except InputError as error:
            # What was shown before is not what the address asks for.
            self.error, self.heading, self._shown = say(error), "", ""
            return None
        if not choice.serial:
            choice = replace(choice, serial=self.meters[0][0])
        before, self._shown = self._shown, query_of(choice)
        self.export_query = self._shown
        if before != self._shown or not await is_kept(self):
            self._fill_form(choice)
        try:
            await self._show()
        except NotFoundError:
            return rx.redirect(NOT_FOUND, replace=True)
        return None

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def pick_grain(self, grain: str) -> None:
        """Another interval was picked: the form offers the period picker that fits."""
        if grain in tuple(Grain):
            self.grain = grain

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def show(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent ("Показать"): go to the address of what was chosen."""
        fields = fields_of(form)
        try:
            fields["period"] = str(_period_of(fields))
            choice = await self._choice({**fields, "compare": self.compare})
        except InputError as error:
            self.error = say(error)
            return None
        return rx.redirect(f"{ROUTE}?{query_of(choice)}")

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def compare_with(self, against: str, is_on: bool):  # type: ignore[no-untyped-def]
        """A switch of comparison was turned on or off: go to the same period with or without it."""
        if not self._shown or against not in tuple(Against):
            return None
        choice = await self._choice(dict(parse_qsl(self._shown)))
        chosen = replace(choice, against=Against(against) if is_on is True else None)
        return rx.redirect(f"{ROUTE}?{query_of(chosen)}", replace=True)

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def open_bar(self, points: list[dict[str, Any]]):  # type: ignore[no-untyped-def]
        """A column was clicked: go into it."""
        first = points[0] if isinstance(points, list) and points else None
        index = first.get("pointNumber") if isinstance(first, dict) else None
        if type(index) is not int or not 0 <= index < len(self._targets) or not self._targets[index]:
            return None
        return rx.redirect(self._targets[index])

    async def _show(self) -> None:
        """Read the chosen period again and show it; also called when new values have come."""
        if not self._shown:
            return
        portal = current()
        choice = await self._choice(dict(parse_qsl(self._shown)))
        found = await consumption(
            portal.database,
            subscriber_id=subscriber_id(),
            serial=choice.serial,
            quantity=choice.quantity,
            period=choice.period,
            now=portal.clock(),
        )
        follow(self.router.session.client_token, type(self), frozenset({point_topic(found.point.point_id)}))
        compared = await _compared(found, choice.against)
        self._take(comparison_view_of(found, compared))
        self._take(view_of(found, compared, choice.against))
        self.error = ""

    def _take(self, view: ReadingsView | ComparisonView) -> None:
        """Take over what has changed, so that only that is sent; the address of a column stays here."""
        for field in view.__dataclass_fields__:
            name = PRIVATE.get(field, field)
            if getattr(self, name) != getattr(view, field):
                setattr(self, name, getattr(view, field))

    def _turn_to_table(self, query: dict[str, str]):  # type: ignore[no-untyped-def]
        """The other tab is asked for: its own state shows it; an address without a meter gets the first."""
        self.tab, self.error = TABLE, ""
        serial, energy = serial_of(query), query.get("energy", "")
        if (serial, energy) != (self.serial, self.energy):  # else the chart keeps its period
            self.chart_tab = f"{ROUTE}?{urlencode({'meter': serial, 'energy': energy})}"
        if not serial:
            first = {**query, "meter": self.meters[0][0]}
            return rx.redirect(f"{ROUTE}?{urlencode(first)}", replace=True)
        return ReadingsTableState.load

    async def _choice(self, query: dict[str, str]) -> Choice:
        """Read a query.

        Raises:
            InputError: It has words or dates that mean nothing.
        """
        days = await self._days_for(query)
        choice = choice_of(query, today=self._today(serial_of(query)), reading_days=days)
        start = choice.period.start
        self._billing_day = days.start_in(start.year, start.month).day
        return choice

    async def _days_for(self, query: dict[str, str]) -> ReadingDays:
        """The billing days; by the calendar they are only told of, so what the tab knows will do."""
        if not self._days or query.get("basis") == Basis.BILLING:
            portal = current()
            found = await reading_days(portal.database, portal.settings)
            self._days = (found.first, found.changes)
        return ReadingDays(*self._days)

    async def _know_meters(self, serial: str) -> None:
        """Read the list of meters when the page is first opened, or the address names one not in it."""
        if self.is_loaded and (not serial or serial in self._zones):
            return
        points = await points_of(current().database, subscriber_id=subscriber_id())
        self._zones = {point.serial: point.timezone for point in points}
        self._first_year = min((point.since.year for point in points), default=0)
        self.meters = [[point.serial, meter_text(point)] for point in points]
        self.is_loaded = True

    def _today(self, serial: str) -> date:
        """The date at the meter's premises, or at those of the first one."""
        zone = self._zones.get(serial) or next(iter(self._zones.values()), "UTC")
        return current().clock().astimezone(ZoneInfo(zone)).date()

    def _fill_form(self, choice: Choice) -> None:
        start, today = choice.period.start, self._today(choice.serial)
        self.serial = choice.serial
        self.grain, self.basis = choice.period.grain.value, choice.period.basis.value
        self.basis_hint = _basis_hint(self._billing_day)
        self.energy = choice.quantity.name
        self.compare = choice.against.value if choice.against else ""
        self.day = start.isoformat()
        self.month, self.year = str(start.month), str(start.year)
        years = range(max(today.year, start.year), min(self._first_year or start.year, start.year) - 1, -1)
        self.years = [str(year) for year in years]
        self.chart_tab = f"{ROUTE}?{self._shown}"
        shown_day = min(choice.period.last, today)
        self.table_tab = table_url(TableChoice(choice.serial, choice.quantity, shown_day))


async def _compared(found: Consumption, against: Against | None) -> Comparison | None:
    if against is None:
        return None
    portal = current()
    return await comparison(
        portal.database, found, subscriber_id=subscriber_id(), against=against, now=portal.clock()
    )


def _basis_hint(day: int) -> str:
    return _(
        "A billing period begins on day {day} of the chosen month and ends before that day of the next.",
        day=day,
    )


def _period_of(form: dict[str, str]) -> Period:
    """The calendar period the form's own fields name; by whose months it is meant is for `choice_of`.

    Raises:
        InputError: They name none.
    """
    grain = form.get("interval", "")
    if grain == Grain.DAY.value:
        return Period.parse(Grain.DAY, form.get("day", ""))
    if grain == Grain.MONTH.value:
        return Period.parse(Grain.MONTH, f"{form.get('year', '')}-{form.get('month', '').zfill(2)}")
    return Period.parse(Grain.YEAR, form.get("year", ""))
