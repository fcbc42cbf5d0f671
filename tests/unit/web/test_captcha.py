"""The recording over HTTP: for whom, how often, in which parts."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from lk_portal.errors import InputError
from lk_portal.security.tokens import new_token
from lk_portal.services import captcha, context
from lk_portal.services.captcha import LIFETIME, Challenge, Purpose
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from lk_portal.web import captcha as web
from lk_portal.web.routes import make_routes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TAB = "tab"


@dataclass
class Site:
    """The routes as a player sees them; `now` is the portal's clock."""

    http: httpx.AsyncClient
    database: Database
    now: datetime = NOW

    async def issue(self) -> Challenge:
        return await captcha.issue(self.database, purpose=Purpose.REGISTER, browser=TAB, now=NOW)

    async def listen(self, key: str, **headers: str) -> httpx.Response:
        return await self.http.get(f"/captcha/{key}.wav?lang=ru", headers=headers)

    async def answer(self) -> str:
        async with self.database.reading() as connection:
            return str(await connection.scalar(text("SELECT answer FROM captcha_challenge")))


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(data_dir=tmp_path, public_url="http://127.0.0.1:8000")
    transport = httpx.ASGITransport(make_routes(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as http:
        made = Site(http, sqlite_database)
        portal = Portal(settings, sqlite_database, clock=lambda: made.now)
        monkeypatch.setattr(context._Installed, "portal", portal)
        monkeypatch.setattr(web, "_requests", web.Requests())
        yield made


async def test_a_player_gets_a_wav_file_that_nobody_keeps(site: Site) -> None:
    answer = await site.listen((await site.issue()).audio_key)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert 3 <= file.getnframes() / file.getframerate() <= 8


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-1", 0, 1), ("bytes=0-", 0, None), ("bytes=100-199", 100, 199), ("bytes=-50", -50, None)],
)
async def test_a_player_may_ask_for_parts(site: Site, asked: str, first: int, last: int | None) -> None:
    key = (await site.issue()).audio_key
    whole = (await site.listen(key)).content

    answer = await site.listen(key, range=asked)

    start = first % len(whole)
    end = len(whole) - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.content == whole[start : end + 1]
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=5-2", "bytes=999999998-999999999", "bytes=-0"])
async def test_a_part_that_is_not_there(site: Site, asked: str) -> None:
    answer = await site.listen((await site.issue()).audio_key, range=asked)

    assert (answer.status_code, answer.content) == (416, b"")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=" + "9" * 30 + "-", ""]
)
async def test_what_is_no_range_gets_the_whole(site: Site, asked: str) -> None:
    key = (await site.issue()).audio_key
    whole = (await site.listen(key)).content

    answer = await site.listen(key, range=asked)

    assert (answer.status_code, answer.content) == (200, whole)


async def test_other_keys_open_nothing(site: Site) -> None:
    challenge = await site.issue()
    others = [
        new_token(),
        challenge.id,
        "x",
        "..%2f",
        "%00",
        challenge.audio_key[:-1],
        challenge.audio_key + "A",
    ]

    answers = [await site.listen(key) for key in others]

    assert {answer.status_code for answer in answers} == {404}
    assert all(answer.headers.get("content-type") != "audio/wav" for answer in answers)
    assert (await site.listen(challenge.audio_key)).status_code == 200


async def test_an_answered_or_old_picture_is_heard_no_more(site: Site) -> None:
    challenge = await site.issue()
    assert (await site.listen(challenge.audio_key)).status_code == 200
    site.now = NOW + LIFETIME
    assert (await site.listen(challenge.audio_key)).status_code == 404
    site.now = NOW
    with pytest.raises(InputError):
        await captcha.take(
            site.database,
            challenge_id=challenge.id,
            purpose=Purpose.REGISTER,
            browser=TAB,
            answer="wrong",
            now=NOW,
        )

    assert (await site.listen(challenge.audio_key)).status_code == 404


async def test_listening_does_not_use_the_picture_up(site: Site) -> None:
    challenge = await site.issue()
    await site.listen(challenge.audio_key)

    await captcha.take(
        site.database,
        challenge_id=challenge.id,
        purpose=Purpose.REGISTER,
        browser=TAB,
        answer=await site.answer(),
        now=NOW,
    )


async def test_a_recording_is_given_only_so_often(site: Site) -> None:
    key, other = (await site.issue()).audio_key, new_token()
    codes = [(await site.listen(key)).status_code for _ in range(web.MAX_REQUESTS + 2)]

    assert codes == [200] * web.MAX_REQUESTS + [429] * 2
    assert (await site.listen(other)).status_code == 404
    assert (await site.listen((await site.issue()).audio_key)).status_code == 200


def test_the_counter_of_requests_stays_small() -> None:
    requests = web.Requests(most=1, remembered=3)

    assert [requests.is_one_too_many(key) for key in "aabcd"] == [False, True, False, False, False]
    assert len(requests._counts) == 3
    assert not requests.is_one_too_many("a")


async def test_it_cannot_be_sent_to(site: Site) -> None:
    key = (await site.issue()).audio_key

    assert (await site.http.post(f"/captcha/{key}.wav")).status_code == 405
    head = await site.http.head(f"/captcha/{key}.wav")
    assert (head.status_code, head.content) == (200, b"")


async def test_without_a_language_it_speaks_the_page_s(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    key = (await site.issue()).audio_key
    said = {lang: (await site.http.get(f"/captcha/{key}.wav?lang={lang}")).content for lang in ("ru", "en")}
    monkeypatch.setattr(web, "active_locale", lambda: "ru")

    assert said["ru"] != said["en"]
    assert (await site.http.get(f"/captcha/{key}.wav")).content == said["ru"]
