"""Pages opened at an address by a visitor or a person, without a browser."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.services.access import Identity, Role
from lk_portal.state.guard import acting_as
from tests.unit.state.people import client_state, come_from

SOMEBODY = Identity(1, Role.SUBSCRIBER, 1, "Иванов", "hash")
OPERATOR = Identity(2, Role.OPERATOR, None, "Белова", "hash")


async def opened(
    state: type[Any], address: str, *, identity: Identity | None = None, locale: str = ""
) -> Any:
    """The state after the page's handler ran."""
    shown = await at(state, address, locale=locale)
    if identity is None:
        await state.load.fn(shown)
    else:
        with acting_as(identity):
            await state.load.fn(shown)
    return shown


async def at(state: type[Any], address: str, *, locale: str = "") -> Any:
    """The state of a page at an address, before anything ran."""
    root: rx.State = client_state("")
    come_from(root, "", address, locale=locale)
    root.router_data = {**root.router_data, "pathname": address.partition("?")[0]}
    root.router = type(root.router).from_router_data(root.router_data)
    return await root.get_state(state)
