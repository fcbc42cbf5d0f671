"""Hashing of passwords. Used by services; knows no database.

bcrypt reads 72 bytes at most - 36 Cyrillic letters - so it is given an HMAC-SHA256 of the password under
the portal's pepper: every letter counts, and a stolen database alone is of no use.

A stored hash begins with the id of its pepper (`p1a2b3c4d$2b$12$...`), so the portal's secret can be changed
while old passwords go on working. One without an id is from before there were ids: it belongs to the oldest
secret known.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import bcrypt

_Result = TypeVar("_Result")

MIN_LENGTH = 12
MAX_LENGTH = 128
UNUSABLE = "!"
"""Stands where a hash was: there was a lasting password once, and none fits any more."""

TEMPORARY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Nothing that looks like another: no i, l, o, 0, 1; and no capitals, which are tiresome on a telephone."""
TEMPORARY_LENGTH = 20
GROUP = 5
_FILLERS = re.compile(r"[\s\-\u2010\u2011\u2012\u2013\u2014]+")
_TEMPORARY = re.compile("-".join([f"[{TEMPORARY_ALPHABET}]{{{GROUP}}}"] * (TEMPORARY_LENGTH // GROUP)))
_HASH = re.compile(r"(?:(p[0-9a-f]{8}))?(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})")

# A hash takes a core for a quarter of a second: more than two at once would starve everything else.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


class _Queue:
    """The hashes that are being computed or wait, in this process."""

    length = 0


@dataclass(frozen=True, slots=True)
class Peppers:
    """The pepper of new hashes, and those of secrets that were in force before, newest first."""

    current: bytes
    old: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, secret: bytes, old_secrets: tuple[bytes, ...] = ()) -> Peppers:
        """Derived from the portal's secret and its earlier ones."""
        return cls(pepper_of(secret), tuple(pepper_of(one) for one in old_secrets))

    def by_id(self, name: str) -> bytes | None:
        """The pepper a hash names; None when its secret is not known any more."""
        known = (self.current, *self.old)
        return next((one for one in known if pepper_id(one) == name), None) if name else known[-1]


def pepper_of(secret: bytes) -> bytes:
    """The key for passwords, derived from the portal's secret so that one leaked purpose is not all."""
    return hmac.digest(secret, b"lk-portal password pepper v1", hashlib.sha256)


def pepper_id(pepper: bytes) -> str:
    """A short name that tells peppers apart and says nothing about them."""
    return "p" + hashlib.sha256(b"lk-portal pepper id" + pepper).hexdigest()[:8]


async def hash_password(password: str, *, pepper: bytes, rounds: int) -> str:
    """The hash to store, with the id of its pepper; computed in a thread."""
    hashed = await in_turn(bcrypt.hashpw, _digest(password, pepper), bcrypt.gensalt(rounds))
    return pepper_id(pepper) + hashed.decode("ascii")


async def is_password(password: str, stored: str, *, peppers: Peppers, rounds: int) -> bool:
    """Whether `password` is the one `stored` was made from; computed in a thread.

    It always costs what a hash of `rounds` costs: for "", an unusable hash or an unknown pepper a decoy is
    checked, and a hash that is cheaper than those of today is followed by what is missing.
    """
    found = _HASH.fullmatch(stored)
    pepper = peppers.by_id(found[1] or "") if found else None
    if found is None or pepper is None:
        hashed, cost, pepper, is_real = decoy_hash(rounds), rounds, peppers.current, False
    else:
        hashed, cost, is_real = found[2], int(found[3]), True
    digest = _digest(password, pepper)
    fits = await in_turn(_check, digest, hashed, range(cost, rounds))
    return fits and is_real


async def in_turn(work: Callable[..., _Result], *arguments: object) -> _Result:
    """What `work` gives, from one of the threads that passwords are checked in; it counts in `backlog`."""
    _Queue.length += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_workers, work, *arguments)
    finally:
        _Queue.length -= 1


def backlog() -> int:
    """How many hashes are being computed or wait for their turn in this process."""
    return _Queue.length


def is_outdated(stored: str, *, peppers: Peppers, rounds: int) -> bool:
    """Whether a hash should be made anew: another cost, or another pepper than today's."""
    found = _HASH.fullmatch(stored)
    return found is None or found[1] != pepper_id(peppers.current) or int(found[3]) != rounds


def decoy_hash(rounds: int) -> str:
    """A hash no password fits, as costly to check as a real one: unknown logins take the same time."""
    salt = b"$2b$%02d$" % rounds + b"......................"
    return (salt + b"." * 31).decode("ascii")


def new_temporary() -> str:
    """A random password for a letter, about 99 bits, in groups that can be typed off a screen."""
    letters = "".join(secrets.choice(TEMPORARY_ALPHABET) for _ in range(TEMPORARY_LENGTH))
    return "-".join(letters[at : at + GROUP] for at in range(0, TEMPORARY_LENGTH, GROUP))


def hash_temporary(password: str, *, pepper: bytes) -> str:
    """What is stored of a temporary password, whether typed with its dashes, with spaces, or without.

    A keyed hash without bcrypt's slowness, which is there for what people think up: 99 random bits are not
    guessed at any speed, and checking costs nothing that a clock could tell.
    """
    plain = _FILLERS.sub("", password)
    key = hmac.digest(pepper, b"lk-portal temporary password", hashlib.sha256)
    return f"{pepper_id(pepper)}t{hmac.new(key, _bytes(plain), hashlib.sha256).hexdigest()}"


def is_temporary(password: str, stored: str, *, peppers: Peppers) -> bool:
    """Whether `password` is the temporary one `stored` was made from; the same work when there is none."""
    pepper = peppers.by_id(stored.partition("t")[0] or "-")
    given = hash_temporary(password, pepper=pepper or peppers.current)
    return hmac.compare_digest(given.encode(), stored.encode("utf-8", "replace"))


def looks_temporary(password: str) -> bool:
    """Whether this is, or is built like, a password from a letter, which nobody should keep."""
    return _TEMPORARY.fullmatch(password.strip()) is not None


def _check(digest: bytes, hashed: str, missing: range) -> bool:
    fits = bcrypt.checkpw(digest, hashed.encode("ascii"))
    for cost in missing:  # 2^4 + (2^4 + 2^5 + ... + 2^11) = 2^12
        bcrypt.checkpw(digest, decoy_hash(cost).encode("ascii"))
    return fits


def _digest(password: str, pepper: bytes) -> bytes:
    # Telephones and computers compose й and ё differently; people see one letter.
    normal = unicodedata.normalize("NFC", password)
    return base64.b64encode(hmac.digest(pepper, _bytes(normal), hashlib.sha256))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
