"""What the workbooks of all exports have in common. For everything that gives one away.

They are written row by row into a temporary file, so the size of an export does not matter for the memory.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from lk_portal.i18n import _
from lk_portal.metering.types import Quantity
from lk_portal.services.exports.cells import Cell, text_cell
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.quantity_texts import quantity_text

TIME_FORMAT, KWH_FORMAT = "yyyy-mm-dd hh:mm", "0.000"
ROWS_OF_SHEET = 1_000_000
"""A sheet ends at 1 048 576 rows."""
_NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
_READ_BYTES = 1 << 18
_BOLD = Font(bold=True)
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def new_sheet(book: Any, title: str, widths: Sequence[int]) -> Any:
    """A further sheet with columns of these widths."""
    sheet = book.create_sheet(title)
    for number, width in enumerate(widths):
        sheet.column_dimensions["ABCDEFGHIJKL"[number]].width = width
    return sheet


def head_cell(sheet: Any, text: str) -> Any:
    """A cell of a heading."""
    cell = WriteOnlyCell(sheet, value=text_cell(text))
    cell.font, cell.alignment = _BOLD, _WRAPPED
    return cell


def number_cell(sheet: Any, number_format: str) -> Any:
    """A cell that is written again and again: a new one for each row takes twice the time."""
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    return cell


def offset_text(at: datetime) -> str:
    """The offset in force, e.g. UTC+06:00; the sign does not come first."""
    return f"UTC{at.isoformat(timespec='seconds')[19:]}"


def describe(book: Any, point: ExportPoint, quantity: Quantity, *, note: str = "") -> None:
    """A sheet that says what the rows are: texts people typed among them, so each is made harmless.

    Args:
        book: The workbook.
        point: Whose rows.
        quantity: Which energy.
        note: What else is to be known of the consumption.
    """
    sheet = new_sheet(book, _("About"), (28, 60))
    for name, value in (
        (_("Meter"), point.serial),
        (_("Name"), point.name),
        (_("Account"), point.account),
        (_("Address"), point.address),
        (_("Metering point"), point.code),
        (_("Type of energy"), quantity_text(quantity)),
        (_("Time zone"), str(point.tz)),
        *([(_("Consumption"), note)] if note else []),
    ):
        sheet.append([head_cell(sheet, name), text_cell(value)])


async def table_pieces(
    rows: AsyncIterator[Sequence[Cell]], title: str, widths: Sequence[int] = ()
) -> AsyncIterator[bytes]:
    """A workbook of rows, the first of them the headings, which stay in sight.

    There is one sheet, or more where a sheet cannot hold them. Times stand as the clock shows them, for a
    spreadsheet knows no offsets.
    """
    book, headings, count = Workbook(write_only=True), await anext(rows), 0
    sheet = _begun(book, title, widths, headings)
    async for row in rows:
        if count == ROWS_OF_SHEET:
            sheet, count = _begun(book, title, widths, headings), 0
        sheet.append([_timed(sheet, cell) if isinstance(cell, datetime) else cell for cell in row])
        count += 1
    async for piece in pieces(book):
        yield piece


def _begun(book: Any, title: str, widths: Sequence[int], headings: Sequence[Cell]) -> Any:
    sheet = new_sheet(book, _NOT_IN_A_TITLE.sub(" ", title)[:31], widths)
    sheet.freeze_panes = "A2"
    sheet.append([head_cell(sheet, str(text)) for text in headings])
    return sheet


def _timed(sheet: Any, at: datetime) -> Any:
    cell = number_cell(sheet, TIME_FORMAT)
    cell.value = at.replace(tzinfo=None)
    return cell


async def pieces(book: Any) -> AsyncIterator[bytes]:
    """The finished file, piece by piece."""
    with TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while piece := file.read(_READ_BYTES):
            yield piece
