"""Tokens, waits and redirects: the pure rules of security."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.security import cookies
from lk_portal.security.navigation import HOME, safe_next
from lk_portal.security.throttle import Policy
from lk_portal.security.tokens import hash_of, new_token, seal, unseal
from lk_portal.settings import load_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"a secret that is long enough for a test"


def test_a_sealed_value_opens_for_its_purpose_and_time_only() -> None:
    sealed = seal({"a": "я"}, secret=SECRET, purpose="flash", expires_at=NOW)
    before = NOW - timedelta(seconds=1)

    assert unseal(sealed, secret=SECRET, purpose="flash", now=before) == {"a": "я"}
    assert unseal(sealed, secret=SECRET, purpose="flash", now=NOW) is None
    assert unseal(sealed, secret=SECRET, purpose="other", now=before) is None
    assert unseal(sealed, secret=b"other", purpose="flash", now=before) is None
    assert unseal("x" + sealed, secret=SECRET, purpose="flash", now=before) is None


@given(st.text())
def test_nothing_forged_opens_or_breaks(text: str) -> None:
    assert unseal(text, secret=SECRET, purpose="flash", now=NOW) is None


def test_tokens_differ_and_hashes_tell_nothing() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) >= 43 and hash_of(token) != token for token in tokens)


def test_waiting_grows_and_is_capped() -> None:
    policy = Policy(free=3, cap_s=60)
    waits = [policy.wait_s(failures=n, last_failure_at=NOW, now=NOW) for n in range(12)]

    assert waits[:3] == [0, 0, 0]
    assert waits[3:8] == [1, 2, 4, 8, 16]
    assert waits[-1] == 60
    assert policy.wait_s(failures=50, last_failure_at=NOW, now=NOW + timedelta(seconds=60)) == 0
    assert policy.wait_s(failures=50, last_failure_at=None, now=NOW) == 0


@given(
    st.text()
    | st.sampled_from(["//a", "/\\a", "https://a", "/login?x", "/auth/x", "javascript:a", "/a\n//b"])
)
def test_after_signing_in_one_stays_here(target: str) -> None:
    found = safe_next(target)

    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert not urlsplit(found).netloc


@pytest.mark.parametrize("target", ["/readings?interval=day&period=2026-11-24", "/", "/meters/1#x"])
def test_a_page_of_the_portal_is_kept(target: str) -> None:
    assert safe_next(target) == target


def test_login_itself_is_no_target() -> None:
    assert safe_next("/login?next=/login") == HOME


@pytest.mark.parametrize(
    ("url", "prefix"), [("https://lk.example", "__Host-"), ("http://127.0.0.1:8000", "lk_")]
)
def test_on_tls_the_cookie_is_pinned_to_the_host(url: str, prefix: str) -> None:
    assert cookies.session_cookie(load_settings(public_url=url)).startswith(prefix)


def test_the_application_sees_the_hash_of_the_token_only() -> None:
    settings = load_settings(public_url="http://127.0.0.1:8000")
    token = new_token()

    seen = cookies.websocket_cookies(f"lk_session={token}; other=1; lk_session_hash=forged", settings)

    assert token not in seen
    assert cookies.read_cookie(seen, cookies.SESSION_HASH_COOKIE) == hash_of(token)
    assert cookies.websocket_cookies("lk_session_hash=forged", settings) == ""


@given(st.text(st.characters(max_codepoint=255)))
def test_a_broken_cookie_header_is_no_cookie(header: str) -> None:
    assert isinstance(cookies.read_cookie(header, "lk_session"), str)
