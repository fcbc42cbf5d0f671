"""Addresses and keys that browsers give, and the portal's own key."""

from __future__ import annotations

import base64

import pytest

from lk_portal.errors import InputError
from lk_portal.security.push import (
    MAX_ENDPOINT,
    checked_endpoint,
    checked_keys,
    is_public,
    own_key,
    own_public_key,
)
from tests.push_service import Browser

SECRET, OTHER = b"s" * 48, b"t" * 48


def test_machines_that_share_the_secret_have_the_same_key() -> None:
    assert own_public_key(SECRET) == own_public_key(bytes(SECRET))
    assert own_public_key(SECRET) != own_public_key(OTHER)
    point = base64.urlsafe_b64decode(own_public_key(SECRET) + "=")
    assert (len(point), point[0]) == (65, 4)


def test_the_key_does_not_show_the_secret() -> None:
    number = own_key(SECRET).private_numbers().private_value
    assert SECRET not in number.to_bytes(32)


@pytest.mark.parametrize(
    "url",
    [
        "https://fcm.googleapis.com/fcm/send/abc:DEF-1_2",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QAB",
        "https://wns2-am3p.notify.windows.com:443/w/?token=BQ%3d%3d",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/x",
    ],
)
def test_what_could_be_a_push_service_is_taken(url: str) -> None:
    assert checked_endpoint(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://push.example/x",
        "ftp://push.example/x",
        "file:///etc/passwd",
        "https://localhost/x",
        "https://portal/x",
        "https://./x",
        "https://user:password@push.example/x",
        "https://push.example:8443/x",
        "https://push.example:99999/x",
        "https://push.example/x#y",
        "https://push.example/a b",
        "https://push.example/\r\nX: y",
        "https://пуш.example/x",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://192.168.1.1/x",
        "https://172.16.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/x",
        "https://0.0.0.0/x",
        "https://224.0.0.1/x",
        "https://255.255.255.255/x",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[fd00::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://[64:ff9b::7f00:1]/x",
        "https://[2002:7f00:1::]/x",
        "https://[2001::7f00:1]/x",
        "https://push.example/" + "x" * MAX_ENDPOINT,
    ],
)
def test_what_could_not_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        checked_endpoint(url)


@pytest.mark.parametrize("text", ["", "x", "127.1", "0x7f000001", "2130706433", "::1%lo", "8.8.8.8.8"])
def test_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


def test_a_browsers_keys_are_taken_with_padding_or_without() -> None:
    made = Browser().subscription

    assert checked_keys(made.p256dh, made.auth) == (made.p256dh, made.auth)
    assert checked_keys(made.p256dh + "=", made.auth + "==") == (made.p256dh, made.auth)


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", ""),
        ("AAAA", None),
        (None, ""),
        (None, "AAAA"),
        (None, "*" * 22),
        (None, "я" * 22),
        ("B" + "A" * 86, None),
        ("x" * 10_000, None),
    ],
)
def test_what_is_no_key_is_refused(p256dh: str | None, auth: str | None) -> None:
    made = Browser().subscription

    with pytest.raises(InputError):
        checked_keys(made.p256dh if p256dh is None else p256dh, made.auth if auth is None else auth)
