"""Brings new values to open pages without a reload and without a timer in every browser.

A page that shows a metering point says `follow(...)`. One broadcaster per process looks once a second
which points have changed - one indexed query, however many pages are open - and lets the states of the
pages that follow them read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import active_locale, using_locale
from lk_portal.logs import report
from lk_portal.services.access import Duty, Identity, identity_of
from lk_portal.services.context import Portal
from lk_portal.services.freshness import changed_since
from lk_portal.state.guard import acting_as, is_filled_for, who
from lk_portal.state.sockets import close_soon

TURN_S = 1.0
OVERLAP = timedelta(seconds=5)
"""A transaction is seen after its time stamp; looking back this far misses none."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Follower:
    """An open page: its state class, which has an async `_show()`, its person and language, its points."""

    state: type[rx.State]
    identity: Identity
    locale: str
    points: frozenset[int]


_followers: dict[str, Follower] = {}


def follow(client_token: str, state: type[rx.State], points: frozenset[int]) -> None:
    """From now on the page gets told when one of `points` changes; a later call replaces this one."""
    identity = who()
    if identity is not None:
        _followers[client_token] = Follower(state, identity, active_locale(), points)


def followers() -> int:
    """How many pages are followed now."""
    return len(_followers)


class Broadcaster:
    """The loop that looks for changes and pushes; one per process, supervised by the app's lifespan."""

    def __init__(self, app: rx.App, portal: Portal) -> None:
        self.app = app
        self.portal = portal
        self._since = portal.clock()
        self._told: dict[int, datetime] = {}

    async def run(self) -> None:
        """Go on until cancelled; a failing turn is logged and tried again."""
        while True:
            await asyncio.sleep(TURN_S)
            try:
                await self.turn()
            except Exception as error:
                report(error)

    async def turn(self) -> None:
        """Look once, and push to the pages concerned."""
        self._forget_closed()
        if not _followers:
            self._since = self.portal.clock()
            return
        began = self.portal.clock()
        changed = await changed_since(self.portal.database, self._since - OVERLAP)
        new = frozenset(point for point, at in changed.items() if self._told.get(point) != at)
        self._told = changed
        self._since = began
        if new:
            await asyncio.gather(
                *(self._push(token, page) for token, page in list(_followers.items()) if page.points & new)
            )

    async def _push(self, client_token: str, page: Follower) -> None:
        """Let one page read again, if its person may still see it."""
        identity = await identity_of(
            self.portal.database,
            self.portal.settings,
            session_hash=page.identity.session_hash,
            now=self.portal.clock(),
            is_activity=False,
        )
        if identity is None or identity.duty is not Duty.NONE:
            _followers.pop(client_token, None)
            close_soon(self.app, client_token)
            return
        token = rx.BaseStateToken(ident=client_token, cls=page.state)
        with acting_as(identity), using_locale(page.locale):
            async with self.app.modify_state(token) as state:
                # The page may have been opened anew under another session since it began to follow.
                if not await is_filled_for(state, identity.session_hash):
                    _followers.pop(client_token, None)
                    return
                showing: Any = await state.get_state(page.state)
                with contextlib.suppress(PortalError):
                    await showing._show()

    def _forget_closed(self) -> None:
        namespace = self.app.event_namespace
        open_tokens = namespace.token_to_sid if namespace is not None else {}
        for client_token in [token for token in _followers if token not in open_tokens]:
            del _followers[client_token]
