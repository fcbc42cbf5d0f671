"""The registry as its clerks use it: lists, the replacement of a meter, and a file that is sent in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import Page, expect

from lk_portal.metering.types import Quality, Quantity
from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from lk_portal.services.intervals import import_intervals
from tests import factories
from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import forget_attempts, give_cookie, in_database
from tests.integration.services.imports.registry_files import cells, csv_file, row, workbook
from tests.integration.services.polled import read, store_of

pytestmark = pytest.mark.browser
HOUR = timedelta(hours=1)
OWNER = "replaced@example.com"
DAYS = 40
HOURLY_WH = 500
OMSK = ZoneInfo("Asia/Omsk")


@pytest.fixture(autouse=True)
def unthrottled(site: Site) -> None:
    forget_attempts(site)


async def in_service(site: Site, work: Callable[[Database], Awaitable[None]]) -> None:
    database = Database(site.portal.database_address)
    try:
        await work(database)
    finally:
        await database.close()


async def as_admin(page: Page, site: Site, login: str = seed.ADMIN) -> None:
    await give_cookie(page.context, site, session_cookie(site.url, login, seed.PASSWORD))


async def test_a_meter_is_replaced_and_the_years_chart_shows_no_spike(page: Page, site: Site) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    old: list[factories.MeteredPoint] = []

    async def plant(database: Database) -> None:
        placed = await factories.a_metered_point(database)
        old.append(placed)
        user = await create_user(
            database,
            site.settings,
            email=OWNER,
            phone=None,
            role=Role.SUBSCRIBER,
            display_name="Владелец",
            password=seed.PASSWORD,
            subscriber_id=placed.subscriber_id,
            now=now,
        )
        await factories.documents_accepted(database, user_id=user)
        hours = [
            (placed.point_id, Quantity.A_PLUS, int((now - step * HOUR).timestamp() * 1000), 3600)
            for step in range(DAYS * 24, 5, -1)
        ]
        rows = [(*hour, HOURLY_WH, 3600, Quality.MEASURED, 0) for hour in hours]
        await import_intervals(database, rows, clock=lambda: now)  # type: ignore[arg-type]
        await store_of(database).store((read(placed.meter_id, now - 5 * HOUR, 5_000_000),))

    await in_service(site, plant)
    serial = old[0].serial
    await as_admin(page, site)
    await page.goto(f"{site.url}/admin/meters")
    await page.get_by_role("searchbox").fill(serial)
    await page.get_by_role("button", name="Найти").click()
    await page.wait_for_url(f"**q={serial}")
    await page.get_by_role("row").filter(has_text=serial).get_by_role("link", name="Заменить").click()
    await expect(page.get_by_role("heading", name=f"Снятый прибор учета {serial}")).to_be_visible()
    await expect(page.get_by_text("Последнее: 5 000,000")).to_be_visible()
    local = (now - 3 * HOUR).astimezone(OMSK)
    await page.get_by_label("Снят*").fill(f"{local:%Y-%m-%dT%H:%M}")
    final = page.get_by_role("group").get_by_label("Активная прямая, Сумма, кВт·ч").first
    await final.fill("4999")
    await page.get_by_label("Серийный номер*").fill("ЗАМЕНА-1")
    await page.get_by_label("Модель").fill("МИР С-07")
    await page.get_by_label("Активная прямая, Сумма, кВт·ч").last.fill("0,004")
    await page.get_by_role("button", name="Зарегистрировать замену").click()
    await expect(page.get_by_text("Это меньше, чем прибор уже показывал.")).to_be_visible()
    await final.fill("5001")
    await page.get_by_role("button", name="Зарегистрировать замену").click()
    await expect(page.get_by_text("Замена зарегистрирована.")).to_be_visible()

    async def poll(database: Database) -> None:
        ((key,),) = in_database(site, "SELECT id FROM meter WHERE serial = 'ЗАМЕНА-1'")
        assert isinstance(key, int)
        await store_of(database).store((read(key, now - HOUR, 1004),))

    await in_service(site, poll)
    await as_admin(page, site, OWNER)
    await page.goto(f"{site.url}/readings?interval=year&period={now:%Y}")
    await page.get_by_text("То же таблицей").click()
    table = page.get_by_role("table")
    await table.wait_for()
    numbers = [
        float(found.replace("\u00a0", "").replace(",", "."))
        for found in re.findall(r"\t([\d\u00a0]+,\d+)\t", await table.inner_text())
    ]
    month = 31 * 24 * HOURLY_WH / 1000
    assert numbers
    assert max(numbers) <= month * 1.05
    (found,) = in_database(
        site, "SELECT sum(total_wh) FROM month_rollup WHERE point_id = ? AND quantity = 1", old[0].point_id
    )
    assert found == ((DAYS * 24 - 5) * HOURLY_WH + 1000 + 1000,)
    entries = in_database(site, "SELECT detail FROM audit_entry WHERE action = 'registry:meters:replace'")
    assert serial in str(entries[-1])


async def test_a_workbook_with_three_bad_rows_names_them_and_corrected_it_applies(
    page: Page, site: Site, tmp_path: Path
) -> None:
    rows = [row(number) for number in range(9001, 9007)]
    wrong = [*rows[:1], {**rows[1], "model": ""}, {**rows[2], "flat": "=1"}, {**rows[3], "email": "нет"}]
    await as_admin(page, site)
    await page.goto(f"{site.url}/admin/registry")
    await page.get_by_role("link", name="Загрузка реестра").click()
    await page.get_by_label("Выбрать файл").set_input_files(
        workbook(tmp_path / "bad.xlsx", [cells(one) for one in wrong])
    )
    await expect(page.get_by_text("bad.xlsx", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Проверить").click()
    await expect(page.get_by_text("Файл не принят; ничего не записано")).to_be_visible()
    table = page.get_by_role("table", name="Строки с ошибками")
    await expect(table.get_by_role("row")).to_have_count(4)
    for number, column in (("3", "model"), ("4", "flat"), ("5", "email")):
        await expect(table.get_by_role("row").filter(has_text=column).first).to_contain_text(number)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Отчет об ошибках, CSV").click()
    text = (await (await download.value).path()).read_text(encoding="utf-8-sig")
    assert text.splitlines()[0] == "Строка,Столбец,Причина"
    assert len(text.splitlines()) == 4
    assert in_database(site, "SELECT count(*) FROM meter WHERE serial LIKE 'М-900%'") == [(0,)]

    await page.get_by_label("Выбрать файл").set_input_files(
        workbook(tmp_path / "good.xlsx", [cells(one) for one in rows])
    )
    await page.get_by_role("button", name="Проверить").click()
    await expect(page.get_by_text("Ошибок нет; в реестр пока ничего не записано")).to_be_visible()
    await page.reload()
    await page.get_by_role("button", name="Записать в реестр").click()
    await expect(page.get_by_text("Файл загружен в реестр")).to_be_visible()
    await expect(page.get_by_text("приборов — 6")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("приборов — 6")).to_be_visible()
    assert in_database(site, "SELECT count(*) FROM meter WHERE serial LIKE 'М-900%'") == [(6,)]
    assert in_database(site, "SELECT count(*) FROM import_file") == [(0,)]
    await page.goto(f"{site.url}/admin/accounts?q=7700009")
    await expect(page.get_by_role("link", name=str(rows[0]["account"]))).to_be_visible()


async def test_a_file_that_no_worker_takes_says_so_and_goes_on_by_itself(
    page: Page, site: Site, tmp_path: Path
) -> None:
    # As a node of the version before leaves it: no worker may take a file without knowing who asked.
    content = csv_file(tmp_path / "r.csv", [row(9101)]).read_bytes()
    in_database(
        site,
        "INSERT INTO import_run (name, status, rows, report, problem, data, bad_rows, created_at, told_at)"
        " VALUES ('ждет.csv', 'writing', 0, '{}', '', '{}', '[]', ?, ?)",
        *[int(datetime.now(UTC).timestamp() * 1000) - 60_000] * 2,
    )
    in_database(site, "INSERT INTO import_file SELECT max(id), ? FROM import_run", content)
    await as_admin(page, site)
    await page.goto(f"{site.url}/admin/import")
    await expect(page.get_by_text("Файл ждет записи")).to_be_visible()
    await expect(page.get_by_text("Служба фоновых задач давно не откликалась.")).to_be_visible()
    in_database(site, "UPDATE import_run SET asked_at = told_at WHERE name = 'ждет.csv'")
    await expect(page.get_by_text("Файл загружен в реестр")).to_be_visible()
    await expect(page.get_by_text("Служба фоновых задач")).to_have_count(0)
    assert in_database(site, "SELECT count(*) FROM meter WHERE serial = 'М-9101'") == [(1,)]


async def test_the_files_are_for_administrators_only(site: Site) -> None:
    addresses = ("/admin/import/template.csv", "/admin/import/template.xlsx", "/admin/import/1/report.csv")
    forms = {"file": ("a.csv", b"account\n1\n", "text/csv")}
    for login in ("", seed.SUBSCRIBER, seed.OPERATOR):
        cookie = session_cookie(site.url, login, seed.PASSWORD) if login else ""
        async with httpx.AsyncClient(base_url=site.url, headers={"cookie": cookie}) as client:
            assert [(await client.get(address)).status_code for address in addresses] == [404] * 3
            before = in_database(site, "SELECT count(*) FROM import_run")
        async with httpx.AsyncClient(base_url=site.url, headers={"cookie": cookie}) as client:
            sent = await client.post("/admin/import/send", files=forms, headers={"origin": site.url})
            assert sent.headers["location"].startswith("/login")
            assert in_database(site, "SELECT count(*) FROM import_run") == before
    cookie = session_cookie(site.url, seed.ADMIN, seed.PASSWORD)
    async with httpx.AsyncClient(base_url=site.url, headers={"cookie": cookie}) as client:
        csv = await client.get(addresses[0])
        assert csv.content.decode("utf-8-sig").startswith("account,subscriber,")
        assert (await client.get(addresses[1])).content.startswith(b"PK")
        empty = await client.post(
            "/admin/import/send",
            files={"file": ("", b"", "text/csv")},
            headers={"origin": site.url},
        )
        assert empty.headers["location"] == "/admin/import"


async def test_an_operator_looks_and_changes_nothing(page: Page, site: Site) -> None:
    await sign_in(page, site, seed.OPERATOR)
    await page.goto(f"{site.url}/admin/registry")
    await page.get_by_role("link", name="Точки учета").click()
    await expect(page.get_by_role("link", name=seed.OWNED_ACCOUNT)).to_be_visible()
    await expect(page.get_by_role("link", name="Добавить")).to_have_count(0)
    await page.goto(f"{site.url}/admin/registry")
    await expect(page.get_by_role("link", name="Пломбы")).to_be_visible()
    await expect(page.get_by_role("link", name="Загрузка реестра")).to_have_count(0)
    await page.goto(f"{site.url}/admin/meters/{site.seed.stranger_serial}/replace")
    await expect(page.get_by_text("Зарегистрировать замену может только администратор.")).to_be_visible()
    await expect(page.get_by_label("Снят*")).to_be_disabled()
    await page.goto(f"{site.url}/admin/import")
    await page.wait_for_url(re.compile("not-found"))
