"""Brings new values to open pages without a reload and without a timer in every browser.

A page that shows a metering point or a ticket says `follow(...)` with its topics (`services.changes`); the
frame around it follows topics of its own. One broadcaster per process looks once a second what has changed -
a few indexed queries, however many pages are open - and lets the states that follow it read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import active_locale, using_locale
from lk_portal.logs import report
from lk_portal.services.access import Duty, Identity, identity_of
from lk_portal.services.changes import changed_since
from lk_portal.services.context import Portal
from lk_portal.state.guard import acting_as, is_filled_for, who
from lk_portal.state.sockets import close_soon

TURN_S = 1.0
OVERLAP = timedelta(seconds=5)
"""A transaction is seen after its time stamp; looking back this far misses none."""

log = logging.getLogger(__name__)


class Slot(StrEnum):
    """What of a tab follows: its page, of which it shows one at a time, or the frame around all of them."""

    PAGE = "page"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Follower:
    """An open page: its state class, which has an async `_show()`, its person and language, its topics."""

    state: type[rx.State]
    identity: Identity
    locale: str
    topics: frozenset[str]


_followers: dict[tuple[str, Slot], Follower] = {}


def follow(
    client_token: str, state: type[rx.State], topics: frozenset[str], *, slot: Slot = Slot.PAGE
) -> None:
    """From now on the state gets told when one of `topics` changes; a later call replaces this one."""
    identity = who()
    if identity is not None:
        _followers[client_token, slot] = Follower(state, identity, active_locale(), topics)


def followers() -> int:
    """How many pages and frames are followed now."""
    return len(_followers)


class Broadcaster:
    """The loop that looks for changes and pushes; one per process, supervised by the app's lifespan."""

    def __init__(self, app: rx.App, portal: Portal) -> None:
        self.app = app
        self.portal = portal
        self._since = portal.clock()
        self._told: dict[str, datetime] = {}

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
        changed = await changed_since(self.portal.database, self._since - OVERLAP, now=began)
        new = frozenset(topic for topic, at in changed.items() if self._told.get(topic) != at)
        self._told = changed
        self._since = began
        if new:
            await asyncio.gather(
                *(self._push(key, one) for key, one in list(_followers.items()) if one.topics & new)
            )

    async def _push(self, key: tuple[str, Slot], page: Follower) -> None:
        """Let one page or frame read again, if its person may still see it."""
        client_token = key[0]
        identity = await identity_of(
            self.portal.database,
            self.portal.settings,
            session_hash=page.identity.session_hash,
            now=self.portal.clock(),
            is_activity=False,
        )
        if identity is None or identity.duty is not Duty.NONE:
            _followers.pop(key, None)
            close_soon(self.app, client_token)
            return
        token = rx.BaseStateToken(ident=client_token, cls=page.state)
        with acting_as(identity), using_locale(page.locale):
            async with self.app.modify_state(token) as state:
                # The page may have been opened anew under another session since it began to follow.
                if not await is_filled_for(state, identity.session_hash):
                    _followers.pop(key, None)
                    return
                showing: Any = await state.get_state(page.state)
                with contextlib.suppress(PortalError):
                    await showing._show()

    def _forget_closed(self) -> None:
        namespace = self.app.event_namespace
        open_tokens = namespace.token_to_sid if namespace is not None else {}
        for key in [key for key in _followers if key[0] not in open_tokens]:
            del _followers[key]
