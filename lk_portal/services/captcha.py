"""The picture check: proves, once, that somebody read the digits. For registration and recovery.

An answer is taken by deleting its row, right or wrong, in one transaction: of twenty that come at the same
time one finds it. The row is bound to a purpose and to the tab it was shown in, and lives five minutes.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlmodel import col

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import CaptchaChallenge
from lk_portal.security import captcha, spoken_digits
from lk_portal.security.tokens import hash_of, new_token
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.settings import Settings

LIFETIME = timedelta(minutes=5)
MAX_LIVE = 20_000
"""So many pictures wait at most, about 5 MB: under a flood the oldest go first."""
FIELD = "captcha"

_challenge = table_of(CaptchaChallenge)
_c = _challenge.c

# A picture takes a core for some hundredths of a second, a recording for a tenth: a flood of them waits here
# and keeps nobody else waiting.
_workers = ThreadPoolExecutor(2, thread_name_prefix="lk-captcha")


class Purpose(StrEnum):
    """What the check stands before; an answer given for one does not open the other."""

    REGISTER = "register"
    RECOVER = "recover"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A picture somebody is shown.

    `id` stays on the server; `picture` is a `data:` URI; `audio_key` opens the recording of the same digits
    and nothing else: the id is its hash, and an answer needs the tab as well.
    """

    id: str
    picture: str
    audio_key: str


async def issue(database: Database, *, purpose: Purpose, browser: str, now: datetime) -> Challenge:
    """Make a new picture for the tab `browser`; the one it had for this purpose is worth nothing any more."""
    digits, audio_key = captcha.new_digits(), new_token()
    png = await _in_thread(captcha.picture, digits)
    row = {
        "id": hash_of(audio_key),
        "purpose": purpose.value,
        "browser_hash": hash_of(browser),
        "answer": digits,
        "expires_at": now + LIFETIME,
    }
    older = delete(_challenge).where(_c.browser_hash == row["browser_hash"], _c.purpose == row["purpose"])
    async with database.writing() as connection:
        await connection.execute(older)
        await connection.execute(insert(_challenge).values(row))
        await connection.execute(_TOO_MANY)
    uri = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    return Challenge(str(row["id"]), uri, audio_key)


async def take(
    database: Database, *, challenge_id: str, purpose: Purpose, browser: str, answer: str, now: datetime
) -> None:
    """Use the challenge up. Returning means: the digits were right, and nobody can use them again.

    Raises:
        InputError: The digits are wrong; or there is no such challenge any more, or never was one of this
            tab for this purpose. It is gone in any case.
    """
    known = challenge_id if is_storable(challenge_id) else ""
    async with database.writing() as connection:
        found = (
            await connection.execute(delete(_challenge).where(_c.id == known).returning(*_c))
        ).one_or_none()
    if found is None or not _is_open_to(found, purpose=purpose, browser=browser, now=now):
        raise InputError(N_("The picture is too old. Type the digits of the new one."), field=FIELD)
    if not hmac.compare_digest(found.answer.encode(), normal_answer(answer).encode("utf-8", "replace")):
        raise InputError(N_("Wrong digits. Type those of the new picture."), field=FIELD)


def normal_answer(typed: str) -> str:
    """The digits as people type them: without spaces and dashes, wide digits of other keyboards as ours."""
    return "".join(
        character for character in unicodedata.normalize("NFKC", typed) if not _is_filler(character)
    )


async def recording(
    database: Database, settings: Settings, *, audio_key: str, locale: str, now: datetime
) -> bytes:
    """The digits of a waiting challenge read out, as a WAV file.

    The same challenge always sounds the same, on every machine: players ask for parts of it one after the
    other, and several versions of the same digits would only help who wants to filter the noise out.

    Raises:
        NotFoundError: The challenge was answered, is too old, or never was.
    """
    digits = await digits_for_audio(database, audio_key=audio_key, now=now)
    seed = hmac.digest(settings.secret(), f"lk-portal captcha audio {audio_key}".encode(), "sha256")
    return await _in_thread(spoken_digits.recording, digits, locale=locale, seed=seed)


async def digits_for_audio(database: Database, *, audio_key: str, now: datetime) -> str:
    """The digits of the challenge whose recording `audio_key` opens.

    Raises:
        NotFoundError: The challenge was answered, is too old, or never was.
    """
    async with database.reading() as connection:
        digits: str | None = await connection.scalar(
            select(_c.answer).where(_c.id == hash_of(audio_key), _c.expires_at > now)
        )
    if digits is None:
        raise NotFoundError
    return digits


async def forget_expired(database: Database, *, now: datetime) -> None:
    """Remove the challenges nobody answered in time."""
    async with database.writing() as connection:
        await connection.execute(delete(_challenge).where(_c.expires_at <= now))


def _is_open_to(row: Row[Any], *, purpose: Purpose, browser: str, now: datetime) -> bool:
    is_of_the_tab = hmac.compare_digest(row.browser_hash, hash_of(browser))
    return is_of_the_tab and row.purpose == purpose.value and now < row.expires_at


async def _in_thread(make: Callable[..., bytes], *args: str, **options: Any) -> bytes:
    return await asyncio.get_running_loop().run_in_executor(_workers, partial(make, *args, **options))


def _is_filler(character: str) -> bool:
    return character.isspace() or character in "-\u2010\u2011\u2013\u2014"


_LAST_TO_STAY = (
    select(_c.expires_at).order_by(col(CaptchaChallenge.expires_at).desc()).offset(MAX_LIVE).limit(1)
)
_TOO_MANY = delete(_challenge).where(_c.expires_at <= _LAST_TO_STAY.scalar_subquery())
