"""The state of /admin: how much waits for the staff; alive while open."""

from __future__ import annotations

import reflex as rx

from lk_portal.services.changes import DESK
from lk_portal.services.context import current
from lk_portal.services.desk_counts import MOST, DeskCounts, desk_counts
from lk_portal.state.guard import STAFF, requires
from lk_portal.state.live import follow, once


class DeskHomeState(rx.State):
    """The numbers by what they count, as texts; and which of them are none, so that nothing looks urgent."""

    counts: dict[str, str] = {}
    is_loaded: bool = False

    @rx.event
    @requires(*STAFF)
    async def load(self) -> None:
        """The page was opened."""
        await self._show()

    async def _show(self) -> None:
        """Count again; also called while the page is open."""
        found = await once(("desk",), _counted)
        follow(self.router.session.client_token, type(self), frozenset({DESK}))
        texts = {name: count_text(getattr(found, name)) for name in DeskCounts.__slots__}
        if texts != self.counts:
            self.counts = texts
        self.is_loaded = True


def count_text(count: int) -> str:
    """A number of things; "999+" for more."""
    return str(count) if count <= MOST else f"{MOST}+"


async def _counted() -> DeskCounts:
    portal = current()
    now = portal.clock()
    return await desk_counts(portal.database, now=now, today=now.astimezone(portal.settings.zone).date())
