"""Opens a page in one event. For `state.shell` and the composition root.

Going to a page is a chain of events in Reflex - one that begins it, the page's own, one that ends it - and
each of them costs a look-up of the session and an answer, which on a page that asks little is more than all
that the page asks. So the frame and the loads of a page run within the event that begins it, and go out as
one answer. They stay event handlers with their own declaration of who may fire them, and it is kept here as
the guard keeps it: a load that the person may not fire is not run.

Where that cannot be - a load that yields, a state that is filled again within another event - the chain is as
ever.

A page about one of many things - a request, a meter - is shown by one state for all of them, which outlives
the page, also a reload of the browser. So it is emptied as soon as the person is elsewhere: else the next
thing's page would show the last one's, with a form for it, until its own load is done. What the last page
followed ends with it, too.

A tab that gets its connection, the first or a new one, is sent all that its states hold. What only other
pages show is emptied before: a reload would bring along every list that was looked at that day. Where the
states of an open page are gone - the portal was started anew, or the tab was idle for long - the page is
filled before, too: else it would be empty for a moment, and a form in it, with what is being typed, gone.
Where they are still there, it is sent those of the pages that it has been at since it was loaded.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from lk_portal.services.access import Duty
from lk_portal.state.guard import Access, access_of, admit, who
from lk_portal.state.live import leave
from lk_portal.state.payloads import BEGINS_PAGE, HYDRATES
from lk_portal.state.snapshot import hashes_as_built, hashes_where_only
from lk_portal.state.tabs import TabNamespace

_loads: dict[str, tuple[Any, ...]] = {}
_enter: dict[str, Any] = {}
_filled: dict[str, frozenset[type[rx.State]]] = {}
_NOTHING: frozenset[type[rx.State]] = frozenset()
_asked: ContextVar[list[Any] | None] = ContextVar("lk_asked_by_page", default=None)


def load_with_frame(route: str, handlers: Sequence[Any], *, enter: Any, is_public: bool) -> bool:
    """Let the frame run these loads when the page at `route` opens; False when they have to be events.

    Args:
        route: Of the page, e.g. /readings.
        handlers: Its loads.
        enter: The frame's handler; takes the route and runs `load_page`.
        is_public: Whether visitors may open the page; then its loads must be public too to be run here.
    """
    _filled[route] = frozenset(handler.state for handler in handlers)
    declared = [access_of(handler.fn) for handler in handlers]
    if not all(access is not None and _fits(access, is_public) for access in declared):
        return False
    if any(_yields(handler.fn) for handler in handlers):
        return False
    _loads[route], _enter[route] = tuple(handlers), enter
    return True


class PlaceState(rx.State):
    """Where this tab is, by the route of its page and by its path.

    `_been` are the routes it has been at since its document was loaded.
    `_is_as_built` says that this portal knows the states which the document began with.
    `_is_kept` is what `is_kept` says; of the page that begins next, `_will_be_kept`.
    `_filled` is the address of a page that is filled already when it begins.
    """

    _route: str = ""
    _path: str = ""
    _been: list[str] = []
    _is_as_built: bool = False
    _is_kept: bool = False
    _will_be_kept: bool = False
    _filled: str = ""


async def is_kept(state: rx.State) -> bool:
    """Whether the page stands in the browser as it was left, and its states here: only a connection was lost.

    Then a load leaves alone what the person has opened, chosen and typed, and what she may not have heard.
    """
    return (await state.get_state(PlaceState))._is_kept


class OpeningMiddleware(Middleware):
    """Runs the frame and the loads of a page within the event that begins it; after the guard."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Fill the page; what that asks for is queued by the event itself."""
        if event.name != BEGINS_PAGE and event.name not in HYDRATES:
            return None
        root = state._get_root_state()
        path = str(root.router.url.path or "/")
        # Reflex's own names of routes have no slash before them, and the first page's is a word.
        name = app.router(path)
        route = "/" if name == "index" else f"/{name}"
        place = await root.get_state(PlaceState)
        filled, place._filled = place._filled, ""
        if event.name == BEGINS_PAGE:
            place._is_kept, place._will_be_kept = place._will_be_kept, False
            if filled == str(root.router.url):
                _asked.set([])
                return None
        is_lost = False
        if event.name in HYDRATES:
            is_lost = await _connect(root, place, route, event)
        await _come_to(root, place, route, path)
        leave(root.router.session.client_token)
        if route not in _enter:
            return None
        if event.name == BEGINS_PAGE:
            _asked.set(await _opened(app, root, route))
        elif is_lost and not await _opened(app, root, route):
            place._filled = str(root.router.url)
        return None


async def _connect(root: BaseState, place: PlaceState, route: str, event: Event) -> bool:
    """See to it that no more is sent than is needed; gives whether the states of an open page are gone."""
    hashes = event.payload.get("hashes")
    # Only a document that was just loaded says what it begins with.
    is_back = not hashes
    # Of a page whose filling was cut short nothing is kept: it would never be filled. If that filling was of
    # a page that was kept, it has taken nothing away.
    is_whole = bool(place._path) and (root.is_hydrated or place._is_kept)
    place._is_kept = place._will_be_kept = is_back and is_whole
    visited = _filled_by(place._been)
    # What other pages have been filled with; they are filled again when opened.
    await _empty(root, visited - _filled_by([route]))
    if hashes:
        place._been, place._is_as_built = [], hashes == await hashes_as_built()
    elif place._is_as_built:
        event.payload["hashes"] = await hashes_where_only(_filled_by(_filled) - visited)
    return is_back and not place._path


async def _come_to(root: BaseState, place: PlaceState, route: str, path: str) -> None:
    """Empty what shows one thing, when the tab has left it; a connection that is back finds it as it was."""
    if route not in place._been:
        place._been = [*place._been, route]
    left, before = place._route, place._path
    if before == path:
        return
    place._route, place._path = route, path
    place._is_kept = place._will_be_kept = False
    if before:
        await _empty(root, _things_of(left) | _things_of(route))


def _filled_by(routes: Iterable[str]) -> frozenset[type[rx.State]]:
    """The states that the loads of these pages fill."""
    return _NOTHING.union(*(_filled.get(route, _NOTHING) for route in routes))


def _things_of(route: str) -> frozenset[type[rx.State]]:
    """The states of a page about one of many things."""
    return _filled.get(route, _NOTHING) if "[" in route else _NOTHING


async def _empty(root: BaseState, states: frozenset[type[rx.State]]) -> None:
    for state in states:
        (await root.get_state(state)).reset()


async def _opened(app: rx.App, root: BaseState, route: str) -> list[Any]:
    """The events that opening a page asks for; of one that fails, what tells the person so."""
    handler = _enter[route]
    access = access_of(handler.fn)
    try:
        if access is None:
            return []
        refused = await admit(app, root, access)
        if refused is not None:
            return list(refused.events)
        asked: list[Any] = await handler.fn(await root.get_state(handler.state), route)
    except Exception as error:
        told = app.backend_exception_handler(error)
        return [] if told is None else [told]
    return asked


class PortalApp(rx.App):
    """Reflex's application, to which a page is one event, and a tab that is back the same tab."""

    def _setup_state(self) -> None:
        super()._setup_state()
        if self.sio is not None and self._event_namespace is not None:
            self._event_namespace = TabNamespace(self._event_namespace.namespace, self)
            self.sio.register_namespace(self._event_namespace)

    def get_load_events(self, path: str) -> list[Any]:
        """The events of opening the page at `path`."""
        asked = _asked.get()
        if asked is None:
            return super().get_load_events(path)
        _asked.set(None)  # tasks that are begun from here inherit the context
        return asked


async def load_page(frame: rx.State, route: str) -> list[Any]:
    """Run the loads of the page at `route`; the events they ask for, such as going somewhere else."""
    asked: list[Any] = []
    for handler in _loads.get(route, ()):
        access = access_of(handler.fn)
        if access is None or not access.admits(who()):
            return [rx.redirect("/not-found", replace=True)]
        found = handler.fn(await frame.get_state(handler.state))
        event = await found if inspect.isawaitable(found) else found
        if event is not None:
            asked += event if isinstance(event, list) else [event]
    return asked


def _fits(access: Access, is_public: bool) -> bool:
    return access.is_public if is_public else access.is_public or access.duty is Duty.NONE


def _yields(function: Any) -> bool:
    return inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
