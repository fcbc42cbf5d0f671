"""An export as CSV: one header, a line for each row. For `services.exports.files` only.

Nothing in it was typed by anybody, so nothing needs quotes, and no cell can begin like a formula.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from lk_portal.metering.types import Quantity
from lk_portal.services.exports.cells import kwh_cell
from lk_portal.services.exports.rows import ExportRow

HEADER = "start,end,quantity,zone,value_kwh,expected_intervals,actual_intervals,quality"
_LINES_AT_ONCE = 1000


async def csv_chunks(rows: AsyncIterator[ExportRow], quantity: Quantity) -> AsyncIterator[bytes]:
    """The file in pieces, ASCII."""
    lines = [HEADER]
    async for row in rows:
        lines.append(_line(row, quantity.name))
        if len(lines) == _LINES_AT_ONCE:
            yield _joined(lines)
            lines = []
    yield _joined(lines)


def _line(row: ExportRow, quantity: str) -> str:
    value = "" if row.value_wh is None else kwh_cell(row.value_wh)
    return (
        f"{row.start.isoformat()},{row.end.isoformat()},{quantity},{row.zone},{value},"
        f"{row.expected},{row.actual},{row.quality.name.lower()}"
    )


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("ascii")
