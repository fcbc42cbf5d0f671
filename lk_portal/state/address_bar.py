"""What the address of an open page says. For the states of pages whose address names a thing."""

from __future__ import annotations

from urllib.parse import unquote

import reflex as rx

LONGEST = 64


def named_in(state: rx.State, page: str) -> str:
    """The thing that the address names after `page` (e.g. /meters); "" for what cannot be a name.

    Anybody can send any address with an event, so it is a hint like every other argument.
    """
    path = str(state.router.url.path)
    name = unquote(path.removeprefix(f"{page}/").rstrip("/")) if path.startswith(f"{page}/") else ""
    return name if len(name) <= LONGEST else ""
