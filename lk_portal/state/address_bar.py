"""What the address of an open page says. For the states of pages whose address names a thing."""

from __future__ import annotations

from urllib.parse import unquote

import reflex as rx

LONGEST = 64


def named_in(state: rx.State, page: str) -> str:
    """The thing that the address names after `page` (e.g. /meters); "" for what cannot be a name.

    Anybody can send any address with an event, so it is a hint like every other argument. Decoded twice, for
    `accounts_view` encodes a slash so.
    """
    path = str(state.router.url.path)
    if not path.startswith(f"{page}/"):
        return ""
    name = unquote(unquote(path.removeprefix(f"{page}/").rstrip("/")))
    return name if len(name) <= LONGEST else ""
