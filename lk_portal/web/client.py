"""Who is at the other end of a connection. For the routes and the guard."""

from __future__ import annotations

from starlette.types import Scope

FORWARDED_FOR = b"x-forwarded-for"


def header(scope: Scope, name: bytes) -> str:
    """The first value of a header in an ASGI scope, or ""."""
    for key, value in scope.get("headers", ()):
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


def client_address(scope: Scope, trusted_proxy_hops: int) -> str:
    """The address of the browser: the socket's, or what the last trusted proxy wrote of it."""
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    if not trusted_proxy_hops:
        return address
    # Some proxies add a line of their own below the one that the browser may have sent.
    lines = [
        bytes(value).decode("latin-1") for key, value in scope.get("headers", ()) if key == FORWARDED_FOR
    ]
    forwarded = [part.strip() for part in ",".join(lines).split(",") if part.strip()]
    return forwarded[-trusted_proxy_hops] if len(forwarded) >= trusted_proxy_hops else address
