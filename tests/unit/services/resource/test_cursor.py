"""A cursor is what a list wrote, or the first page: anybody can write one into an address."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lk_portal.metering.types import Quantity
from lk_portal.models import VerificationKind
from lk_portal.services.resource.cursor import LONGEST, decode, encode

KEYS = st.integers(0, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(-(2**62), 2**62),
    bool: st.booleans(),
    float: st.floats(-1e18, 1e18),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Decimal: st.decimals(-(10**12), 10**12, places=4),
    Quantity: st.sampled_from(Quantity),
    VerificationKind: st.sampled_from(VerificationKind),
}


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
@given(st.data())
def test_what_was_written_is_read(kind: Any, data: st.DataObject) -> None:
    value, key = data.draw(VALUES[kind]), data.draw(KEYS)

    assert decode(encode(value, key), kind) == (value, key)


def test_a_name_in_the_longest_letters_has_a_cursor() -> None:
    name = "\U0001f600" * 300

    assert decode(encode(name, 2**62), str) == (name, 2**62)
    assert len(encode(name, 2**62)) <= LONGEST


@pytest.mark.parametrize("kind", [*VALUES, None], ids=lambda kind: getattr(kind, "__name__", "None"))
@given(
    st.one_of(
        st.text(max_size=50),
        st.binary(max_size=50).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
            ),
        ).map(packed),
        st.tuples(st.integers() | st.floats() | st.text(max_size=30), st.integers()).map(packed),
    )
)
@example(packed(["0001-01-01T00:00:00+14:00", 1]))
@example(packed(["9999-12-31T23:59:59-12:00", 1]))
@example(packed(["1e-99999999", 1]))
@example(packed(["sNaN", 1]))
@example(packed([float("nan"), 1]))
@example(packed(["\ud800", 1]))
@example(packed(["a\0", 1]))
@example(packed([1, True]))
@example(packed([1, 2**63]))
@example("=" * 3)
@example("[" * 4000)
@example("9" * (LONGEST + 1))
def test_garbage_is_the_first_page_or_a_value_of_the_kind(kind: Any, text: str) -> None:
    found = decode(text, kind)

    assert found is None or ((kind is None or isinstance(found[0], kind)) and abs(found[1]) < 2**63)
    if found is not None and isinstance(found[0], str):
        found[0].encode()
        assert "\0" not in found[0]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("0001-01-01T00:00:00+14:00", datetime),
        ("x", datetime),
        ("2026-13-01", date),
        (1, str),
        ("a\0", str),
        (True, int),
        (2**64, int),
        (float("inf"), float),
        ("NaN", Decimal),
        ("1e-9999", Decimal),
        (99, Quantity),
        ("weekly", VerificationKind),
        (None, str),
    ],
)
def test_what_no_database_could_be_asked_for_is_refused(value: object, kind: Any) -> None:
    assert decode(packed([value, 1]), kind) is None
