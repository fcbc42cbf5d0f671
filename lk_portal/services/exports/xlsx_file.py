"""An export as a workbook: the rows, and a sheet that says what they are. For `services.exports.files` only.

Written row by row into a temporary file, so the size of the export does not matter for the memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from lk_portal.i18n import _
from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.exports.cells import text_cell
from lk_portal.services.exports.rows import ExportRow, Wish
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.quantity_texts import quantity_text, unit_of

ROWS_OF_SHEET = 1_000_000
"""A sheet ends at 1 048 576 rows."""
WIDTHS = (18, 18, 12, 22, 8, 16, 16, 16, 16)
_READ_BYTES = 1 << 18
_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_TIME_FORMAT, _KWH_FORMAT = "yyyy-mm-dd hh:mm", "0.000"


async def xlsx_chunks(rows: AsyncIterator[ExportRow], point: ExportPoint, wish: Wish) -> AsyncIterator[bytes]:
    """The file in pieces."""
    book = Workbook(write_only=True)
    sheet = _Sheet(book, wish.quantity)
    async for row in rows:
        sheet.add(row)
    _describe(book, point, wish)
    with TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while piece := file.read(_READ_BYTES):
            yield piece


class _Sheet:
    """The sheet that is being filled; the next one when it is full."""

    def __init__(self, book: Any, quantity: Quantity) -> None:
        self._book, self._quantity = book, quantity
        self._energy = quantity_text(quantity)
        self._qualities = {quality: quality_text(quality) for quality in Quality}
        self._begin()

    def add(self, row: ExportRow) -> None:
        """Write one row: times of the wall clock, for a spreadsheet knows no offsets; they stand beside."""
        if self._left == 0:
            self._begin()
        self._left -= 1
        self._start.value, self._end.value = row.start.replace(tzinfo=None), row.end.replace(tzinfo=None)
        self._value.value = None if row.value_wh is None else Decimal(row.value_wh) / 1000
        self._sheet.append(
            (
                self._start,
                self._end,
                offset_text(row.start),
                self._energy,
                row.zone,
                self._value,
                row.expected,
                row.actual,
                self._qualities[row.quality],
            )
        )

    def _begin(self) -> None:
        self._left = ROWS_OF_SHEET
        number = len(self._book.worksheets) + 1
        title = _("Consumption")
        self._sheet = _new_sheet(self._book, title if number == 1 else f"{title} {number}", WIDTHS)
        self._sheet.freeze_panes = "A2"
        self._sheet.append([_head(self._sheet, text) for text in headings(self._quantity)])
        self._start, self._end = (_cell(self._sheet, _TIME_FORMAT) for _side in range(2))
        self._value = _cell(self._sheet, _KWH_FORMAT)


def headings(quantity: Quantity) -> tuple[str, ...]:
    """The names of the columns, with their units."""
    unit = unit_of(quantity)
    return (
        _("Start"),
        _("End"),
        _("Time zone"),
        _("Type of energy"),
        _("Zone (0: all)"),
        f"{_('Consumption')}, {unit}",
        _("Data expected, h"),
        _("Data there, h"),
        _("Quality"),
    )


def quality_text(quality: Quality) -> str:
    """The word for a quality."""
    return {
        Quality.MEASURED: _("measured"),
        Quality.ESTIMATED: _("estimated"),
        Quality.EDITED: _("edited"),
        Quality.MISSING: _("no data"),
    }[quality]


def offset_text(at: datetime) -> str:
    """The offset in force, e.g. UTC+06:00; the sign does not come first."""
    return f"UTC{at.isoformat()[19:]}"


def _describe(book: Any, point: ExportPoint, wish: Wish) -> None:
    """What the rows are: texts that people typed among them, so each is made harmless."""
    sheet = _new_sheet(book, _("About"), (28, 60))
    for name, value in (
        (_("Meter"), point.serial),
        (_("Name"), point.name),
        (_("Account"), point.account),
        (_("Address"), point.address),
        (_("Metering point"), point.code),
        (_("Type of energy"), quantity_text(wish.quantity)),
        (_("Time zone"), str(point.tz)),
    ):
        sheet.append([_head(sheet, name), text_cell(value)])


def _new_sheet(book: Any, title: str, widths: Sequence[int]) -> Any:
    sheet = book.create_sheet(title)
    for number, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGHI"[number]].width = width
    return sheet


def _head(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text_cell(text))
    cell.font, cell.alignment = _BOLD, _WRAPPED
    return cell


def _cell(sheet: Any, number_format: str) -> Any:
    """A cell that is written again and again: a new one for each row takes twice the time."""
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    return cell
