"""Codes that come by letter: random, typed as people type, kept as a keyed hash."""

from __future__ import annotations

import pytest

from lk_portal.security.codes import code_of, hash_code, is_code, new_code

SECRET, OTHER = b"s" * 32, b"o" * 32


def test_codes_are_six_digits_and_differ() -> None:
    made = {new_code() for _ in range(200)}

    assert all(len(code) == 6 and code.isdecimal() and code.isascii() for code in made)
    assert len(made) > 150


@pytest.mark.parametrize("typed", ["012345", " 012 345 ", "012-345", "012\u2013345", "0 1 2 3 4 5\n"])
def test_a_code_as_people_type_it(typed: str) -> None:
    assert code_of(typed) == "012345"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "12345\0", "²23456"])
def test_what_is_no_code(typed: str) -> None:
    assert code_of(typed) == ""


def test_a_hash_is_of_one_code_for_one_purpose_under_one_secret() -> None:
    stored = hash_code("012345", secret=SECRET, purpose="a")

    assert len(stored) == 64
    assert is_code("012345", stored, secret=SECRET, purpose="a")
    assert not is_code("012346", stored, secret=SECRET, purpose="a")
    assert not is_code("012345", stored, secret=OTHER, purpose="a")
    assert not is_code("012345", stored, secret=SECRET, purpose="b")
    assert not is_code("012345", "", secret=SECRET, purpose="a")
