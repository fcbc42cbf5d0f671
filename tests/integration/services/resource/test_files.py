"""The file of a list has the rows of the list, in its order, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert

from lk_portal.models import Tariff
from lk_portal.services.database import Database
from lk_portal.services.exports.table_csv import csv_pieces
from lk_portal.services.exports.workbook import table_pieces
from lk_portal.services.resource import Column
from lk_portal.services.resource.files import rows_of
from lk_portal.services.resource.reading import MOST_COUNTED, View
from tests.integration.services.resource.declared import NOW, OMSK, TARIFFS, add_tariffs, page_of

EVIL = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", " =cmd", "＝1")


async def table_of_csv(database: Database, view: View = View()) -> list[list[str]]:  # noqa: B008 - frozen
    rows = rows_of(database, TARIFFS, view, now=NOW, zone=OMSK)
    content = b"".join([piece async for piece in csv_pieces(rows)])
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


async def table_of_xlsx(database: Database, title: str = "Tariffs") -> list[list[object]]:
    rows = rows_of(database, TARIFFS, View(), now=NOW, zone=OMSK)
    content = b"".join([piece async for piece in table_pieces(rows, title)])
    [sheet] = load_workbook(io.BytesIO(content)).worksheets
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("view", [View(), View(sort="-code"), View(query="т-0"), View(query="нет")])
async def test_the_file_has_what_the_list_shows(database: Database, view: View) -> None:
    await add_tariffs(database, *(f"Т-{number:02}" for number in range(60)), name='имя; с, запятой\n"и"')
    listed: list[str] = []
    page = await page_of(database, TARIFFS, query=view.query, sort=view.sort)
    while True:
        listed += [row.values[0] for row in page.rows]
        if not page.later:
            break
        page = await page_of(database, TARIFFS, query=view.query, sort=view.sort, after=page.later)

    heading, *rows = await table_of_csv(database, view)

    assert len(heading) == 2
    assert [row[0] for row in rows] == listed
    assert all(row[1] == 'имя; с, запятой\n"и"' for row in rows)


async def test_what_only_leads_to_another_page_is_not_in_the_file(database: Database) -> None:
    await add_tariffs(database, "Т-1")
    way = Column(Tariff.code, "Zones", show=lambda _code: "Open", link=lambda code: f"/{code}", is_way=True)
    tariffs = replace(TARIFFS, columns=(TARIFFS.columns[0], way, TARIFFS.columns[1]))

    with_way = [row async for row in rows_of(database, tariffs, View(), now=NOW, zone=OMSK)]

    assert with_way == [row async for row in rows_of(database, TARIFFS, View(), now=NOW, zone=OMSK)]
    assert len(with_way) == 2


async def test_no_cell_is_a_formula(database: Database) -> None:
    await add_tariffs(database, "a", "b", "c", "d", "e", "f", "g")
    async with database.writing() as connection:
        await connection.execute(
            insert(Tariff), [{"code": f"x{number}", "name": text} for number, text in enumerate(EVIL)]
        )

    for rows in (
        await table_of_csv(database),
        await table_of_xlsx(database, "Тарифы: [все]/*?\\ и ещё длиннее"),
    ):
        names = [str(row[1]) for row in rows[8:]]
        assert [name.removeprefix("'") for name in names] == list(EVIL)
        assert all(name.startswith("'") for name in names)


async def test_a_file_goes_on_over_many_pages(database: Database) -> None:
    rows = [{"code": f"C{number:05}", "name": "x"} for number in range(2 * MOST_COUNTED + 1)]
    async with database.writing() as connection:
        await connection.execute(insert(Tariff), rows)

    read = await table_of_csv(database, View(sort="code"))

    assert [row[0] for row in read[1:]] == [row["code"] for row in rows]
