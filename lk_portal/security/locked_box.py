"""Texts that are kept encrypted in the database: AES-256-GCM under a key derived from the portal's secret.

For services that must read a secret again, such as the key of a second factor. A box names its key, so it
opens under an earlier secret too (`LK_OLD_SECRET_KEYS`), and says for whom it is, so it opens nobody else's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


def lock(text: str, *, secret: bytes, purpose: str) -> str:
    """The box to store; `purpose` says what is in it and whose it is."""
    key, nonce = _key(secret), secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), purpose.encode())
    return f"{_name(key)}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unlock(box: str, *, known: Sequence[bytes], purpose: str) -> str | None:
    """What is in a box; None when none of the `known` secrets opens it, or it is not for this purpose."""
    name, _dot, packed = box.partition(".")
    for key in map(_key, known):
        if _name(key) != name:
            continue
        try:
            raw = base64.urlsafe_b64decode(packed)
            return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return None
    return None


def _key(secret: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"lk-portal locked box v1").derive(secret)


def _name(key: bytes) -> str:
    return "k" + hashlib.sha256(b"lk-portal box id" + key).hexdigest()[:8]
