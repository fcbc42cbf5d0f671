"""Where a browser may be sent. Pure; for routes, the guard and states."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"
ADMIN = "/admin"
LOGIN = "/login"
NEW_PASSWORD = "/new-password"  # noqa: S105 - an address
CONSENT = "/consent"
SETTINGS = "/settings"
SUPPORT = "/support"
UPLOADS = f"{SUPPORT}/send"
FILES = f"{SUPPORT}/files"
_NO_TARGETS = ("/auth", LOGIN, NEW_PASSWORD, CONSENT)


def safe_next(target: str) -> str:
    """Where to go after signing in: `target` when it is another page of this portal, else the home page."""
    return HOME if own_path(target).startswith(_NO_TARGETS) else own_path(target)


def own_path(target: str) -> str:
    """`target` when it is a path of this portal, else the home page: never another site."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    is_ours = target.startswith("/") and not target.startswith("//") and not parts.netloc
    if not is_ours or any(ord(character) < 0x20 or character == "\\" for character in target):
        return HOME
    return target
