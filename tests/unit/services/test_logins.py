"""E-mails and phones as people type them, and as they are stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.errors import InputError
from lk_portal.services.texts import is_storable
from lk_portal.services.users import normal_email, normal_login, normal_phone

EMAIL = "ivanov@example.com"


@pytest.mark.parametrize(
    ("typed", "login"),
    [
        ("8 913 123-45-67", "+79131234567"),
        ("+7 (913) 123 45 67", "+79131234567"),
        (" Ivanov@Example.COM ", EMAIL),
        ("", ""),
        ("x" * 300, ""),
        ("a\0b@example.com", ""),
        ("не телефон", ""),
        ("89131234567", "+79131234567"),
        ("9131234567", "+79131234567"),
        ("+7-913-123-45-67", "+79131234567"),
        ("+49 30 901820", "+4930901820"),
        ("12", ""),
        ("+7913", ""),
        ("a\ud800@example.com", ""),
        ("a" * 243 + "@example.com", ""),
        ("' OR 1=1 --", ""),
        ("Ivan@Пример.РФ", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("a@example", "a@example"),
    ],
)
def test_a_login_as_people_type_it(typed: str, login: str) -> None:
    assert normal_login(typed) == login


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Ivanov@Example.COM ", EMAIL),
        ("ivan@пример.рф", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("ivan@XN--E1AFMKFD.xn--p1ai", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("a+b.c@mail.ru", "a+b.c@mail.ru"),
        ("demo@energomir.example", "demo@energomir.example"),
    ],
)
def test_an_e_mail_is_stored_one_way(typed: str, stored: str) -> None:
    assert normal_email(typed) == stored
    assert normal_login(typed) == stored, "who registers with it signs in with it"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no e-mail",
        "a b@example.com",
        "@example.com",
        "a@example",
        "a\0@example.com",
        "a@example.com\nBcc: b@example.com",
        "a@example.com, b@example.com",
        "+7 913 000-00-00",
        "a@localhost",
        "a@[127.0.0.1]",
        '"a b"@example.com',
        "😀@example.com",
        "a@😀.example.com",
        "a\ud800@example.com",
        "x" * 65 + "@example.com",
        "<b>a</b>@example.com",
    ],
)
def test_what_no_letter_could_be_sent_to(typed: str) -> None:
    with pytest.raises(InputError) as refused:
        normal_email(typed)

    assert refused.value.field == "email"


def test_a_cyrillic_name_before_the_at_is_said_to_be_the_trouble() -> None:
    with pytest.raises(InputError, match="before @ must be in Latin"):
        normal_email("почта@example.com")


@pytest.mark.parametrize("typed", ["8 913 123-45-67", "+7 (913) 123 45 67", "89131234567", "９131234567"])
def test_a_phone_is_stored_one_way(typed: str) -> None:
    assert normal_phone(typed) == "+79131234567"


@pytest.mark.parametrize(
    "typed", ["", "12", "+7 013 123-45-67", "7" * 300, "a@example.com", "8 913 123-45-67\0", "\ud800", "🙂"]
)
def test_what_nobody_can_be_called_at(typed: str) -> None:
    with pytest.raises(InputError) as refused:
        normal_phone(typed)

    assert refused.value.field == "phone"


@given(st.text(st.characters()))
def test_no_text_breaks_a_login(text: str) -> None:
    assert is_storable(normal_login(text))
    for rule in (normal_email, normal_phone):
        try:
            assert is_storable(rule(text))
        except InputError as refused:
            assert refused.field
