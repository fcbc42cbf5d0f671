"""Cells that no spreadsheet runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lk_portal.services.exports.cells import kwh_cell, plain_text, text_cell

DANGEROUS = ("=1+1", "+7 913", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x")


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_formula_becomes_a_text(text: str) -> None:
    assert text_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Дом", "SN0001", "ул. Ленина, д.1", "1-2", "a=b", "2+2"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert text_cell(text) == text


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not text_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_control_character_does_not_hide_a_formula() -> None:
    assert text_cell("\0=1") == "'=1"
    assert plain_text("a\x0b\ud800b\x1f") == "ab"


@pytest.mark.parametrize(
    ("value_wh", "text"),
    [
        (0, "0.000"),
        (1, "0.001"),
        (999, "0.999"),
        (1000, "1.000"),
        (-5, "-0.005"),
        (10**12 + 7, "1000000000.007"),
    ],
)
def test_kilowatt_hours_are_exact(value_wh: int, text: str) -> None:
    assert kwh_cell(value_wh) == text
