"""Who may fire which event handler. Every handler declares it; a handler that does not is closed.

Any client can send any event with any payload, so this runs as a Reflex middleware before every event,
the framework's own included:

1. an event that no page of ours could have sent is dropped (`state.payloads`);
2. events that only begin and end the loading of a page pass where the state is of the session they come with:
   what they queue comes here by itself, and a page that is opened at once asks `admit` (`state.opening`);
3. the session is looked up; one that has ended is a visitor's, and its socket is closed;
4. the client's state is bound to the session it was made under; under another one it is emptied first;
5. the framework's own handlers are let through, its `setvar` is not;
6. the handler's declaration - `@requires(...)` or `@public` - is checked against the session's person;
7. of staff who look through a subscriber's eyes only what says `is_reading=True`, or is public, is run, and
   the database refuses to write for it.

A session that owes something (a new password, agreement to documents) fires only handlers declared for that;
to all others its person is a visitor, who is led to the page where it is done.
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
from lk_portal.i18n import active_locale, choose_locale
from lk_portal.security.cookies import LOCALE_COOKIE, SESSION_HASH_COOKIE, read_cookie
from lk_portal.security.navigation import CONSENT, ENROL, HOME, LOGIN, NEW_PASSWORD, SECOND_FACTOR
from lk_portal.services import viewing
from lk_portal.services.access import Duty, Identity, Role, identity_of
from lk_portal.services.context import current
from lk_portal.state.payloads import FRAMEWORK_HANDLERS, QUEUEING_HANDLERS, is_sound
from lk_portal.state.sockets import close_soon

Handler = TypeVar("Handler", bound=Callable[..., Any])

STAFF = (Role.OPERATOR, Role.ADMIN)
VISITOR = "visitor"
ANYBODY_SIGNED_IN = (Role.SUBSCRIBER, Role.OPERATOR, Role.ADMIN)
PAGES_OF_DUTIES = {
    Duty.NEW_PASSWORD: NEW_PASSWORD,
    Duty.CONSENT: CONSENT,
    Duty.SECOND_FACTOR: SECOND_FACTOR,
    Duty.ENROL: ENROL,
}
_DECLARATION = "lk_access"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """What a handler declares: everybody, or the roles that may fire it, in sessions that owe `duty`.

    One that `is_reading` changes nothing but what its page shows: staff may fire it in a subscriber's place.
    """

    is_public: bool
    roles: frozenset[Role] = frozenset()
    duty: Duty = Duty.NONE
    is_reading: bool = False

    def admits(self, identity: Identity | None) -> bool:
        """Whether this person (or visitor: None) may fire the handler."""
        if self.is_public or identity is None:
            return self.is_public
        return identity.role in self.roles and self.is_for(identity)

    def is_for(self, identity: Identity) -> bool:
        """Whether it is for a session like this one: what it owes, and whether it only looks."""
        is_for_viewers = self.is_public or self.is_reading
        return identity.duty is self.duty or (identity.is_viewing and is_for_viewers)


def requires(*roles: Role, duty: Duty = Duty.NONE, is_reading: bool = False) -> Callable[[Handler], Handler]:
    """Declare that only a signed-in person with one of `roles` may fire this handler; below `@rx.event`.

    With a `duty`, it is for sessions that owe it, and for no others. `is_reading` says that it writes
    nothing: staff who look through a subscriber's eyes may fire it too.
    """

    def declare(handler: Handler) -> Handler:
        declared = Access(is_public=False, roles=frozenset(roles), duty=duty, is_reading=is_reading)
        setattr(handler, _DECLARATION, declared)
        return handler

    return declare


def public(handler: Handler) -> Handler:
    """Declare that visitors may fire this handler; below `@rx.event`."""
    setattr(handler, _DECLARATION, Access(is_public=True))
    return handler


def access_of(function: Callable[..., Any]) -> Access | None:
    """What a handler's function declares; None when it declares nothing."""
    return getattr(function, _DECLARATION, None)


def declared_access(event_name: str) -> Access | None:
    """What the handler behind an event declares; None when it declares nothing or does not exist."""
    registered = RegistrationContext.get().event_handlers.get(event_name)
    return access_of(registered.handler.fn) if registered else None


_identity: ContextVar[Identity | None] = ContextVar("lk_identity", default=None)


def who() -> Identity | None:
    """The person whose event is being handled; None for a visitor, and for who must do her duty first."""
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


def user_id() -> int:
    """The login whose event is being handled.

    Raises:
        AccessDeniedError: It is a visitor's.
    """
    identity = _identity.get()
    if identity is None:
        raise AccessDeniedError
    return identity.user_id


def staff_id() -> int:
    """The login of the member of the staff whose event is being handled, or whose open page is told.

    Raises:
        AccessDeniedError: The person is none, or none any more.
    """
    identity = _identity.get()
    if identity is None or identity.role not in STAFF:
        raise AccessDeniedError
    return identity.user_id


class BindingState(rx.State):
    """Remembers under which session, and in which language, this client's state was filled."""

    _owner: str = ""
    _locale: str = ""


class AccessMiddleware(Middleware):
    """Checks every event before its handler runs."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        """Let the event through (None), or answer it without running its handler."""
        if not is_sound(event):
            log.info("state:event:unsound", extra={"handler": event.name[:120]})
            return StateUpdate()
        viewing.only_reading(is_so=False)
        root = state._get_root_state()
        session_hash = read_cookie(root.router.headers.cookie, SESSION_HASH_COOKIE)
        choose_locale(read_cookie(root.router.headers.cookie, LOCALE_COOKIE))
        if event.name in QUEUEING_HANDLERS and await is_filled_for(root, session_hash or VISITOR):
            return None
        if event.name in FRAMEWORK_HANDLERS:
            await _person_of(app, root, is_activity=False)
            return None
        access = declared_access(event.name)
        if access is None:
            await _person_of(app, root, is_activity=True)
            _identity.set(None)
            log.info("state:event:denied", extra={"handler": event.name[:120]})
            return StateUpdate()
        return await admit(app, root, access)


async def admit(app: rx.App, root: BaseState, access: Access) -> StateUpdate | None:
    """Look who is there, and let her through (None) or answer what is said to those who may not."""
    identity = await _person_of(app, root, is_activity=True)
    if access.admits(identity):
        _identity.set(identity if identity and access.is_for(identity) else None)
        viewing.only_reading(is_so=identity is not None and identity.is_viewing)
        return None
    _identity.set(None)
    log.info("state:event:denied", extra={"page": str(root.router.url.path)[:120]})
    return _answer_denied(root, identity, access)


async def _person_of(app: rx.App, root: BaseState, *, is_activity: bool) -> Identity | None:
    """The person behind the session that an event came with; the state is hers from now on."""
    portal = current()
    session_hash = read_cookie(root.router.headers.cookie, SESSION_HASH_COOKIE)
    identity = await identity_of(
        portal.database,
        portal.settings,
        session_hash=session_hash,
        now=portal.clock(),
        is_activity=is_activity,
    )
    await _bind(root, _owner_of(identity))
    if session_hash and identity is None:
        close_soon(app, root.router.session.client_token, session_hash=session_hash)
    return identity


def _owner_of(identity: Identity | None) -> str:
    """Under what a client's state is filled; what a viewer saw is gone when the time for it is over."""
    if identity is None:
        return VISITOR
    return f"{identity.session_hash}{identity.subscriber_id if identity.is_viewing else ''}"


async def _bind(root: BaseState, owner: str) -> None:
    """Empty the whole state when it was filled under another session: a copied client token gets nothing.

    It is emptied for another language too, for it holds texts.
    """
    binding = await root.get_state(BindingState)
    if (binding._owner, binding._locale) == (owner, active_locale()):
        return
    if binding._owner:
        router_data = root.router_data
        root.reset()
        root.router_data = router_data
    binding._owner, binding._locale = owner, active_locale()


async def is_filled_for(state: BaseState, session_hash: str) -> bool:
    """Whether this client's state was filled under the session, and in the language of now."""
    binding = await state.get_state(BindingState)
    return (binding._owner, binding._locale) == (session_hash, active_locale())


async def is_empty(state: BaseState) -> bool:
    """Whether nothing has filled this client's state since it was made: an idle tab's expires."""
    binding = await state.get_state(BindingState)
    return not binding._owner


def _answer_denied(root: BaseState, identity: Identity | None, access: Access) -> StateUpdate:
    """A visitor is asked to sign in and comes back; a person without the right gets "Not found".

    One who owes something is led to its page and comes back too; that page leads others home.
    """
    path = root.router.url.path or "/"
    target = f"{path}?{root.router.url.query}" if root.router.url.query else path
    if identity is None:
        return _go_first(LOGIN, path, target)
    if identity.is_viewing:
        return _say_only_looking() if identity.role in access.roles else _go("/not-found")
    if identity.duty is not Duty.NONE:
        return _go_first(PAGES_OF_DUTIES[identity.duty], path, target)
    return _go(HOME if access.duty is not Duty.NONE else "/not-found")


def _say_only_looking() -> StateUpdate:
    from lk_portal.state.shell import ShellState  # which imports this module

    return StateUpdate(events=Event.from_event_type(ShellState.say_only_looking()))


def _go_first(page: str, path: str, target: str) -> StateUpdate:
    """To a page that leads on to where the person was going; nowhere when she is there."""
    if path.startswith(page):
        return StateUpdate()
    return _go(f"{page}?next={quote(target, safe='')}")


def _go(target: str) -> StateUpdate:
    return StateUpdate(events=Event.from_event_type(rx.redirect(target, replace=True)))
