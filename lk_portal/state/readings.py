"""The state of /readings. The address is the only source of what is shown: every choice changes it."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import InputError, NotFoundError
from lk_portal.i18n import say
from lk_portal.metering.types import Quantity
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic
from lk_portal.services.consumption import Grain, Period, consumption, points_of
from lk_portal.services.context import current
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow
from lk_portal.state.meter_choice import meter_text
from lk_portal.state.readings_url import ROUTE, Choice, choice_of, query_of, readings_url
from lk_portal.state.readings_view import view_of

SHOWN = (
    "heading",
    "figure",
    "rows",
    "legend",
    "total",
    "average",
    "peak",
    "peak_unit",
    "unit",
    "coverage",
    "is_incomplete",
    "has_estimates",
    "fresh",
    "is_empty",
    "summary",
    "earlier",
    "later",
    "back",
)


class ReadingsState(rx.State):
    """The chart, its numbers, and the form above it."""

    meters: list[list[str]] = []
    years: list[str] = []
    serial: str = ""
    grain: str = Grain.MONTH.value
    energy: str = Quantity.A_PLUS.name
    day: str = ""
    month: str = ""
    year: str = ""
    error: str = ""
    is_loaded: bool = False

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
    summary: str = ""
    earlier: str = ROUTE
    later: str = ROUTE
    back: str = ""

    _targets: list[str] = []
    _zones: dict[str, str] = {}
    # The query of the address that is shown. A text, for Reflex wraps dataclasses in its state.
    _shown: str = ""

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        await self._know_meters(query.get("meter", ""))
        if not self.meters:
            return None
        try:
            choice = choice_of(query, today=self._today(query.get("meter", "")))
        except InputError as error:
            self.error = say(error)
            return None
        if not choice.serial:
            choice = Choice(self.meters[0][0], choice.period, choice.quantity)
        self._shown = query_of(choice)
        self._fill_form(choice)
        try:
            await self._show()
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        return None

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def pick_grain(self, grain: str) -> None:
        """Another interval was picked: the form offers the period picker that fits."""
        if grain in set(Grain):
            self.grain = grain

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def show(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent ("Показать"): go to the address of what was chosen."""
        try:
            period = _period_of({key: str(value)[:64] for key, value in form.items()})
            choice = choice_of(
                {
                    "interval": period.grain.value,
                    "period": str(period),
                    "energy": str(form.get("energy", "")),
                },
                today=period.start,
            )
        except InputError as error:
            self.error = say(error)
            return None
        serial = str(form.get("meter", ""))[:64]
        return rx.redirect(readings_url(serial=serial, period=period, quantity=choice.quantity))

    @rx.event
    @requires(Role.SUBSCRIBER)
    async def open_bar(self, points: list[dict[str, Any]]):  # type: ignore[no-untyped-def]
        """A column was clicked: go into it."""
        index = points[0].get("pointNumber") if points and isinstance(points[0], dict) else None
        if type(index) is not int or not 0 <= index < len(self._targets) or not self._targets[index]:
            return None
        return rx.redirect(self._targets[index])

    async def _show(self) -> None:
        """Read the chosen period again and show it; also called when new values have come."""
        if not self._shown:
            return
        portal = current()
        choice = choice_of(dict(parse_qsl(self._shown)), today=portal.clock().date())
        found = await consumption(
            portal.database,
            subscriber_id=subscriber_id(),
            serial=choice.serial,
            quantity=choice.quantity,
            period=choice.period,
            now=portal.clock(),
        )
        follow(self.router.session.client_token, type(self), frozenset({point_topic(found.point.point_id)}))
        view = view_of(found)
        for name in SHOWN:
            value = getattr(view, name)
            if getattr(self, name) != value:
                setattr(self, name, value)
        self._targets = view.targets
        self.error = ""

    async def _know_meters(self, serial: str) -> None:
        """Read the list of meters when the page is first opened, or the address names one not in it."""
        if self.is_loaded and (not serial or serial in self._zones):
            return
        points = await points_of(current().database, subscriber_id=subscriber_id())
        self._zones = {point.serial: point.timezone for point in points}
        self.meters = [[point.serial, meter_text(point)] for point in points]
        self.is_loaded = True

    def _today(self, serial: str) -> date:
        """The date at the meter's premises, or at those of the first one."""
        zone = self._zones.get(serial) or self._zones[self.meters[0][0]]
        return current().clock().astimezone(ZoneInfo(zone)).date()

    def _fill_form(self, choice: Choice) -> None:
        start = choice.period.start
        self.serial = choice.serial
        self.grain = choice.period.grain.value
        self.energy = choice.quantity.name
        self.day = start.isoformat()
        self.month = str(start.month)
        self.year = str(start.year)
        last = current().clock().year
        self.years = [str(year) for year in range(max(last, start.year), min(last - 5, start.year) - 1, -1)]


def _period_of(form: dict[str, str]) -> Period:
    """The period the form's own fields name.

    Raises:
        InputError: They name none.
    """
    grain = form.get("interval", "")
    if grain == Grain.DAY.value:
        return Period.parse(Grain.DAY, form.get("day", ""))
    if grain == Grain.MONTH.value:
        return Period.parse(Grain.MONTH, f"{form.get('year', '')}-{form.get('month', '').zfill(2)}")
    return Period.parse(Grain.YEAR, form.get("year", ""))
