"""The home page and the menu's badges: the right figures, news without reloading, seen once opened."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import delete, insert, select, update

from lk_portal.i18n import kwh, using_locale
from lk_portal.models import Meter, MeterEvent, Section, SeenMarker, Severity, User
from lk_portal.services.database import Database
from lk_portal.services.overview import Overview, overview
from lk_portal.services.tables import table_of
from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in

pytestmark = pytest.mark.browser
WIDTHS = pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
MAGNET = {"journal": 4, "code": 3, "severity": Severity.CRITICAL}
_marker, _user, _event, _meter = (table_of(model) for model in (SeenMarker, User, MeterEvent, Meter))


async def in_database(site: Site, statement: Any) -> Any:
    """Run one statement as another process would."""
    database = Database(site.portal.database_address)
    async with database.writing() as connection:
        result = await connection.execute(statement)
        found = result.all() if result.returns_rows else None
    await database.close()
    return found


async def something_happens(site: Site, *, after: timedelta = timedelta()) -> None:
    """The subscriber's meter reports an event."""
    [(meter_id,)] = await in_database(site, select(_meter.c.id).where(_meter.c.serial == site.seed.serial))
    now = datetime.now(UTC)
    values = {"meter_id": meter_id, "occurred_at": now - timedelta(hours=1) + after, "received_at": now}
    await in_database(site, insert(_event).values(**values, **MAGNET))


async def figures(site: Site) -> Overview:
    """What the page should show of the subscriber."""
    [(owner,)] = await in_database(
        site, select(_user.c.subscriber_id).where(_user.c.email == seed.SUBSCRIBER)
    )
    database = Database(site.portal.database_address)
    found = await overview(database, subscriber_id=owner, now=datetime.now(UTC), poll_interval_s=1800)
    await database.close()
    return found


async def open_home(browser: Browser, site: Site, viewport: Any, login: str = seed.SUBSCRIBER) -> Page:
    page = await (await browser.new_context(viewport=viewport, locale="ru-RU")).new_page()
    await page.goto(f"{site.url}/")
    await sign_in(page, site, login)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    return page


def menu(page: Page) -> Locator:
    """The main menu, or the folded one when it is open."""
    return page.get_by_role("navigation", name="Главное меню").or_(page.locator("details[open] .menu-list"))


async def unfold(page: Page) -> None:
    folded = page.locator("summary[aria-label^='Меню']")
    if await folded.is_visible():
        await folded.click()


@WIDTHS
async def test_the_tiles_have_the_right_figures(browser: Browser, site: Site, viewport: Any) -> None:
    page = await open_home(browser, site, viewport)
    tile = page.locator("section.tile").first
    await expect(tile.get_by_role("heading", name="Показания")).to_be_visible()

    for _ in range(20):  # the meter is read every few seconds
        [account] = (await figures(site)).accounts
        with using_locale("ru"):
            month = kwh(account.total_wh, digits=0)
        # In the first hour of a month nothing of it is known.
        expected = [month] if account.has_data else []
        shown = await tile.locator(".text-5xl").all_inner_texts()
        if shown == expected:
            break
        await page.wait_for_timeout(500)
    assert shown == expected
    assert account.has_data == (account.total_wh > 0)
    if account.comparison:
        with using_locale("ru"):
            before = kwh(account.comparison.before_wh, digits=0)
        await expect(tile.get_by_text("Те же дни прошлого месяца")).to_contain_text(f"{before} кВт·ч")
    await expect(tile.get_by_text(re.compile(r"Данные на \d\d\.\d\d\.\d{4}, \d\d:\d\d"))).to_be_visible()
    await expect(tile.get_by_text(re.compile(r"Последнее показание: [\d\s]+,\d\d кВт·ч"))).to_be_visible()
    days = "По дням: .* с данными, больше всего" if account.has_data else "За этот месяц данных пока нет"
    await expect(tile.get_by_role("img", name=re.compile(days))).to_be_visible()
    await expect(page.locator("section.tile", has_text="Абонент")).to_contain_text(seed.OWNED_ACCOUNT)
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@WIDTHS
async def test_the_months_figure_is_first_and_biggest(browser: Browser, site: Site, viewport: Any) -> None:
    page = await open_home(browser, site, viewport)
    figure = page.locator("section.tile").first.locator(".text-5xl")
    await expect(figure).to_be_visible()

    box = await figure.bounding_box()
    sizes = await page.evaluate(
        "[...document.querySelectorAll('main *')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert box is not None
    assert box["y"] + box["height"] < viewport["height"] / 2
    assert max(sizes) == float((await figure.evaluate("e => getComputedStyle(e).fontSize"))[:-2])


@pytest.mark.parametrize(
    ("title", "address"),
    [
        ("Показания", "/readings"),
        ("Абонент", "/accounts"),
        ("Диагностика", "/diagnostics"),
        ("Поддержка", "/support"),
    ],
)
async def test_a_tile_leads_to_its_section(browser: Browser, site: Site, title: str, address: str) -> None:
    page = await open_home(browser, site, TELEPHONE)
    tile = page.locator("section.tile", has=page.get_by_role("heading", name=title, exact=True))
    await tile.wait_for()
    box = await tile.bounding_box()
    assert box is not None

    await tile.click(position={"x": box["width"] - 8, "y": box["height"] - 8})

    await expect(page).to_have_url(re.compile(rf"{address}(\?|$)"))


@WIDTHS
async def test_an_event_is_news_until_its_section_is_opened(
    browser: Browser, site: Site, viewport: Any
) -> None:
    page = await open_home(browser, site, viewport)
    other_tab = await page.context.new_page()
    await other_tab.goto(f"{site.url}/settings")
    stranger = await open_home(browser, site, viewport, seed.STRANGER)
    for opened in (page, other_tab, stranger):
        await unfold(opened)
        await expect(menu(opened).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()

    await something_happens(site, after=timedelta(seconds=viewport["width"]))
    news = re.compile(r"^Диагностика, новых: \d+$")
    await expect(menu(page).get_by_role("link", name=news)).to_be_visible()
    await expect(menu(other_tab).get_by_role("link", name=news)).to_be_visible()
    await expect(page.locator("section.tile", has_text="Диагностика")).to_contain_text("Критические: ")
    if viewport is TELEPHONE:
        await expect(page.locator("summary[aria-label^='Меню, новых: ']")).to_be_visible()
    await expect(menu(stranger).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()

    await menu(page).get_by_role("link", name=news).click()
    await expect(page).to_have_url(re.compile("/diagnostics"))
    await unfold(page)
    await expect(menu(page).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()
    await expect(menu(other_tab).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()


async def test_what_comes_while_its_section_is_open_is_seen(browser: Browser, site: Site) -> None:
    page = await open_home(browser, site, DESKTOP)
    await page.goto(f"{site.url}/diagnostics")
    await expect(menu(page).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()
    other_tab = await page.context.new_page()
    await other_tab.goto(f"{site.url}/settings")
    await expect(menu(other_tab).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()

    await something_happens(site)
    await expect(menu(other_tab).get_by_role("link", name=re.compile("Диагностика, новых: "))).to_be_visible()
    await expect(menu(page).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()

    await menu(page).get_by_role("link", name="Главная").click()
    await expect(page.locator("section.tile").first).to_be_visible()
    await expect(menu(page).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()
    await expect(menu(other_tab).get_by_role("link", name="Диагностика", exact=True)).to_be_visible()


async def test_new_days_of_readings_are_counted(browser: Browser, site: Site) -> None:
    page = await open_home(browser, site, DESKTOP)
    await expect(menu(page).get_by_role("link", name="Показания", exact=True)).to_be_visible()
    [(user_id,)] = await in_database(site, select(_user.c.id).where(_user.c.email == seed.SUBSCRIBER))
    hers = (_marker.c.user_id == user_id) & (_marker.c.section == Section.READINGS)
    three_days_ago = datetime.now(UTC) - timedelta(days=3)
    await in_database(site, update(_marker).where(hers).values(seen_at=three_days_ago))

    link = menu(page).get_by_role("link", name="Показания, новых: 3")
    await expect(link).to_be_visible()  # with the next value of the meter
    await link.click()
    await expect(page.get_by_role("heading", name="График потребления")).to_be_visible()
    await expect(menu(page).get_by_role("link", name="Показания", exact=True)).to_be_visible()


async def test_who_comes_for_the_first_time_is_greeted_by_nothing(browser: Browser, site: Site) -> None:
    await something_happens(site, after=timedelta(minutes=1))
    [(user_id,)] = await in_database(site, select(_user.c.id).where(_user.c.email == seed.SUBSCRIBER))
    await in_database(site, delete(_marker).where(_marker.c.user_id == user_id))

    page = await open_home(browser, site, DESKTOP)

    await expect(page.locator("section.tile").first).to_be_visible()
    await expect(page.locator(".menu-badge")).to_have_count(0)
    await something_happens(site, after=timedelta(minutes=2))
    await expect(menu(page).get_by_role("link", name="Диагностика, новых: 1")).to_be_visible()


async def test_somebody_without_data_is_told_so(browser: Browser, site: Site) -> None:
    page = await open_home(browser, site, TELEPHONE, seed.STRANGER)

    await expect(page.get_by_text("Данных пока нет").first).to_be_visible()
    await expect(page.get_by_text("Сравнить с прошлым месяцем пока не с чем.")).to_be_visible()
    await expect(page.get_by_text("Открытых обращений нет.")).to_be_visible()


async def test_staff_are_led_to_what_waits_for_them(browser: Browser, site: Site) -> None:
    page = await (await browser.new_context(viewport=DESKTOP, locale="ru-RU")).new_page()  # type: ignore[arg-type]
    await page.goto(f"{site.url}/")
    await sign_in(page, site, seed.OPERATOR)

    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
    await expect(page).to_have_url(f"{site.url}/admin")
    await expect(page.get_by_text("Сравнить с прошлым месяцем")).to_have_count(0)
