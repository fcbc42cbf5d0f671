"""Rows as CSV, piece by piece. For everything that gives away a table; texts are `cells.text_cell`s."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from lk_portal.services.exports.cells import Cell

BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take Russian letters for something else."""
_ROWS_AT_ONCE = 500


async def csv_pieces(rows: AsyncIterator[Sequence[Cell]]) -> AsyncIterator[bytes]:
    """UTF-8 with a mark, with commas; times with their offset."""
    yield BYTE_ORDER_MARK.encode()
    waiting: list[Sequence[Cell]] = []
    async for row in rows:
        waiting.append(row)
        if len(waiting) == _ROWS_AT_ONCE:
            yield csv_bytes(waiting)
            waiting = []
    yield csv_bytes(waiting)


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """These lines, without a mark before them."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([_plain(cell) for cell in row] for row in rows)
    return written.getvalue().encode()


def _plain(cell: Cell) -> str | int | None:
    return cell.isoformat(timespec="seconds") if isinstance(cell, datetime) else cell
