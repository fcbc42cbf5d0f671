"""The portal's cookies: their names, flags, and how they are read. For routes and for the guard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import cookie_parser
from starlette.responses import Response

from lk_portal.security.tokens import hash_of, seal, unseal
from lk_portal.settings import Settings

FLASH_TTL = timedelta(seconds=60)
FLASH_PURPOSE = "flash"
DEVICE_TTL = timedelta(days=365)
DEVICE_PURPOSE = "device"
MAX_DEVICES = 5
"""So many persons may share a browser; the one who signed in longest ago is forgotten."""
SEALED = re.compile(r"[A-Za-z0-9_=.-]+")
LOCALE_COOKIE = "lk_locale"
SESSION_HASH_COOKIE = "lk_session_hash"
"""What the application finds in place of the session cookie; see `websocket_cookies`."""


def session_cookie(settings: Settings) -> str:
    """`__Host-` pins the cookie to this host and to TLS; browsers refuse it on plain http."""
    return "__Host-lk_session" if settings.is_https else "lk_session"


def flash_cookie(settings: Settings) -> str:
    """The name of the cookie that carries one message over a redirect."""
    return "__Host-lk_flash" if settings.is_https else "lk_flash"


def device_cookie(settings: Settings) -> str:
    """The name of the cookie that says who has signed in with this browser before."""
    return "__Host-lk_device" if settings.is_https else "lk_device"


def read_cookie(header: str, name: str) -> str:
    """The value of one cookie of a Cookie header, or "".

    Read like browsers write it: the standard library's parser gives up at the first cookie of another
    application that it dislikes, e.g. one that holds JSON, and ours may come after it.
    """
    return cookie_parser(header).get(name, "")


def websocket_cookies(header: str, settings: Settings, *, locale: str = "") -> str:
    """The Cookie header the application gets to see on a websocket, with the language its page is in.

    Reflex keeps the headers in the state it sends to the browser, where scripts can read them; so the
    session's token is replaced by its hash, which opens nothing, and all but the flash is left out. A flash
    that is not sealed text is left out too: a quoted value may hold `;` and bring a hash of its own along.
    """
    token = read_cookie(header, session_cookie(settings))
    flash = read_cookie(header, flash_cookie(settings))
    kept = {SESSION_HASH_COOKIE: hash_of(token) if token else ""}
    if SEALED.fullmatch(flash):
        kept[flash_cookie(settings)] = flash
    kept[LOCALE_COOKIE] = locale
    return "; ".join(f"{name}={value}" for name, value in kept.items() if value)


def set_session(response: Response, settings: Settings, token: str) -> None:
    """Give the browser its session; scripts cannot read it, other sites cannot send it with a POST."""
    response.set_cookie(
        session_cookie(settings),
        token,
        max_age=settings.session_max_hours * 3600,
        httponly=True,
        secure=settings.is_https,
        samesite="lax",
        path="/",
    )


def clear_session(response: Response, settings: Settings) -> None:
    """Take the session out of the browser."""
    _delete(response, settings, session_cookie(settings))


def set_flash(response: Response, settings: Settings, payload: dict[str, Any], *, now: datetime) -> None:
    """Carry a message and what was typed to the next page: signed, short-lived, never in the URL."""
    sealed = seal(payload, secret=settings.secret(), purpose=FLASH_PURPOSE, expires_at=now + FLASH_TTL)
    response.set_cookie(
        flash_cookie(settings),
        sealed,
        max_age=int(FLASH_TTL.total_seconds()),
        httponly=True,
        secure=settings.is_https,
        samesite="lax",
        path="/",
    )


def clear_flash(response: Response, settings: Settings) -> None:
    """Take the message to the next page back; `set_flash` after it carries another."""
    _delete(response, settings, flash_cookie(settings))


def read_flash(header: str, settings: Settings, *, now: datetime) -> dict[str, Any]:
    """The payload of the flash in a Cookie header; {} when there is none, or it is stale or forged."""
    sealed = read_cookie(header, flash_cookie(settings))
    if not sealed:
        return {}
    return unseal(sealed, secret=settings.secret(), purpose=FLASH_PURPOSE, now=now) or {}


def set_device(
    response: Response,
    settings: Settings,
    known: Mapping[int, str],
    *,
    user_id: int,
    mark: str,
    now: datetime,
) -> None:
    """Let the browser be known as one that this person has signed in with, beside those it is known to."""
    others = {str(other): one for other, one in known.items() if other != user_id}
    kept = dict([(str(user_id), mark), *others.items()][:MAX_DEVICES])
    sealed = seal(kept, secret=settings.secret(), purpose=DEVICE_PURPOSE, expires_at=now + DEVICE_TTL)
    response.set_cookie(
        device_cookie(settings),
        sealed,
        max_age=int(DEVICE_TTL.total_seconds()),
        httponly=True,
        secure=settings.is_https,
        samesite="lax",
        path="/",
    )


def read_devices(header: str, settings: Settings, *, now: datetime) -> dict[int, str]:
    """By user id, the marks of the persons who have signed in with this browser; {} when it is forged."""
    sealed = read_cookie(header, device_cookie(settings))
    found = unseal(sealed, secret=settings.secret(), purpose=DEVICE_PURPOSE, now=now) if sealed else None
    return {int(user_id): str(mark) for user_id, mark in (found or {}).items()}


def _delete(response: Response, settings: Settings, name: str) -> None:
    response.delete_cookie(name, path="/", secure=settings.is_https, httponly=True, samesite="lax")
