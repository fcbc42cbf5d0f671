"""The state of the home page: accounts and this month, the last events, the tickets; alive while open."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.security.navigation import ADMIN
from lk_portal.services.access import Role
from lk_portal.services.changes import point_topic, subscriber_topic
from lk_portal.services.context import current
from lk_portal.services.overview import Overview, overview
from lk_portal.state.guard import ANYBODY_SIGNED_IN, requires, subscriber_id, who
from lk_portal.state.home_view import view_of
from lk_portal.state.live import follow, once

SHOWN = ("accounts", "meters", "events", "support", "more")


class HomeState(rx.State):
    """The tiles' texts, as `home_view` makes them; meters by the number of their account."""

    accounts: list[dict[str, str]] = []
    meters: dict[str, list[dict[str, str]]] = {}
    events: list[dict[str, str]] = []
    support: dict[str, str] = {}
    more: str = ""
    is_loaded: bool = False

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, is_reading=True)
    async def load(self) -> Any:
        """The page was opened; staff, who land here too, are led to what waits for them."""
        identity = who()
        if identity is not None and identity.role is not Role.SUBSCRIBER:
            return rx.redirect(ADMIN, replace=True)
        if identity is not None:
            await self._show()
        return None

    async def _show(self) -> None:
        """Read everything again; also called when something of it has changed."""
        owner = subscriber_id()
        found = await once(("overview", owner), lambda: _overview_of(owner))
        points = (meter.point_id for account in found.accounts for meter in account.meters)
        topics = {subscriber_topic(owner), *(point_topic(point_id) for point_id in points)}
        follow(self.router.session.client_token, type(self), frozenset(topics))
        view = view_of(found, now=current().clock())
        for name in SHOWN:
            value = getattr(view, name)
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.is_loaded = True


async def _overview_of(owner: int) -> Overview:
    portal = current()
    return await overview(
        portal.database,
        subscriber_id=owner,
        now=portal.clock(),
        poll_interval_s=portal.settings.poll_interval_s,
    )
