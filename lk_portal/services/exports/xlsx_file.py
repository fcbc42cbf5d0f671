"""Consumption as a workbook: rows, and a sheet that says what they are. For `services.exports.files` only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from openpyxl import Workbook

from lk_portal.i18n import _
from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.exports.rows import ExportRow, Wish
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.exports.workbook import (
    KWH_FORMAT,
    ROWS_OF_SHEET,
    TIME_FORMAT,
    describe,
    head_cell,
    new_sheet,
    number_cell,
    offset_text,
    pieces,
)
from lk_portal.services.quantity_texts import quantity_text, unit_of

WIDTHS = (18, 18, 12, 22, 8, 16, 16, 16, 16)


async def xlsx_chunks(rows: AsyncIterator[ExportRow], point: ExportPoint, wish: Wish) -> AsyncIterator[bytes]:
    """The file in pieces."""
    book = Workbook(write_only=True)
    sheet = _Sheet(book, wish.quantity)
    async for row in rows:
        sheet.add(row)
    describe(book, point, wish.quantity)
    async for piece in pieces(book):
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
        self._sheet = new_sheet(self._book, title if number == 1 else f"{title} {number}", WIDTHS)
        self._sheet.freeze_panes = "A2"
        self._sheet.append([head_cell(self._sheet, text) for text in headings(self._quantity)])
        self._start, self._end = (number_cell(self._sheet, TIME_FORMAT) for _side in range(2))
        self._value = number_cell(self._sheet, KWH_FORMAT)


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
