"""The section "Абонент" as the manual tells it (4.2): accounts, cards, meters; by mouse, finger and keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lk_portal.metering.types import PollOutcome, Quantity, RegisterValue, RelayState, Snapshot
from lk_portal.services.database import Database
from lk_portal.services.readings import ReadingStore
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in
from tests.e2e.hands import Keys
from tests.e2e.households import Household, a_household
from tests.e2e.sessions import forget_attempts

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).resolve().parents[2] / "var" / "pictures"
SIZES = pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])


@pytest_asyncio.fixture(loop_scope="session")
async def household(site: Site) -> Household:
    forget_attempts(site)
    return await a_household(site)


async def enter(page: Page, site: Site, person: str, path: str = "/accounts") -> None:
    """Go somewhere, sign in on the way, and be there."""
    await page.goto(f"{site.url}{path}")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(page, site, person)
    await page.wait_for_url(f"{site.url}{path}")


async def a_page(browser: Browser, viewport: dict[str, int]) -> Page:
    context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(15_000)
    return page


async def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def picture(page: Page, name: str, viewport: dict[str, int]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}-{viewport['width']}.png", full_page=True)


@SIZES
async def test_from_the_list_to_the_card_to_the_meter(
    browser: Browser, site: Site, household: Household, viewport: dict[str, int]
) -> None:
    page = await a_page(browser, viewport)
    await enter(page, site, household.email)
    await expect(page.get_by_role("heading", name="Абонент")).to_be_visible()
    await expect(page.get_by_text("2 прибора учета")).to_be_visible()
    await expect(page.get_by_text("ОТКЛЮЧЕНО — 1, НЕТ ДАННЫХ — 1")).to_be_visible()
    assert await fits(page)
    await picture(page, "accounts", viewport)

    await page.get_by_role("link", name=household.account).click()
    await expect(page).to_have_url(f"{site.url}/accounts/{household.account}")
    for name in ("Адрес", "Владелец", "Тариф", "Степень благоустройства", "Договор"):
        await expect(page.get_by_role("term").filter(has_text=re.compile(f"^{name}$"))).to_be_visible()
    trail = page.get_by_role("navigation", name="Вы находитесь здесь")
    await expect(trail).to_contain_text(f"Лицевые счета/{household.account} {household.address}")
    await expect(page.get_by_role("heading", name="12.05.2026, 11:20")).to_be_visible()
    await expect(page.get_by_text("Активная прямая, сумма: 12 345,67 кВт·ч")).to_be_visible()
    await expect(page.get_by_text("Активная прямая, сумма: 1,64 кВт·ч")).to_be_visible()
    await expect(page).to_have_title(f"Лицевой счет {household.account} — ЭнергоМир")
    assert await fits(page)
    await picture(page, "account", viewport)

    await page.get_by_role("link", name="Баня").click()
    await expect(page).to_have_url(f"{site.url}/meters/{household.other}")
    await expect(page.locator("#load")).to_contain_text("Состояние нагрузки:НЕТ ДАННЫХ")
    await expect(page.locator("#load-reason")).to_contain_text("нет реле нагрузки")
    await expect(trail).to_contain_text(f"{household.account} {household.address}/Баня")
    await expect(page).to_have_title("Прибор учета Баня — ЭнергоМир")
    await trail.get_by_role("link", name=household.account).click()
    await expect(page).to_have_url(f"{site.url}/accounts/{household.account}")


@SIZES
async def test_the_card_of_a_meter(
    browser: Browser, site: Site, household: Household, viewport: dict[str, int]
) -> None:
    require_axe()
    page = await a_page(browser, viewport)
    await enter(page, site, household.email, f"/meters/{household.serial}")

    await expect(page.locator("#load")).to_contain_text(re.compile(r"ОТКЛЮЧЕНО\s*по данным на \d\d"))
    await expect(page.locator("#load-reason")).to_contain_text("Нагрузку отключила энергоснабжающая")
    await expect(page.locator("#load-advice")).to_contain_text("«Поддержка»")
    for name, value in (
        ("Модель", "МИР С-07"),
        ("Серийный номер", household.serial),
        ("Дата установки", "12 мая 2026"),
        ("Код точки учета", "urn:uuid:"),
        ("Дата последней поверки", "24 июня 2010"),
        ("Дата последней инструментальной поверки", "—"),
        ("Номер пломбы", "ВМ 234798"),
    ):
        await expect(page.locator(f"dl div:has(> dt:text-is('{name}')) dd")).to_contain_text(value)
    await expect(page.get_by_role("alert").filter(has_text="Срок поверки (")).to_be_visible()
    await expect(page.get_by_role("link", name="График потребления")).to_have_attribute(
        "href", f"/readings?meter={household.serial}"
    )
    await expect(page.get_by_role("link", name="События прибора учета")).to_have_attribute(
        "href", f"/diagnostics?meter={household.serial}"
    )
    assert await fits(page)
    assert await violations(page) == []
    await picture(page, "meter", viewport)


async def test_a_replaced_meter_opens_and_leads_to_the_new_one(
    page: Page, site: Site, household: Household
) -> None:
    await enter(page, site, household.email, f"/meters/{household.old}")

    await expect(
        page.get_by_text(f"заменен 12.05.2026, 11:20 на прибор учета {household.serial}")
    ).to_be_visible()
    await expect(page.get_by_role("heading", name="Конечные показания")).to_be_visible()
    await expect(page.get_by_text("12 345,67 кВт·ч")).to_be_visible()
    await expect(page.get_by_role("button", name="Переименовать")).to_have_count(0)
    await page.get_by_role("link", name="К новому прибору учета").click()
    await expect(page).to_have_url(f"{site.url}/meters/{household.serial}")
    await expect(page.get_by_role("button", name="Переименовать")).to_be_visible()


@SIZES
async def test_a_meter_is_renamed_with_nothing_but_keys(
    browser: Browser, site: Site, household: Household, viewport: dict[str, int]
) -> None:
    require_axe()
    page = await a_page(browser, viewport)
    keys = Keys(page)
    await enter(page, site, household.email, f"/meters/{household.serial}")
    dialog = page.get_by_role("dialog", name="Переименование ПУ")
    field = page.get_by_label("Наименование")

    await keys.press("Переименовать")
    await expect(field).to_be_focused()
    await expect(field).to_have_value(household.serial)
    assert await violations(page) == []
    await picture(page, "meter-renaming", viewport)
    for _ in range(6):  # the keyboard stays in the dialog
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("button", name="Переименовать")).to_be_focused()

    await page.keyboard.press("Enter")
    for wrong, sentence in (("", "от 1 до 60 знаков"), ("я" * 61, "Не больше 60 знаков")):
        await keys.fill("Наименование", wrong)
        if not wrong:
            await page.keyboard.press("Delete")
        await page.keyboard.press("Enter")
        await expect(page.locator("#name-error")).to_contain_text(sentence)
        await expect(field).to_be_focused()
        await expect(field).to_have_value(wrong)
    await keys.fill("Наименование", "<b>Дом</b> 😀")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("heading", name="<b>Дом</b> 😀")).to_be_visible()
    await expect(page.get_by_text("Прибор учета переименован.")).to_be_visible()
    await expect(page.get_by_role("button", name="Переименовать")).to_be_focused()

    await keys.press("Переименовать")
    await keys.fill("Наименование", "Отмененное")
    await keys.press("Отмена")
    await expect(dialog).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("heading", name="<b>Дом</b> 😀")).to_be_visible()


@SIZES
async def test_an_account_is_added_renamed_and_removed_with_nothing_but_keys(
    browser: Browser, site: Site, household: Household, viewport: dict[str, int]
) -> None:
    require_axe()
    page = await a_page(browser, viewport)
    keys = Keys(page)
    await enter(page, site, household.email)
    await keys.press("Добавить лицевой счет")
    await expect(page.get_by_label("Лицевой счет*")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#account-error")).to_contain_text("Введите номер лицевого счета")
    await expect(page.locator("#address-error")).to_contain_text("Введите адрес")
    await keys.fill("Лицевой счет*", household.free)
    await keys.fill("Адрес*", household.address)
    await keys.press("Добавить")
    await expect(page.locator("#match-error")).to_contain_text("не соответствуют")
    await expect(page.get_by_label("Лицевой счет*")).to_have_value(household.free)
    assert await violations(page) == []
    await picture(page, "account-adding", viewport)
    await page.get_by_label("Адрес*").fill("")
    typed = household.free_address.removeprefix("г. Омск, ул. ").replace(", д.", " ")
    await keys.choose_address(typed, household.free_address)
    await keys.press("Добавить")
    await expect(page.get_by_text("Лицевой счет добавлен.")).to_be_visible()
    await expect(page.get_by_role("link", name=household.free)).to_be_visible()
    await expect(page.locator("#accounts-done")).to_be_focused()

    rename = f"Переименовать лицевой счет {household.free}"
    await keys.press(rename)
    await expect(page.get_by_label("Примечание", exact=True)).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.type("Дача у реки")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=f"{household.free} — Дача у реки")).to_be_visible()
    await expect(page.get_by_role("button", name=rename)).to_be_focused()

    remove = f"Удалить лицевой счет {household.free} из кабинета"
    await keys.press(remove)
    dialog = page.get_by_role("dialog", name="Удалить лицевой счет из кабинета?")
    await expect(dialog.get_by_role("button", name="Отмена")).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("button", name=remove)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"Лицевой счет {household.free} удален из кабинета.")).to_be_visible()
    await expect(page.locator("#accounts-done")).to_be_focused()
    await expect(page.get_by_role("link", name=household.free)).to_have_count(0)


async def test_the_last_account_may_go_and_comes_back(page: Page, site: Site, household: Household) -> None:
    await enter(page, site, household.email)
    await page.get_by_role("button", name="Удалить лицевой счет").click()
    await page.get_by_role("dialog").get_by_role("button", name="Удалить").click()
    await expect(page.get_by_text("В кабинете нет лицевых счетов")).to_be_visible()
    for gone in (f"/accounts/{household.account}", f"/meters/{household.serial}"):
        await page.goto(f"{site.url}{gone}")
        await page.wait_for_url(f"{site.url}/not-found")
    await page.goto(f"{site.url}/")
    await page.wait_for_load_state("networkidle")
    assert "Баня" not in await page.locator("main").inner_text()

    await page.goto(f"{site.url}/accounts")
    await page.get_by_role("button", name="Добавить лицевой счет").click()
    await page.get_by_label("Лицевой счет*").fill(household.account)
    await page.get_by_label("Адрес*").fill(household.address)
    await page.get_by_role("button", name="Добавить", exact=True).click()
    await expect(page.get_by_text("Лицевой счет снова в вашем кабинете.")).to_be_visible()
    await page.get_by_role("link", name=household.account).click()
    await expect(page.get_by_role("link", name="Баня")).to_be_visible()


async def test_what_is_removed_in_one_tab_goes_from_the_others(
    page: Page, site: Site, household: Household
) -> None:
    await enter(page, site, household.email)
    account, meter, accounts = [await page.context.new_page() for _ in range(3)]
    await account.goto(f"{site.url}/accounts/{household.account}")
    await expect(account.get_by_role("heading", name="Карточка лицевого счета")).to_be_visible()
    await meter.goto(f"{site.url}/meters/{household.serial}")
    await expect(meter.locator("#load")).to_be_visible()
    await accounts.goto(f"{site.url}/accounts")
    await expect(accounts.get_by_role("link", name=household.account)).to_be_visible()

    await page.get_by_role("button", name="Удалить лицевой счет").click()
    await page.get_by_role("dialog").get_by_role("button", name="Удалить").click()

    await expect(accounts.get_by_role("link", name=household.account)).to_have_count(0)
    for tab in (account, meter):
        await expect(tab.get_by_text("Такой страницы нет")).to_be_visible()
        await expect(tab.get_by_text(household.address)).to_have_count(0)
    await account.get_by_role("link", name="Лицевые счета").click()
    await expect(account.get_by_text("В кабинете нет лицевых счетов")).to_be_visible()


async def test_an_account_with_an_owner_becomes_a_request(
    page: Page, site: Site, household: Household
) -> None:
    other = await a_household(site)
    await enter(page, site, household.email)
    await page.get_by_role("button", name="Добавить лицевой счет").click()
    await page.get_by_label("Лицевой счет*").fill(other.account)
    await page.get_by_label("Адрес*").fill(other.address)
    await page.get_by_role("button", name="Добавить", exact=True).click()

    await expect(page.get_by_role("heading", name="Заявка передана")).to_be_visible()
    await expect(page.get_by_role("link", name=other.account)).to_have_count(0)
    for _ in range(300):
        if site.mail.letters_to(household.email):
            break
        await page.wait_for_timeout(100)
    assert "заявка" in str(site.mail.letters_to(household.email)[-1]["subject"]).lower()


async def test_what_is_somebody_elses_looks_like_nothing(
    page: Page, site: Site, household: Household
) -> None:
    await enter(page, site, seed.STRANGER)
    await expect(page.get_by_role("button", name="Добавить лицевой счет")).to_be_visible()
    seen = set()
    for path in (
        f"/accounts/{household.account}",
        "/accounts/550000000000",
        "/accounts/55%252F1",
        f"/accounts/{'9' * 100}",
        "/accounts/%D1%8F",
        f"/meters/{household.serial}",
        f"/meters/{household.old}",
        "/meters/1",
        "/meters/%3Cscript%3E",
    ):
        await page.goto(f"{site.url}{path}")
        await page.wait_for_url(f"{site.url}/not-found")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
        seen.add(await page.locator("main").inner_text())
    assert len(seen) == 1


async def test_the_load_and_the_readings_move_without_a_reload(
    page: Page, site: Site, household: Household
) -> None:
    await tell(site, household.other_id, RelayState(True, 1), 5_000_000)
    await enter(page, site, household.email, f"/meters/{household.other}")
    await expect(page.locator("#load")).to_contain_text("ВКЛЮЧЕНО")
    await page.evaluate("window.isTheSamePage = true")

    await tell(site, household.other_id, RelayState(True, 1), 5_001_000)
    await expect(page.get_by_text("5 001,00 кВт·ч")).to_be_visible()
    await tell(site, household.other_id, RelayState(False, 0), 5_001_000)
    await expect(page.locator("#load")).to_contain_text("ОТКЛЮЧЕНО")

    assert await page.evaluate("window.isTheSamePage")


async def tell(site: Site, meter_id: int, relay: RelayState, value_wh: int) -> None:
    """What a poll of the meter brings, through the poller's own sink."""
    now = datetime.now(UTC)
    database = Database(site.portal.database_address)
    snapshot = Snapshot(now, (RegisterValue(Quantity.A_PLUS, 0, value_wh),), relay)
    try:
        store = ReadingStore(database, clock=lambda: now, default_interval_s=1800)
        await store.store((PollOutcome(meter_id, now, now, snapshot),))
    finally:
        await database.close()
