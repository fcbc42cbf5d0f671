"""The outermost layer, driven by hand: what gets in, and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from lk_portal.i18n import active_locale
from lk_portal.security.cookies import LOCALE_COOKIE, SESSION_HASH_COOKIE, read_cookie
from lk_portal.security.tokens import hash_of
from lk_portal.settings import load_settings
from lk_portal.web.guard import EVENTS_BURST, MAX_BODY, Guard, content_policy, security_headers

OWN = "https://lk.example"
SETTINGS = load_settings(public_url=OWN)
HASHED = "/assets/index-BfGh12_x.js"
FOREIGN = ("https://evil.example", "null", "", "http://lk.example", "https://lk.example.evil.example", None)


class Inner:
    """An application that remembers what reached it and answers as told."""

    def __init__(self, *headers: tuple[bytes, bytes], status: int = 200) -> None:
        self.headers, self.status = list(headers), status
        self.scopes: list[Scope] = []
        self.received: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            await send({"type": "http.response.body", "body": b"inner"})
            return
        while (message := await receive())["type"] != "websocket.disconnect":
            self.received.append(message)
        self.received.append(message)


async def drive(inner: Any, scope: Scope, *messages: Message) -> list[Message]:
    """Run one connection; what was sent back."""
    waiting, sent = list(messages), []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(message)

    await Guard(inner, SETTINGS)(scope, receive, send)
    return sent


def http(path: str = "/", method: str = "GET", **headers: str) -> Scope:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": path, "method": method, "headers": lines}


def websocket(origin: str | None, cookie: str = "", query: str = "") -> Scope:
    lines = [(b"origin", origin.encode())] if origin is not None else []
    return {
        "type": "websocket",
        "path": "/_event/",
        "query_string": query.encode(),
        "headers": [*lines, (b"cookie", cookie.encode())],
    }


def headers_of(sent: list[Message]) -> dict[bytes, bytes]:
    lines = sent[0]["headers"]
    names = [name for name, _value in lines]
    assert len(names) == len(set(names)), f"sent twice: {names}"
    return dict(lines)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_websocket_is_closed_before_anything_sees_it(origin: str | None) -> None:
    inner = Inner()

    sent = await drive(inner, websocket(origin), {"type": "websocket.connect"})

    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert inner.scopes == []


async def test_our_own_websocket_gets_in_without_its_token() -> None:
    inner = Inner()
    cookie = "a=1; __Host-lk_session=secret-token; lk_session_hash=forged"

    await drive(inner, websocket(OWN, cookie), {"type": "websocket.connect"})

    [seen] = [value.decode() for name, value in inner.scopes[0]["headers"] if name == b"cookie"]
    assert inner.received[0] == {"type": "websocket.connect"}
    assert "secret-token" not in seen
    assert read_cookie(seen, SESSION_HASH_COOKIE) == hash_of("secret-token")


@pytest.mark.parametrize(
    ("cookie", "query", "locale"),
    [
        ("lk_locale=en", "token=1", "en"),
        ("lk_locale=en", "token=1&lang=ru", "ru"),
        ("lk_locale=ru", "lang=en", "en"),
        ("lk_locale=ru", "lang=xx", "ru"),
        ("lk_locale=../ru", "lang=%00", ""),
        ("", "", ""),
    ],
)
async def test_a_page_stays_in_its_language_whatever_another_tab_chose(
    cookie: str, query: str, locale: str
) -> None:
    inner = Inner()

    await drive(inner, websocket(OWN, cookie, query), {"type": "websocket.connect"})

    [seen] = [value.decode() for name, value in inner.scopes[0]["headers"] if name == b"cookie"]
    assert read_cookie(seen, LOCALE_COOKIE) == locale


@pytest.mark.parametrize(
    ("cookie", "locale"), [("lk_locale=en", "en"), ("lk_locale=ru", "ru"), ("lk_locale=xx", "ru"), ("", "ru")]
)
async def test_a_request_is_answered_in_the_language_of_its_browser(cookie: str, locale: str) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(active_locale())

    await drive(inner, http("/login", cookie=cookie))

    assert seen == [locale]
    assert active_locale() == "ru"


@pytest.mark.parametrize(("events", "is_cut"), [(int(EVENTS_BURST), False), (int(EVENTS_BURST) + 5, True)])
async def test_a_flood_is_cut_once(events: int, is_cut: bool) -> None:
    inner = Inner()
    flood = [{"type": "websocket.receive", "text": "x"}] * events

    sent = await drive(inner, websocket(OWN), {"type": "websocket.connect"}, *flood)

    taken = [message for message in inner.received if message["type"] == "websocket.receive"]
    assert len(taken) <= EVENTS_BURST + 1
    assert sent == ([{"type": "websocket.close", "code": 1008}] if is_cut else [])
    assert inner.received[-1] == {"type": "websocket.disconnect", "code": 1008 if is_cut else 1000}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("origin", FOREIGN)
async def test_nothing_is_changed_from_another_site(method: str, origin: str | None) -> None:
    inner = Inner()
    lines = {"origin": origin} if origin is not None else {}

    refused = await drive(inner, http("/auth/login", method, content_length="1", **lines))
    assert (refused[0]["status"], inner.scopes) == (403, [])
    assert headers_of(refused)[b"x-content-type-options"] == b"nosniff"

    let_in = await drive(inner, http("/auth/login", method, content_length="1", origin=OWN))
    assert let_in[0]["status"] == 200


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (str(MAX_BODY), 200),
        ("0", 200),
        (str(MAX_BODY + 1), 413),
        ("", 413),
        ("-1", 413),
        ("1_0", 413),
        ("²", 413),
        (None, 413),
    ],
)
async def test_a_form_says_its_length(length: str | None, status: int) -> None:
    lines = {} if length is None else {"content_length": length}

    sent = await drive(Inner(), http("/auth/login", "POST", origin=OWN, **lines))

    assert sent[0]["status"] == status


@pytest.mark.parametrize(
    ("path", "status"), [("/_upload", 404), ("/_upload/a", 404), ("/ping", 404), ("/readings", 200)]
)
async def test_reflexs_doors_are_closed_to_everybody(path: str, status: int) -> None:
    sent = await drive(Inner(), http(path, "GET"))

    assert sent[0]["status"] == status


async def test_a_page_has_every_header_once() -> None:
    inner = Inner((b"content-type", b"text/html; charset=utf-8"), (b"x-content-type-options", b"nosniff"))

    headers = headers_of(await drive(inner, http("/login")))

    assert headers[b"content-security-policy"] == content_policy()
    assert {name for name, _value in security_headers(is_https=True)} <= headers.keys()
    assert headers[b"cache-control"] == b"no-cache"
    assert headers[b"content-type"] == b"text/html; charset=utf-8"


async def test_only_pages_have_a_policy() -> None:
    headers = headers_of(await drive(Inner((b"content-type", b"application/json")), http("/healthz")))

    assert b"content-security-policy" not in headers
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("name", [b"cache-control", b"Cache-Control"])
async def test_what_the_answer_says_of_caching_stands(name: bytes) -> None:
    headers = headers_of(await drive(Inner((name, b"no-store")), http(HASHED)))

    assert {key: value for key, value in headers.items() if key.lower() == b"cache-control"} == {
        name: b"no-store"
    }


@pytest.mark.parametrize(
    ("path", "status", "is_kept"),
    [
        (HASHED, 200, True),
        (HASHED, 404, False),
        ("/portal.css", 200, False),
        ("/assets/index.js", 200, False),
        ("/x/assets/index-BfGh12_x.js", 200, False),
    ],
)
async def test_only_hashed_files_are_kept_for_ever(path: str, status: int, is_kept: bool) -> None:
    headers = headers_of(await drive(Inner(status=status), http(path)))

    assert (b"immutable" in headers[b"cache-control"]) == is_kept


@pytest.mark.parametrize("is_https", [True, False])
def test_transport_security_is_promised_on_tls_only(is_https: bool) -> None:
    assert (b"strict-transport-security" in dict(security_headers(is_https=is_https))) == is_https


def test_the_policy_closes_what_the_portal_does_not_use() -> None:
    policy = dict(part.split(" ", 1) for part in content_policy(["'sha256-x'"]).decode().split("; "))

    assert policy["script-src"] == "'self' 'sha256-x'"
    assert policy["default-src"] == "'self'"
    assert {policy[name] for name in ("object-src", "base-uri", "frame-ancestors")} == {"'none'"}
    assert not [name for name, value in policy.items() if "*" in value or "http" in value]


async def test_the_life_of_the_application_passes_through() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await drive(inner, {"type": "lifespan"})

    assert seen == ["lifespan"]
