"""Where a browser may be sent after signing in. Pure; for routes and for /login's state."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"
LOGIN = "/login"


def safe_next(target: str) -> str:
    """`target` when it is a path of this portal, else the home page: never another site."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    is_ours = target.startswith("/") and not target.startswith("//") and not parts.netloc
    if not is_ours or any(ord(character) < 0x20 or character == "\\" for character in target):
        return HOME
    return HOME if parts.path.startswith(("/auth", LOGIN)) else target
