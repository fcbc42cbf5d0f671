"""A resource's rows as a file: what the list shows, all of it, in its order. For the route.

Written piece by piece, so a million rows need no more memory than a thousand. What people typed cannot become
a formula in somebody's spreadsheet.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

from openpyxl import Workbook

from lk_portal.i18n import _
from lk_portal.services.database import Database
from lk_portal.services.exports.cells import text_cell
from lk_portal.services.exports.workbook import pieces
from lk_portal.services.resource.reading import View, read_all
from lk_portal.services.resource.spec import Resource
from lk_portal.services.resource.texts import cell_text

ROWS_OF_SHEET = 1_000_000
_ROWS_AT_ONCE = 500
_NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\]")
BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets take Russian letters for something else."""


async def rows_of(
    database: Database, resource: Resource, view: View, *, now: datetime, zone: ZoneInfo
) -> AsyncIterator[list[str]]:
    """The headings, then the texts of every row."""
    yield [text_cell(_(one.label)) for one in resource.columns if not one.is_way]
    async for values in read_all(database, resource, view, now=now):
        pairs = [pair for pair in zip(resource.columns, values, strict=True) if not pair[0].is_way]
        yield [text_cell(cell_text(column, value, zone=zone)) for column, value in pairs]


async def csv_pieces(rows: AsyncIterator[list[str]]) -> AsyncIterator[bytes]:
    """UTF-8, with commas."""
    buffer = io.StringIO(newline="")
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer, lineterminator="\n")
    count = 0
    async for row in rows:
        writer.writerow(row)
        count += 1
        if count % _ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


async def xlsx_pieces(rows: AsyncIterator[list[str]], title: str) -> AsyncIterator[bytes]:
    """A workbook with one sheet, or more where a sheet cannot hold them."""
    book = Workbook(write_only=True)
    sheet, count = book.create_sheet(_NOT_IN_A_TITLE.sub(" ", title)[:31]), 0
    async for row in rows:
        if count == ROWS_OF_SHEET:
            sheet, count = book.create_sheet(), 0
        sheet.append(row)
        count += 1
    async for piece in pieces(book):
        yield piece


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8")
