"""Hashing of passwords. Used by services; knows no database.

bcrypt reads 72 bytes at most - 36 Cyrillic letters - so it is given an HMAC-SHA256 of the password under
the portal's pepper: every letter counts, and a stolen database alone is of no use.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac

import bcrypt

MIN_LENGTH = 12
MAX_LENGTH = 128

# A hash takes a core for a quarter of a second: more than two at once would starve everything else.
_slots = asyncio.Semaphore(2)


def pepper_of(secret: bytes) -> bytes:
    """The key for passwords, derived from the portal's secret so that one leaked purpose is not all."""
    return hmac.digest(secret, b"lk-portal password pepper v1", hashlib.sha256)


async def hash_password(password: str, *, pepper: bytes, rounds: int) -> str:
    """The bcrypt hash to store; computed in a thread."""
    async with _slots:
        hashed = await asyncio.to_thread(bcrypt.hashpw, _digest(password, pepper), bcrypt.gensalt(rounds))
    return hashed.decode("ascii")


async def is_password(password: str, hashed: str, *, pepper: bytes) -> bool:
    """Whether `password` is the one `hashed` was made from; computed in a thread."""
    async with _slots:
        return await asyncio.to_thread(bcrypt.checkpw, _digest(password, pepper), hashed.encode("ascii"))


def decoy_hash(rounds: int) -> str:
    """A hash no password fits, as costly to check as a real one: unknown logins take the same time."""
    salt = b"$2b$%02d$" % rounds + b"......................"
    return (salt + b"." * 31).decode("ascii")


def _digest(password: str, pepper: bytes) -> bytes:
    return base64.b64encode(hmac.digest(pepper, password.encode("utf-8"), hashlib.sha256))
