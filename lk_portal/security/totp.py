"""Codes of an authenticator application, and codes for when it is lost.

TOTP by RFC 6238: SHA-1, 6 digits, 30 s. Pure, but for chance; for `services.second_factor`.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime

import pyotp
import segno

STEP_S = 30
DRIFT = 1
"""So many steps a telephone's clock may be off, either way."""
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another one."""
_HALF = 5
_FILLERS = re.compile(r"[\s\-\u2010-\u2015]+")


def new_key() -> str:
    """A new key: 160 bits in base32."""
    return pyotp.random_base32()


def link_of(key: str, *, login: str, utility: str) -> str:
    """The otpauth address that an application takes the key from."""
    return pyotp.TOTP(key).provisioning_uri(name=login, issuer_name=utility)


def picture_of(link: str) -> str:
    """The address as a QR code: SVG as a data address, black on white for any camera."""
    return str(segno.make(link, error="m").svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def step_of(key: str, code: str, *, now: datetime) -> int | None:
    """The step of time whose code this is, the present one or a neighbour; None: it is no such code."""
    present = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(key)
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of about 49 random bits each, for when the telephone is lost."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _each in range(_HALF)) for _half in range(2))
        for _code in range(RECOVERY_CODES)
    ]


def recovery_code_of(typed: str) -> str:
    """A recovery code as it was made, from what was typed; "" when it is none."""
    bare = _FILLERS.sub("", typed).lower()
    if len(bare) != 2 * _HALF or any(letter not in _LETTERS for letter in bare):
        return ""
    return f"{bare[:_HALF]}-{bare[_HALF:]}"
