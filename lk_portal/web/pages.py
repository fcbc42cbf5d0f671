"""Serves a page at its own address: /login, where the static files would redirect to /login/.

The redirect costs a telephone one round trip, and behind a TLS proxy it would name the wrong scheme.
"""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send


class PageAddresses:
    """Adds the slash that the static files want, inside the server instead of in the browser."""

    def __init__(self, app: ASGIApp, static_dir: Path) -> None:
        self.app = app
        self.pages = {f"/{page.parent.relative_to(static_dir)}" for page in static_dir.rglob("index.html")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"] in self.pages:
            path = scope["path"] + "/"
            scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
        await self.app(scope, receive, send)
