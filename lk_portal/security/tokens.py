"""Random tokens, and small signed values that travel through the browser. Knows no database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any

TOKEN_BYTES = 32


def new_token() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(value: str) -> str:
    """SHA-256 in hex: what is stored or counted instead of the value itself."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def seal(payload: dict[str, Any], *, secret: bytes, purpose: str, expires_at: datetime) -> str:
    """Sign `payload` so that `unseal` can tell it is ours, for this purpose and not too old."""
    body = json.dumps([int(expires_at.timestamp()), payload], ensure_ascii=False, separators=(",", ":"))
    encoded = base64.urlsafe_b64encode(body.encode("utf-8")).decode("ascii")
    return f"{encoded}.{_signature(encoded, secret, purpose)}"


def unseal(sealed: str, *, secret: bytes, purpose: str, now: datetime) -> dict[str, Any] | None:
    """The payload, or None when it is forged, stale, or not a sealed value at all."""
    encoded, _, signature = sealed.partition(".")
    given = signature.encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, _signature(encoded, secret, purpose).encode("ascii")):
        return None
    expires_at, payload = json.loads(base64.urlsafe_b64decode(encoded))
    return payload if now.timestamp() < expires_at else None


def _signature(encoded: str, secret: bytes, purpose: str) -> str:
    key = hmac.digest(secret, b"lk-portal seal " + purpose.encode(), hashlib.sha256)
    return hmac.new(key, encoded.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
