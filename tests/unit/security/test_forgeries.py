"""What an attacker would try on sealed values, redirects and the waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lk_portal.security import throttle
from lk_portal.security.navigation import HOME, safe_next
from lk_portal.security.throttle import Policy
from lk_portal.security.tokens import seal, unseal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = b"a secret that is long enough for a test"
SEALED = seal({"a": "я"}, secret=SECRET, purpose="flash", expires_at=NOW)
BEFORE = NOW - timedelta(seconds=1)
ANY_TEXT = st.text(st.characters())
SITE = "https://lk.example"


@given(st.integers(0, len(SEALED) - 1), st.characters())
def test_one_changed_character_closes_it(place: int, character: str) -> None:
    changed = SEALED[:place] + character + SEALED[place + 1 :]

    found = unseal(changed, secret=SECRET, purpose="flash", now=BEFORE)

    assert found == ({"a": "я"} if changed == SEALED else None)


@given(ANY_TEXT, ANY_TEXT)
@example("", "")
@example("e30=", "\ud800")
@example("\udfff", "é")
def test_no_two_halves_open_or_break(body: str, signature: str) -> None:
    assert unseal(f"{body}.{signature}", secret=SECRET, purpose="flash", now=BEFORE) is None


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.text())))
def test_what_was_sealed_comes_back(payload: dict[str, object]) -> None:
    sealed = seal(payload, secret=SECRET, purpose="flash", expires_at=NOW)

    assert sealed.isascii()
    assert unseal(sealed, secret=SECRET, purpose="flash", now=BEFORE) == payload
    assert unseal(sealed, secret=SECRET, purpose="flash", now=NOW) is None


@given(st.lists(st.sampled_from([*"/\\@:.?#&= %a", "\t", "\n", "\r", "//", "evil.example", "https:", "%2f"])))
@example(["/", "\t", "/", "evil.example"])
@example(["/", "\\", "evil.example"])
def test_no_combination_leads_away(parts: list[str]) -> None:
    target = safe_next("/" + "".join(parts))

    assert not urlsplit(target).netloc
    assert not target.startswith(("//", "/\\"))
    assert urlsplit(urljoin(f"{SITE}/login", target)).netloc == "lk.example"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "readings",
        "//[",
        "http://[",
        "/auth/logout",
        "/login",
        "/consent?next=/",
        "/new-password",
        "/\x00",
    ],
)
def test_what_is_no_page_leads_home(target: str) -> None:
    assert safe_next(target) == HOME


POLICIES = [value for value in vars(throttle).values() if isinstance(value, Policy)]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_wait_ends_when_it_says(policy: Policy) -> None:
    for failures in range(policy.free, policy.free + 40):
        seconds = policy.wait_s(failures=failures, last_failure_at=NOW, now=NOW)
        over = NOW + timedelta(seconds=seconds)
        almost = over - timedelta(milliseconds=1)

        assert 1 <= seconds <= policy.cap_s
        assert policy.wait_s(failures=failures, last_failure_at=NOW, now=over) == 0
        assert policy.wait_s(failures=failures, last_failure_at=NOW, now=almost) == 1
        assert policy.wait_s(failures=policy.free - 1, last_failure_at=NOW, now=NOW) == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_not_counted_any_more_would_change_nothing(policy: Policy) -> None:
    longest = policy.wait_s(failures=policy.saturation, last_failure_at=NOW, now=NOW)

    assert longest == policy.cap_s
    assert policy.wait_s(failures=10**6, last_failure_at=NOW, now=NOW) == longest
    assert policy.window <= throttle.LONGEST_WINDOW
    assert policy.cap_s < policy.window.total_seconds()


@pytest.mark.parametrize(
    ("address", "host", "network"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("", "", ""),
        ("unix:", "unix:", "unix:"),
    ],
)
def test_who_counts_as_one_visitor(address: str, host: str, network: str) -> None:
    assert throttle.host_of(address) == host
    assert throttle.network_of(address) == network


@given(ANY_TEXT)
def test_no_address_breaks_the_count(address: str) -> None:
    assert isinstance(throttle.network_of(address), str)
