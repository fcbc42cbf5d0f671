"""Differences of two texts, line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lk_portal.services.text_diff import MOST_LINES, Change, differences

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


def test_changed_lines_come_with_some_around_them() -> None:
    before = [f"строка {number}" for number in range(20)]
    after = [*before[:10], "новая", *before[11:]]

    lines = differences("\n".join(before), "\n".join(after))

    assert [line.change.value for line in lines] == [
        "gap", *["same"] * 3, "removed", "added", *["same"] * 3, "gap"
    ]  # fmt: skip
    assert [line.text for line in lines if line.change in (Change.REMOVED, Change.ADDED)] == [
        "строка 10",
        "новая",
    ]


def test_equal_texts_have_none() -> None:
    assert differences("a\nb", "a\nb") == ()
    assert differences("", "") == ()


@given(before=LINES, after=LINES)
def test_taking_removed_out_and_added_in_leads_from_one_to_the_other(
    before: list[str], after: list[str]
) -> None:
    lines = differences("\n".join(before), "\n".join(after))

    first = "\n".join(before).splitlines()
    second = "\n".join(after).splitlines()
    removed = sorted(line.text for line in lines if line.change is Change.REMOVED)
    added = sorted(line.text for line in lines if line.change is Change.ADDED)
    assert sorted([*first, *added]) == sorted([*second, *removed])
    assert bool(lines) == (first != second)


def test_a_long_difference_ends_with_a_gap() -> None:
    lines = differences("", "\n".join(str(number) for number in range(1000)))

    assert len(lines) == MOST_LINES + 1
    assert lines[-1].change is Change.GAP
