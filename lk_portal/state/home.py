"""The state of the home page: this month of every meter against the same days of the month before."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import reflex as rx

from lk_portal.i18n import _, kwh, moment_text
from lk_portal.metering.types import Quantity
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic
from lk_portal.services.consumption import Grain, Period, PointView, consumption, points_of
from lk_portal.services.context import current
from lk_portal.state.guard import ANYBODY_SIGNED_IN, requires, subscriber_id, who
from lk_portal.state.live import follow
from lk_portal.state.readings_url import readings_url


class HomeState(rx.State):
    """One row a meter: name, address, this month, last month by the same day, freshness, link."""

    meters: list[dict[str, str]] = []
    is_loaded: bool = False

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def load(self) -> None:
        """The page was opened; staff, who land here too, have no meters to show."""
        identity = who()
        if identity is not None and identity.role is Role.SUBSCRIBER:
            await self._show()

    async def _show(self) -> None:
        points = await points_of(current().database, subscriber_id=subscriber_id())
        follow(
            self.router.session.client_token,
            type(self),
            frozenset(point_topic(point.point_id) for point in points),
        )
        rows = [await _row(point) for point in points]
        if rows != self.meters:
            self.meters = rows
        self.is_loaded = True


async def _row(point: PointView) -> dict[str, str]:
    portal = current()
    zone = ZoneInfo(point.timezone)
    today = portal.clock().astimezone(zone).date()
    this_month = Period.containing(Grain.MONTH, today)
    found = [
        await consumption(
            portal.database,
            subscriber_id=subscriber_id(),
            serial=point.serial,
            quantity=Quantity.A_PLUS,
            period=period,
            now=portal.clock(),
        )
        for period in (this_month, this_month.previous())
    ]
    before = sum(bar.total_wh for bar in found[1].bars[: today.day])
    until = found[0].data_until
    return {
        "name": point.name or point.serial,
        "address": point.address,
        "this_month": kwh(found[0].total_wh, digits=0),
        "before": kwh(before, digits=0),
        "fresh": _("Data as of {moment}", moment=moment_text(until, zone)) if until else "",
        "link": readings_url(serial=point.serial, period=this_month, quantity=Quantity.A_PLUS),
    }
