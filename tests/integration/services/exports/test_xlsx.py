"""Workbooks, read back as a spreadsheet reads them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from lk_portal.i18n import using_locale
from lk_portal.metering.types import Quality
from lk_portal.models import MeteringPoint
from lk_portal.services.database import Database
from lk_portal.services.exports import xlsx_file
from lk_portal.services.exports.files import FileFormat
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.exports.exported import Asked, hours, store

MIDNIGHT = datetime(2026, 10, 30, 18, tzinfo=UTC)  # in Omsk
DAY = date(2026, 10, 31)


def at(hour: int) -> datetime:
    """A cell's time, which has no zone."""
    return datetime(2026, 10, 31, hour, tzinfo=UTC).replace(tzinfo=None)


async def book_of(database: Database, serial: str) -> Any:
    with using_locale("ru"):
        return load_workbook(io.BytesIO(await Asked(database, serial, DAY, DAY).file(FileFormat.XLSX)))


async def test_numbers_are_numbers_and_times_are_times(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, [1234, None, 7], quality=Quality.ESTIMATED))

    book = await book_of(sqlite_database, point.serial)

    sheet = book.worksheets[0]
    header, first, hole, *_rest = sheet.iter_rows(values_only=True)
    assert header[:2] == ("Начало", "Конец")
    assert header[5] == "Потребление, кВт·ч"
    assert sheet.freeze_panes == "A2"
    assert first == (
        at(0), at(1), "UTC+06:00", "Активная прямая", 0, 1.234, 1, 1,
        "расчетное",
    )  # fmt: skip
    assert hole[5:] == (None, 1, 0, "нет данных")
    assert sheet["F2"].number_format == "0.000"
    assert sheet.max_row == 25


async def test_no_cell_is_a_formula(sqlite_database: Database) -> None:
    point = await factories.a_metered_point(sqlite_database)
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table_of(MeteringPoint)).values(name='=HYPERLINK("x")', place="+1"))

    book = await book_of(sqlite_database, point.serial)

    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    texts = [cell.value for cell in cells if cell.data_type == "s"]
    assert '\'=HYPERLINK("x")' in texts
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_a_full_sheet_is_followed_by_another(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "ROWS_OF_SHEET", 10)
    point = await factories.a_metered_point(sqlite_database)
    await store(sqlite_database, hours(point.point_id, MIDNIGHT, range(24)))

    book = await book_of(sqlite_database, point.serial)

    assert [sheet.max_row for sheet in book.worksheets] == [11, 11, 5, 7]
    assert [sheet.title for sheet in book.worksheets][:2] == ["Потребление", "Потребление 2"]
    values = [row[5] for sheet in book.worksheets[:3] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [round(value * 1000) for value in values] == list(range(24))
