"""Cookies: what the browser keeps, what the application gets to see, and what a forger cannot plant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from lk_portal.security import cookies
from lk_portal.security.tokens import hash_of
from lk_portal.settings import Settings, load_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN = "T0ken-of-forty-three-characters-0123456789_"
LOOPBACK = "http://127.0.0.1:8000"
TLS = "https://lk.example"
KEY = "k3y" * 8 + "0123456789abcdef"


def settings_for(url: str, key: str = KEY) -> Settings:
    return load_settings(public_url=url, secret_key=key)


def sent_back(response: Response) -> str:
    """The Cookie header of a browser that was given this response."""
    jar = SimpleCookie(response.headers["set-cookie"])
    return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in jar.items())


@pytest.mark.parametrize(
    "neighbour",
    [
        'prefs={"a":1,"b":[2]}',
        "bad name=1",
        "=x",
        "a",
        'q="',
        "[x]=1",
        "ё=1",
        "",
        'x="a;b"',
        "a=b=c",
        "\x7f=1",
    ],
)
def test_a_session_is_found_beside_any_other_cookie(neighbour: str) -> None:
    assert cookies.read_cookie(f"{neighbour}; lk_session={TOKEN}", "lk_session") == TOKEN
    assert cookies.read_cookie(f"lk_session={TOKEN}; {neighbour}", "lk_session") == TOKEN
    assert cookies.read_cookie(neighbour, "lk_session") == ""


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_comes_with_it_the_token_stays_outside(junk: str) -> None:
    settings = settings_for(LOOPBACK)

    seen = cookies.websocket_cookies(f"{junk}; lk_session={TOKEN}", settings)

    assert TOKEN not in seen
    assert cookies.read_cookie(seen, cookies.SESSION_HASH_COOKIE) == hash_of(TOKEN)
    assert {part.partition("=")[0] for part in seen.split("; ")} <= {"lk_session_hash", "lk_flash"}


def test_the_language_of_a_page_reaches_the_application() -> None:
    settings = settings_for(LOOPBACK)

    assert cookies.websocket_cookies("a=1", settings, locale="en") == "lk_locale=en"
    assert cookies.websocket_cookies("lk_locale=en", settings) == ""


@pytest.mark.parametrize(
    "planted",
    [
        "lk_session_hash={0}",
        r'lk_flash="x\073 lk_session_hash={0}"',
        r'lk_flash="\073lk_session_hash={0}"; lk_session_hash={0}',
        'lk_flash="x, lk_session_hash={0}"',
    ],
)
def test_nobody_signs_in_with_a_hash(planted: str) -> None:
    settings = settings_for(LOOPBACK)
    stolen = hash_of(TOKEN)

    seen = cookies.websocket_cookies(planted.replace("{0}", stolen), settings)
    own = cookies.websocket_cookies(f"lk_session=mine; {planted.replace('{0}', stolen)}", settings)

    assert cookies.read_cookie(seen, cookies.SESSION_HASH_COOKIE) == ""
    assert cookies.read_cookie(own, cookies.SESSION_HASH_COOKIE) == hash_of("mine")


def test_a_real_flash_reaches_the_application() -> None:
    settings = settings_for(LOOPBACK)
    response = Response()
    payload = {"message": "Wrong login or password", "data": {}, "login": "Ёж; lk=1", "next": "/readings?x=1"}
    cookies.set_flash(response, settings, payload, now=NOW)

    seen = cookies.websocket_cookies(sent_back(response), settings)

    assert cookies.read_flash(seen, settings, now=NOW + timedelta(seconds=59)) == payload
    assert cookies.read_flash(seen, settings, now=NOW + timedelta(seconds=60)) == {}
    assert cookies.read_flash(seen, settings_for(LOOPBACK, KEY[::-1]), now=NOW) == {}
    assert cookies.read_flash("", settings, now=NOW) == {}
    assert cookies.read_flash("lk_flash=e30.00", settings, now=NOW) == {}


@pytest.mark.parametrize(("url", "name"), [(TLS, "__Host-lk_session"), (LOOPBACK, "lk_session")])
def test_the_session_cookie_is_as_closed_as_it_can_be(url: str, name: str) -> None:
    settings = settings_for(url)
    given_, taken = Response(), Response()
    cookies.set_session(given_, settings, TOKEN)
    cookies.clear_session(taken, settings)

    morsel, gone = (SimpleCookie(one.headers["set-cookie"])[name] for one in (given_, taken))

    for cookie in (morsel, gone):
        assert cookie["httponly"]
        assert cookie["samesite"] == "lax"
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert bool(cookie["secure"]) == (url == TLS)
    assert int(morsel["max-age"]) == settings.session_max_hours * 3600
    assert int(gone["max-age"]) == 0
    assert cookies.read_cookie(sent_back(given_), cookies.session_cookie(settings)) == TOKEN


def test_on_tls_a_cookie_without_the_prefix_is_nobodys(tmp_path: Path) -> None:
    settings = settings_for(TLS)

    assert cookies.websocket_cookies(f"lk_session={TOKEN}", settings) == ""
    assert hash_of(TOKEN) in cookies.websocket_cookies(f"__Host-lk_session={TOKEN}", settings)


def test_a_browser_is_known_to_the_last_few_who_signed_in() -> None:
    settings = settings_for(TLS)
    header = ""
    for user_id in range(1, cookies.MAX_DEVICES + 3):
        response = Response()
        known = cookies.read_devices(header, settings, now=NOW)
        cookies.set_device(response, settings, known, user_id=user_id, mark=f"m{user_id}", now=NOW)
        header = sent_back(response)

    found = cookies.read_devices(header, settings, now=NOW + timedelta(days=364))
    assert list(found) == [7, 6, 5, 4, 3]
    assert found[7] == "m7"
    assert header.startswith("__Host-lk_device=")
    assert cookies.read_devices(header, settings, now=NOW + timedelta(days=366)) == {}
    assert cookies.websocket_cookies(header, settings) == "", "the application has no use for it"


def test_what_was_sealed_for_another_purpose_marks_no_browser() -> None:
    settings = settings_for(LOOPBACK)
    response = Response()
    cookies.set_flash(response, settings, {"1": "mark"}, now=NOW)
    forged = sent_back(response).replace("lk_flash", "lk_device")

    assert cookies.read_devices(forged, settings, now=NOW) == {}
