"""Who may fire which event handler. Every handler declares it; a handler that does not is closed.

Any client can send any event with any payload, so this runs as a Reflex middleware before every event,
the framework's own included:

1. the client's state is bound to the session it was made under; under another session it is emptied first;
2. the framework's own handlers are let through, its `setvar` is not;
3. the handler's declaration - `@requires(...)` or `@public` - is checked against the session's person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext

from lk_portal.errors import AccessDeniedError
from lk_portal.security.cookies import SESSION_HASH_COOKIE, read_cookie
from lk_portal.services.access import Identity, Role, identity_of
from lk_portal.services.context import current

Handler = TypeVar("Handler", bound=Callable[..., Any])

STAFF = (Role.OPERATOR, Role.ADMIN)
_ROOT = "reflex___state____state"
FRAMEWORK_HANDLERS = frozenset(
    {
        f"{_ROOT}.hydrate",
        f"{_ROOT}.hydrate_and_load",
        f"{_ROOT}.set_is_hydrated",
        f"{_ROOT}.reflex___state____on_load_internal_state.on_load_internal",
        f"{_ROOT}.reflex___state____on_load_internal_state.set_is_hydrated",
        f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
    }
)
"""Reflex's handlers that its own pages send; they carry no data of ours. All its others - `setvar`, and
`update_vars_internal`, which sets variables by name - stay closed."""

VISITOR = "visitor"
ANYBODY_SIGNED_IN = (Role.SUBSCRIBER, Role.OPERATOR, Role.ADMIN)
_DECLARATION = "lk_access"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a handler declares: everybody, or the roles that may fire it."""

    is_public: bool
    roles: frozenset[Role] = frozenset()

    def admits(self, identity: Identity | None) -> bool:
        """Whether this person (or visitor: None) may fire the handler."""
        return self.is_public or (identity is not None and identity.role in self.roles)


def requires(*roles: Role) -> Callable[[Handler], Handler]:
    """Declare that only a signed-in person with one of `roles` may fire this handler; below `@rx.event`."""

    def declare(handler: Handler) -> Handler:
        setattr(handler, _DECLARATION, Access(is_public=False, roles=frozenset(roles)))
        return handler

    return declare


def public(handler: Handler) -> Handler:
    """Declare that visitors may fire this handler; below `@rx.event`."""
    setattr(handler, _DECLARATION, Access(is_public=True))
    return handler


def declared_access(event_name: str) -> Access | None:
    """What the handler behind an event declares; None when it declares nothing or does not exist."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return getattr(registered.handler.fn, _DECLARATION, None) if registered else None


_identity: ContextVar[Identity | None] = ContextVar("lk_identity", default=None)


def who() -> Identity | None:
    """The person whose event is being handled; None for a visitor."""
    return _identity.get()


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Run a block for a person outside of an event of hers: the broadcaster, for one open page."""
    previous = _identity.set(identity)
    try:
        yield
    finally:
        _identity.reset(previous)


def subscriber_id() -> int:
    """The subscriber whose event is being handled.

    Raises:
        AccessDeniedError: The person is no subscriber.
    """
    identity = _identity.get()
    if identity is None or identity.subscriber_id is None:
        raise AccessDeniedError
    return identity.subscriber_id


class BindingState(rx.State):
    """Remembers under which session this client's state was filled."""

    _owner: str = ""


class AccessMiddleware(Middleware):
    """Checks every event before its handler runs."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Let the event through (None), or answer it without running its handler."""
        portal = current()
        root = state._get_root_state()
        session_hash = read_cookie(root.router.headers.cookie, SESSION_HASH_COOKIE)
        await _bind(root, session_hash or VISITOR)
        if event.name in FRAMEWORK_HANDLERS:
            return None
        access = declared_access(event.name)
        identity = await identity_of(
            portal.database, portal.settings, session_hash=session_hash, now=portal.clock()
        )
        _identity.set(identity)
        if access is not None and access.admits(identity):
            return None
        log.info("state:event:denied", extra={"handler": event.name[:120]})
        return _answer_denied(root, identity) if access else StateUpdate()


async def _bind(root: BaseState, owner: str) -> None:
    """Empty the whole state when it was filled under another session: a copied client token gets nothing."""
    binding = await root.get_state(BindingState)
    if binding._owner == owner:
        return
    if binding._owner:
        router_data = root.router_data
        root.reset()
        root.router_data = router_data
    binding._owner = owner


async def is_filled_for(state: BaseState, session_hash: str) -> bool:
    """Whether this client's state was filled under the session."""
    binding = await state.get_state(BindingState)
    return binding._owner == session_hash


def _answer_denied(root: BaseState, identity: Identity | None) -> StateUpdate:
    """A visitor is asked to sign in and comes back; a person without the right gets "Not found"."""
    if identity is not None:
        return _go("/not-found")
    path = root.router.url.path or "/"
    if path.startswith("/login"):
        return StateUpdate()
    query = f"?{root.router.url.query}" if root.router.url.query else ""
    return _go(f"/login?next={quote(path + query, safe='')}")


def _go(target: str) -> StateUpdate:
    return StateUpdate(events=Event.from_event_type(rx.redirect(target, replace=True)))
