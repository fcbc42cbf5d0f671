"""Closing a tab's websocket. For the guard and the broadcaster, when the session it was opened under is over.

The websocket itself is closed: Reflex's own script then opens a new one at once, and comes with the cookies
the browser has by now - those of the next session, or none. After Socket.IO's goodbye it would not come back.
"""

from __future__ import annotations

import asyncio

import reflex as rx

from lk_portal.security.cookies import SESSION_HASH_COOKIE, read_cookie
from lk_portal.security.sockets import CLOSE

GRACE_S = 0.5
"""The answer - where to sign in - leaves first."""


def close_soon(app: rx.App, client_token: str, *, session_hash: str) -> None:
    """Close the tab's socket after what is being sent to it now; nothing, when it has none here.

    Nothing either when the socket came with another session's cookie, or none: a tab keeps its client token,
    so by now it may show the next page - the sign-in form, half filled - over a socket of its own.
    """
    namespace = app.event_namespace
    sid = namespace.token_to_sid.get(client_token) if namespace is not None else None
    if namespace is None or app.sio is None or sid is None:
        return
    environ = app.sio.get_environ(sid, namespace.namespace) or {}
    if read_cookie(environ.get("HTTP_COOKIE", ""), SESSION_HASH_COOKIE) != session_hash:
        return
    close = environ.get("asgi.scope", {}).get(CLOSE)
    if close is not None:
        asyncio.get_running_loop().call_later(GRACE_S, close)
