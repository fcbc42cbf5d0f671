"""Whether an event is one that a page of ours could have sent. For the guard, before anything is looked up.

Reflex hands a payload on as it came: arguments that the handler does not have, texts that are no Unicode,
anything at all to its own handlers. That would end in tracebacks, a log that anybody can fill, or a socket
that breaks over the answer. What an argument of our own handlers must be like is for each of them to check.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from reflex.event import Event
from reflex_base.registry import RegistrationContext

Check = Callable[[object], bool]
_ROOT = "reflex___state____state"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_nothing(value: object) -> bool:
    """No state of ours keeps variables in the browser's storage, so none may be brought from there."""
    return value is None or value == {}


def _is_texts(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))


FRAMEWORK_HANDLERS: Mapping[str, Mapping[str, Check]] = {
    f"{_ROOT}.hydrate": {},
    f"{_ROOT}.hydrate_and_load": {"vars": _is_nothing, "hashes": _is_texts},
    f"{_ROOT}.set_is_hydrated": {"value": _is_flag},
    f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal": {},
    f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated": {"value": _is_flag},
    f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception": {
        "info": _is_text,
        "component_stack": _is_text,
    },
}
"""Reflex's handlers that its own pages send, with what their arguments may be; they carry no data of ours.
All its others - `setvar`, and `update_vars_internal`, which sets variables by name - stay closed."""

HYDRATES = frozenset({f"{_ROOT}.hydrate", f"{_ROOT}.hydrate_and_load"})
"""What a page sends when it gets its connection, and is answered with the whole state."""

BEGINS_PAGE = f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal"
"""What a page sends when it is opened."""
QUEUEING_HANDLERS = frozenset(
    {
        BEGINS_PAGE,
        f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated",
    }
)
"""Of these, the ones that begin and end the events of a page: they read nothing of a state and send nothing
but that the page is being filled, or is filled."""


def is_sound(event: Event) -> bool:
    """Whether the arguments are the handler's, and all that came with them can be written down."""
    if not isinstance(event.payload, dict) or not _is_unicode(event.payload, event.router_data):
        return False
    registered = RegistrationContext.get().event_handlers.get(event.name)
    if registered is not None and not _binds(registered.handler.fn, event.payload):
        return False
    checks = FRAMEWORK_HANDLERS.get(event.name, {})
    return all(checks[key](value) for key, value in event.payload.items() if key in checks)


_signature = lru_cache(maxsize=1024)(inspect.signature)


def _binds(function: Callable[..., Any], payload: dict[str, Any]) -> bool:
    try:
        _signature(function).bind(None, **payload)
    except TypeError:
        return False
    return True


def _is_unicode(*values: object) -> bool:
    """Half a surrogate pair passes through JSON, but not into UTF-8, so into no database and no answer."""
    try:
        json.dumps(values, ensure_ascii=False, default=str).encode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        return False
    return True
