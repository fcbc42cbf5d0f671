"""Own data over HTTP: the file, the consent taken back, erasure; on a real database, without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Column, ForeignKey, MetaData, Table, text, update

from lk_portal.models import Duty, User, UserSession
from lk_portal.security.cookies import read_flash
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, context, personal
from lk_portal.services.access import Role, Visit
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from lk_portal.web.routes import make_routes
from tests import factories

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
PASSWORD = "Correct-horse-2026"
WITHDRAW, ERASE, EXPORT = "/profile/withdraw", "/profile/erase", "/profile/export"
SURE = {"sure": "yes"}


@dataclass
class Site:
    """The routes, as a browser sees them."""

    http: httpx.AsyncClient
    portal: Portal
    moments: list[datetime]

    async def person(self, name: str = "ivanov", role: Role = Role.SUBSCRIBER) -> str:
        """Somebody who has just signed in; the session's token."""
        database, settings = self.portal.database, self.portal.settings
        owner = (await factories.a_metered_point(database)).subscriber_id if role is Role.SUBSCRIBER else None
        user_id = await access.create_user(
            database,
            settings,
            email=f"{name}@example.com",
            phone=None,
            role=role,
            display_name=name,
            password=PASSWORD,
            subscriber_id=owner,
            now=NOW,
        )
        if owner:
            await factories.documents_accepted(database, user_id=user_id)
        return await self.sign_in(name)

    async def sign_in(self, name: str = "ivanov", password: str = PASSWORD) -> str:
        signed_in = await access.sign_in(
            self.portal.database,
            self.portal.settings,
            login=f"{name}@example.com",
            password=password,
            visit=Visit(address="192.0.2.1", agent="", at=self.moments[-1]),
        )
        return signed_in.token

    async def get(self, token: str, path: str = EXPORT, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={"cookie": f"lk_session={token}", **headers})

    async def post(self, token: str, path: str, **fields: str) -> httpx.Response:
        return await self.http.post(path, data=fields, headers={"cookie": f"lk_session={token}"})

    async def lives(self, token: str) -> bool:
        found = await access.identity_of(
            self.portal.database, self.portal.settings, session_hash=hash_of(token), now=self.moments[-1]
        )
        return found is not None

    def flash(self, answer: httpx.Response) -> dict[str, Any]:
        header = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        return read_flash(header, self.portal.settings, now=self.moments[-1])

    async def count(self, table: str) -> int:
        async with self.portal.database.reading() as connection:
            return int((await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(
        data_dir=tmp_path,
        bcrypt_rounds=4,
        public_url="http://127.0.0.1:8000",
        trusted_proxy_hops=0,
        timezone="Asia/Omsk",
    )
    moments = [NOW]
    portal = Portal(settings, sqlite_database, clock=lambda: moments[-1])
    monkeypatch.setattr(context._Installed, "portal", portal)
    transport = httpx.ASGITransport(app=make_routes())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield Site(http, portal, moments)


async def test_the_file_is_ones_own_and_stays_nowhere(site: Site) -> None:
    token = await site.person()
    await site.person("petrov")

    answer = await site.get(token)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    # 20:00 in UTC is the next day in Omsk.
    assert answer.headers["content-disposition"] == 'attachment; filename="lk-data-2026-11-25.json"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["login"]["email"] == "ivanov@example.com"
    assert "petrov" not in answer.text


@pytest.mark.parametrize("token", ["", "x" * 43])
async def test_a_visitor_is_asked_to_sign_in(site: Site, token: str) -> None:
    own = await site.person()

    for path in (WITHDRAW, ERASE):
        answer = await site.post(token, path, **SURE, **{"own-password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    answer = await site.get(token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fsettings")
    assert await site.lives(own)
    assert await site.sign_in()


async def owing(site: Site, duty: Duty) -> str:
    """The token of somebody whose session owes something."""
    token = await site.person()
    async with site.portal.database.writing() as connection:
        await connection.execute(update(table_of(UserSession)).values(duty=duty))
    return token


async def test_a_mailed_password_opens_no_data(site: Site) -> None:
    token = await owing(site, Duty.NEW_PASSWORD)

    assert (await site.get(token)).status_code == 303
    for path in (WITHDRAW, ERASE):
        answer = await site.post(token, path, **SURE, **{"own-password": PASSWORD})
        assert answer.headers["location"] == "/login"
    assert await site.lives(token)


async def test_nobody_must_agree_to_get_at_her_data(site: Site) -> None:
    token = await owing(site, Duty.CONSENT)

    assert (await site.get(token)).json()["login"]["email"] == "ivanov@example.com"
    assert (await site.post(token, WITHDRAW, **SURE)).headers["location"] == "/login"
    refused = await site.post(token, ERASE, **SURE, **{"own-password": "wrong"})
    assert refused.headers["location"] == "/consent"
    assert site.flash(refused)["field"] == "own-password"
    erased = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})

    assert erased.headers["location"] == "/login"
    assert not await site.lives(token)


async def test_another_site_cannot_make_a_browser_fetch_it(site: Site) -> None:
    token = await site.person()

    for source in ("cross-site", "same-site"):
        answer = await site.get(token, **{"sec-fetch-site": source})
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    for source in ("same-origin", "none"):
        assert (await site.get(token, **{"sec-fetch-site": source})).status_code == 200


async def test_too_many_files_are_refused_in_the_settings(site: Site) -> None:
    token = await site.person("operator", Role.OPERATOR)
    for _ in range(10):
        assert (await site.get(token)).status_code == 200

    answer = await site.get(token)

    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    assert site.flash(answer)["form"] == "export"
    assert answer.headers["retry-after"]


async def test_the_consent_is_taken_back(site: Site) -> None:
    token = await site.person()

    answer = await site.post(token, WITHDRAW, **SURE)

    assert (answer.status_code, answer.headers["location"]) == (303, "/consent")
    assert site.flash(answer)["form"] == "consent"
    assert not await site.lives(token)
    new = answer.cookies["lk_session"]
    assert await site.lives(new)
    identity = await access.identity_of(
        site.portal.database, site.portal.settings, session_hash=hash_of(new), now=NOW
    )
    assert identity is not None
    assert identity.duty is Duty.CONSENT


@pytest.mark.parametrize(("path", "form"), [(WITHDRAW, "withdraw"), (ERASE, "erase")])
async def test_nothing_happens_without_the_box(site: Site, path: str, form: str) -> None:
    token = await site.person()

    answer = await site.post(token, path, **{"own-password": PASSWORD})

    assert answer.headers["location"] == "/settings"
    assert (site.flash(answer)["form"], site.flash(answer)["field"]) == (form, "sure")
    assert await site.lives(token)
    assert (await site.get(token)).status_code == 200


async def test_a_wrong_password_erases_nothing(site: Site) -> None:
    token = await site.person()

    answer = await site.post(token, ERASE, **SURE, **{"own-password": "wrong\0" + "x" * 500})

    assert answer.headers["location"] == "/settings"
    told = site.flash(answer)
    assert (told["form"], told["field"]) == ("erase", "own-password")
    assert "wrong" not in str({**told, "message": ""})
    assert await site.lives(token)


async def test_the_right_one_does(site: Site) -> None:
    token = await site.person()

    answer = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert site.flash(answer)["form"] == "login"
    assert 'lk_session=""' in answer.headers["set-cookie"]
    assert not await site.lives(token)
    assert await site.count("letter") == 1
    again = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})
    assert again.headers["location"] == "/login"
    assert await site.count("letter") == 1


@pytest.mark.parametrize(("path", "form"), [(WITHDRAW, "withdraw"), (ERASE, "erase")])
async def test_staff_is_led_away(site: Site, path: str, form: str) -> None:
    token = await site.person("operator", Role.OPERATOR)

    answer = await site.post(token, path, **SURE, **{"own-password": PASSWORD})

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert await site.lives(token)


async def test_an_error_inside_is_a_sentence_and_leaves_all_as_it_was(site: Site) -> None:
    token = await site.person()
    async with site.portal.database.writing() as connection:
        await connection.execute(text("DROP TABLE notification_setting"))

    export = await site.get(token)
    erase = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})

    assert [answer.headers["location"] for answer in (export, erase)] == ["/settings"] * 2
    assert site.flash(export)["data"]["number"]
    assert "could not be saved" in site.flash(erase)["message"]
    assert await site.lives(token)
    assert await site.count("letter") == 0


async def test_a_package_that_is_broken_spoils_no_file_and_stops_the_erasure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its table is not there."""
    monkeypatch.setattr(personal, "_personal", {})
    key = Column("user_id", ForeignKey(table_of(User).c.id), primary_key=True)
    personal.personal(Table("acme_gone", MetaData(), key), whose=key, shown={"user": key})
    token = await site.person()

    export = await site.get(token)
    erase = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})

    assert export.status_code == 200
    assert export.json()["login"]["email"] == "ivanov@example.com"
    assert [one["table"] for one in export.json()["packages_not_read"]] == ["gone"]
    assert erase.headers["location"] == "/settings"
    told = site.flash(erase)
    assert told["form"] == "erase"
    assert "Nothing was erased" in told["message"]
    assert told["data"]["package"] == "acme"
    assert await site.lives(token)


async def test_a_session_that_is_over_erases_nothing(site: Site) -> None:
    token = await site.person()
    site.moments.append(NOW + timedelta(minutes=31))

    answer = await site.post(token, ERASE, **SURE, **{"own-password": PASSWORD})

    assert answer.headers["location"] == "/login"
    assert await site.sign_in()
