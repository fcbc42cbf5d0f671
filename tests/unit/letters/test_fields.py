"""What strangers type is made harmless before it is kept for a letter."""

from __future__ import annotations

import pytest

from lk_portal.letters.agents import browser_name
from lk_portal.letters.fields import FIELDS, checked, clean, masked_email, masked_phone
from lk_portal.models import LetterKind

CHROME_ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1"
YANDEX = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 YaBrowser/24.10 Safari/537.36"


def test_every_kind_of_letter_has_its_fields() -> None:
    assert set(FIELDS) == {str(kind) for kind in LetterKind}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Иванов Иван", "Иванов Иван"),
        ("  two   spaces ", "two spaces"),
        ("a\r\nBcc: b@c.example", "a Bcc: b@c.example"),
        ("zero\x00byte\x1b[31m", "zero byte [31m"),
        ("turned\u202eover and\u200bhidden\u2028line", "turned over and hidden line"),
        ("half a \ud83d", "half a"),
        ("emoji 😀 stays", "emoji 😀 stays"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_value_is_one_line_of_visible_characters(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Иванов И.О.", "Иванов И.О."),
        ("Anna-Maria O'Neil", "Anna-Maria O'Neil"),
        ("<b>Иван</b>", "<b>Иван</b>"),
        ("Win a prize http://evil.example/x", ""),
        ("Посетите evil.example сейчас", ""),
        ("Посетите сайт.рф", ""),
        ("www.evil", ""),
        ("write to me@evil", ""),
        ("Звоните 8 (800) 555-35-35", ""),
        ("x" * 101, ""),
    ],
)
def test_nobody_advertises_by_a_name(name: str, kept: str) -> None:
    assert checked("welcome", {"name": name}) == {"name": kept}


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME_ANDROID, "Chrome, Android"),
        (FIREFOX, "Firefox, Linux"),
        (IPHONE, "Safari, iPhone"),
        (YANDEX, "Yandex, Windows"),
        ("curl/8.5", "-"),
        ("", "-"),
        ("Buy at http://evil.example Firefox/1", "Firefox"),
    ],
)
def test_a_browser_is_called_by_a_known_name_only(agent: str, name: str) -> None:
    assert browser_name(agent) == name
    assert checked("new_device", {"browser": agent, "address": "::1"}) == {"browser": name, "address": "::1"}


def test_new_addresses_are_masked_for_the_old_ones_reader() -> None:
    assert masked_email("ivan.petrov@mail.example") == "i***@mail.example"
    assert masked_phone("+7 913 123-45-67") == "***4567"
    assert checked("email_changed", {"new_email": "ivan@x.example"}) == {"new_email": "i***@x.example"}
    assert checked("phone_changed", {"new_phone": "+79131234567"}) == {"new_phone": "***4567"}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("welcome", {"password": "secret"}),
        ("email_code", {"code": 123456}),
        ("claim_kept", {}),
        ("new_device", {"browser": "x"}),
    ],
)
def test_missing_and_unknown_fields_are_a_mistake(kind: str, data: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match=kind):
        checked(kind, data)
