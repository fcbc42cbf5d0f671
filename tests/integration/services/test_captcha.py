"""The picture check on both databases: who gets through, who does not, and that a picture is of use once."""

from __future__ import annotations

import asyncio
import base64
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import insert, text

from lk_portal.errors import InputError, NotFoundError
from lk_portal.security.tokens import hash_of
from lk_portal.services import captcha
from lk_portal.services.captcha import LIFETIME, Challenge, Purpose
from lk_portal.services.database import Database
from lk_portal.settings import load_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TAB, OTHER_TAB = "tab-1", "tab-2"
WRONG = "Wrong digits. Type those of the new picture."
OLD = "The picture is too old. Type the digits of the new one."


async def issue(
    database: Database, *, purpose: Purpose = Purpose.REGISTER, browser: str = TAB, now: datetime = NOW
) -> Challenge:
    return await captcha.issue(database, purpose=purpose, browser=browser, now=now)


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT * FROM captcha_challenge ORDER BY expires_at, id"))
        return [dict(row) for row in found.mappings()]


async def answer_of(database: Database, challenge: Challenge) -> str:
    [answer] = [row["answer"] for row in await rows(database) if row["id"] == challenge.id]
    return str(answer)


async def said(database: Database, challenge: Challenge, answer: str, **changes: Any) -> str:
    """What the check says to an answer; "" when it lets through."""
    values = {"purpose": Purpose.REGISTER, "browser": TAB, "now": NOW, **changes}
    try:
        await captcha.take(database, challenge_id=challenge.id, answer=answer, **values)
    except InputError as error:
        assert error.field == "captcha"
        return str(error)
    return ""


def other_than(answer: str) -> str:
    return f"{(int(answer) + 1) % 10**6:06}"


async def test_the_right_digits_let_through_once(database: Database) -> None:
    challenge = await issue(database)
    answer = await answer_of(database, challenge)

    assert await said(database, challenge, answer) == ""
    assert await rows(database) == []
    assert await said(database, challenge, answer) == OLD


async def test_wrong_digits_use_the_picture_up(database: Database) -> None:
    challenge = await issue(database)
    answer = await answer_of(database, challenge)

    assert await said(database, challenge, other_than(answer)) == WRONG
    assert await rows(database) == []
    assert await said(database, challenge, answer) == OLD


@pytest.mark.parametrize(
    "typed", ["", "12345", "x" * 10_000, "\0", "\ud800", "'; --", "<b>", "١٢٣٤٥٦", "123456123456"]
)
async def test_anything_else_is_wrong_too(database: Database, typed: str) -> None:
    challenge = await issue(database)

    assert await said(database, challenge, typed) == WRONG
    assert await rows(database) == []


async def test_people_may_type_spaces_dashes_and_wide_digits(database: Database) -> None:
    wide = {48 + digit: 0xFF10 + digit for digit in range(10)}
    for separator, table in ((" ", {}), ("-", {}), ("\u00a0", {}), ("", wide)):
        challenge = await issue(database)
        answer = await answer_of(database, challenge)
        typed = f" {answer[:3]}{separator}{answer[3:]}\n".translate(table)

        assert await said(database, challenge, typed) == ""


async def test_it_lives_five_minutes(database: Database) -> None:
    for age, sentence in ((LIFETIME - timedelta(seconds=1), ""), (LIFETIME, OLD), (timedelta(days=1), OLD)):
        challenge = await issue(database)
        answer = await answer_of(database, challenge)

        assert await said(database, challenge, answer, now=NOW + age) == sentence
        assert await rows(database) == []
    assert timedelta(minutes=5) == LIFETIME


@pytest.mark.parametrize("changes", [{"purpose": Purpose.RECOVER}, {"browser": OTHER_TAB}, {"browser": ""}])
async def test_it_is_of_no_use_elsewhere_and_then_gone(database: Database, changes: dict[str, Any]) -> None:
    challenge = await issue(database)
    answer = await answer_of(database, challenge)

    assert await said(database, challenge, answer, **changes) == OLD
    assert await said(database, challenge, answer) == OLD


@pytest.mark.parametrize("unknown", ["", "x", "\0", "' OR 1=1 --", "x" * 1000])
async def test_an_unknown_challenge_is_too_old_and_takes_no_other_with_it(
    database: Database, unknown: str
) -> None:
    challenge = await issue(database)
    answer = await answer_of(database, challenge)

    assert await said(database, Challenge(unknown, "", ""), answer) == OLD
    assert await said(database, challenge, answer) == ""


async def test_of_twenty_at_once_one_gets_through(database: Database) -> None:
    for _ in range(3):
        challenge = await issue(database)
        answer = await answer_of(database, challenge)

        told = await asyncio.gather(*(said(database, challenge, answer) for _ in range(20)))

        assert sorted(told) == ["", *[OLD] * 19]


async def test_of_twenty_guesses_at_once_one_is_looked_at(database: Database) -> None:
    challenge = await issue(database)
    answer = await answer_of(database, challenge)
    guesses = [f"{(int(answer) + step) % 10**6:06}" for step in range(20)]

    told = await asyncio.gather(*(said(database, challenge, guess) for guess in guesses))

    assert sum(sentence == OLD for sentence in told) == 19
    assert {"", WRONG} & set(told)


async def test_two_tabs_do_not_disturb_each_other(database: Database) -> None:
    first, second = await issue(database), await issue(database, browser=OTHER_TAB)
    answers = [await answer_of(database, challenge) for challenge in (first, second)]

    assert await said(database, second, answers[1], browser=OTHER_TAB) == ""
    assert await said(database, first, answers[0]) == ""


async def test_a_new_picture_replaces_the_old_one_of_tab_and_purpose(database: Database) -> None:
    old = await issue(database)
    others = [await issue(database, browser=OTHER_TAB), await issue(database, purpose=Purpose.RECOVER)]
    answer = await answer_of(database, old)

    new = await issue(database)

    assert {row["id"] for row in await rows(database)} == {new.id, *(other.id for other in others)}
    assert await said(database, old, answer) == OLD


async def test_a_challenge_tells_nothing_of_its_digits_or_its_tab(database: Database) -> None:
    challenge = await issue(database)
    [row] = await rows(database)
    kind, _, content = challenge.picture.partition(",")

    assert kind == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).format == "PNG"
    assert row["answer"] not in challenge.id + challenge.audio_key + challenge.picture
    assert row["browser_hash"] == hash_of(TAB)
    assert len({challenge.id, challenge.audio_key}) == 2
    assert challenge.id == hash_of(challenge.audio_key)


async def test_a_flood_of_visitors_does_not_fill_the_disk(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real bound, with rows as a flood would leave them; the newest stay."""
    flood = [
        {
            "id": f"{number:064}",
            "purpose": "register",
            "browser_hash": f"{number:064}",
            "answer": "123456",
            "expires_at": NOW + timedelta(milliseconds=number),
        }
        for number in range(captcha.MAX_LIVE + 50)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(captcha._challenge), flood)

    challenge = await issue(database)

    left = await rows(database)
    assert len(left) == captcha.MAX_LIVE
    assert left[-1]["id"] == challenge.id
    assert left[-2]["id"] == flood[-1]["id"]
    assert await said(database, challenge, await answer_of(database, challenge)) == ""


async def test_old_ones_are_forgotten_and_others_not(database: Database) -> None:
    await issue(database)
    later = await issue(database, browser=OTHER_TAB, now=NOW + timedelta(minutes=1))

    await captcha.forget_expired(database, now=NOW + LIFETIME)

    assert [row["id"] for row in await rows(database)] == [later.id]


async def test_the_recording_is_there_as_long_as_the_picture(database: Database, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    challenge = await issue(database)
    answer = await answer_of(database, challenge)

    async def heard(key: str, *, now: datetime = NOW) -> bytes:
        return await captcha.recording(database, settings, audio_key=key, locale="ru", now=now)

    first = await heard(challenge.audio_key)
    assert await captcha.digits_for_audio(database, audio_key=challenge.audio_key, now=NOW) == answer
    assert first[:4] == b"RIFF"
    assert await heard(challenge.audio_key) == first
    for key, now in ((challenge.audio_key, NOW + LIFETIME), (challenge.id, NOW), ("", NOW)):
        with pytest.raises(NotFoundError):
            await heard(key, now=now)

    assert await said(database, challenge, answer) == ""
    with pytest.raises(NotFoundError):
        await heard(challenge.audio_key)
