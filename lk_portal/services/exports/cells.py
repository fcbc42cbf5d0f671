"""What may stand in a cell of a table that is given away. Pure; for everything that writes CSV or XLSX.

A spreadsheet takes a text that begins with = + - @ for a formula and runs it, so what people typed could do
things in somebody else's spreadsheet. Such texts get an apostrophe before them.
"""

from __future__ import annotations

import re
from datetime import datetime

Cell = str | int | datetime | None
"""A text from `text_cell`, a number, or an aware time by the clock that it is shown by."""

_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]")  # and the wide forms
_NO_TEXT = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, without what no file can hold."""
    plain = plain_text(text)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def plain_text(text: str) -> str:
    """A text without the characters that XML 1.0 has no place for."""
    return _NO_TEXT.sub("", text)


def kwh_cell(value_wh: int) -> str:
    """Wh as kWh (varh as kvarh), exactly: three digits after a point."""
    whole, rest = divmod(abs(value_wh), 1000)
    return f"{'-' if value_wh < 0 else ''}{whole}.{rest:03}"
