"""The states of /admin/polling and of a gateway's page below it: the queue, and the map of holes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _, day_in_year, moment_text, ngettext
from lk_portal.services.access import Role
from lk_portal.services.changes import POLLING
from lk_portal.services.completeness import Completeness, completeness
from lk_portal.services.connections import connection_url
from lk_portal.services.context import current
from lk_portal.services.poll_texts import kind_text
from lk_portal.services.poll_view import Line, LineMeter, PollView, line_of, poll_view
from lk_portal.state.accounts_view import Row
from lk_portal.state.address_bar import named_in
from lk_portal.state.guard import requires
from lk_portal.state.live import follow, once
from lk_portal.state.polling_figure import heat_figure, heat_table, summary_of

MOST_GATEWAYS = 15
"""More would not fit into an answer of 30 KB."""
MAP_AFTER = timedelta(minutes=5)
"""The map of an open page is made anew so often."""
DASH = "—"


class PollingState(rx.State):
    """Numbers as rows of `name` and `value`; the map as a figure and as a table."""

    numbers: list[Row] = []
    errors: list[Row] = []
    oldest: str = ""
    oldest_url: str = ""
    oldest_when: str = ""
    figure: dict[str, Any] = {}
    days: list[str] = []
    table: list[list[str]] = []
    links: list[str] = []
    summary: str = ""
    more: str = ""
    is_loaded: bool = False
    _mapped_at: datetime | None = None

    @rx.event
    @requires(Role.ADMIN)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may yield
        """The page was opened: the queue at once, the map when it is added up."""
        self._mapped_at = None
        await self._look()
        yield
        await self._map_anew()

    async def _show(self) -> None:
        """Look at the queue again; also called while the page is open."""
        await self._look()
        if self._mapped_at is not None and current().clock() - self._mapped_at > MAP_AFTER:
            await self._map_anew()

    async def _map_anew(self) -> None:
        self._show_map(await once(("completeness",), _mapped))
        self._mapped_at = current().clock()

    async def _look(self) -> None:
        portal = current()
        found = await once(("polling",), _looked)
        follow(self.router.session.client_token, type(self), frozenset({POLLING}))
        zone = portal.settings.zone
        for name, value in texts_of(found, zone).items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.is_loaded = True

    def _show_map(self, found: Completeness) -> None:
        self.figure, self.table = heat_figure(found), heat_table(found)
        self.days = [day_in_year(day) for day in found.days]
        self.links = ["", *(f"/admin/polling/{row.gateway_id}" for row in found.rows[1:])]
        self.summary = summary_of(found)
        hidden = found.gateways - (len(found.rows) - 1)
        self.more = (
            ngettext("{count} more gateway is not worse.", "{count} more gateways are not worse.", hidden)
            if hidden > 0
            else ""
        )


class PollingLineState(rx.State):
    """A gateway, its meters, and their holes."""

    name: str = ""
    facts: list[Row] = []
    meters: list[Row] = []
    note: str = ""
    figure: dict[str, Any] = {}
    days: list[str] = []
    table: list[list[str]] = []
    links: list[str] = []
    summary: str = ""
    is_shown: bool = False

    @rx.event
    @requires(Role.ADMIN)
    async def load(self) -> Any:
        """The page was opened."""
        key = named_in(self, "/admin/polling")
        self.reset()
        try:
            line = await line_of(current().database, _number(key))
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        portal = current()
        zone, now = portal.settings.zone, portal.clock()
        found = await completeness(
            portal.database,
            now=now,
            today=now.astimezone(zone).date(),
            most=1,
            gateway_id=line.gateway_id,
        )
        # Its own row says it all; without meters there is none.
        found = replace(found, rows=found.rows[1:] or found.rows)
        self.figure, self.table, self.links = heat_figure(found), heat_table(found), [""]
        self.days = [day_in_year(day) for day in found.days]
        self.summary = summary_of(found)
        self.name, self.facts = line.name, line_facts(line)
        self.meters = [meter_row(one, zone) for one in line.meters]
        if line.count > len(line.meters):
            self.note = _("Shown: {shown} of {count}.", shown=len(line.meters), count=line.count)
        self.is_shown = True
        return None


def texts_of(found: PollView, zone: ZoneInfo) -> dict[str, Any]:
    """What the page shows of the polling now, by the names of its vars."""
    return {
        "numbers": [{"name": name, "value": value} for name, value in _numbers(found, zone)],
        "errors": [
            {"kind": kind_text(code), "code": code, "count": str(count)} for code, count in found.errors
        ],
        "oldest": found.oldest,
        "oldest_url": connection_url(found.oldest) if found.oldest else "",
        "oldest_when": moment_text(found.oldest_at, zone) if found.oldest_at else _("never read"),
    }


def _numbers(found: PollView, zone: ZoneInfo) -> list[tuple[str, str]]:
    queue = found.queue
    return [
        (_("Meters polled"), str(found.polled)),
        (_("Suspended"), str(found.suspended)),
        (_("Due now"), str(found.due)),
        (_("Waiting in the queue"), _meters(queue.waiting_meters, queue.waiting)),
        (_("Being read"), _meters(queue.running_meters, queue.running)),
        (_("Reads per minute"), per_minute(queue.read)),
        (_("Read in the last hour"), str(queue.read)),
        (_("Failed in the last hour"), str(queue.failed)),
        (_("Cycle time, mean"), seconds(queue.mean_s)),
        (_("Cycle time, longest"), seconds(queue.longest_s)),
        (_("Last batch"), moment_text(queue.last_at, zone) if queue.last_at else DASH),
    ]


def per_minute(in_an_hour: int) -> str:
    """Reads of the last hour, per minute; with a digit more where they are few."""
    return f"{in_an_hour / 60:.0f}" if in_an_hour >= 600 else f"{in_an_hour / 60:.1f}".replace(".", ",")


def seconds(value: float | None) -> str:
    """A duration in seconds."""
    return DASH if value is None else _("{seconds} s", seconds=f"{value:.1f}".replace(".", ","))


def _meters(meters: int, batches: int) -> str:
    return _("{meters} in {batches} batches", meters=meters, batches=batches) if batches else "0"


def line_facts(line: Line) -> list[Row]:
    """A gateway as names and values."""
    pairs = (
        (_("Protocol"), line.protocol),
        (_("Address"), line.endpoint),
        (_("Time-out, s"), f"{line.timeout_s:g}"),
        (_("Enabled"), _("Yes") if line.is_enabled else _("No")),
        (_("Meters"), str(line.count)),
    )
    return [{"name": name, "value": value} for name, value in pairs]


def meter_row(one: LineMeter, zone: ZoneInfo) -> Row:
    """A meter behind a gateway."""
    rate = f"{one.successes * 100 // one.attempts} %" if one.attempts else DASH
    return {
        "serial": one.serial,
        "link": connection_url(one.serial),
        "address": str(one.device_id),
        "read": moment_text(one.last_success_at, zone) if one.last_success_at else DASH,
        "error": kind_text(one.error_code) if one.is_enabled else _("Suspended"),
        "failures": str(one.failures_in_row),
        "rate": rate,
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


async def _looked() -> PollView:
    portal = current()
    return await poll_view(portal.database, now=portal.clock())


async def _mapped() -> Completeness:
    portal = current()
    now = portal.clock()
    today = now.astimezone(portal.settings.zone).date()
    return await completeness(portal.database, now=now, today=today, most=MOST_GATEWAYS)
