"""The cookies of language and look: one known word each, and nothing else gets in or out."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from starlette.responses import Response

from lk_portal.security.navigation import own_path, safe_next
from lk_portal.security.preferences import ONE_YEAR_S, chosen_locale, set_preference_cookies
from lk_portal.settings import load_settings

LOOPBACK, TLS = "http://127.0.0.1:8000", "https://lk.example"


def sent(locale: str, theme: str, url: str = LOOPBACK) -> SimpleCookie:
    """The cookies of an answer that sets these."""
    response = Response()
    set_preference_cookies(response, load_settings(public_url=url), locale=locale, theme=theme)
    jar = SimpleCookie()
    for line in response.headers.getlist("set-cookie"):
        jar.load(line)
    return jar


@pytest.mark.parametrize(
    ("cookies", "query", "locale"),
    [
        ("lk_locale=en", b"", "en"),
        ('{"a":1}; lk_locale=ru', b"token=x", "ru"),
        ("lk_locale=ru", b"token=x&lang=en", "en"),
        ("lk_locale=EN", b"lang=EN", ""),
        ("lk_locale=en-US", b"", ""),
        ("lk_locale=../../ru", b"lang=\xff\x00", ""),
        ("", b"", ""),
    ],
)
def test_a_language_is_one_of_those_known(cookies: str, query: bytes, locale: str) -> None:
    assert chosen_locale(cookies, query=query) == locale


@pytest.mark.parametrize("url", [LOOPBACK, TLS])
def test_a_choice_is_remembered_for_a_year(url: str) -> None:
    jar = sent("en", "dark", url)

    assert {name: morsel.value for name, morsel in jar.items()} == {"lk_locale": "en", "lk_theme": "dark"}
    for morsel in jar.values():
        assert int(morsel["max-age"]) == ONE_YEAR_S
        assert (morsel["path"], morsel["domain"], morsel["samesite"]) == ("/", "", "lax")
        assert bool(morsel["secure"]) == (url == TLS)
    assert jar["lk_locale"]["httponly"]
    assert not jar["lk_theme"]["httponly"]  # assets/theme.js reads it


@pytest.mark.parametrize(
    ("locale", "theme", "names"),
    [
        ("", "", set()),
        ("xx", "purple", set()),
        ("ru; Domain=evil.example", "dark\r\nX: y", set()),
        ("ru", "", {"lk_locale"}),
        ("", "light", {"lk_theme"}),
    ],
)
def test_what_is_not_chosen_stays_and_what_is_not_known_is_not_set(
    locale: str, theme: str, names: set[str]
) -> None:
    assert sent(locale, theme).keys() == names


def test_the_systems_look_is_no_choice() -> None:
    jar = sent("", "system")

    assert jar.keys() == {"lk_theme"}
    assert int(jar["lk_theme"]["max-age"]) == 0


@pytest.mark.parametrize(
    ("target", "own", "after_sign_in"),
    [
        ("/readings?interval=day", "/readings?interval=day", "/readings?interval=day"),
        ("/login?next=%2F", "/login?next=%2F", "/"),
        ("/auth/logout", "/auth/logout", "/"),
        ("//evil.example", "/", "/"),
        ("https://evil.example/", "/", "/"),
        ("/\\evil.example", "/", "/"),
        ("/a\r\nSet-Cookie: x", "/", "/"),
        ("", "/", "/"),
    ],
)
def test_a_form_leads_only_to_this_portal(target: str, own: str, after_sign_in: str) -> None:
    assert own_path(target) == own
    assert safe_next(target) == after_sign_in
