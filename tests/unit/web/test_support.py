"""Sending to the utility and fetching files over plain HTTP, without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text, update
from starlette.types import Message, Scope

from lk_portal.models import Duty, UserSession
from lk_portal.security.cookies import read_flash
from lk_portal.security.files import MAX_UPLOAD
from lk_portal.services import context, tickets
from lk_portal.services.access import Role, Visit, create_user, sign_in
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from lk_portal.web import support, uploads
from lk_portal.web.guard import Guard
from lk_portal.web.routes import make_routes
from tests import factories
from tests.attached import PDF, bomb, has_place, jpeg
from tests.unit.web.site import NOW, PASSWORD, cookie_header

ORIGIN = "http://127.0.0.1:8000"
JSON = {"accept": "application/json"}
KEY = "a-key-of-a-form-of-the-test"
Files = list[tuple[str, tuple[str, bytes]]]


@dataclass
class Site:
    """The routes behind the guard, and people of its portal."""

    http: httpx.AsyncClient
    portal: Portal

    async def person(self, name: str = "ivanov", role: Role = Role.SUBSCRIBER) -> tuple[str, str]:
        """The token of somebody's session, and the number of her account."""
        database, settings = self.portal.database, self.portal.settings
        placed = await factories.a_metered_point(database) if role is Role.SUBSCRIBER else None
        user_id = await create_user(
            database,
            settings,
            email=f"{name}@example.com",
            phone=None,
            role=role,
            display_name=name,
            password=PASSWORD,
            subscriber_id=placed.subscriber_id if placed else None,
            now=NOW,
        )
        if placed:
            await factories.documents_accepted(database, user_id=user_id)
        visit = Visit(address="192.0.2.1", agent="", at=NOW)
        found = await sign_in(database, settings, login=f"{name}@example.com", password=PASSWORD, visit=visit)
        numbers = await self.rows("SELECT number FROM account ORDER BY id DESC")
        return found.token, str(numbers[0][0])

    async def send(
        self, token: str, fields: dict[str, str], files: Files | None = None, **headers: str
    ) -> httpx.Response:
        return await self.http.post(
            "/support/send",
            data=fields,
            files=files or [("files", ("", b""))],
            headers={"origin": ORIGIN, "cookie": f"lk_session={token}", **headers},
        )

    async def get(self, token: str, key: str) -> httpx.Response:
        return await self.http.get(f"/support/files/{key}", headers={"cookie": f"lk_session={token}"})

    async def rows(self, query: str) -> list[Any]:
        async with self.portal.database.reading() as connection:
            return list((await connection.execute(text(query))).all())

    def flash(self, answer: httpx.Response) -> dict[str, Any]:
        return read_flash(cookie_header(answer.cookies), self.portal.settings, now=NOW)


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(data_dir=tmp_path, bcrypt_rounds=4, public_url=ORIGIN, timezone="Asia/Omsk")
    portal = Portal(settings, sqlite_database, clock=lambda: NOW)
    monkeypatch.setattr(context._Installed, "portal", portal)
    transport = httpx.ASGITransport(app=Guard(make_routes(), settings))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Site(http, portal)


def form(number: str, **changes: str) -> dict[str, str]:
    fields = {"subject": "Нет света", "category": "load", "account": number, "text": "С утра.", "event": ""}
    return {**fields, "send_key": KEY, **changes}


def scope_of(token: str) -> Scope:
    """A form with files that is about to come."""
    headers = {
        "content-type": "multipart/form-data; boundary=x",
        "content-length": "9",
        "cookie": f"lk_session={token}",
        **JSON,
    }
    return {
        "type": "http",
        "method": "POST",
        "path": "/support/send",
        "raw_path": b"/support/send",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


async def test_a_form_becomes_a_ticket_with_its_files(site: Site) -> None:
    token, account = await site.person()
    files = [("files", ("Фото.jpg", jpeg())), ("files", ("Акт.pdf", PDF))]

    answer = await site.send(token, form(account), files)

    assert (answer.status_code, answer.headers["location"]) == (303, "/support/1")
    rows = await site.rows("SELECT name, media_type FROM attachment ORDER BY id")
    assert [tuple(row) for row in rows] == [("Фото.jpg", "image/jpeg"), ("Акт.pdf", "application/pdf")]
    again = await site.send(token, form(account), files, **JSON)
    assert again.json() == {"to": "/support/1"}
    assert len(await site.rows("SELECT id FROM ticket_message")) == 1


async def test_a_message_goes_into_its_ticket(site: Site) -> None:
    token, account = await site.person()
    await site.send(token, form(account))

    answer = await site.send(token, {"ticket": "1", "text": "Еще.", "send_key": KEY + "2"}, **JSON)

    assert answer.json() == {"to": "/support/1"}
    assert [row.text for row in await site.rows("SELECT text FROM ticket_message")] == ["С утра.", "Еще."]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "я" * 121}, "subject"),
        ({"category": ""}, "category"),
        ({"account": "1"}, "account"),
        ({"text": ""}, "text"),
        ({"text": "я" * 10_001}, "text"),
        ({"text": "я" * 50_000}, "text"),
        ({"send_key": "x"}, ""),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    site: Site, changes: dict[str, str], field: str
) -> None:
    token, account = await site.person()

    as_json = await site.send(token, form(account, **changes), **JSON)
    as_page = await site.send(token, form(account, **changes))

    assert as_json.status_code == 422
    assert as_json.json()["field"] == field
    assert as_json.json()["error"]
    assert as_page.headers["location"] in ("/support?new=1",)
    assert site.flash(as_page)["field"] == field
    assert await site.rows("SELECT id FROM ticket") == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"subject": "", "category": "", "text": ""}, ["subject", "category", "text"]),
        ({"subject": "", "account": "1"}, ["subject", "account"]),
        (dict.fromkeys(("subject", "category", "account", "text"), ""), list(tickets.FIELDS)),
    ],
)
async def test_every_wrong_field_has_its_sentence(
    site: Site, changes: dict[str, str], wrong: list[str]
) -> None:
    token, account = await site.person()

    answer = (await site.send(token, form(account, **changes), **JSON)).json()

    told = [answer, *answer["others"]]
    assert [one["field"] for one in told] == wrong
    assert len({one["error"] for one in told} - {""}) == len(wrong)
    assert await site.rows("SELECT id FROM ticket") == []


async def test_a_foreign_account_is_refused_like_one_that_does_not_exist(site: Site) -> None:
    _owner, foreign = await site.person()
    token, _own = await site.person("petrov")
    answers = [
        await site.send(token, form(number, subject=subject), **JSON)
        for subject in ("", "x")
        for number in (foreign, "none")
    ]

    assert answers[0].content == answers[1].content
    assert answers[2].content == answers[3].content
    assert await site.rows("SELECT id FROM ticket") == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([("files", ("a.exe", b"MZ\x90\x00"))], "a.exe"),
        ([("files", ("a.txt", b"x" * (10 * 2**20 + 1)))], "10"),
        ([("files", ("a.pdf", PDF))] * 6, "5"),
        ([("files", ("a.pdf", PDF))] * 30, "5"),
        ([("files", ("a.png", bomb()))], "64"),
    ],
    ids=["type", "size", "six", "thirty", "bomb"],
)
async def test_files_that_cannot_be_attached_leave_nothing(site: Site, files: Files, reason: str) -> None:
    token, account = await site.person()

    answer = await site.send(token, form(account), files, **JSON)

    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert await site.rows("SELECT id FROM ticket") == []


async def test_a_foreign_ticket_or_event_is_answered_like_one_that_does_not_exist(site: Site) -> None:
    owner, account = await site.person()
    await site.send(owner, form(account))
    thief, own = await site.person("petrov")
    answers = [
        await site.send(thief, {"ticket": number, "text": "x", "send_key": KEY}, **JSON)
        for number in ("1", "999", "x", "٣", "9" * 50, "-1")
    ]
    answers += [await site.send(thief, form(own, event=event), **JSON) for event in ("1", "x")]

    assert {(one.status_code, one.text) for one in answers} == {(422, answers[0].text)}
    by_page = await site.send(thief, {"ticket": "1", "text": "x", "send_key": KEY})
    assert by_page.headers["location"] == "/not-found"
    assert len(await site.rows("SELECT id FROM ticket_message")) == 1


async def test_nobody_but_a_signed_in_subscriber_sends(site: Site) -> None:
    _token, account = await site.person()
    operator, _none = await site.person("operator", Role.OPERATOR)
    for token in ("", "x" * 43, operator):
        assert (await site.send(token, form(account))).headers["location"] == "/login"
        assert "не вошли" in (await site.send(token, form(account), **JSON)).text
    owing, own = await site.person("petrov")
    async with site.portal.database.writing() as connection:
        await connection.execute(update(table_of(UserSession)).values(duty=Duty.CONSENT))
    assert (await site.send(owing, form(own))).headers["location"] == "/login"

    assert await site.rows("SELECT id FROM ticket") == []


async def test_other_sites_and_endless_bodies_get_nowhere(site: Site) -> None:
    token, account = await site.person()
    for origin in ("https://evil.example", "null"):
        assert (await site.send(token, form(account), origin=origin)).status_code == 403
    large = str(MAX_UPLOAD + 1)
    assert (await site.send(token, form(account), **{"content-length": large})).status_code == 413
    other = {"origin": ORIGIN, "content-length": "70000"}
    assert (await site.http.post("/auth/login", headers=other)).status_code == 413

    assert await site.rows("SELECT id FROM ticket") == []


async def test_a_body_without_a_length_is_refused(site: Site) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"x"

    answer = await site.http.post("/support/send", content=chunks(), headers={"origin": ORIGIN})

    assert answer.status_code == 413


async def test_the_body_of_a_visitor_is_not_read(site: Site) -> None:
    read = []

    async def receive() -> Message:
        read.append(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(_message: Message) -> None:
        pass

    application: Any = make_routes()
    await application(scope_of("x" * 43), receive, send)

    assert read == []


async def test_one_person_sends_one_form_at_a_time_and_all_a_few(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, account = await site.person()
    user_id = (await site.rows("SELECT id FROM portal_user"))[0].id
    monkeypatch.setattr(uploads, "_sending", {user_id})
    assert "еще отправляется" in (await site.send(token, form(account), **JSON)).text
    monkeypatch.setattr(uploads, "_sending", set(range(100, 100 + uploads.AT_ONCE)))
    assert "слишком много файлов" in (await site.send(token, form(account), **JSON)).text

    monkeypatch.setattr(uploads, "_sending", set())
    assert (await site.send(token, form(account), **JSON)).json() == {"to": "/support/1"}
    assert uploads._sending == set()


async def test_a_form_that_never_ends_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _account = await site.person()
    monkeypatch.setattr(uploads, "RECEIVE_S", 0.05)
    answered = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answered.append(message.get("body", b"").decode())

    application: Any = make_routes()
    await application(scope_of(token), receive, send)

    assert "слишком долго" in "".join(answered)
    assert uploads._sending == set()


async def test_a_file_comes_back_to_its_owner_and_to_staff_only(site: Site) -> None:
    owner, account = await site.person()
    stranger, _own = await site.person("petrov")
    operator, _none = await site.person("operator", Role.OPERATOR)
    taken = jpeg()
    assert has_place(taken)
    await site.send(owner, form(account), [("files", ('Фото "1".jpg', taken))])
    key = (await site.rows("SELECT key FROM attachment"))[0].key

    for token in (owner, operator):
        answer = await site.get(token, key)
        assert answer.status_code == 200
        assert not has_place(answer.content)
        headers = answer.headers
        assert headers["content-type"] == "image/jpeg"
        assert headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D0%A4")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("sandbox")
    refused = [await site.get(stranger, key), await site.get(stranger, "x" * 43), await site.get(owner, "y")]
    refused += [await site.get(owner, "ключ"), await site.get(owner, "z" * 5000)]
    assert {(one.status_code, one.content) for one in refused} == {(404, refused[0].content)}
    assert {tuple(sorted(one.headers.items())) for one in refused} == {
        tuple(sorted(refused[0].headers.items()))
    }
    assert (await site.get("", key)).headers["location"].startswith("/login?next=")


async def test_a_text_never_becomes_a_page(site: Site) -> None:
    token, account = await site.person()
    await site.send(token, form(account), [("files", ("x.html", b"<script>alert(1)</script>"))])
    key = (await site.rows("SELECT key FROM attachment"))[0].key

    answer = await site.get(token, key)

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''x.html.txt"


async def test_attempts_cost_work_so_they_are_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "SENDS", type(support.SENDS)(free=3, cap_s=300))
    token, account = await site.person()
    for _ in range(3):
        assert (await site.send(token, form(account, text=""), **JSON)).status_code == 422

    answer = await site.send(token, form(account), **JSON)

    assert answer.status_code == 429
    assert await site.rows("SELECT id FROM ticket") == []


async def test_an_error_inside_is_a_sentence_with_a_number(site: Site) -> None:
    token, account = await site.person()
    async with site.portal.database.writing() as connection:
        await connection.execute(text("DROP TABLE attachment_content"))

    answer = await site.send(token, form(account), [("files", ("a.pdf", PDF))], **JSON)

    assert answer.status_code == 422
    assert await site.rows("SELECT id FROM ticket") == []
