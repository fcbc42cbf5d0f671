"""Where an event comes from, for services that throttle and keep an audit. For all states."""

from __future__ import annotations

import reflex as rx

from lk_portal.services.access import Visit
from lk_portal.services.context import current


def visit_of(state: rx.State) -> Visit:
    """The network address, browser and time of the event that `state` is handling."""
    return Visit(
        address=state.router.session.client_ip,
        agent=state.router.headers.user_agent,
        at=current().clock(),
    )


def browser_of(state: rx.State) -> str:
    """What tells this open page from every other: Reflex's token of the tab."""
    return str(state.router.session.client_token)
