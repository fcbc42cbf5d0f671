"""/readings as the manual tells it: the chart, its periods, going into a column and back, live values."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, POLL_S, TELEPHONE, Site, sign_in

pytestmark = pytest.mark.browser
OMSK = ZoneInfo("Asia/Omsk")
COLUMNS = ".barlayer .point path:visible"
PICTURES = Path(__file__).resolve().parents[2] / "var" / "pictures"


async def open_readings(page: Page, site: Site, query: str = "") -> None:
    await page.goto(f"{site.url}/readings{query}")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(page, site)
    await expect(page.get_by_role("tab", name="График потребления")).to_be_visible()


async def test_the_page_opens_on_this_month(page: Page, site: Site) -> None:
    await open_readings(page, site)

    await expect(page.get_by_label("Прибор учета")).to_have_value(site.seed.serial)
    await expect(page.get_by_label("Интервал")).to_have_value("month")
    await expect(page.get_by_label("Тип энергии")).to_have_value("A_PLUS")
    await expect(page.locator(COLUMNS).first).to_be_visible()
    await expect(page.get_by_text(re.compile(r"Данные на \d\d\.\d\d\.\d{4}, \d\d:\d\d"))).to_be_visible()


async def test_a_year_a_month_a_day_and_back(page: Page, site: Site) -> None:
    await open_readings(page, site)
    await page.get_by_label("Интервал").select_option("Год")
    await page.get_by_role("button", name="Показать").click()
    # The address changes before the page does: until then it shows, and leads on from, what was there.
    await expect(page).to_have_url(re.compile(r"interval=year"))
    await expect(page.get_by_role("heading", name=re.compile(r"^20\d\d$"))).to_be_visible()
    await expect(page.locator(COLUMNS).first).to_be_visible()

    await page.get_by_text("То же таблицей").click()
    await page.get_by_role("table").get_by_role("link").last.click()
    await expect(page).to_have_url(re.compile(r"interval=month"))
    await expect(page.get_by_role("heading", name=re.compile(r"^\S+ 20\d\d$"))).to_be_visible()
    await page.get_by_role("table").get_by_role("link").first.click()
    await expect(page).to_have_url(re.compile(r"interval=day"))
    await expect(page.get_by_role("table").get_by_role("row")).to_have_count(25)

    await page.get_by_role("link", name="Назад").click()
    await expect(page.get_by_role("link", name="Назад")).to_have_attribute(
        "href", re.compile("interval=year")
    )
    await page.get_by_role("link", name="Назад").click()
    await expect(page).to_have_url(re.compile(r"interval=year"))
    await expect(page.get_by_role("link", name="Назад")).to_have_count(0)


async def test_a_click_on_a_column_goes_into_it(page: Page, site: Site) -> None:
    await open_readings(page, site, "?interval=year&period=2026")
    column = page.locator(COLUMNS).nth(4)
    await column.wait_for()
    box = await column.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    await expect(page).to_have_url(re.compile(r"interval=month&period=2026-\d\d"))


async def test_every_choice_is_in_the_address(page: Page, site: Site, browser: Browser) -> None:
    await open_readings(page, site)
    await page.get_by_label("Интервал").select_option("День")
    day = page.locator("input[type=date]")  # the server sends the picker that fits the interval
    await expect(day).to_have_accessible_name("Период")
    await day.fill("2026-11-02")
    await page.get_by_label("Тип энергии").select_option("Реактивная прямая")
    await page.get_by_role("button", name="Показать").click()
    await expect(page).to_have_url(re.compile(r"interval=day&period=2026-11-02&energy=R_PLUS"))
    await expect(page.get_by_text("За этот период данных нет")).to_be_visible()
    address = page.url

    other = await (await browser.new_context(locale="ru-RU")).new_page()
    await other.goto(address)
    await expect(other.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(other, site)
    await expect(other.get_by_label("Тип энергии")).to_have_value("R_PLUS")
    await expect(other.get_by_role("heading", name="2 ноября 2026 г.")).to_be_visible()


async def test_a_hole_is_drawn_and_said(page: Page, site: Site) -> None:
    local = (site.seed.hole + timedelta(days=1)).astimezone(OMSK)
    await open_readings(page, site, f"?interval=month&period={local:%Y-%m}")

    await expect(page.get_by_text(re.compile(r"данные за .+ из .+ часов")).first).to_be_visible()
    await page.get_by_text("То же таблицей").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=str(local.day), exact=True))
    await expect(row).to_contain_text("нет данных")
    await expect(row).not_to_contain_text("0,00")
    await expect(page.get_by_text("Столбцы с точками содержат расчетные значения.")).to_be_visible()


async def test_new_values_arrive_on_the_open_page(page: Page, site: Site) -> None:
    await open_readings(page, site, "?interval=day")
    total = page.locator("dd").first
    await expect(total).not_to_have_text("—")
    before = await total.inner_text()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))

    await expect(total).not_to_have_text(before, timeout=POLL_S * 6000)

    assert not [url for url in fetched if "/readings" in url], "the page was loaded again"


@pytest.mark.parametrize(
    "query",
    [
        "?interval=week",
        "?period=2026-13",
        "?interval=day&period=9999-01-01",
        "?interval=year&period=1900",
        "?energy=X",
        "?basis=lunar",
        "?compare=x",
        "?tab=table&date=2026-02-30",
        "?tab=table&before=yesterday",
    ],
)
async def test_a_wrong_address_gets_a_sentence(page: Page, site: Site, query: str) -> None:
    await open_readings(page, site, query)

    await expect(page.get_by_role("alert")).to_be_visible()


async def test_a_foreign_meter_looks_like_none_at_all(page: Page, site: Site) -> None:
    await open_readings(page, site)
    seen = []
    for serial in (site.seed.stranger_serial, "0000000000"):
        await page.goto(f"{site.url}/readings?meter={serial}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
        seen.append(await page.inner_html("main"))

    assert seen[0] == seen[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_nothing_sticks_out(
    browser: Browser, site: Site, viewport: dict[str, int], scheme: str
) -> None:
    """No page scrolls sideways; the pictures are for people to look at."""
    context = await browser.new_context(viewport=viewport, color_scheme=scheme, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{site.url}/login")
    await picture(page, "login", viewport, scheme)
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await picture(page, "home", viewport, scheme)
    # Of today nothing is known in its first hour.
    yesterday = datetime.now(OMSK).date() - timedelta(days=1)
    for interval, period in (
        ("month", f"{yesterday:%Y-%m}"),
        ("year", f"{yesterday:%Y}"),
        ("day", f"{yesterday}"),
    ):
        await page.goto(f"{site.url}/readings?interval={interval}&period={period}")
        await page.locator(COLUMNS).first.wait_for()
        await picture(page, f"readings-{interval}", viewport, scheme)
    await page.goto(f"{site.url}/readings?interval=year&basis=billing&compare=year")
    await page.locator("#comparison").wait_for()
    await picture(page, "readings-compared", viewport, scheme)
    await page.goto(f"{site.url}/readings?tab=table")
    await page.get_by_role("table").wait_for()
    await picture(page, "readings-table", viewport, scheme)
    if viewport is TELEPHONE:
        await page.get_by_label(re.compile("^Меню(,|$)")).click()
        await expect(page.get_by_role("link", name="Показания").last).to_be_visible()
        await picture(page, "menu", viewport, scheme)


async def picture(page: Page, name: str, viewport: dict[str, int], scheme: str) -> None:
    await page.wait_for_timeout(300)
    await page.screenshot(path=PICTURES / f"{name}-{viewport['width']}-{scheme}.png", full_page=True)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"], f"{name} is {width} px wide"
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, select, input:not([type=hidden]), summary')]
        .filter(e => e.offsetParent && e.offsetHeight < 44)
        .filter(e => !e.closest('table, .skip-link, .plot-container'))
        .filter(e => !(e.closest('label')?.offsetHeight >= 44))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not [one for one in small if "skip-link" not in one], small


async def test_a_telephone_needs_two_clicks_for_the_month(browser: Browser, site: Site) -> None:
    context = await browser.new_context(viewport=TELEPHONE, locale="ru-RU", has_touch=True)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{site.url}/")
    await sign_in(page, site, seed.PHONE)

    await expect(page.get_by_text("с начала месяца")).to_be_visible()
    await page.get_by_role("link", name="График потребления").click()
    await expect(page.get_by_role("heading", name="График потребления")).to_be_visible()
