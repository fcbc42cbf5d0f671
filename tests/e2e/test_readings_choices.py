"""/readings beyond the month: billing periods, comparison, keys, odd periods, and the table of readings."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import POLL_S, TELEPHONE, Site, sign_in

pytestmark = pytest.mark.browser
COLUMNS = ".barlayer .point path:visible"
WALKED = "#chart-walked"


async def opened(page: Page, site: Site, query: str = "") -> None:
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await page.goto(f"{site.url}/readings{query}")
    await expect(page.get_by_role("tab", name="График потребления")).to_be_visible()


async def test_a_billing_month_runs_from_reading_day_to_reading_day(page: Page, site: Site) -> None:
    await opened(page, site, "?interval=month&period=2026-09")
    await page.get_by_label("Расчетный").check()
    await expect(page.get_by_text("Расчетный период начинается 25-го числа")).to_be_visible()
    await page.get_by_role("button", name="Показать").click()

    await expect(page).to_have_url(re.compile(r"period=2026-09&energy=A_PLUS&basis=billing"))
    await expect(page.get_by_role("heading", name="25 сентября — 24 октября 2026")).to_be_visible()
    await page.get_by_text("То же таблицей").click()
    names = await page.get_by_role("table").get_by_role("rowheader").all_inner_texts()
    assert (len(names), names[0], names[-1]) == (30, "25 сент.", "24 окт.")

    await page.get_by_role("link", name="Позже").click()
    await expect(page.get_by_role("heading", name="25 октября — 24 ноября 2026")).to_be_visible()
    await page.get_by_role("link", name="Назад").click()
    await expect(page).to_have_url(re.compile(r"interval=year&period=2026&energy=A_PLUS&basis=billing"))
    await expect(page.get_by_role("link", name="Назад")).to_have_count(0)
    await page.get_by_label("Календарный").check()
    await page.get_by_role("button", name="Показать").click()
    await expect(page.get_by_role("heading", name="2026", exact=True)).to_be_visible()


async def test_a_period_is_compared_and_the_address_says_with_what(page: Page, site: Site) -> None:
    await opened(page, site, f"?interval=month&period={_month_back(2)}")
    await page.locator(COLUMNS).first.wait_for()
    await expect(page.locator("#comparison")).to_have_count(0)
    await page.get_by_label("Сравнить с прошлым периодом").check()

    await expect(page).to_have_url(re.compile("compare=previous"))
    comparison = page.locator("#comparison")
    await expect(comparison).to_contain_text("Дней с полными данными в обоих периодах")
    await expect(comparison.get_by_text("Разница")).to_be_visible()
    await expect(page.get_by_label("Сравнить с прошлым периодом")).to_be_checked()
    await expect(page.get_by_label("Сравнить с прошлым периодом")).to_be_focused()
    await page.get_by_text("То же таблицей").click()
    assert len(await page.get_by_role("table").get_by_role("columnheader").all()) == 4

    await page.get_by_label("Сравнить с прошлым годом").check()
    await expect(page).to_have_url(re.compile("compare=year"))
    await expect(page.get_by_label("Сравнить с прошлым периодом")).not_to_be_checked()
    await page.get_by_label("Сравнить с прошлым годом").uncheck()
    await expect(comparison).to_have_count(0)
    assert "compare" not in page.url


async def test_arrows_walk_along_the_columns_and_enter_goes_in(page: Page, site: Site) -> None:
    month = _month_back(1)
    await opened(page, site, f"?interval=year&period={month[:4]}")
    await page.locator(COLUMNS).first.wait_for()
    chart = page.get_by_role("application")
    await expect(chart).to_have_accessible_name(re.compile(rf"{month[:4]}: .+ кВт·ч"))
    await chart.focus()
    await expect(page.get_by_text("Стрелки ведут по столбцам, Enter открывает столбец.")).to_be_visible()
    await page.keyboard.press("Home")
    await expect(page.locator(WALKED)).to_contain_text("янв.")
    for _ in range(int(month[5:]) - 1):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator(WALKED)).to_contain_text("кВт·ч")
    await expect(page.locator(".chart-cursor")).to_be_visible()

    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(rf"interval=month&period={month}"))
    await expect(page.locator(WALKED)).to_be_empty()
    await expect(chart).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(WALKED)).to_contain_text(re.compile(r"^1: "))
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(WALKED)).to_contain_text(re.compile(r"^1: "))
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"interval=day"))

    back = page.get_by_role("link", name="Назад")
    for interval in ("month", "year"):
        await expect(back).to_have_attribute("href", re.compile(f"interval={interval}"))
        await back.focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(f"interval={interval}"))
        await expect(chart).to_be_focused()


async def test_the_menu_of_files_folds_as_the_others_do(page: Page, site: Site) -> None:
    await opened(page, site)
    menu, entry = page.get_by_text("Выгрузить", exact=True), page.get_by_role("link", name="CSV", exact=True)
    await menu.click()
    await expect(entry).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(entry).to_be_hidden()
    await expect(menu).to_be_focused()

    await page.keyboard.press("Enter")
    async with page.expect_download():
        await entry.click()
    await expect(entry).to_be_hidden()
    await menu.click()
    await page.get_by_role("heading", name="Показания", exact=True).click()
    await expect(entry).to_be_hidden()


async def test_the_field_that_had_the_focus_keeps_it(page: Page, site: Site) -> None:
    await opened(page, site, "?interval=day")
    field = page.get_by_label("Период", exact=True)
    await field.fill("2026-10-05")
    await field.press("Enter")

    await expect(page).to_have_url(re.compile("period=2026-10-05"))
    await expect(page.get_by_role("heading", name="5 октября 2026")).to_be_visible()
    await expect(page.locator("#day")).to_be_focused()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?interval=month&period=2099-01", "Этот период еще не наступил"),
        ("?interval=day&period=2099-01-01", "Этот период еще не наступил"),
        ("?interval=year&period=1990", "Прибор учета установлен"),
        ("?interval=month&period=2020-06", "За этот период данных нет"),
        ("?interval=month&period=2025-12&energy=A_MINUS", "За этот период данных нет"),
        ("?tab=table&date=2000-01-01", "До этой даты показаний нет"),
        ("?tab=table&date=2000-01-01&energy=R_MINUS", "До этой даты показаний нет"),
    ],
)
async def test_a_period_without_data_says_why(page: Page, site: Site, query: str, sentence: str) -> None:
    await opened(page, site, query)

    await expect(page.get_by_text(sentence).first).to_be_visible()
    await expect(page.get_by_text("0,00")).to_have_count(0)


async def test_the_table_of_readings_has_pages(page: Page, site: Site) -> None:
    await opened(page, site)
    await page.get_by_role("tab", name="Таблица показаний").click()

    await expect(page).to_have_url(re.compile(r"tab=table&meter=.+&energy=A_PLUS"))
    await expect(page.get_by_role("tab", name="Таблица показаний")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("tab", name="Таблица показаний")).to_be_focused()
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows.nth(1)).to_be_visible()
    newest = page.url

    yesterday = datetime.now(UTC).astimezone(ZoneInfo("Asia/Omsk")) - timedelta(days=1)
    await page.get_by_label("Дата").fill(f"{yesterday:%Y-%m-%d}")
    await page.get_by_role("button", name="Показать").click()
    await expect(page).to_have_url(re.compile(rf"date={yesterday:%Y-%m-%d}"))
    await expect(rows.nth(1)).to_contain_text(f"{yesterday:%d.%m.%Y}")
    await expect(rows).to_have_count(51)
    first = await rows.nth(1).inner_text()
    await page.get_by_role("link", name="Раньше").click()
    await expect(page).to_have_url(re.compile("before="))
    await expect(rows.nth(1)).not_to_have_text(first)
    await expect(rows.nth(1).get_by_role("cell").last).to_have_text("измерено")
    await page.get_by_role("link", name="Позже").click()
    await expect(rows).to_have_count(51)

    await page.get_by_role("tab", name="График потребления").click()
    await expect(page.locator(COLUMNS).first).to_be_visible()
    assert newest != page.url


async def test_new_readings_arrive_in_the_open_table(page: Page, site: Site) -> None:
    """All rows move down by those that are new. One that is new may read like the one before it: a row says
    minutes and hundredths of a kWh, and at night a few polls pass before either changes."""
    await opened(page, site, "?tab=table")
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows).to_have_count(51)
    before = (await rows.all_inner_texts())[1:]
    assert not _has_moved_down(before, before)

    for _ in range(POLL_S * 60):
        if _has_moved_down((await rows.all_inner_texts())[1:], before):
            return
        await asyncio.sleep(0.2)
    pytest.fail("no new reading arrived")


def _has_moved_down(rows: list[str], before: list[str]) -> bool:
    """Whether the rows of before stand below others now, in their order."""
    return any(rows[new:] == before[:-new] for new in range(1, len(before)))


async def test_on_a_telephone_each_row_is_a_card_with_all_its_values_in_sight(page: Page, site: Site) -> None:
    await page.set_viewport_size(TELEPHONE)  # type: ignore[arg-type]
    await opened(page, site, "?tab=table")
    await expect(page.get_by_role("table").get_by_role("row")).to_have_count(51)

    cells = await page.evaluate(
        """() => [...document.querySelectorAll('.register-table tbody tr:first-child > *')].map(cell => ({
            left: cell.getBoundingClientRect().left,
            right: cell.getBoundingClientRect().right,
            label: getComputedStyle(cell, '::before').content,
        }))"""
    )
    assert all(0 <= cell["left"] < cell["right"] <= TELEPHONE["width"] for cell in cells)
    labels = " ".join(cell["label"] for cell in cells)
    for name in ("Сумма, кВт·ч", "Потребление, кВт·ч", "Качество"):
        assert name in labels


async def test_a_foreign_meter_s_table_looks_like_none_at_all(page: Page, site: Site) -> None:
    await opened(page, site, "?tab=table")
    await expect(page.get_by_role("table")).to_be_visible()
    seen = []
    for serial in (site.seed.stranger_serial, "0000000000"):
        await page.goto(f"{site.url}/readings?tab=table&meter={serial}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
        seen.append(await page.inner_html("main"))

    assert seen[0] == seen[1]


async def test_tabs_are_walked_by_arrows(page: Page, site: Site) -> None:
    chart = page.get_by_role("tab", name="График потребления")
    table = page.get_by_role("tab", name="Таблица показаний")
    await opened(page, site)
    await page.wait_for_load_state("networkidle")  # the script is there
    await chart.focus()
    await page.keyboard.press("ArrowRight")
    await expect(table).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("table")).to_be_visible()

    await page.reload()  # where no chart has been
    await expect(page.get_by_role("table")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await table.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(chart).to_be_focused()


async def test_a_finger_goes_into_a_column_however_small(browser: Browser, site: Site) -> None:
    """The whole height over a day answers, not only the column itself."""
    context = await browser.new_context(viewport=TELEPHONE, locale="ru-RU", has_touch=True)  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await page.goto(f"{site.url}/login")
    await sign_in(page, site, seed.SUBSCRIBER)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await page.goto(f"{site.url}/readings?interval=month&period={_month_back(2)}")
    await page.locator(COLUMNS).first.wait_for()
    plot = page.locator(".nsewdrag").first
    await plot.scroll_into_view_if_needed()
    box = await plot.bounding_box()
    assert box is not None
    await page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 4)

    await expect(page).to_have_url(re.compile("interval=day"))


def _month_back(months: int) -> str:
    """As in the address, counted from now in Omsk."""
    local = datetime.now(UTC).astimezone(ZoneInfo("Asia/Omsk"))
    number = local.year * 12 + local.month - 1 - months
    return f"{number // 12}-{number % 12 + 1:02}"
