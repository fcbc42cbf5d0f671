"""The registry from a file, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from lk_portal.errors import InputError
from lk_portal.models import Account, AuditEntry, Gateway, InstallationReading, Premises, Subscriber
from lk_portal.services.addresses import suggest
from lk_portal.services.database import Database
from lk_portal.services.imports.registry import RegistryReport, import_registry_file
from lk_portal.services.imports.source import BadLinesError
from tests import factories
from tests.integration.services.imports.files import NOW, count, job, named
from tests.integration.services.imports.registry_files import cells, csv_file, row, workbook
from tests.integration.services.polled import HOUR, rows_of, total_wh
from tests.integration.services.polled import poll as store

TABLES = (
    "subscriber premises account metering_point meter installation installation_reading verification seal "
    "gateway meter_connection"
)


async def counts(database: Database) -> dict[str, int]:
    return {table: await count(database, table) for table in TABLES.split()}


async def bad(database: Database, path: Path) -> list[tuple[int, str, str]]:
    before = await counts(database)
    with pytest.raises(BadLinesError) as raised:
        await import_registry_file(job(database, path))
    assert await counts(database) == before
    return named(raised.value)


async def test_a_row_becomes_everything_from_the_subscriber_to_the_connection(
    database: Database, tmp_path: Path
):
    tariff = await factories.tariff(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE tariff SET code = 'T2'"))
    path = csv_file(tmp_path / "r.csv", [row(1, phone="8 (913) 123-45-67", tariff="T2")])
    told: list[Any] = []
    report = await import_registry_file(job(database, path, told=told))

    assert report == RegistryReport(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    assert [rows for _phase, rows in told] == [1, 1]
    (person,) = await rows_of(database, Subscriber)
    assert (person.full_name, person.email, person.phone) == ("Иванов 1", "i1@example.com", "+79131234567")
    (account,) = await rows_of(database, Account)
    assert (account.subscriber_id, account.contract_number, account.amenities) == (person.id, "Д-1", "газ")
    assert await suggest(database, typed="омск ленина 1") == ("г. Омск, ул. Ленина, д.1, кв.1",)
    (point,) = await rows_of(database, factories.MeteringPoint)
    assert (point.account_id, point.tariff_id, point.name) == (account.id, tariff, "Дом")
    assert point.code.startswith("urn:uuid:")
    (placed,) = await rows_of(database, factories.Installation)
    assert placed.installed_at == datetime(2026, 1, 30, 18, tzinfo=UTC)
    assert (str(placed.ct_ratio.normalize()), str(placed.vt_ratio.normalize())) == ("1.5", "1")
    initial = {reading.zone: reading.value_wh for reading in await rows_of(database, InstallationReading)}
    assert initial == {0: 11_000, 1: 10_500, 2: 500}
    (verification,) = await rows_of(database, factories.Verification)
    assert verification.due_on == date(2042, 1, 15)
    (seal,) = await rows_of(database, factories.Seal)
    assert (seal.number, seal.placed_on, seal.removed_on) == ("П-1", date(2026, 1, 31), None)
    (line,) = await rows_of(database, Gateway)
    assert (line.host, line.port, line.is_enabled) == ("10.0.0.1", 4001, True)
    (link,) = await rows_of(database, factories.MeterConnection)
    assert (link.device_id, link.options, link.is_enabled) == (1, {}, True)
    (entry,) = await rows_of(database, AuditEntry)
    assert (entry.action, entry.detail) == ("registry:file:import", {"file": "r.csv"})


async def test_what_was_imported_can_be_polled_and_counts_from_the_initial_reading(
    database: Database, tmp_path: Path
):
    await import_registry_file(job(database, csv_file(tmp_path / "r.csv", [row(1, ct="")])))
    (meter,) = await rows_of(database, factories.Meter)
    await store(database, meter.id, (NOW - HOUR, 12_000))
    assert await total_wh(database) == 1000


async def test_the_second_time_nothing_is_new_and_a_dry_run_leaves_nothing(
    database: Database, tmp_path: Path
):
    path = csv_file(tmp_path / "r.csv", [row(1), row(2, subscriber="", email=""), row(3, email="")])
    dry = await import_registry_file(job(database, path, is_dry_run=True))
    assert await count(database, "account") == 0
    first = await import_registry_file(job(database, path))
    there = await counts(database)
    again = await import_registry_file(job(database, path))

    assert first == dry
    assert (first.accounts, first.subscribers, first.meters) == (3, 2, 3)
    assert again == RegistryReport(rows=3)
    assert await counts(database) == there


async def test_namesakes_without_an_address_are_two_persons_and_one_with_an_email_is_one(
    database: Database, tmp_path: Path
):
    same = {"subscriber": "Петров П.", "email": ""}
    other = {"subscriber": "Сидоров С.", "email": "s@example.com"}
    rows = [row(1, **same), row(2, **same), row(3, **other), row(4, **other)]
    report = await import_registry_file(job(database, csv_file(tmp_path / "r.csv", rows)))

    assert report.subscribers == 3
    owners = [account.subscriber_id for account in await rows_of(database, Account)]
    assert owners[0] != owners[1]
    assert owners[2] == owners[3]
    assert {person.email for person in await rows_of(database, Subscriber)} == {"", "s@example.com"}


async def test_two_meters_of_one_account_and_a_row_of_an_account_alone(database: Database, tmp_path: Path):
    second = {"account": row(1)["account"], "subscriber": "Иванов 1", "email": "i1@example.com", "flat": "1"}
    nothing = dict.fromkeys(list(row(1))[14:], "")
    rows = [row(1), row(2, **second), {**row(3), **nothing}]
    report = await import_registry_file(job(database, csv_file(tmp_path / "r.csv", rows)))
    assert (report.accounts, report.points, report.meters, report.premises) == (2, 2, 2, 2)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("cp1251", ";"), ("cp1251", ","), ("utf-8", ";")]
)
async def test_files_as_excel_writes_them(
    sqlite_database: Database, tmp_path: Path, encoding: str, delimiter: str
):
    path = csv_file(tmp_path / "r.csv", [row(1), row(2)], encoding=encoding, delimiter=delimiter)
    assert (await import_registry_file(job(sqlite_database, path))).meters == 2
    assert (await rows_of(sqlite_database, Premises))[0].settlement == "г. Омск"


@pytest.mark.parametrize("encoding", ["koi8-r", "cp866", "utf-16"])
async def test_another_encoding_is_named(sqlite_database: Database, tmp_path: Path, encoding: str):
    path = csv_file(tmp_path / "r.csv", [row(number) for number in range(1, 9)], encoding=encoding)
    with pytest.raises(InputError, match="UTF-8"):
        await import_registry_file(job(sqlite_database, path))
    assert await count(sqlite_database, "account") == 0


async def test_a_workbook_with_numbers_and_days_as_excel_has_them(database: Database, tmp_path: Path):
    noon = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - a workbook knows no zones
    of = row(1, account=7700000001, house=1, installed_at=noon, initial_t1=10.5)
    of |= {"verified_on": date(2026, 1, 15), "gateway_port": 4001.0}
    report = await import_registry_file(job(database, workbook(tmp_path / "r.xlsx", [cells(of)])))
    assert report.meters == 1
    (account,) = await rows_of(database, Account)
    assert account.number == "7700000001"
    (placed,) = await rows_of(database, factories.Installation)
    assert placed.installed_at == datetime(2026, 1, 31, 6, tzinfo=UTC)


async def test_bad_rows_of_a_workbook_are_named_all_at_once(sqlite_database: Database, tmp_path: Path):
    rows = [
        cells(row(1)),
        cells(row(2, model="")),
        cells(row(3, installed_at="2027-01-01")),
        cells(row(4, house="=A1")),
        cells(row(5, meter_serial="М-1", point_code="")),
        cells(row(6, timezone="Omsk")),
    ]
    found = await bad(sqlite_database, workbook(tmp_path / "r.xlsx", rows))
    assert [(line, column) for line, column, _reason in found] == [
        (3, "model"),
        (4, "installed_at"),
        (5, "house"),
        (6, "meter_serial"),
        (7, "timezone"),
    ]
    corrected = [cells(row(number)) for number in range(1, 7)]
    report = await import_registry_file(job(sqlite_database, workbook(tmp_path / "s.xlsx", corrected)))
    assert report.meters == 6


async def test_merged_cells_formulas_errors_and_long_numbers_are_refused(
    sqlite_database: Database, tmp_path: Path
):
    merged = workbook(tmp_path / "m.xlsx", [cells(row(1)), cells(row(2))], merged="E2:E3")
    assert [one[0] for one in await bad(sqlite_database, merged)] == [2, 3]
    for value in ("#N/A", True, 4410381406017412345):
        path = workbook(tmp_path / "x.xlsx", [cells(row(1, meter_serial=value))])
        assert (await bad(sqlite_database, path))[0][:2] == (2, "meter_serial")
    wide = workbook(tmp_path / "w.xlsx", [[*cells(row(1)), "лишнее"]])
    assert (await bad(sqlite_database, wide))[0][0] == 2


async def test_a_million_empty_rows_are_no_rows(sqlite_database: Database, tmp_path: Path):
    rows = [cells(row(1)), *([None] for _ in range(3))]
    path = workbook(tmp_path / "r.xlsx", rows)
    book = load_workbook(path)
    book.active.cell(1_048_576, 1).number_format = "0.00"
    book.active.cell(1_048_576, 16_384).number_format = "0.00"
    book.save(path)
    told: list[Any] = []
    report = await import_registry_file(job(sqlite_database, path, told=told))
    assert (report.rows, report.meters) == (1, 1)


@pytest.mark.parametrize("content", [b"PK\x03\x04 no workbook", b"", b"\x00\x01", b"a,b\n1,2\n"])
async def test_what_is_no_such_file_is_refused(sqlite_database: Database, tmp_path: Path, content: bytes):
    path = tmp_path / "r.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError):
        await import_registry_file(job(sqlite_database, path))


async def test_rows_that_contradict_each_other_name_the_first(sqlite_database: Database, tmp_path: Path):
    same = row(1)["account"]
    rows = [
        row(1),
        row(2, meter_serial="М-1"),
        row(3, device_id="1"),
        row(4, account=same, subscriber="Иванов 1", email="i1@example.com", flat="9"),
        row(5, account=same, subscriber="Другой", email="i1@example.com", flat="1"),
    ]
    found = await bad(sqlite_database, csv_file(tmp_path / "r.csv", rows))
    assert [(line, column) for line, column, _ in found] == [
        (3, "meter_serial"),
        (4, "device_id"),
        (5, "flat"),
        (6, "subscriber"),
    ]


async def test_rows_that_contradict_the_registry_are_named(database: Database, tmp_path: Path):
    await import_registry_file(job(database, csv_file(tmp_path / "r.csv", [row(1), row(2)])))
    (code, _other) = [point.code for point in await rows_of(database, factories.MeteringPoint)]
    mine = row(1)
    cases: list[tuple[dict[str, Any], str]] = [
        (row(1, flat="8"), "flat"),
        (row(1, subscriber="Другой"), "subscriber"),
        (row(1, email="other@example.com"), "email"),
        (row(1, tariff="нет"), "tariff"),
        (row(1, model="Другая"), "model"),
        (row(1, map="eastron-sdm120"), "map"),
        (row(1, ct="3"), "ct"),
        (row(1, installed_at="2026-02-01"), "meter_serial"),
        (row(3, meter_serial="М-1"), "meter_serial"),
        (row(3, point_code=code), "point_code"),
        (row(1, meter_serial="М-3", point_code=code, device_id="3"), "point_code"),
        (row(1, device_id="9"), "gateway_host"),
        (row(3, device_id="1"), "device_id"),
    ]
    for number, (of, column) in enumerate(cases):
        found = await bad(database, csv_file(tmp_path / f"{number}.csv", [of]))
        assert [(line, name) for line, name, _ in found] == [(2, column)], of
    assert mine == row(1)


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"account": ""}, "account"),
        ({"account": "1" * 33}, "account"),
        ({"email": "нет"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"subscriber": ""}, "subscriber"),
        ({"point_code": "5a3f"}, "point_code"),
        ({"map": "нет"}, "map"),
        ({"ct": "0"}, "ct"),
        ({"vt": "много"}, "vt"),
        ({"installed_at": "31.01.2026"}, "installed_at"),
        ({"initial_sum": "-1"}, "initial_sum"),
        ({"verified_on": ""}, "due_on"),
        ({"due_on": "2020-01-01"}, "due_on"),
        ({"gateway_host": ""}, "gateway_port"),
        ({"gateway_host": "a b"}, "gateway_host"),
        ({"gateway_port": "0"}, "gateway_port"),
        ({"device_id": ""}, "device_id"),
        ({"meter_serial": ""}, "model"),
    ],
)
async def test_every_wrong_cell_is_named(
    sqlite_database: Database, tmp_path: Path, changed: dict[str, Any], column: str
):
    path = csv_file(tmp_path / "r.csv", [row(1, **changed)])
    assert [one[:2] for one in await bad(sqlite_database, path)] == [(2, column)]
