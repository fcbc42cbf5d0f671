"""The fields of a registration: what is understood, and the sentence for what is not."""

from __future__ import annotations

import pytest

from lk_portal.errors import FormError
from lk_portal.services.registration_form import RegistrationForm, compact_number, read_form

GOOD: dict[str, object] = {
    "account": "5500000001",
    "address": "г. Омск, ул. Мира, д.5",
    "full_name": "Петров Петр",
    "email": "petrov@example.com",
    "phone": "+7 913 123-45-67",
    "agreement": True,
    "consent": True,
    "document_ids": (1, 2),
}


def wrong(**changes: object) -> dict[str, str]:
    """Field and sentence for everything that is wrong."""
    with pytest.raises(FormError) as refused:
        read_form({**GOOD, **changes})
    return {field: str(error) for field, error in refused.value.errors.items()}


def right(**changes: object) -> RegistrationForm:
    return read_form({**GOOD, **changes})


def test_a_good_form_is_read() -> None:
    form = right(full_name="  Петров  ", email=" Petrov@EXAMPLE.com", phone="8 (913) 123-45-67")

    assert (form.full_name, form.email, form.phone) == ("Петров", "petrov@example.com", "+79131234567")


def test_a_cyrillic_domain_is_kept_in_ascii() -> None:
    assert right(email="ivan@почта.рф").email == "ivan@xn--80a1acny.xn--p1ai"


@pytest.mark.parametrize("name", ["", "   ", "Ы" * 200, "👨‍👩‍👧 Ёлкин", "<b>O'Neil</b>; --", "🇷🇺"])
def test_names_are_texts(name: str) -> None:
    assert right(full_name=name).full_name == name.strip()


def test_everything_wrong_is_said_at_once() -> None:
    said = wrong(account=" - ", address="", full_name="x" * 300, email="x", phone="12", consent=False)

    assert list(said) == ["account", "address", "full_name", "email", "phone", "consent"]
    assert said["full_name"] == "At most 200 characters, please."


@pytest.mark.parametrize("field", ["account", "address", "full_name", "email", "phone"])
@pytest.mark.parametrize("sign", ["\0", "\x07", "\n", "\u202e", "\u2028", "\x7f"])
def test_control_characters_get_a_sentence(field: str, sign: str) -> None:
    assert wrong(**{field: f"1{sign}1"}) == {field: "There are characters in it that cannot be used."}


@pytest.mark.parametrize("field", ["account", "address", "full_name", "email", "phone"])
@pytest.mark.parametrize("value", [None, 1, [], {"$gt": ""}, b"x", True])
def test_what_is_no_text_is_refused(field: str, value: object) -> None:
    assert list(wrong(**{field: value})) == [field]


@pytest.mark.parametrize("value", [False, None, 1, "on", "true"])
@pytest.mark.parametrize("box", ["agreement", "consent"])
def test_a_box_must_be_ticked(box: str, value: object) -> None:
    assert list(wrong(**{box: value})) == [box]


@pytest.mark.parametrize("ids", [None, [1, 2], ("1", "2"), (1.5,), "12"])
def test_the_versions_are_numbers(ids: object) -> None:
    assert list(wrong(document_ids=ids)) == ["document_ids"]


def test_unknown_fields_are_refused() -> None:
    assert list(wrong(role="admin")) == ["role"]


@pytest.mark.parametrize(
    "email", ["x", "a@b", "иван@example.com", "a@b.ru\r\nBcc: c@d.ru", "a" * 300 + "@b.ru"]
)
def test_addresses_of_mail_are_checked(email: str) -> None:
    assert list(wrong(email=email)) == ["email"]


@pytest.mark.parametrize("phone", ["1", "abc", "+7 913 123-45-6", "+7 000 000-00-00", "8" * 60])
def test_phone_numbers_are_checked(phone: str) -> None:
    assert list(wrong(phone=phone)) == ["phone"]


@pytest.mark.parametrize(
    ("typed", "number"),
    [("55 00", "5500"), ("55-00", "5500"), ("№ 55\u201000", "5500"), ("５５", "55"), ("- ", "")],
)
def test_spaces_and_dashes_do_not_matter(typed: str, number: str) -> None:
    assert compact_number(typed) == number
