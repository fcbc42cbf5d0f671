"""Where a browser may be sent. Pure; for routes, the guard and states."""

from __future__ import annotations

from urllib.parse import urlsplit

HOME = "/"
ADMIN = "/admin"
LOGIN = "/login"
NEW_PASSWORD = "/new-password"  # noqa: S105 - an address
CONSENT = "/consent"
SECOND_FACTOR = "/second-factor"
ENROL = "/new-second-factor"
OWN_SECOND_FACTOR = "/admin/second-factor"
SETTINGS = "/settings"
SUPPORT = "/support"
UPLOADS = f"{SUPPORT}/send"
FILES = f"{SUPPORT}/files"
DESK = "/admin/tickets"
DESK_UPLOADS = f"{DESK}/send"
DESK_TEMPLATES = f"{DESK}/templates"
ADMIN_INFO = "/admin/info"
INFO_SAVE = f"{ADMIN_INFO}/save"
INFO_PREVIEW = f"{ADMIN_INFO}/preview"
INFO_UPLOAD = f"{ADMIN_INFO}/pictures"
ADMIN_AGREEMENT = "/admin/agreement"
AGREEMENT_PUBLISH = f"{ADMIN_AGREEMENT}/publish"
CONSENTS_EXPORT = f"{ADMIN_AGREEMENT}/consents"
IMPORT = "/admin/import"
IMPORT_UPLOADS = f"{IMPORT}/send"
_NO_TARGETS = ("/auth", LOGIN, NEW_PASSWORD, CONSENT, SECOND_FACTOR, ENROL)


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
