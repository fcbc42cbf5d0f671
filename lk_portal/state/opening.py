"""Loads a page within the event that draws the frame around it. For `state.shell` and the composition root.

Going to a page is a chain of events, and each of them costs a look-up of the session and an answer of its
own, which on a page that asks little is more than all that the page asks. So the frame's event runs the
page's loads too. They stay event handlers of their own, with their own declaration of who may fire them, and
it is kept here as the guard keeps it: a load that the person may not fire is not run.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import reflex as rx

from lk_portal.services.access import Duty
from lk_portal.state.guard import Access, access_of, who

_loads: dict[str, tuple[Any, ...]] = {}


def load_with_frame(route: str, handlers: Sequence[Any], *, is_public: bool) -> bool:
    """Let the frame run these loads when the page at `route` opens; False when they have to be events.

    Args:
        route: Of the page, e.g. /readings.
        handlers: Its loads.
        is_public: Whether visitors may open the page; then its loads must be public too to be run here.
    """
    declared = [access_of(handler.fn) for handler in handlers]
    if not all(access is not None and _fits(access, is_public) for access in declared):
        return False
    if any(_yields(handler.fn) for handler in handlers):
        return False
    _loads[route] = tuple(handlers)
    return True


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
