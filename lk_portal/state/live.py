"""Brings new values to open pages without a reload and without a timer in every browser.

A page that shows a metering point or a ticket says `follow(...)` with its topics (`services.changes`); the
frame around it follows topics of its own. One broadcaster per process looks once a second what has changed -
a few indexed queries, however many pages are open - and lets the states that follow it read again. All it
goes by is in the database, so it makes no difference which node a change was made on.

Nothing may get lost between a page's reading and its following: a follower is new until a turn has looked for
it, and to a new one all that changed lately is told, not only what was not told before. What opened a page
anew under the same client token - Reflex hydrates at every connection - follows anew by itself.

Reading again must stay cheap when a whole town looks: the sessions of all pages concerned are looked up at
once, a state asks through `once(...)` so that all pages of a person share an answer, page and frame of a tab
go out together, and only so many tabs are served at a time that a click in between is answered soon.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, cast

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import active_locale, using_locale
from lk_portal.logs import report
from lk_portal.services.access import Duty, Identity, identities_of
from lk_portal.services.changes import OVERLAP, Change, changed_since
from lk_portal.services.context import Portal
from lk_portal.state.guard import BindingState, acting_as, is_empty, is_filled_for, who
from lk_portal.state.sockets import close_soon

TURN_S = 1.0
AT_ONCE = 8
"""So many tabs are served at the same time; as many as there are connections to read with."""

Answer = TypeVar("Answer")


class Slot(StrEnum):
    """What of a tab follows: its page, of which it shows one at a time, or the frame around all of them."""

    PAGE = "page"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Follower:
    """An open page: its state class, which has an async `_show()`, its person and language, its topics.

    It is new until a turn that began after it came has looked for it.
    """

    state: type[rx.State]
    identity: Identity
    locale: str
    topics: frozenset[str]
    is_new: bool


Seat = tuple[str, Slot]
"""A tab's client token, and what of the tab."""

Tab = tuple[str, str, str]
"""What is served together: a tab's client token, under a session (its hash), in a language."""

_followers: dict[Seat, Follower] = {}
_asked: ContextVar[dict[Hashable, asyncio.Future[Any]] | None] = ContextVar("lk_asked", default=None)


def follow(
    client_token: str, state: type[rx.State], topics: frozenset[str], *, slot: Slot = Slot.PAGE
) -> None:
    """From now on the state gets told when one of `topics` changes; a later call replaces this one.

    What it has read before it called is made good for: see `Broadcaster.turn`.
    """
    identity = who()
    if identity is not None and not identity.is_viewing:
        # In a turn it has read after the turn looked: what comes later will be told as any news are.
        is_new = _asked.get() is None
        _followers[client_token, slot] = Follower(state, identity, active_locale(), topics, is_new)


def leave(client_token: str) -> None:
    """The tab goes to a page; what its last one followed is no longer looked for, unless this one follows it.

    Else a page that follows nothing would be sent the values of the page before it for as long as it is open.
    """
    _followers.pop((client_token, Slot.PAGE), None)


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
        self._told: frozenset[Change] = frozenset()

    async def run(self) -> None:
        """Go on until cancelled; a failing turn is logged and tried again."""
        while True:
            await asyncio.sleep(TURN_S)
            try:
                await self.turn()
            except Exception as error:
                report(error)

    async def turn(self) -> None:
        """Look once, and push to the pages concerned.

        Those are the followers of what was not told yet. A new one may have read before, and followed after,
        a turn that told it to nobody: of its topics whatever changed lately counts. Only those that were here
        before the looking began are no longer new after it.
        """
        self._forget_closed()
        began = self.portal.clock()
        if not _followers:
            self._since = began
            return
        newcomers = {seat: one for seat, one in _followers.items() if one.is_new}
        followed = frozenset(topic for one in _followers.values() for topic in one.topics)
        changed = await changed_since(
            self.portal.database, self._since - OVERLAP, now=began, followed=followed
        )
        untold, lately = _topics(changed - self._told), _topics(changed)
        failed = await self._push(
            seat
            for seat, one in _followers.items()
            if not one.topics.isdisjoint(lately if newcomers.get(seat) is one else untold)
        )
        # Only now: after a failure until here the next turn tells it.
        self._told, self._since = changed, began
        _grow_old(newcomers, but=failed)

    async def _push(self, seats: Iterable[Seat]) -> set[Seat]:
        """Let pages and frames read again, tab by tab; gives those that could not."""
        tabs: dict[Tab, list[Slot]] = defaultdict(list)
        for client_token, slot in seats:
            one = _followers[client_token, slot]
            tabs[client_token, one.identity.session_hash, one.locale].append(slot)
        if not tabs:
            return set()
        people = await identities_of(
            self.portal.database,
            self.portal.settings,
            session_hashes={session_hash for _token, session_hash, _locale in tabs},
            now=self.portal.clock(),
        )
        waiting = iter(tabs.items())
        with _asking_once():
            failed = await asyncio.gather(*(self._serve(waiting, people) for _ in range(AT_ONCE)))
        return set().union(*failed)

    async def _serve(
        self, waiting: Iterator[tuple[Tab, list[Slot]]], people: dict[str, Identity]
    ) -> set[Seat]:
        """Serve tabs until none waits; one that fails is logged and keeps nobody else waiting."""
        failed: set[Seat] = set()
        for tab, slots in waiting:
            try:
                await self._show(tab, slots, people.get(tab[1]))
            except Exception as error:
                report(error)
                failed.update((tab[0], slot) for slot in slots)
        return failed

    async def _show(self, tab: Tab, slots: list[Slot], identity: Identity | None) -> None:
        """Let what follows of one tab read again, if its person may still see it."""
        client_token, session_hash, locale = tab
        if identity is None or identity.duty is not Duty.NONE:
            _forget(client_token, session_hash=session_hash, locale=locale)
            close_soon(self.app, client_token, session_hash=session_hash)
            return
        token = rx.BaseStateToken(ident=client_token, cls=BindingState)
        with acting_as(identity), using_locale(locale):
            async with self.app.modify_state(token) as state:
                # The page may have been opened anew under another session since it began to follow.
                if not await is_filled_for(state, session_hash):
                    _forget(client_token, session_hash=session_hash, locale=locale)
                    if await is_empty(state):  # it expired: the tab fills it when it connects anew
                        close_soon(self.app, client_token, session_hash=session_hash)
                    return
                for slot in slots:
                    # Looked up under the state's lock: the person may have gone to another page meanwhile.
                    one = _followers.get((client_token, slot))
                    if one is None or not _is_of(one, session_hash, locale):
                        continue
                    showing: Any = await state.get_state(one.state)
                    with contextlib.suppress(PortalError):
                        await showing._show()

    def _forget_closed(self) -> None:
        """Drop what has no socket in this process; a tab that came back to another node follows there."""
        namespace = self.app.event_namespace
        manager = namespace._token_manager if namespace is not None else None
        for seat in list(_followers):
            socket = manager.token_to_socket.get(seat[0]) if manager is not None else None
            if manager is None or socket is None or socket.instance_id != manager.instance_id:
                del _followers[seat]


def _topics(changes: Iterable[Change]) -> frozenset[str]:
    return frozenset(topic for topic, _at in changes)


def _grow_old(newcomers: dict[Seat, Follower], *, but: set[Seat]) -> None:
    """A turn has looked for these. Who was to be told and failed is as good as new, but only once."""
    for seat, one in list(_followers.items()):
        if newcomers.get(seat) is one:
            _followers[seat] = replace(one, is_new=False)
        elif seat in but and seat not in newcomers:
            _followers[seat] = replace(one, is_new=True)


def _forget(client_token: str, *, session_hash: str, locale: str) -> None:
    """Drop what of a tab began to follow under this session and in this language."""
    for slot in Slot:
        one = _followers.get((client_token, slot))
        if one and _is_of(one, session_hash, locale):
            del _followers[client_token, slot]


def _is_of(one: Follower, session_hash: str, locale: str) -> bool:
    """Whether it began to follow under this session and in this language."""
    return (one.identity.session_hash, one.locale) == (session_hash, locale)
