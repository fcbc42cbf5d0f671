"""/diagnostics as the manual tells it: groups, filters, arrows, what events mean, and new ones coming in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from lk_portal.models import Meter
from lk_portal.services.database import Database
from lk_portal.services.events import event_row, store_events
from lk_portal.services.tables import table_of
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in

pytestmark = pytest.mark.browser
OMSK = ZoneInfo("Asia/Omsk")
PICTURES = Path(__file__).resolve().parents[2] / "var" / "pictures"
LIMIT = "Выключение локальное по превышению лимита мощности"
HIGH = "Превышение напряжения любой фазы"
DISPLAY = "Дисплей — ошибка"
STARTED = "Инициализация ПУ"
OPENED = "Срабатывание электронной пломбы крышки клеммников"


def month_of(at: datetime) -> str:
    return f"{at.astimezone(OMSK):%Y-%m}"


async def open_diagnostics(page: Page, site: Site, query: str = "") -> None:
    """The month of the planted events, unless told."""
    await page.goto(f"{site.url}/diagnostics{query or '?period=' + month_of(site.seed.events)}")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Диагностика")).to_be_visible()


def group(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


async def happen(site: Site, journal: int, code: int, at: datetime) -> None:
    """The subscriber's meter reports an event."""
    database = Database(site.settings.database_address)
    meter = table_of(Meter)
    try:
        async with database.writing() as connection:
            found = await connection.execute(meter.select().where(meter.c.serial == site.seed.serial))
            row = event_row(meter_id=found.one().id, occurred_at=at, journal=journal, code=code)
            await store_events(connection, [row], now=datetime.now(UTC))
    finally:
        await database.close()


async def test_the_menu_leads_to_events_in_groups(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/")
    await sign_in(page, site)
    await page.get_by_role("navigation", name="Главное меню").get_by_role("link", name="Диагностика").click()
    await expect(page).to_have_url(f"{site.url}/diagnostics")

    await page.goto(f"{site.url}/diagnostics?period={month_of(site.seed.events)}")
    for name in ("Критические", "Предупреждения", "Информационные"):
        await expect(page.get_by_label(name, exact=True).and_(page.get_by_role("checkbox"))).to_be_checked()
    await expect(page.get_by_role("heading", level=3)).to_have_text(
        ["Критические", "Предупреждения", "Информационные"]
    )
    for name, event in (
        ("Критические", LIMIT),
        ("Критические", DISPLAY),
        ("Предупреждения", HIGH),
        ("Информационные", STARTED),
    ):
        await expect(group(page, name).get_by_role("heading", name=event)).to_be_visible()
    await expect(group(page, "Предупреждения").get_by_role("heading", name=LIMIT)).to_have_count(0)


async def test_a_pair_is_one_row_and_what_goes_on_says_so(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)

    ended = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=LIMIT))
    at = site.seed.events - timedelta(minutes=5)
    await expect(ended).to_contain_text(f"{at.astimezone(OMSK):%d.%m.%Y, %H:%M}")
    await expect(ended).to_contain_text("длилось 5 мин")
    await expect(ended).to_contain_text("прибор снова включил дом")
    await expect(page.get_by_text("Включение реле после выключения")).to_have_count(0)
    going_on = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=DISPLAY))
    await expect(going_on).to_contain_text("продолжается")
    await expect(going_on.get_by_text("Показания видны здесь, в кабинете.")).to_be_visible()
    await going_on.get_by_text("Что делать").click()
    await expect(going_on.get_by_text("Показания видны здесь, в кабинете.")).to_be_hidden()


async def test_an_event_leads_to_a_ticket_about_it(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)
    row = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=LIMIT))

    ticket = row.get_by_role("link", name="Создать обращение", exact=True)

    await expect(ticket).to_have_attribute("href", re.compile(r"^/support\?new=1&event=\d+$"))


async def test_filters_show_the_chosen_groups(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)
    await page.get_by_role("checkbox", name="Критические").uncheck()
    await page.get_by_role("checkbox", name="Информационные").uncheck()
    await page.get_by_role("button", name="Показать").click()

    await expect(page).to_have_url(re.compile(r"groups=warning&"))
    await expect(page.get_by_role("heading", level=3)).to_have_text(["Предупреждения"])
    await page.reload()
    await expect(page.get_by_role("heading", level=3)).to_have_text(["Предупреждения"])
    await expect(page.get_by_role("checkbox", name="Критические")).not_to_be_checked()
    await expect(page.get_by_role("checkbox", name="Предупреждения")).to_be_checked()

    await page.get_by_role("checkbox", name="Предупреждения").uncheck()
    await page.get_by_role("button", name="Показать").click()
    await expect(page.get_by_role("alert")).to_have_text("Отметьте хотя бы одну группу событий.")
    await expect(page.get_by_role("heading", name=HIGH)).to_be_visible()
    await expect(page.get_by_role("checkbox", name="Предупреждения")).not_to_be_checked()


async def test_the_table_has_the_same(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)
    await page.get_by_role("link", name="Таблица").click()

    await expect(page).to_have_url(re.compile("view=table"))
    table = page.get_by_role("table", name="Предупреждения")
    row = table.get_by_role("row").filter(has_text=HIGH)
    await expect(row).to_contain_text("23 мин")
    await row.get_by_text("Что это значит").click()
    await expect(row.get_by_text("Чувствительная техника")).to_be_visible()
    await expect(row.get_by_role("link", name="Создать обращение")).to_be_visible()
    await expect(page.get_by_role("link", name="Таблица")).to_have_attribute("aria-current", "true")
    await page.get_by_role("link", name="Список").click()
    await expect(page.get_by_role("table")).to_have_count(0)
    await expect(page.get_by_role("heading", name=HIGH)).to_be_visible()


async def test_arrows_lead_to_the_periods_before_and_after(page: Page, site: Site) -> None:
    old = (site.seed.events - timedelta(days=70)).astimezone(OMSK)
    after = (old.replace(day=1) + timedelta(days=32)).replace(day=1)
    await open_diagnostics(page, site, f"?period={after:%Y-%m}&groups=critical,info&view=table")
    await expect(page.get_by_text(OPENED)).to_have_count(0)

    await page.get_by_role("link", name="Раньше").click()
    await expect(page.get_by_text(OPENED)).to_be_visible()
    await expect(page).to_have_url(re.compile(rf"period={old:%Y-%m}&groups=critical,info&view=table"))
    await page.get_by_role("link", name="Позже").click()
    await expect(page.get_by_text(OPENED)).to_have_count(0)
    await page.go_back()
    await expect(page.get_by_text(OPENED)).to_be_visible()


async def test_another_interval(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)
    await page.get_by_label("Интервал").select_option("Год")
    await page.get_by_role("button", name="Показать").click()

    await expect(page).to_have_url(re.compile(r"interval=year&period=\d{4}&"))
    await expect(page.get_by_role("heading", level=2)).to_have_text(re.compile(r"^\d{4}$"))


async def test_a_new_event_comes_to_the_open_page(page: Page, site: Site) -> None:
    await open_diagnostics(page, site, "?interval=day")
    await expect(page.get_by_role("heading", level=2)).to_be_visible()
    await expect(page.get_by_text("Магнитное поле")).to_have_count(0)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    at = datetime.now(UTC)

    await happen(site, 4, 1, at)

    row = page.get_by_role("listitem").filter(has_text="Магнитное поле")
    await expect(row).to_contain_text("продолжается")
    await happen(site, 4, 2, at + timedelta(seconds=75))
    await expect(row).to_contain_text("длилось 1 мин 15 с")
    assert not [url for url in fetched if "/diagnostics" in url], "the page was loaded again"


async def test_a_meter_without_events_and_periods_without_any(page: Page, site: Site) -> None:
    await open_diagnostics(page, site, "?interval=day&period=2021-03-02")
    await expect(page.get_by_text("Событий за этот период нет")).to_be_visible()
    await expect(page.get_by_text("Все хорошо: прибор учета не сообщал ни о чем необычном.")).to_be_visible()

    for query, sentence in (
        ("?interval=year&period=2099", "Этот период еще не наступил"),
        ("?interval=year&period=1995", "Прибора учета тогда еще не было"),
        (f"?period={month_of(site.seed.events)}&groups=warning&page=9", "Событий выбранных групп нет"),
    ):
        await page.goto(f"{site.url}/diagnostics{query}")
        await expect(page.get_by_text(sentence)).to_be_visible()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?interval=week", "Такого интервала нет."),
        ("?period=2026-13", "Такой даты нет."),
        ("?period=9999-01", "Выберите год с 1990 по 2100."),
        ("?groups=all", "Такой группы событий нет."),
        ("?page=0", "Такой страницы нет."),
    ],
)
async def test_a_wrong_address_gets_a_sentence(page: Page, site: Site, query: str, sentence: str) -> None:
    await open_diagnostics(page, site, query)

    await expect(page.get_by_role("alert")).to_have_text(sentence)


async def test_a_foreign_meter_is_not_found(page: Page, site: Site) -> None:
    await open_diagnostics(page, site)
    seen = []
    for serial in (site.seed.stranger_serial, "nothing", "%00", "x" * 70):
        await page.goto(f"{site.url}/diagnostics?meter={serial}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
        seen.append(await page.locator("main").inner_text())

    assert len(set(seen)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_it_fits_the_screen(
    browser: Browser, site: Site, viewport: dict[str, int], scheme: str
) -> None:
    context = await browser.new_context(viewport=viewport, color_scheme=scheme, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await open_diagnostics(page, site)
    for layout in ("list", "table"):
        await page.goto(f"{site.url}/diagnostics?period={month_of(site.seed.events)}&view={layout}")
        await expect(page.get_by_role("heading", name="Критические")).to_be_visible()
        await page.wait_for_timeout(300)
        name = f"diagnostics-{layout}-{viewport['width']}-{scheme}.png"
        await page.screenshot(path=PICTURES / name, full_page=True)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{layout} is {width} px wide"
        cut = await page.evaluate(
            "() => [...document.querySelectorAll('main th, main td, main li')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
        )
        assert not cut
        small = await page.evaluate(
            "() => [...document.querySelectorAll('main :is(a, button, select, summary, label:not([for]))')]"
            ".filter(e => e.offsetParent && e.offsetHeight < 44).map(e => e.outerHTML)"
        )
        assert not small
