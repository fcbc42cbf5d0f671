"""POST /profile/preferences on a real database: what it sets, where it leads, what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from lk_portal.i18n import LANGUAGES
from lk_portal.services import access, context
from lk_portal.services.access import Role
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.profile import SETTINGS_CHANGES
from lk_portal.settings import KNOWN_LOCALES, load_settings
from lk_portal.web.routes import make_routes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EMAIL, PASSWORD = "ivanov@example.com", "Correct-horse-2026"
OWN = "http://127.0.0.1:8000"


@dataclass
class Site:
    """The routes, as a browser sees them."""

    http: httpx.AsyncClient
    database: Database

    async def choose(self, *, referer: str = "", **fields: str) -> httpx.Response:
        headers = {"referer": referer} if referer else {}
        return await self.http.post("/profile/preferences", data=fields, headers=headers)

    async def sign_in(self) -> None:
        await self.http.post("/auth/login", data={"login": EMAIL, "password": PASSWORD})

    async def stored(self) -> tuple[str, str]:
        async with self.database.reading() as connection:
            found = (await connection.execute(text("SELECT locale, theme FROM portal_user"))).one()
        return found.locale, found.theme.lower()


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(data_dir=tmp_path, bcrypt_rounds=4, public_url=OWN, trusted_proxy_hops=0)
    monkeypatch.setattr(context._Installed, "portal", Portal(settings, sqlite_database, clock=lambda: NOW))
    await access.create_user(
        sqlite_database,
        settings,
        email=EMAIL,
        phone=None,
        role=Role.OPERATOR,
        display_name="Иванов",
        password=PASSWORD,
        subscriber_id=None,
        now=NOW,
    )
    transport = httpx.ASGITransport(make_routes(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as http:
        yield Site(http, sqlite_database)


async def test_a_visitor_chooses_for_this_browser_only(site: Site) -> None:
    answer = await site.choose(locale="en", theme="dark", next="/info")

    assert (answer.status_code, answer.headers["location"]) == (303, "/info")
    assert dict(answer.cookies) == {"lk_locale": "en", "lk_theme": "dark"}
    assert await site.stored() == ("", "system")


async def test_a_person_chooses_for_every_browser(site: Site) -> None:
    await site.sign_in()

    await site.choose(locale="en", theme="dark")
    assert await site.stored() == ("en", "dark")

    only_one = await site.choose(theme="light")
    assert await site.stored() == ("en", "light")
    assert "lk_locale" not in only_one.cookies

    await site.choose(theme="system")
    assert await site.stored() == ("en", "system")
    assert "lk_theme" not in site.http.cookies


async def test_the_next_sign_in_brings_her_choice_along(site: Site) -> None:
    await site.sign_in()
    await site.choose(locale="en", theme="dark")
    site.http.cookies.clear()

    await site.sign_in()

    assert site.http.cookies["lk_locale"] == "en"
    assert site.http.cookies["lk_theme"] == "dark"


async def test_who_never_chose_keeps_what_the_browser_has(site: Site) -> None:
    await site.choose(locale="en", theme="dark")

    await site.sign_in()

    assert site.http.cookies["lk_locale"] == "en"
    assert site.http.cookies["lk_theme"] == "dark"


@pytest.mark.parametrize(
    "wrong",
    [
        {"locale": "xx"},
        {"locale": "RU"},
        {"locale": "../ru"},
        {"theme": "purple"},
        {"theme": "Dark"},
        {"theme": "dark\x00"},
        {"locale": "en", "theme": "<script>"},
        {"locale": "en", "user_id": "1"},
    ],
)
async def test_what_the_form_does_not_offer_changes_nothing(site: Site, wrong: dict[str, str]) -> None:
    await site.sign_in()

    answer = await site.choose(**wrong)

    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert dict(answer.cookies) == {}
    assert await site.stored() == ("", "system")


async def test_endless_changes_are_refused_in_words(site: Site) -> None:
    await site.sign_in()
    themes = ("dark", "light") * SETTINGS_CHANGES.free

    answers = [await site.choose(locale="en", theme=theme) for theme in themes]

    assert answers[0].status_code == 303
    assert answers[-1].status_code == 429
    assert answers[-1].text.startswith("Слишком много попыток.")
    assert answers[-1].headers["retry-after"] == "1"
    assert dict(answers[-1].cookies) == {}


@pytest.mark.parametrize("locale", KNOWN_LOCALES)
async def test_every_language_of_the_portal_can_be_chosen(site: Site, locale: str) -> None:
    answer = await site.choose(locale=locale)

    assert answer.cookies["lk_locale"] == locale
    assert LANGUAGES[locale]


@pytest.mark.parametrize(
    ("referer", "given", "page"),
    [
        (f"{OWN}/login?next=%2Freadings", "", "/login?next=%2Freadings"),
        (f"{OWN}/login", "/register", "/register"),
        (f"{OWN}/login#top", "", "/login"),
        ("http://localhost:8000/info/news", "", "/info/news"),
        ("https://evil.example/login", "", "/"),
        (f"{OWN}//evil.example/", "", "/"),
        ("http://[", "", "/"),
        ("", "https://evil.example/", "/"),
        ("", "//evil.example", "/"),
        ("", "", "/"),
    ],
)
async def test_it_leads_back_to_the_page_it_was_sent_from(
    site: Site, referer: str, given: str, page: str
) -> None:
    fields = {"next": given} if given else {}

    answer = await site.choose(referer=referer, locale="en", **fields)

    assert (answer.status_code, answer.headers["location"]) == (303, page)


@pytest.mark.parametrize(
    "body",
    [b"locale=en&next=%ED%A0%80", b"locale=en&next=/%FF", b"locale=en;theme=dark", b"\xff\xfe=1", b"locale"],
)
async def test_bytes_that_are_no_text_are_no_error_of_ours(site: Site, body: bytes) -> None:
    answer = await site.http.post(
        "/profile/preferences",
        content=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code in (303, 400)
