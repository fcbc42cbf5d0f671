"""Brings new values to open pages without a reload and without a timer in every browser.

A page that shows a metering point or a ticket says `follow(...)` with its topics (`services.changes`); the
frame around it follows topics of its own. One broadcaster per process looks once a second what has changed -
a few indexed queries, however many pages are open - and lets the states that follow it read again.

Reading again must stay cheap when a whole town looks: the sessions of all pages concerned are looked up at
once, a state asks through `once(...)` so that all pages of a person share an answer, page and frame of a tab
go out together, and only so many tabs are served at a time that a click in between is answered soon.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar, cast

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import active_locale, using_locale
from lk_portal.logs import report
from lk_portal.services.access import Duty, Identity, identities_of
from lk_portal.services.changes import changed_since
from lk_portal.services.context import Portal
from lk_portal.state.guard import acting_as, is_filled_for, who
from lk_portal.state.sockets import close_soon

TURN_S = 1.0
OVERLAP = timedelta(seconds=5)
"""A transaction is seen after its time stamp; looking back this far misses none."""

AT_ONCE = 8
"""So many tabs are served at the same time; as many as there are connections to read with."""

Answer = TypeVar("Answer")


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


Tab = tuple[str, str, str]
"""What is served together: a tab's client token, under a session (its hash), in a language."""

_followers: dict[tuple[str, Slot], Follower] = {}
_woken: set[str] = set()
_asked: ContextVar[dict[Hashable, asyncio.Future[Any]] | None] = ContextVar("lk_asked", default=None)


def follow(
    client_token: str, state: type[rx.State], topics: frozenset[str], *, slot: Slot = Slot.PAGE
) -> None:
    """From now on the state gets told when one of `topics` changes; a later call replaces this one."""
    identity = who()
    if identity is not None:
        _followers[client_token, slot] = Follower(state, identity, active_locale(), topics)


def wake(topic: str) -> None:
    """Let the pages of this process that follow `topic` read again at the next turn."""
    _woken.add(topic)


async def once(key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer of `ask`; in a turn of the broadcaster all pages that ask under the same key share it.

    Args:
        key: What is asked and for whom: never share one person's answer with another.
        ask: Asks a service.
    """
    asked = _asked.get()
    if asked is None:
        return await ask()
    if key not in asked:
        asked[key] = asyncio.ensure_future(ask())
    return cast("Answer", await asked[key])


@contextlib.contextmanager
def _asking_once() -> Iterator[None]:
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


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
        woken = frozenset(_woken)
        _woken.clear()
        if not _followers:
            self._since = self.portal.clock()
            return
        began = self.portal.clock()
        changed = await changed_since(self.portal.database, self._since - OVERLAP, now=began)
        new = frozenset(topic for topic, at in changed.items() if self._told.get(topic) != at)
        self._told = changed
        self._since = began
        await self._push(new | woken)

    async def _push(self, topics: frozenset[str]) -> None:
        """Let all pages and frames that follow one of `topics` read again, tab by tab."""
        tabs: dict[Tab, list[type[rx.State]]] = defaultdict(list)
        for (client_token, _slot), one in list(_followers.items()):
            if not one.topics.isdisjoint(topics):
                tabs[client_token, one.identity.session_hash, one.locale].append(one.state)
        if not tabs:
            return
        people = await identities_of(
            self.portal.database,
            self.portal.settings,
            session_hashes={session_hash for _token, session_hash, _locale in tabs},
            now=self.portal.clock(),
        )
        waiting = iter(tabs.items())
        with _asking_once():
            await asyncio.gather(*(self._serve(waiting, people) for _ in range(AT_ONCE)))

    async def _serve(
        self, waiting: Iterator[tuple[Tab, list[type[rx.State]]]], people: dict[str, Identity]
    ) -> None:
        """Serve tabs until none waits; one that fails is logged and keeps nobody else waiting."""
        for tab, states in waiting:
            try:
                await self._show(tab, states, people.get(tab[1]))
            except Exception as error:
                report(error)

    async def _show(self, tab: Tab, states: list[type[rx.State]], identity: Identity | None) -> None:
        """Let what follows of one tab read again, if its person may still see it."""
        client_token, session_hash, locale = tab
        if identity is None or identity.duty is not Duty.NONE:
            _forget(client_token)
            close_soon(self.app, client_token)
            return
        token = rx.BaseStateToken(ident=client_token, cls=states[0])
        with acting_as(identity), using_locale(locale):
            async with self.app.modify_state(token) as state:
                # The page may have been opened anew under another session since it began to follow.
                if not await is_filled_for(state, session_hash):
                    _forget(client_token, session_hash=session_hash, locale=locale)
                    return
                for one in states:
                    showing: Any = await state.get_state(one)
                    with contextlib.suppress(PortalError):
                        await showing._show()

    def _forget_closed(self) -> None:
        namespace = self.app.event_namespace
        open_tokens = namespace.token_to_sid if namespace is not None else {}
        for key in [key for key in _followers if key[0] not in open_tokens]:
            del _followers[key]


def _forget(client_token: str, *, session_hash: str = "", locale: str = "") -> None:
    """Drop what follows of a tab; with a session, only what began to follow under it in that language."""
    for slot in Slot:
        one = _followers.get((client_token, slot))
        if one and (not session_hash or (one.identity.session_hash, one.locale) == (session_hash, locale)):
            del _followers[client_token, slot]
