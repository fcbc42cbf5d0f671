"""Where a page of a list begins: the sorted value and the key of the row at its edge. Pure.

A cursor stands in the address, so anybody can write one: what cannot be read means the first page.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from lk_portal.services.texts import is_storable

LONGEST = 600


def encode(value: Any, key: int) -> str:
    """A short text for an address."""
    plain = value.isoformat() if isinstance(value, date | datetime) else value
    plain = plain.value if isinstance(plain, Enum) else str(plain) if isinstance(plain, Decimal) else plain
    return base64.urlsafe_b64encode(json.dumps([plain, key]).encode()).decode().rstrip("=")


def decode(text: str, kind: Any) -> tuple[Any, int] | None:
    """The value, of the Python type `kind`, and the key; None when the text is no cursor of such a list."""
    if not text or len(text) > LONGEST:
        return None
    try:
        plain, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = _as(plain, kind)
    except (ValueError, TypeError, KeyError, binascii.Error, InvalidOperation, RecursionError):
        return None
    return (found, key) if type(key) is int and abs(key) < 2**63 else None


def _as(plain: Any, kind: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(plain)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind is date:
        return date.fromisoformat(plain)
    if kind is Decimal:
        return Decimal(plain)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind is int and (type(plain) is not int or abs(plain) >= 2**63):
        raise ValueError
    if kind is str and not (isinstance(plain, str) and is_storable(plain)):
        raise ValueError
    return plain
