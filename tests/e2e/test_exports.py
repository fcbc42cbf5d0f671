"""The menu "Выгрузить" of /readings: what is shown arrives as a file, and nobody else's does."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook
from playwright.async_api import Browser, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import give_cookie
from tests.e2e.test_readings import COLUMNS, picture

pytestmark = pytest.mark.browser


async def open_year(page: Page, site: Site) -> None:
    await give_cookie(page.context, site, session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD))
    await page.goto(f"{site.url}/readings?interval=year&period=2026")
    await page.locator(COLUMNS).first.wait_for()


async def choose(page: Page, entry: str) -> tuple[str, bytes]:
    """Open the menu, choose an entry; the name of the file and what is in it."""
    link = page.get_by_role("link", name=entry, exact=True)
    if not await link.is_visible():
        await page.get_by_text("Выгрузить", exact=True).click()
    async with page.expect_download() as waiting:
        await link.click()
    download = await waiting.value
    return download.suggested_filename, await asyncio.to_thread(Path(await download.path()).read_bytes)


async def test_what_is_shown_comes_in_three_formats(page: Page, site: Site) -> None:
    await open_year(page, site)

    csv_name, as_csv = await choose(page, "CSV")
    xlsx_name, as_xlsx = await choose(page, "XLSX")
    xml_name, as_xml = await choose(page, "Green Button (XML)")

    stem = f"{site.seed.serial}_A_PLUS_2026-01-01_2026-12-31"
    assert (csv_name, xlsx_name, xml_name) == (f"{stem}.csv", f"{stem}.xlsx", f"{stem}.xml")
    rows = list(csv.DictReader(io.StringIO(as_csv.decode())))
    months = [row["start"][:7] for row in rows if row["zone"] == "0"]
    assert months[0] == "2026-01"
    assert len(months) == len(set(months)) <= 12
    assert load_workbook(io.BytesIO(as_xlsx)).sheetnames == ["Потребление", "Сведения"]
    assert etree.fromstring(as_xml).tag.endswith("}feed")
    await expect(page).to_have_url(re.compile("interval=year"))


async def test_the_menu_follows_what_is_shown(page: Page, site: Site) -> None:
    await open_year(page, site)
    await page.get_by_label("Интервал").select_option("День")
    await page.get_by_label("Период").fill("2026-11-02")
    await page.get_by_role("button", name="Показать").click()
    await expect(page).to_have_url(re.compile(r"interval=day&period=2026-11-02"))
    await expect(page.get_by_role("heading", name="2 ноября 2026 г.")).to_be_visible()

    name, as_csv = await choose(page, "CSV")

    assert name == f"{site.seed.serial}_A_PLUS_2026-11-02_2026-11-02.csv"
    hours = [row for row in csv.DictReader(io.StringIO(as_csv.decode())) if row["zone"] == "0"]
    assert len(hours) == 24
    assert all(row["value_kwh"] for row in hours)


async def test_the_table_gives_the_page_that_is_open(page: Page, site: Site) -> None:
    await give_cookie(page.context, site, session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD))
    await page.goto(f"{site.url}/readings?tab=table")
    await page.get_by_role("table").wait_for()

    newest = await choose(page, "CSV")
    moment = page.get_by_role("table").get_by_role("rowheader")
    latest = await moment.first.inner_text()
    await page.get_by_role("link", name="Раньше").click()
    await expect(page).to_have_url(re.compile("before="))
    await expect(moment.first).not_to_have_text(latest)
    before = await choose(page, "CSV")
    as_xlsx, as_xml = await choose(page, "XLSX"), await choose(page, "Green Button (XML)")

    pages = [list(csv.DictReader(io.StringIO(content.decode()))) for _name, content in (newest, before)]
    assert [len(rows) for rows in pages] == [50, 50]
    assert pages[1][-1]["taken_at"] < pages[0][0]["taken_at"]
    assert await moment.count() == 50
    shown = datetime.fromisoformat(pages[1][-1]["taken_at"])
    assert await moment.first.inner_text() == f"{shown:%d.%m.%Y, %H:%M}"
    assert load_workbook(io.BytesIO(as_xlsx[1])).sheetnames == ["Таблица показаний", "Сведения"]
    assert etree.fromstring(as_xml[1]).tag.endswith("}feed")
    assert as_xml[0].startswith(f"{site.seed.serial}_A_PLUS_readings_")


async def test_a_foreign_meter_gives_what_an_unknown_one_gives(page: Page, site: Site) -> None:
    await open_year(page, site)
    asked = f"{site.url}/readings/export?interval=year&period=2026&format=csv&meter="

    foreign = await page.request.get(asked + site.seed.stranger_serial)
    unknown = await page.request.get(asked + "0000000000")
    own = await page.request.get(asked + site.seed.serial)

    assert (
        (foreign.status, await foreign.body())
        == (unknown.status, await unknown.body())
        == (404, "Не найдено".encode())
    )
    assert own.status == 200


async def test_a_visitor_signs_in_first(page: Page, site: Site) -> None:
    await page.goto(
        f"{site.url}/readings/export?meter={site.seed.serial}&interval=year&period=2026&format=csv"
    )
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()

    await sign_in(page, site)

    await expect(page.get_by_role("heading", name="График потребления")).to_be_visible()
    await expect(page.get_by_label("Интервал")).to_have_value("year")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_the_open_menu_sticks_out_nowhere(
    browser: Browser, site: Site, viewport: dict[str, int], scheme: str
) -> None:
    context = await browser.new_context(viewport=viewport, color_scheme=scheme, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await open_year(page, site)

    await page.get_by_text("Выгрузить", exact=True).click()

    await expect(page.get_by_role("link", name="XLSX")).to_be_visible()
    await picture(page, "readings-export", viewport, scheme)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="CSV")).to_be_focused()
