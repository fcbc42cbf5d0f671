"""A page of the table of readings as a file: what stands in each format, read back."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from openpyxl import load_workbook
from sqlalchemy import insert, update

from lk_portal.i18n import using_locale
from lk_portal.metering.types import Quantity
from lk_portal.models import Installation, Meter, MeteringPoint, RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.exports.files import FileFormat
from lk_portal.services.exports.register_file import RegisterFile
from lk_portal.services.exports.source import find_point
from lk_portal.services.register_table import register_page
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.exports.exported import HOUR, NAMES, NOW, texts, validate

MIDNIGHT = datetime(2026, 10, 30, 18, tzinfo=UTC)  # in Omsk
KIND = ".//espi:ReadingType/espi:"
READING = ".//espi:IntervalReading"


@dataclass(frozen=True)
class Shown:
    """What a subscriber sees of a meter."""

    database: Database
    subscriber_id: int
    serial: str
    quantity: Quantity = Quantity.A_PLUS

    async def file(self, form: FileFormat) -> RegisterFile:
        point = await find_point(self.database, serial=self.serial, subscriber_id=self.subscriber_id)
        page = await register_page(
            self.database,
            subscriber_id=self.subscriber_id,
            serial=self.serial,
            quantity=self.quantity,
            before=NOW,
        )
        return RegisterFile(point, page, self.quantity, form, "АО «Энергомир»", NOW)

    async def content(self, form: FileFormat) -> bytes:
        return b"".join([chunk async for chunk in (await self.file(form)).chunks()])

    async def csv(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((await self.content(FileFormat.CSV)).decode())))

    async def book(self) -> Any:
        with using_locale("ru"):
            return load_workbook(io.BytesIO(await self.content(FileFormat.XLSX)))

    async def xml(self) -> etree._ElementTree:
        with using_locale("ru"):
            tree = etree.parse(io.BytesIO(await self.content(FileFormat.XML)))
        validate(tree)
        return tree


async def a_meter_read(
    database: Database,
    *registers: list[int],
    first_zone: int = 0,
    quantity: Quantity = Quantity.A_PLUS,
    timezone: str = "Asia/Omsk",
    start: datetime = MIDNIGHT,
) -> Shown:
    """Hourly values of a meter's registers, from that of `first_zone` on."""
    point = await factories.a_metered_point(database, timezone=timezone)
    for zone, values in enumerate(registers, first_zone):
        await read(database, point.meter_id, values, zone=zone, quantity=quantity, start=start)
    return Shown(database, point.subscriber_id, point.serial, quantity)


async def read(
    database: Database,
    meter_id: int,
    values: list[int],
    *,
    zone: int = 0,
    quantity: Quantity = Quantity.A_PLUS,
    start: datetime = MIDNIGHT,
) -> None:
    rows = [
        {
            "meter_id": meter_id,
            "quantity": quantity,
            "zone": zone,
            "taken_at": start + n * HOUR,
            "value_wh": value,
        }
        for n, value in enumerate(values)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(RegisterReading), rows)


async def rename(database: Database, serial: str, new: str) -> None:
    meter = table_of(Meter)
    async with database.writing() as connection:
        await connection.execute(update(meter).where(meter.c.serial == serial).values(serial=new))


async def test_the_columns_are_those_of_the_contract(database: Database) -> None:
    shown = await a_meter_read(database, [1000, 1500], [600, 900], [400, 600])

    text = (await shown.content(FileFormat.CSV)).decode()

    serial = shown.serial
    assert text.splitlines() == [
        "taken_at,meter_serial,quantity,sum_kwh,t1_kwh,t2_kwh,t3_kwh,t4_kwh,consumption_kwh,quality",
        f"2026-10-31T00:00:00+06:00,{serial},A_PLUS,1.000,0.600,0.400,,,,first",
        f"2026-10-31T01:00:00+06:00,{serial},A_PLUS,1.500,0.900,0.600,,,0.500,measured",
    ]
    assert text.endswith("\n")


async def test_the_hour_that_comes_twice_has_two_offsets(database: Database) -> None:
    start = datetime(2026, 10, 25, 0, tzinfo=UTC)
    shown = await a_meter_read(database, [1, 2], timezone="Europe/Berlin", start=start)

    rows = await shown.csv()
    book = await shown.book()

    assert [row["taken_at"] for row in rows] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert [row[1] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)] == [
        "UTC+02:00",
        "UTC+01:00",
    ]


async def test_a_stray_value_is_told_and_counts_nothing(database: Database) -> None:
    shown = await a_meter_read(database, [1000, 10**9, 1200])

    rows, tree = await shown.csv(), await shown.xml()

    assert [(row["consumption_kwh"], row["quality"]) for row in rows] == [
        ("", "first"),
        ("", "review"),
        ("0.200", "measured"),
    ]
    assert texts(tree, f"{READING}[espi:ReadingQuality]/espi:value") == ["1000000000"]
    assert texts(tree, f"{READING}//espi:quality") == ["10"]


async def test_a_workbook_has_the_columns_of_the_table(sqlite_database: Database) -> None:
    shown = await a_meter_read(sqlite_database, [1000, 1500], [600, 900])
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table_of(Installation)).values(ct_ratio=Decimal(60)))

    book = await shown.book()

    sheet, about = book.worksheets
    header, first, second = sheet.iter_rows(values_only=True)
    assert header == (
        "Дата и время", "Часовой пояс", "Прибор учета", "Тип энергии", "Сумма, кВт·ч", "T1, кВт·ч",
        "Потребление, кВт·ч", "Качество",
    )  # fmt: skip
    assert first == (
        MIDNIGHT.replace(tzinfo=None) + timedelta(hours=6), "UTC+06:00", shown.serial, "Активная прямая",
        1, 0.6, None, "нет данных для сравнения",
    )  # fmt: skip
    assert second[4:] == (1.5, 0.9, 30, "измерено")
    assert sheet["E2"].number_format == "0.000"
    assert sheet.freeze_panes == "A2"
    assert ("Потребление", "Потребление умножено на коэффициент трансформации 60.") in set(
        about.iter_rows(values_only=True)
    )


@pytest.mark.parametrize("serial", ["=1+1", "+7", "-2", "@SUM(A1)", '=HYPERLINK("x","y")'])
async def test_no_cell_is_a_formula(sqlite_database: Database, serial: str) -> None:
    made = await a_meter_read(sqlite_database, [1000])
    await rename(sqlite_database, made.serial, serial)
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table_of(MeteringPoint)).values(name="=1"))
    shown = Shown(sqlite_database, made.subscriber_id, serial)

    (row,) = await shown.csv()
    book = await shown.book()

    assert row["meter_serial"] == f"'{serial}"
    cells = [cell for sheet in book.worksheets for line in sheet.iter_rows() for cell in line]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    found = [cell.value for cell in cells if cell.data_type == "s"]
    assert f"'{serial}" in found
    assert not [text for text in found if text.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert len(await shown.content(FileFormat.XML)) > 0


async def test_a_serial_with_a_comma_stays_one_cell(sqlite_database: Database) -> None:
    made = await a_meter_read(sqlite_database, [1000])
    await rename(sqlite_database, made.serial, 'a,"b"')

    (row,) = await Shown(sqlite_database, made.subscriber_id, 'a,"b"').csv()

    assert (row["meter_serial"], row["sum_kwh"]) == ('a,"b"', "1.000")


async def test_what_the_dials_show_is_a_bulk_quantity(sqlite_database: Database) -> None:
    shown = await a_meter_read(sqlite_database, [1000, 1500], [600, 900], [400, 600])

    tree = await shown.xml()

    assert texts(tree, f"{KIND}accumulationBehaviour") == ["1"] * 3
    assert texts(tree, f"{KIND}tou") == ["1", "2"]
    assert texts(tree, f"{KIND}uom") == ["72"] * 3
    assert set(texts(tree, f"{KIND}commodity")) == {"1"}
    assert texts(tree, f"{READING}/espi:value") == ["1000", "1500", "600", "900", "400", "600"]
    assert texts(tree, f"{READING}/espi:tou") == ["1", "1", "2", "2"]
    assert set(texts(tree, f"{READING}/espi:timePeriod/espi:duration")) == {"0"}
    assert texts(tree, f"{READING}[1]/espi:timePeriod/espi:start") == [str(int(MIDNIGHT.timestamp()))] * 3
    assert set(texts(tree, ".//espi:IntervalBlock/espi:interval/espi:duration")) == {"3600"}


async def test_reactive_energy_that_was_given(sqlite_database: Database) -> None:
    shown = await a_meter_read(sqlite_database, [5], quantity=Quantity.R_MINUS)

    tree = await shown.xml()

    assert texts(tree, f"{KIND}uom") == ["73"]
    assert texts(tree, f"{KIND}flowDirection") == ["19"]


async def test_each_meter_of_a_point_is_a_series_of_its_own(sqlite_database: Database) -> None:
    old = await factories.a_metered_point(sqlite_database)
    replaced = MIDNIGHT + 2 * HOUR
    async with sqlite_database.writing() as connection:
        await connection.execute(update(table_of(Installation)).values(removed_at=replaced))
    new = await factories.meter(sqlite_database, serial="NEW")
    await factories.installation(sqlite_database, meter_id=new, point_id=old.point_id, installed_at=replaced)
    await read(sqlite_database, old.meter_id, [9000, 9100])
    await read(sqlite_database, new, [5, 10], start=replaced)

    shown = Shown(sqlite_database, old.subscriber_id, "NEW")
    tree, rows = await shown.xml(), await shown.csv()

    assert [row["meter_serial"] for row in rows] == [old.serial, old.serial, "NEW", "NEW"]
    titles = tree.xpath(".//atom:entry[atom:content/espi:MeterReading]/atom:title/text()", namespaces=NAMES)
    assert titles == [f"{old.serial} · Сумма", "NEW · Сумма"]
    ids = texts(tree, ".//atom:id")
    assert len(ids) == len(set(ids))
    addresses = tree.xpath(".//atom:link[@rel='self']/@href", namespaces=NAMES)
    assert len(addresses) == len(set(addresses))


async def test_a_page_without_readings_is_an_empty_file(sqlite_database: Database) -> None:
    shown = await a_meter_read(sqlite_database)

    assert await shown.csv() == []
    assert (await shown.book()).worksheets[0].max_row == 1
    assert texts(await shown.xml(), READING) == []
    assert (await shown.file(FileFormat.CSV)).name == f"{shown.serial}_A_PLUS_readings.csv"
