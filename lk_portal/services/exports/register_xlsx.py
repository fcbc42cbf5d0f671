"""A page of the table of readings as a workbook. For `services.exports.register_file` only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from lk_portal.i18n import _
from lk_portal.metering.types import Quantity
from lk_portal.services.exports.cells import text_cell
from lk_portal.services.exports.source import ExportPoint
from lk_portal.services.exports.workbook import (
    KWH_FORMAT,
    TIME_FORMAT,
    describe,
    head_cell,
    new_sheet,
    number_cell,
    offset_text,
    pieces,
)
from lk_portal.services.quantity_texts import quantity_text, unit_of
from lk_portal.services.register_table import RegisterRow
from lk_portal.services.register_texts import nature_text, ratio_text, register_text, registers_of

WIDTHS = (18, 12, 18, 22, *[16] * 6, 34)


async def xlsx_chunks(
    rows: Sequence[RegisterRow], point: ExportPoint, quantity: Quantity, *, ratio: Decimal
) -> AsyncIterator[bytes]:
    """The file in pieces; `rows` oldest first, with the columns the table shows."""
    book = Workbook(write_only=True)
    shown = registers_of(rows)
    sheet = new_sheet(book, _("Table of readings"), (*WIDTHS[: 4 + len(shown) + 1], WIDTHS[-1]))
    sheet.freeze_panes = "A2"
    sheet.append([head_cell(sheet, text) for text in _headings(shown, quantity)])
    for row in rows:
        sheet.append(_cells(sheet, row, shown, point, quantity_text(quantity)))
    describe(book, point, quantity, note=ratio_text(ratio))
    async for piece in pieces(book):
        yield piece


def _headings(shown: Sequence[int], quantity: Quantity) -> tuple[str, ...]:
    unit = unit_of(quantity)
    return (
        _("Date and time"),
        _("Time zone"),
        _("Meter"),
        _("Type of energy"),
        *(f"{register_text(number)}, {unit}" for number in shown),
        f"{_('Consumption')}, {unit}",
        _("Quality"),
    )


def _cells(
    sheet: Any, row: RegisterRow, shown: Sequence[int], point: ExportPoint, energy: str
) -> tuple[Any, ...]:
    """Times of the wall clock, for a spreadsheet knows no offsets; they stand beside."""
    at = row.at.astimezone(point.tz)
    values = (*(row.values_wh[number] for number in shown), row.consumption_wh)
    return (
        _filled(number_cell(sheet, TIME_FORMAT), at.replace(tzinfo=None)),
        offset_text(at),
        text_cell(row.serial),
        energy,
        *(_filled(number_cell(sheet, KWH_FORMAT), _kwh(value)) for value in values),
        nature_text(row.nature),
    )


def _filled(cell: WriteOnlyCell, value: object) -> WriteOnlyCell:
    cell.value = value
    return cell


def _kwh(value_wh: int | None) -> Decimal | None:
    return None if value_wh is None else Decimal(value_wh) / 1000
