"""What a clerk takes along from /admin/import: an empty file with all columns, and the report of bad rows."""

from __future__ import annotations

import io
from collections.abc import Iterable

from openpyxl import Workbook
from openpyxl.styles import Font

from lk_portal.i18n import _
from lk_portal.services.exports.cells import text_cell
from lk_portal.services.exports.table_csv import BYTE_ORDER_MARK, csv_bytes
from lk_portal.services.imports.registry_row import COLUMNS
from lk_portal.services.imports.source import BadLine

_WIDTHS = (22, 60)


def template_csv() -> bytes:
    """One line: the columns. UTF-8 with a mark, as Excel wants it."""
    return f"{BYTE_ORDER_MARK}{','.join(COLUMNS)}\n".encode()


def template_xlsx() -> bytes:
    """The columns on the first sheet, all cells text; what stands in each on the second."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = _("Registry")
    for number, name in enumerate(COLUMNS, start=1):
        cell = sheet.cell(1, number, name)
        cell.font = Font(bold=True)
        letter = cell.column_letter
        sheet.column_dimensions[letter].width = 18
        # As numbers the zeros that an account begins with would get lost.
        sheet.column_dimensions[letter].number_format = "@"
    sheet.freeze_panes = "A2"
    about = book.create_sheet(_("Columns"))
    for letter, width in zip("AB", _WIDTHS, strict=True):
        about.column_dimensions[letter].width = width
    for name, text in COLUMNS.items():
        about.append([name, _(text)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def report_csv(bad_rows: Iterable[BadLine]) -> bytes:
    """Number, column and reason of each row; no cell is a formula."""
    lines = [(bad.line, text_cell(bad.column), text_cell(reason_of(bad))) for bad in bad_rows]
    return BYTE_ORDER_MARK.encode() + csv_bytes([(_("Line"), _("Column"), _("Reason")), *lines])


def reason_of(bad: BadLine) -> str:
    """Why a row cannot be taken, in the reader's language."""
    return _(bad.reason, **dict(bad.data))
