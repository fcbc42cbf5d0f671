"""What the editor of pages sends, the pictures it adds, and the report of consents, without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from lk_portal.services import context
from lk_portal.services.access import Role, Visit, create_user, sign_in
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from lk_portal.web.guard import Guard
from lk_portal.web.routes import make_routes
from tests import factories
from tests.attached import bomb, jpeg
from tests.unit.web.site import NOW, PASSWORD

ORIGIN = "http://127.0.0.1:8000"
PAGE = {
    "page": "",
    "version": "1",
    "title": "Тарифы",
    "slug": "tariffs",
    "kind": "page",
    "locale": "ru",
    "position": "3",
    "is_public": "on",
    "text": "Первая строка\r\nВторая",
    "release": "now",
}
VERSION = {"kind": "agreement", "version": "1", "title": "Соглашение", "text": "Новое", "confirm": "on"}
WRITING = {
    "/admin/info/save": PAGE,
    "/admin/info/preview": {"text": "# x"},
    "/admin/info/pictures": {"alt": "x"},
    "/admin/agreement/publish": VERSION,
}


@dataclass
class Desk:
    """The routes behind the guard, and people of its portal by role."""

    http: httpx.AsyncClient
    portal: Portal
    tokens: dict[Role, str]

    async def post(
        self, path: str, fields: dict[str, str], role: Role | None = Role.ADMIN, **sent: Any
    ) -> httpx.Response:
        headers = {"origin": ORIGIN, "accept": "application/json", **self._cookie(role)}
        return await self.http.post(path, data=fields, headers=headers, **sent)

    async def get(self, path: str, role: Role | None = Role.ADMIN, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={**self._cookie(role), **headers})

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.portal.database.reading() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]

    def _cookie(self, role: Role | None) -> dict[str, str]:
        return {"cookie": f"lk_session={self.tokens[role]}"} if role else {}


@pytest_asyncio.fixture
async def desk(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    settings = load_settings(
        data_dir=tmp_path, bcrypt_rounds=4, public_url=ORIGIN, trusted_proxy_hops=0, timezone="Asia/Omsk"
    )
    portal = Portal(settings, sqlite_database, clock=lambda: NOW)
    monkeypatch.setattr(context._Installed, "portal", portal)
    tokens = {}
    for role in Role:
        email = f"{role.value}@example.com"
        owner = await factories.subscriber(sqlite_database) if role is Role.SUBSCRIBER else None
        user_id = await create_user(
            sqlite_database,
            settings,
            email=email,
            phone=None,
            role=role,
            display_name=role.value,
            password=PASSWORD,
            subscriber_id=owner,
            now=NOW,
        )
        if owner:
            await factories.documents_accepted(sqlite_database, user_id=user_id)
        visit = Visit(address="192.0.2.1", agent="", at=NOW)
        tokens[role] = (
            await sign_in(sqlite_database, settings, login=email, password=PASSWORD, visit=visit)
        ).token
    transport = httpx.ASGITransport(Guard(make_routes(), settings), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Desk(http, portal, tokens)


async def test_an_admin_writes_a_page(desk: Desk) -> None:
    answer = await desk.post("/admin/info/save", PAGE)

    assert answer.json() == {"to": "/admin/info/1?saved=1"}
    [(title, words, position, is_public, out)] = await desk.rows(
        "SELECT title, text, position, is_public, published_at IS NOT NULL FROM info_page"
    )
    assert (title, words, position, bool(is_public), bool(out)) == (
        "Тарифы",
        "Первая строка\nВторая",
        3,
        True,
        True,
    )


@pytest.mark.parametrize("role", [None, Role.SUBSCRIBER, Role.OPERATOR])
@pytest.mark.parametrize("path", WRITING)
async def test_nobody_else_writes_anything(desk: Desk, role: Role | None, path: str) -> None:
    files = {"files": [("files", ("a.jpg", jpeg()))]} if path.endswith("pictures") else {}
    answer = await desk.post(path, WRITING[path], role, **files)

    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "field", "others"}
    for table, count in (("info_page", 0), ("info_picture", 0), ("document_version", 2)):
        assert await desk.rows(f"SELECT count(*) FROM {table}") == [(count,)]


@pytest.mark.parametrize("path", WRITING)
async def test_another_site_cannot_send_an_admins_form(desk: Desk, path: str) -> None:
    answer = await desk.http.post(
        path, data=WRITING[path], headers={"origin": "https://evil.example", **desk._cookie(Role.ADMIN)}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": " "}, "title"),
        ({"slug": "Тарифы"}, "slug"),
        ({"slug": "agreement"}, "slug"),
        ({"kind": "x"}, "kind"),
        ({"locale": "de"}, "locale"),
        ({"position": "-1"}, "position"),
        ({"position": "٣"}, "position"),
        ({"text": ""}, "text"),
        ({"release": "x"}, "release"),
        ({"release": "at"}, "release_at"),
        ({"release": "at", "release_at": "2026-11-24T17:59"}, "release_at"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(desk: Desk, changes: dict[str, str], field: str) -> None:
    answer = await desk.post("/admin/info/save", {**PAGE, **changes})

    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["error"]
    assert await desk.rows("SELECT count(*) FROM info_page") == [(0,)]


async def test_a_time_is_of_the_utilitys_clock(desk: Desk) -> None:
    await desk.post("/admin/info/save", {**PAGE, "release": "at", "release_at": "2026-11-24T18:01"})

    [(out,)] = await desk.rows("SELECT published_at FROM info_page")
    assert out == (int(NOW.timestamp()) + 60) * 1000


async def test_a_conflict_shows_both_texts_and_writes_nothing(desk: Desk) -> None:
    await desk.post("/admin/info/save", PAGE)
    theirs = {"page": "1", "text": "Чужое <b>слово</b>", "release": "keep"}
    await desk.post("/admin/info/save", {**PAGE, **theirs})

    answer = await desk.post("/admin/info/save", {**PAGE, "page": "1", "text": "Мое", "position": "4"})

    assert answer.status_code == 409
    conflict = answer.json()["conflict"]
    assert (conflict["text"], conflict["version"]) == ("Чужое <b>слово</b>", 2)
    assert "admin" in conflict["note"]
    changed = {(sign, line) for sign, line in conflict["lines"] if sign != "same"}
    assert changed == {
        ("removed", "Порядок: 3"),
        ("added", "Порядок: 4"),
        ("removed", "Чужое <b>слово</b>"),
        ("added", "Мое"),
    }
    assert await desk.rows("SELECT text, version FROM info_page") == [("Чужое <b>слово</b>", 2)]


async def test_a_page_that_is_gone_is_said_to_be(desk: Desk) -> None:
    for page in ("9", "x", "9" * 30):
        assert (await desk.post("/admin/info/save", {**PAGE, "page": page})).status_code == 422


EVIL = (
    "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1))\n\n"
    "![x](https://evil.example/x.png)\n\n<svg/onload=alert(1)>\n\n[a]: javascript:alert(1)\n\n**жирно**"
)


async def test_markup_is_harmless_in_the_preview_as_on_the_page(desk: Desk) -> None:
    html = (await desk.post("/admin/info/preview", {"text": EVIL})).json()["html"]

    assert "<strong>жирно</strong>" in html
    for forbidden in ("<script", "<img", "<svg", "href=", "evil.example"):
        assert forbidden not in html


async def test_a_very_long_text_arrives(desk: Desk) -> None:
    answer = await desk.post("/admin/info/save", {**PAGE, "text": "я" * 200_000}, files=[("x", ("", b""))])
    assert answer.status_code == 200

    too_long = await desk.post("/admin/info/save", {**PAGE, "text": "я" * 200_001}, files=[("x", ("", b""))])
    assert (too_long.status_code, too_long.json()["field"]) == (422, "text")
    huge = await desk.post("/admin/info/preview", {"text": "x" * 1_200_000})
    assert huge.status_code == 413


async def upload(desk: Desk, content: bytes, name: str = "Щит учета.jpg") -> httpx.Response:
    return await desk.post("/admin/info/pictures", {}, files=[("files", (name, content))])


async def test_a_picture_goes_with_its_page(desk: Desk) -> None:
    address = (await upload(desk, jpeg(200, 100))).json()["address"]
    assert (await desk.get(address, None)).status_code == 404
    assert (await desk.get(address, Role.OPERATOR)).status_code == 200

    html = (await desk.post("/admin/info/preview", {"text": f"![щит]({address})"})).json()["html"]
    assert 'width="200" height="100"' in html or 'height="100"' in html
    saved = {**PAGE, "text": f"![щит]({address})"}
    await desk.post("/admin/info/save", {k: v for k, v in saved.items() if k != "is_public"})
    assert (await desk.get(address, None)).status_code == 404
    inner = await desk.get(address, Role.SUBSCRIBER)
    assert (inner.status_code, inner.headers["cache-control"]) == (200, "private, no-cache")

    await desk.post("/admin/info/save", {**saved, "page": "1"})
    answer = await desk.get(address, None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await desk.get(address, None, **{"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("content", [b"words", b"", b"<svg/>", bomb(), b"\xff\xd8\xff"])
async def test_what_is_no_picture_gets_a_sentence(desk: Desk, content: bytes) -> None:
    answer = await upload(desk, content)

    assert (answer.status_code, answer.json()["field"]) == (422, "files")
    assert "Щит учета.jpg" in answer.json()["error"]


async def test_a_picture_that_is_too_large_gets_a_sentence(desk: Desk) -> None:
    answer = await upload(desk, b"\xff\xd8\xff" + b"x" * (10 * 2**20))

    assert (answer.status_code, answer.json()["field"]) == (422, "files")
    assert (await desk.post("/admin/info/pictures", {"alt": "x"})).json()["field"] == "files"


async def test_a_version_of_a_document_is_published_once_confirmed(desk: Desk) -> None:
    unconfirmed = {name: value for name, value in VERSION.items() if name != "confirm"}
    without = await desk.post("/admin/agreement/publish", unconfirmed)
    assert (without.status_code, without.json()["field"]) == (422, "confirm")

    answer = await desk.post("/admin/agreement/publish", VERSION)
    assert answer.json() == {"to": "/admin/agreement?published=agreement"}
    stale = await desk.post("/admin/agreement/publish", {**VERSION, "text": "Другое"})
    assert stale.status_code == 409
    assert await desk.rows("SELECT max(version) FROM document_version WHERE kind = 'agreement'") == [(2,)]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_the_report_of_consents_is_for_admins(desk: Desk, form: str) -> None:
    path = f"/admin/agreement/consents?format={form}"
    answer = await desk.get(path)

    assert answer.status_code == 200
    assert f'consents_2026-11-24.{form}"' in answer.headers["content-disposition"]
    assert form == "xlsx" or "subscriber@example.com" in answer.text
    for role in (Role.OPERATOR, Role.SUBSCRIBER):
        assert (await desk.get(path, role)).status_code == 404
    assert (await desk.get(path, None)).status_code == 303
    assert (await desk.get(path, **{"sec-fetch-site": "cross-site"})).status_code == 303
    assert await desk.rows("SELECT count(*) FROM audit_entry WHERE action = 'web:documents:export'") == [(1,)]


async def test_there_is_no_other_format(desk: Desk) -> None:
    for form in ("", "xml", "exe"):
        assert (await desk.get(f"/admin/agreement/consents?format={form}")).status_code == 404
