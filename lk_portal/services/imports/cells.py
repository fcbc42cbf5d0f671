"""What the cells of a file mean: numbers, times, words. Pure; for `services.imports`.

Each function takes the text of a cell and raises `CellError` with the cell's column.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from lk_portal.errors import N_
from lk_portal.metering.types import Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.imports.source import CellError
from lk_portal.services.intervals import MAX_VALUE_WH

QUANTITIES = {quantity.name: int(quantity) for quantity in Quantity}
QUALITIES = {quality.name.lower(): int(quality) for quality in Quality}
FIRST_MS = to_milliseconds(datetime(1990, 1, 1, tzinfo=UTC))
_MAX_DIGITS = len(str(MAX_VALUE_WH))
_MAX_REMEMBERED = 200_000


class Moments(dict[str, int]):
    """Texts of times and what they are in ms since 1970; a file has the same ones again and again."""

    def __missing__(self, text: str) -> int:
        if len(self) > _MAX_REMEMBERED:
            self.clear()
        value = self[text] = _milliseconds(text)
        return value


class Energies(dict[str, int]):
    """Texts of energies and what they are in Wh; those of households are few different ones."""

    def __missing__(self, text: str) -> int:
        if len(self) > _MAX_REMEMBERED:
            self.clear()
        if not (text.isascii() and text.isdecimal() and len(text) < _MAX_DIGITS):
            raise ValueError
        value = self[text] = int(text)
        return value


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError
    value = to_milliseconds(moment)
    if value < FIRST_MS:
        raise ValueError
    return value


def moment(text: str, column: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time with an offset."""
    return _or_complain(_milliseconds, text, column, _why_no_moment(text))


def _why_no_moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return N_("no time such as 2026-01-31T23:00:00+06:00")
    if found.tzinfo is None:
        return N_("the offset is missing, such as +06:00 or Z")
    return N_("times are of whole seconds") if found.microsecond else N_("too long ago")


def energy(text: str, column: str) -> int:
    """A whole number of Wh (varh) from 0 on."""
    return number(text, column, most=MAX_VALUE_WH)


def number(text: str, column: str, *, most: int) -> int:
    """A whole number from 0 to `most`, in plain digits."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else -1
    if not 0 <= value <= most:
        raise CellError(column, N_("no whole number from 0 to {most}"), most=most)
    return value


def word(known: dict[str, int], text: str, column: str) -> int:
    """One of the known words."""
    found = known.get(text)
    if found is None:
        raise CellError(column, N_("must be one of {words}"), words=", ".join(known))
    return found


def _or_complain(read: Callable[[str], int], text: str, column: str, reason: str) -> int:
    try:
        return read(text)
    except (ValueError, OverflowError):
        raise CellError(column, reason) from None
