"""The state of /diagnostics. The address is the only source of what is shown: every choice changes it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import InputError, NotFoundError
from lk_portal.i18n import say
from lk_portal.metering.types import Severity
from lk_portal.services.access import Role
from lk_portal.services.changes import subscriber_topic
from lk_portal.services.consumption import points_of
from lk_portal.services.context import current
from lk_portal.services.event_history import event_history
from lk_portal.services.periods import Grain
from lk_portal.state.diagnostics_url import ROUTE, Choice, choice_of, groups_of, query_of, url_of, with_grain
from lk_portal.state.diagnostics_view import DiagnosticsView, view_of
from lk_portal.state.guard import requires, subscriber_id
from lk_portal.state.live import follow
from lk_portal.state.meter_choice import meter_text
from lk_portal.state.opening import is_kept

SHOWN = tuple(field.name for field in fields(DiagnosticsView))


class DiagnosticsState(rx.State):
    """The events of a period, and the form above them."""

    meters: list[list[str]] = []
    serial: str = ""
    grain: str = Grain.MONTH.value
    groups: list[str] = list(Severity)
    layout: str = ""
    # Changes with every address, so that the form shows what the address says.
    query: str = ""
    error: str = ""
    is_loaded: bool = False

    heading: str = ""
    counts: dict[str, str] = {}
    critical: list[dict[str, str]] = []
    warning: list[dict[str, str]] = []
    info: list[dict[str, str]] = []
    kinds: dict[str, list[str]] = {}
    note: str = ""
    empty_title: str = ""
    empty_advice: str = ""
    summary: str = ""
    earlier: str = ROUTE
    later: str = ROUTE
    as_list: str = ROUTE
    as_table: str = ROUTE
    previous_page: str = ""
    next_page: str = ""

    _zones: dict[str, str] = {}

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
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
            self.heading = self.query = ""
            return None
        choice = replace(choice, serial=choice.serial or self.meters[0][0])
        if self.query != query_of(choice) or not await is_kept(self):
            self._fill_form(choice)
        try:
            await self._show()
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        return None

    @rx.event
    @requires(Role.SUBSCRIBER, is_reading=True)
    async def show(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent ("Показать"): go to the address of what was chosen."""
        typed = {str(key): str(value)[:64] for key, value in form.items()} if isinstance(form, dict) else {}
        serial = typed.get("meter", "")
        today = self._today(serial)
        try:
            groups = groups_of([group.value for group in Severity if group in typed])
            before = choice_of(dict(parse_qsl(self.query)), today=today)
            asked = choice_of({"interval": typed.get("interval", "")}, today=today)
        except InputError as error:
            self.error = say(error)
            return None
        period = with_grain(before.period, asked.period.grain, today=today)
        return rx.redirect(url_of(Choice(serial, period, groups, before.layout)))

    async def _show(self) -> None:
        """Read the chosen period again and show it; also called when a new event has come."""
        if not self.query:
            return
        portal, owner = current(), subscriber_id()
        now = portal.clock()
        choice = choice_of(dict(parse_qsl(self.query)), today=now.date())
        found = await event_history(
            portal.database, subscriber_id=owner, serial=choice.serial, period=choice.period, now=now
        )
        follow(self.router.session.client_token, type(self), frozenset({subscriber_topic(owner)}))
        view = view_of(found, choice, now=now)
        for name in SHOWN:
            value = getattr(view, name)
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.serial = found.place.serial
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
        zones = [self._zones[serial]] if serial in self._zones else [*self._zones.values(), "UTC"]
        return current().clock().astimezone(ZoneInfo(zones[0])).date()

    def _fill_form(self, choice: Choice) -> None:
        self.grain = choice.period.grain.value
        self.groups = [group.value for group in choice.groups]
        self.layout = choice.layout.value
        self.query = query_of(choice)
