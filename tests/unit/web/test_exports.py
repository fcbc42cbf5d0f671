"""What /readings shows as a file, over HTTP: whose it is, and what it says of itself; without a browser."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio
from lxml import etree
from openpyxl import load_workbook
from sqlalchemy import insert, select, update

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import Account, AuditEntry, Duty, RegisterReading, UserSession
from lk_portal.models.types import to_milliseconds
from lk_portal.services import access, context
from lk_portal.services.access import Role, Visit
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.periods import ReadingDays
from lk_portal.services.register_table import PAGE_ROWS
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from lk_portal.web.routes import make_routes
from tests import factories
from tests.integration.services.faults import break_table

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 31, 18, tzinfo=UTC)  # in Omsk
PASSWORD = "Correct-horse-2026"


@dataclass
class Site:
    """The routes, with one subscriber who has a meter."""

    http: httpx.AsyncClient
    portal: Portal
    serial: str
    token: str

    async def get(
        self, token: str | None = None, headers: dict[str, str] | None = None, **query: str
    ) -> httpx.Response:
        asked = {"meter": self.serial, "interval": "month", "period": "2026-11", "format": "csv", **query}
        cookie = f"lk_session={self.token if token is None else token}"
        return await self.http.get(
            f"/readings/export?{urlencode(asked)}", headers={"cookie": cookie, **(headers or {})}
        )

    async def table(self, token: str | None = None, **query: str) -> httpx.Response:
        """The same of the table of readings."""
        return await self.get(token, tab="table", **query)

    async def person(self, name: str, role: Role, subscriber_id: int | None) -> str:
        """Somebody who has just signed in; the session's token."""
        database, settings = self.portal.database, self.portal.settings
        user_id = await access.create_user(
            database,
            settings,
            email=f"{name}@example.com",
            phone=None,
            role=role,
            display_name=name,
            password=PASSWORD,
            subscriber_id=subscriber_id,
            now=NOW,
        )
        await factories.documents_accepted(database, user_id=user_id)
        visit = Visit(address="192.0.2.1", agent="", at=NOW)
        signed_in = await access.sign_in(
            database, settings, login=f"{name}@example.com", password=PASSWORD, visit=visit
        )
        return signed_in.token

    async def audited(self) -> list[tuple[str, dict[str, str]]]:
        entry = table_of(AuditEntry).c
        query = select(entry.action, entry.detail).where(entry.action.like("web:consumption:%"))
        async with self.portal.database.reading() as connection:
            return [(row.action, row.detail) for row in await connection.execute(query)]


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(
        data_dir=tmp_path,
        bcrypt_rounds=4,
        public_url="http://127.0.0.1:8000",
        trusted_proxy_hops=0,
        timezone="Asia/Omsk",
        reading_days=ReadingDays(25),
    )
    portal = Portal(settings, sqlite_database, clock=lambda: NOW)
    monkeypatch.setattr(context._Installed, "portal", portal)
    point = await factories.a_metered_point(sqlite_database)
    hours = (to_milliseconds(MIDNIGHT + n * timedelta(hours=1)) for n in range(24 * 20))
    rows = [IntervalRow(point.point_id, 1, at, 3600, 100, 3600, Quality.MEASURED, 0) for at in hours]
    await import_intervals(sqlite_database, rows, clock=lambda: NOW)
    await read(sqlite_database, point.meter_id, MIDNIGHT)
    transport = httpx.ASGITransport(app=make_routes())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        made = Site(http, portal, point.serial, "")
        made.token = await made.person("ivanov", Role.SUBSCRIBER, point.subscriber_id)
        yield made


async def read(database: Database, meter_id: int, first: datetime) -> None:
    """60 hours of a register that counts 100 Wh in each."""
    rows = [
        {
            "meter_id": meter_id,
            "quantity": Quantity.A_PLUS,
            "zone": 0,
            "taken_at": first + n * timedelta(hours=1),
            "value_wh": 5000 + 100 * n,
        }
        for n in range(60)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(RegisterReading), rows)


async def test_the_file_is_what_the_page_shows(site: Site) -> None:
    answer = await site.get()

    header, first, *rest = answer.text.splitlines()
    assert answer.status_code == 200
    assert header.startswith("start,end,quantity,zone,value_kwh,")
    assert first == "2026-11-01T00:00:00+06:00,2026-11-02T00:00:00+06:00,A_PLUS,0,2.400,24,24,measured"
    assert len(rest) == 23  # until today
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"{site.serial}_A_PLUS_2026-11-01_2026-11-30.csv"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert await site.audited() == [("web:consumption:export", {"file": name})]


async def test_every_interval_has_rows_one_step_finer(site: Site) -> None:
    day = await site.get(interval="day", period="2026-11-02")
    year = await site.get(interval="year", period="2026")

    assert [len(answer.text.splitlines()) for answer in (day, year)] == [25, 12]


async def test_billing_periods(site: Site) -> None:
    answer = await site.get(period="2026-10", basis="billing")

    lines = answer.text.splitlines()
    assert len(lines) == 32
    assert lines[1].startswith("2026-10-25T00:00:00+06:00")


async def test_the_other_formats(site: Site) -> None:
    as_xlsx, as_xml = await site.get(format="xlsx"), await site.get(format="xml")

    assert load_workbook(io.BytesIO(as_xlsx.content)).worksheets[0].max_row == 25
    assert "spreadsheetml" in as_xlsx.headers["content-type"]
    assert etree.fromstring(as_xml.content).tag == "{http://www.w3.org/2005/Atom}feed"
    assert as_xml.headers["content-disposition"].endswith('.xml"')


async def test_a_foreign_meter_an_unknown_one_and_nonsense_are_the_same(site: Site) -> None:
    foreign = await factories.a_metered_point(site.portal.database)
    removed = await factories.a_metered_point(site.portal.database)
    async with site.portal.database.writing() as connection:
        account = table_of(Account)
        await connection.execute(
            update(account).where(account.c.id == removed.account_id).values(removed_at=NOW)
        )
    others = await site.person("petrov", Role.SUBSCRIBER, removed.subscriber_id)
    operator = await site.person("operator", Role.OPERATOR, None)

    answers = [
        await site.get(meter="nothing"),
        await site.get(meter=foreign.serial),
        await site.get(others, meter=removed.serial),
        await site.get(operator),
        *[
            await site.get(**{name: wrong})
            for name, wrong in (
                ("meter", "\0"),
                ("meter", "x" * 5000),
                ("interval", "week"),
                ("period", "2026-13"),
                ("period", "9999-01"),
                ("period", "\u0662\u0660\u0662\u0666-11"),
                ("energy", "A"),
                ("basis", "x"),
                ("format", "exe"),
                ("format", ""),
            )
        ],
    ]

    assert {(one.status_code, one.content) for one in answers} == {(404, "Не найдено".encode())}
    assert len({tuple(sorted(one.headers.items())) for one in answers}) == 1
    assert await site.audited() == []
    assert (await site.get()).status_code == 200


async def test_the_table_s_file_has_the_rows_of_the_page(site: Site) -> None:
    answer = await site.table()

    header, first, *rest = answer.text.splitlines()
    name = f"{site.serial}_A_PLUS_readings_2026-11-01_2026-11-03.csv"
    assert header.startswith("taken_at,meter_serial,quantity,sum_kwh,")
    assert first == f"2026-11-01T10:00:00+06:00,{site.serial},A_PLUS,6.000,,,,,0.100,measured"
    assert len([first, *rest]) == PAGE_ROWS
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert await site.audited() == [("web:consumption:export", {"file": name})]


async def test_the_table_s_file_follows_date_page_and_energy(site: Site) -> None:
    by_date = await site.table(date="2026-11-01")
    turned = await site.table(date="2026-11-01", before=str(to_milliseconds(MIDNIGHT) + 1))
    other = await site.table(energy="R_PLUS")

    assert [len(answer.text.splitlines()) - 1 for answer in (by_date, turned, other)] == [24, 1, 0]
    assert other.headers["content-disposition"].endswith(f'"{site.serial}_R_PLUS_readings.csv"')


async def test_the_other_formats_of_the_table(site: Site) -> None:
    as_xlsx, as_xml = await site.table(format="xlsx"), await site.table(format="xml")

    assert load_workbook(io.BytesIO(as_xlsx.content)).worksheets[0].max_row == PAGE_ROWS + 1
    assert "spreadsheetml" in as_xlsx.headers["content-type"]
    assert etree.fromstring(as_xml.content).tag == "{http://www.w3.org/2005/Atom}feed"
    assert as_xml.headers["content-type"] == "application/xml"


async def test_a_foreign_meter_s_table_is_like_everything_that_is_not_there(site: Site) -> None:
    foreign = await factories.a_metered_point(site.portal.database)
    await read(site.portal.database, foreign.meter_id, MIDNIGHT)
    owner = await site.person("petrov", Role.SUBSCRIBER, foreign.subscriber_id)

    answers = [
        await site.get(meter="nothing"),
        await site.table(meter=foreign.serial),
        await site.table(owner),
        *[
            await site.table(**{name: wrong})
            for name, wrong in (
                ("meter", "nothing"),
                ("meter", ""),
                ("meter", "\0"),
                ("energy", "A"),
                ("date", "2026-02-30"),
                ("before", "yesterday"),
                ("format", "exe"),
            )
        ],
    ]

    assert {(one.status_code, one.content) for one in answers} == {(404, "Не найдено".encode())}
    assert len({tuple(sorted(one.headers.items())) for one in answers}) == 1
    assert await site.audited() == []
    assert (await site.table(owner, meter=foreign.serial)).status_code == 200


@pytest.mark.parametrize("form", ["csv", "xlsx", "xml"])
async def test_a_meter_that_never_sent_anything_gives_a_file_without_values(site: Site, form: str) -> None:
    silent = await factories.a_metered_point(site.portal.database)
    owner = await site.person("petrov", Role.SUBSCRIBER, silent.subscriber_id)

    chart = await site.get(owner, meter=silent.serial, format=form)
    table = await site.table(owner, meter=silent.serial, format=form)

    for answer in (chart, table):
        assert answer.status_code == 200
        assert silent.serial in answer.headers["content-disposition"]
        assert _values(answer.content, form) == []


def _values(content: bytes, form: str) -> list[str]:
    """Every figure of energy in a file."""
    if form == "csv":
        header, *rows = csv.reader(content.decode().splitlines())
    elif form == "xlsx":
        cells = load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
        header, *rows = ([str(cell or "") for cell in row] for row in cells)
    else:
        return etree.fromstring(content).xpath("//*[local-name()='value']/text()")
    columns = [number for number, name in enumerate(header) if "kwh" in name.lower() or "кВт·ч" in name]
    assert columns
    return [row[number] for row in rows for number in columns if row[number]]


@pytest.mark.parametrize("token", ["", "x" * 43])
async def test_a_visitor_is_asked_to_sign_in_and_comes_back(site: Site, token: str) -> None:
    answer = await site.get(token)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Freadings%3Fmeter%3D")


async def test_a_session_that_owes_something_goes_there_first(site: Site) -> None:
    async with site.portal.database.writing() as connection:
        await connection.execute(update(table_of(UserSession)).values(duty=Duty.NEW_PASSWORD))

    answer = await site.get()

    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/new-password")


@pytest.mark.parametrize("whence", ["cross-site", "same-site"])
async def test_another_site_gets_nothing(site: Site, whence: str) -> None:
    answer = await site.get(headers={"sec-fetch-site": whence})

    assert (answer.status_code, answer.headers["location"]) == (303, "/readings")
    assert await site.audited() == []
    assert (await site.get(headers={"sec-fetch-site": "same-origin"})).status_code == 200


async def test_a_broken_database_is_told_by_a_number(site: Site) -> None:
    await break_table(site.portal.database, "audit_entry")

    answer = await site.get()

    assert answer.status_code == 503
    assert "SQL" not in answer.text
