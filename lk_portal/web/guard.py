"""The outermost ASGI layer: origins, rates and headers for everything that comes in.

Reflex accepts websockets from any site, queues events without limit and sends no security headers; this
layer does what it does not.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lk_portal.errors import N_, AccessDeniedError, InputError, NotFoundError
from lk_portal.i18n import say, using_locale
from lk_portal.security.cookies import websocket_cookies
from lk_portal.security.files import MAX_PICTURE_UPLOAD, MAX_REGISTRY_UPLOAD, MAX_UPLOAD, MAX_WRITTEN
from lk_portal.security.navigation import (
    AGREEMENT_PUBLISH,
    DESK_UPLOADS,
    IMPORT_UPLOADS,
    INFO_PREVIEW,
    INFO_SAVE,
    INFO_UPLOAD,
    UPLOADS,
)
from lk_portal.security.preferences import chosen_locale
from lk_portal.security.sockets import CLOSE
from lk_portal.settings import Settings
from lk_portal.web.client import header
from lk_portal.web.connection import Connection

EVENTS_PER_SECOND = 20.0
EVENTS_BURST = 60.0
POLICY_VIOLATION = 1008
ONE_YEAR = 31_536_000
MAX_BODY = 65_536
TOO_LARGE = N_("That is more than can be sent at once.")
MAX_BODIES = MappingProxyType(
    {
        UPLOADS: MAX_UPLOAD,
        DESK_UPLOADS: MAX_UPLOAD,
        IMPORT_UPLOADS: MAX_REGISTRY_UPLOAD,
        INFO_UPLOAD: MAX_PICTURE_UPLOAD,
        INFO_SAVE: MAX_WRITTEN,
        INFO_PREVIEW: MAX_WRITTEN,
        AGREEMENT_PUBLISH: MAX_WRITTEN,
    }
)
"""Addresses whose forms may be larger, since they carry files or whole texts; by path."""
HASHED_NAME = re.compile(r"^/assets/.+-[A-Za-z0-9_-]{8,}\.(js|css|woff2)$")
CLOSED_PATHS = ("/_upload", "/_all_routes", "/ping")


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` at once, `rate` a second for ever."""

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.burst
        self.at = self.clock()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now = self.clock()
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


def content_policy(script_hashes: Sequence[str] = ()) -> bytes:
    """The CSP of pages. Styles may be inline because Plotly and Emotion write them at run time."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ).encode("ascii")


def security_headers(*, is_https: bool) -> list[tuple[bytes, bytes]]:
    """Headers for every answer."""
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]
    if is_https:
        headers.append((b"strict-transport-security", f"max-age={ONE_YEAR}".encode("ascii")))
    return headers


def has_small_body(scope: Scope) -> bool:
    """Whether a form says its length, and it is one a person could have typed, or attached where she may."""
    length = header(scope, b"content-length")
    return length.isascii() and length.isdigit() and int(length) <= MAX_BODIES.get(scope["path"], MAX_BODY)


class Guard:
    """Wraps the portal's ASGI application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.origins = frozenset(settings.own_origins)
        self.headers = security_headers(is_https=settings.is_https)
        # Built pages bring a policy with the hashes of their own inline scripts; others have no scripts.
        self.page_headers = [(b"content-security-policy", content_policy())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            with using_locale(chosen_locale(header(scope, b"cookie"))):
                await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [*message.get("headers", []), *self._headers_for(path, message)],
                }
            await send(message)

        if path.startswith(CLOSED_PATHS):
            await PlainTextResponse(say(NotFoundError()), 404)(scope, receive, with_headers)
        elif scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self.is_own_origin(scope):
            await PlainTextResponse(say(AccessDeniedError()), 403)(scope, receive, with_headers)
        elif scope["method"] == "POST" and not has_small_body(scope):
            await PlainTextResponse(say(InputError(TOO_LARGE)), 413)(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.is_own_origin(scope):
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        bucket = Bucket(EVENTS_PER_SECOND, EVENTS_BURST)
        connection = Connection(receive, send)

        async def within_rate() -> Message:
            message = await connection.receive()
            if message["type"] != "websocket.receive" or bucket.take():
                return message
            connection.close(POLICY_VIOLATION)
            return await connection.receive()

        scope = {**self._without_token(scope), CLOSE: partial(connection.close, POLICY_VIOLATION)}
        await self.app(scope, within_rate, send)

    def _without_token(self, scope: Scope) -> Scope:
        """The scope with the session's token replaced by its hash."""
        kept = [(key, value) for key, value in scope["headers"] if key != b"cookie"]
        given = header(scope, b"cookie")
        locale = chosen_locale(given, query=scope.get("query_string", b""))
        cookie = websocket_cookies(given, self.settings, locale=locale)
        return {**scope, "headers": [*kept, (b"cookie", cookie.encode("latin-1"))]}

    def is_own_origin(self, scope: Scope) -> bool:
        """Whether the Origin is the portal itself. A missing one is refused: browsers send it."""
        return header(scope, b"origin") in self.origins

    def _headers_for(self, path: str, message: Message) -> list[tuple[bytes, bytes]]:
        present = {key.lower() for key, _value in message.get("headers", [])}
        content_type = next(
            (value for key, value in message.get("headers", []) if key == b"content-type"), b""
        )
        extra = [*self.headers, *(self.page_headers if content_type.startswith(b"text/html") else [])]
        if b"cache-control" not in present:
            is_hashed = message["status"] == 200 and HASHED_NAME.match(path)
            caching = f"public, max-age={ONE_YEAR}, immutable" if is_hashed else "no-cache"
            extra.append((b"cache-control", caching.encode("ascii")))
        return [(key, value) for key, value in extra if key not in present]
