"""`lk import` and `lk export`: what goes in comes out, to the Wh; and what they say when it cannot."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree
from openpyxl import load_workbook

from lk_portal.models import Installation
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.cli.command import Command, Ran
from tests.integration.services.exports.exported import NAMES, sums, texts, validate, wh
from tests.integration.services.imports.files import HOUR, INTERVALS, READINGS, count, write

YEAR = ("--from", "2025-01-01", "--to", "2025-12-31")
BERLIN, OMSK = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Omsk")


@pytest.fixture
def lk(database_address: str, tmp_path: Path) -> Command:
    """`lk` on a migrated database of either kind."""
    return Command(database_address, tmp_path / "data")


def hours_of(zone: ZoneInfo, seed: int) -> dict[datetime, int]:
    """The Wh of each hour of 2025, with three days of hole in May."""
    start = datetime(2025, 1, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(2026, 1, 1, tzinfo=zone).astimezone(UTC)
    hole = datetime(2025, 5, 10, 7, tzinfo=UTC)
    moments = (start + n * HOUR for n in range(int((end - start) / HOUR)))
    return {
        at: 100 + (at.toordinal() * seed + at.hour) % 900
        for at in moments
        if not hole <= at < hole + 72 * HOUR
    }


def lines_of(
    serial: str, values: dict[datetime, int], zone: ZoneInfo, quality: str = "measured"
) -> list[str]:
    def text(at: datetime) -> str:
        return at.astimezone(zone).isoformat()

    return [f"{serial},A_PLUS,{text(at)},{text(at + HOUR)},{value},{quality}" for at, value in values.items()]


async def export(lk: Command, serial: str, interval: str, form: str = "csv") -> Ran:
    ran = await lk(
        "export", "consumption", "--meter", serial, *YEAR, "--interval", interval, "--format", form
    )
    assert (ran.code, ran.err) == (0, "")
    return ran


def read(ran: Ran) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(ran.out)))


async def test_what_was_imported_is_exported_to_the_watt_hour(
    lk: Command, database: Database, tmp_path: Path
) -> None:
    """A year of two points: holes, days of 23 and 25 hours, a replaced meter, replaced estimates."""
    tariff = await factories.tariff(database)
    berlin = await factories.a_metered_point(database, timezone="Europe/Berlin", tariff_id=tariff)
    omsk = await factories.a_metered_point(database)
    swapped = datetime(2025, 7, 1, tzinfo=UTC)
    async with database.writing() as connection:
        table = table_of(Installation)
        await connection.execute(
            table.update().where(table.c.id == omsk.installation_id).values(removed_at=swapped)
        )
    new = await factories.meter(database, serial="NEW-1")
    await factories.installation(database, meter_id=new, point_id=omsk.point_id, installed_at=swapped)
    first, second = hours_of(BERLIN, 7), hours_of(OMSK, 13)
    guessed = dict.fromkeys(list(first)[1000:1100], 1)
    before = {at: value for at, value in second.items() if at < swapped}
    after = {at: value for at, value in second.items() if at >= swapped}

    estimates = write(tmp_path / "e.csv", INTERVALS, lines_of(berlin.serial, guessed, OMSK, "estimated"))
    assert (await lk("import", "intervals", str(estimates))).out.startswith(
        "Rows: 100, new: 100, replaced: 0"
    )
    lines = lines_of(berlin.serial, first, BERLIN) + lines_of(omsk.serial, before, OMSK)
    whole = write(tmp_path / "a.csv", INTERVALS, [*lines, *lines_of("NEW-1", after, OMSK)])
    ran = await lk("import", "intervals", str(whole))

    rows = len(first) + len(second)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"Rows: {rows}, new: {rows - 100}, replaced: 100, unchanged: 0.\n"
    assert await count(database, "interval_version") == 100

    for serial, zone, values in ((berlin.serial, BERLIN, first), ("NEW-1", OMSK, second)):
        by_hour = [row for row in read(await export(lk, serial, "hour")) if row["zone"] == "0"]
        assert {
            datetime.fromisoformat(row["start"]).astimezone(UTC): wh(row["value_kwh"])
            for row in by_hour
            if row["value_kwh"]
        } == values
        assert [row["quality"] for row in by_hour if not row["value_kwh"]] == ["missing"] * 72
        days: dict[str, int] = defaultdict(int)
        for at, value in values.items():
            days[at.astimezone(zone).date().isoformat()] += value
        by_day = read(await export(lk, serial, "day"))
        assert {
            row["start"][:10]: wh(row["value_kwh"])
            for row in by_day
            if row["value_kwh"] and row["zone"] == "0"
        } == days
        for interval in ("month", "year"):
            found = sums(read(await export(lk, serial, interval)))
            assert sum(value or 0 for value in found) == sum(values.values())
    zones = read(await export(lk, berlin.serial, "year"))
    assert (sums(zones, 1)[0] or 0) + (sums(zones, 2)[0] or 0) == sums(zones)[0]
    long_day = [
        row for row in read(await export(lk, berlin.serial, "day")) if row["start"][:10] == "2025-10-26"
    ]
    assert (long_day[0]["expected_intervals"], long_day[0]["actual_intervals"]) == ("25", "25")


async def test_the_formats_agree(sqlite_address: str, sqlite_database: Database, tmp_path: Path) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    point = await factories.a_metered_point(sqlite_database, timezone="Europe/Berlin")
    values = hours_of(BERLIN, 3)
    await lk(
        "import", "intervals", str(write(tmp_path / "a.csv", INTERVALS, lines_of(point.serial, values, OMSK)))
    )
    arguments = ("export", "consumption", "--meter", point.serial, *YEAR, "--interval", "month", "--format")

    as_csv = sums(read(await lk(*arguments, "csv")))
    as_xml = etree.parse(io.BytesIO(await lk.bytes(*arguments, "xml")))
    book = load_workbook(io.BytesIO(await lk.bytes(*arguments, "xlsx")))

    validate(as_xml)
    assert [int(value) for value in texts(as_xml, ".//espi:IntervalReading/espi:value")] == as_csv
    cells = [row[5] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]
    assert [round(cell * 1000) for cell in cells] == as_csv
    assert sum(as_csv) == sum(values.values())  # type: ignore[arg-type]
    assert as_xml.findtext("atom:author/atom:name", namespaces=NAMES)


async def test_bad_lines_are_named_before_the_one_line_that_says_it_failed(
    sqlite_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    point = await factories.a_metered_point(sqlite_database)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    lines = lines_of(point.serial, {at + n * HOUR: n for n in range(120_000) if n < 8000}, OMSK) * 15
    lines[-1] = lines[-1].replace("measured", "=1+1")

    ran = await lk("import", "intervals", str(write(tmp_path / "a.csv", INTERVALS, lines)))

    assert (ran.code, ran.out) == (1, "")
    told, *named = ran.err.splitlines()
    assert re.fullmatch(r"Rows checked: 10\d{4}", told)
    assert named == [
        "line 120001, quality: must be one of measured, estimated, edited, missing",
        "lk: Wrong lines: 1. Nothing was written.",
    ]
    assert await count(sqlite_database, "interval") == 0


async def test_what_the_imports_say(sqlite_address: str, sqlite_database: Database, tmp_path: Path) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    point = await factories.a_metered_point(sqlite_database)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    stored = write(tmp_path / "a.csv", INTERVALS, lines_of(point.serial, {at: 1}, OMSK))
    other = write(tmp_path / "b.csv", INTERVALS, lines_of(point.serial, {at: 2, at + HOUR: 3}, OMSK))
    registers = write(
        tmp_path / "c.csv",
        READINGS,
        [
            f"{point.serial},A_PLUS,0,{(at + timedelta(days=n)).isoformat()},{value}"
            for n, value in ((0, 9), (1, 2))
        ],
    )
    await lk("import", "intervals", str(stored))

    dry = await lk("import", "intervals", str(other), "--dry-run")
    contradicted = await lk("import", "intervals", str(other))
    doubtful = await lk("import", "readings", str(registers))
    nowhere = await lk("import", "intervals", str(registers))
    unknown = await lk("export", "consumption", "--meter", "nothing", *YEAR)

    told = (
        f"meter {point.serial}, A_PLUS, 2025-01-01T00:00:00+00:00: 1 Wh are stored, the file has 2 Wh\n"
        "Rows that contradict stored values, left out: 1\n"
    )
    summary = "Rows: 2, new: 1, replaced: 0, unchanged: 0.\n"
    assert (dry.code, dry.err) == (0, told)
    assert dry.out == f"{summary}Nothing was written: this was a dry run.\n"
    assert (contradicted.code, contradicted.out, contradicted.err) == (0, summary, told)
    assert doubtful.err == "Readings that cannot be true, to be looked at: 1\n"
    assert nowhere.code == 1
    assert nowhere.err.startswith(
        "lk: The first line must be: meter_serial,quantity,start,end,value_wh,quality."
    )
    assert (unknown.code, unknown.err) == (1, "lk: There is no meter nothing at a metering point.\n")
