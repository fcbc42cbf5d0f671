"""Where a page of a list begins: the sorted value and the key of the row at its edge. Pure.

A cursor stands in the address, so anybody can write one: what cannot be read means the first page.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from lk_portal.services.texts import is_storable

LONGEST = 2000
"""Characters; a text of 300 that all need four bytes is shorter."""

SMALLEST = 30
"""Places behind the point; PostgreSQL refuses too many."""


def encode(value: Any, key: int) -> str:
    """A short text for an address."""
    plain = value.isoformat() if isinstance(value, date | datetime) else value
    plain = plain.value if isinstance(plain, Enum) else str(plain) if isinstance(plain, Decimal) else plain
    packed = json.dumps([plain, key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode(text: str, kind: Any) -> tuple[Any, int] | None:
    """The value, of the Python type `kind`, and the key; None when the text is no cursor of such a list."""
    if not text or len(text) > LONGEST:
        return None
    try:
        plain, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = _as(plain, kind)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None
    return (found, key) if type(key) is int and abs(key) < 2**63 else None


def _as(plain: Any, kind: Any) -> Any:
    """The value of this type.

    Raises:
        ValueError: It is none, or none that a database can be asked for; TypeError and ArithmeticError too.
    """
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(plain)
    if kind in (bool, int, float, str) and type(plain) is not kind:
        raise ValueError
    if kind is datetime:
        moment = datetime.fromisoformat(plain)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind is date:
        return date.fromisoformat(plain)
    if kind is Decimal:
        plain = _decimal(plain)
    if isinstance(plain, int | float | Decimal) and not abs(float(plain)) < 2**63:
        raise ValueError  # also no number at all
    if isinstance(plain, str) and not is_storable(plain):
        raise ValueError
    return plain


def _decimal(plain: str) -> Decimal:
    number = Decimal(plain)
    if number and number.adjusted() < -SMALLEST:
        raise ValueError
    return number
