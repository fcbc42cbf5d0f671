"""Short codes that come by letter and are typed back. Pure; for services that confirm an address.

Six digits can all be tried by whoever has their hash, so the hash is keyed by the portal's secret; how often
one may be typed is counted by the service.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

DIGITS = 6
_FILLERS = re.compile(r"[\s\-\u2010-\u2015]+")


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def code_of(typed: str) -> str:
    """The code a person typed or pasted, with spaces or dashes in it or not; "" when it is none."""
    digits = _FILLERS.sub("", typed)
    return digits if digits.isascii() and digits.isdecimal() and len(digits) == DIGITS else ""


def hash_code(code: str, *, secret: bytes, purpose: str) -> str:
    """What is stored of a code, in hex; `purpose` says for whom and what, so it fits nothing else."""
    key = hmac.digest(secret, b"lk-portal code v1", hashlib.sha256)
    return hmac.new(key, f"{purpose}\n{code}".encode(), hashlib.sha256).hexdigest()


def is_code(code: str, stored: str, *, secret: bytes, purpose: str) -> bool:
    """Whether a stored hash is this code's; none is the empty hash's."""
    return bool(stored) and hmac.compare_digest(hash_code(code, secret=secret, purpose=purpose), stored)
