"""What differs between two texts, line by line. Pure; for the revisions of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

AROUND = 3
"""So many unchanged lines are shown before and after a change."""
MOST_LINES = 400
"""A page is sent no more of a difference at once."""


class Change(StrEnum):
    """What became of a line; a gap stands for unchanged lines that are left out."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the earlier or of the later text."""

    change: Change
    text: str


def differences(before: str, after: str) -> tuple[Line, ...]:
    """The changed lines with some around them; none when the texts have the same lines.

    At most `MOST_LINES`: what comes later is left out, and a gap at the end says so.
    """
    earlier, later = before.splitlines(), after.splitlines()
    lines = [line for line, _number in zip(_lines(earlier, later), range(MOST_LINES + 1), strict=False)]
    return (*lines[:MOST_LINES], Line(Change.GAP, "")) if len(lines) > MOST_LINES else tuple(lines)


def _lines(earlier: list[str], later: list[str]) -> Iterator[Line]:
    groups = SequenceMatcher(None, earlier, later).get_grouped_opcodes(AROUND)
    end = 0
    for group in groups:
        if group[0][1] > end:
            yield Line(Change.GAP, "")
        for tag, first, end, later_first, later_end in group:
            if tag == "equal":
                yield from (Line(Change.SAME, text) for text in earlier[first:end])
                continue
            yield from (Line(Change.REMOVED, text) for text in earlier[first:end])
            yield from (Line(Change.ADDED, text) for text in later[later_first:later_end])
    if 0 < end < len(earlier):
        yield Line(Change.GAP, "")
