"""The address field of /register: keyboard, mouse, touch, and what a screen reader is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import insert

from lk_portal.models import Premises
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import TELEPHONE, Site

pytestmark = pytest.mark.browser

HOUSE = "г. Тара, ул. Ёлочная, д.2 А"
FLATS = [f"{HOUSE}, кв.{flat}" for flat in range(1, 31)]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def a_street(site: Site) -> None:
    """A street with a house of 30 flats and two without any."""
    place = {"settlement": "г. Тара", "street": "ул. Ёлочная", "timezone": "Asia/Omsk"}
    rows = [place | {"house": "2 А", "flat": str(flat)} for flat in range(1, 31)]
    rows += [place | {"house": house, "flat": ""} for house in ("10", "1")]
    database = Database(site.settings.database_address)
    async with database.writing() as connection:
        await connection.execute(insert(table_of(Premises)), rows)
    await database.close()


async def open_form(page: Page, site: Site) -> Locator:
    await page.goto(f"{site.url}/register")
    field = page.get_by_role("combobox", name="Адрес*")
    await expect(field).to_be_visible()
    await expect(page.get_by_role("img")).to_be_visible()  # the picture: the page answers
    return field


async def type_in(field: Locator, text: str) -> None:
    await field.fill("")
    await field.press_sequentially(text, delay=20)


async def shown(page: Page) -> Sequence[str]:
    return await page.get_by_role("option").all_inner_texts()


async def test_by_keyboard_alone(page: Page, site: Site) -> None:
    field = await open_form(page, site)
    await page.keyboard.press("Tab")
    while not await field.evaluate("field => field === document.activeElement"):
        await page.keyboard.press("Tab")
    await page.keyboard.type("ТАРА елоч", delay=20)

    await expect(page.get_by_role("option")).to_have_count(3)
    assert await shown(page) == ["г. Тара, ул. Ёлочная, д.1", f"{HOUSE},", "г. Тара, ул. Ёлочная, д.10"]
    await page.keyboard.press("ArrowDown")
    await expect(field).to_have_attribute("aria-activedescendant", "address-option-0")
    await page.keyboard.press("End")
    await expect(field).to_have_attribute("aria-activedescendant", "address-option-2")
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowUp")
    await expect(field).not_to_have_attribute("aria-activedescendant", "address-option-0")
    await expect(field).to_have_value("ТАРА елоч")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await expect(field).to_have_value(f"{HOUSE}, ")
    await expect(page.get_by_role("option")).to_have_count(20)
    assert await shown(page) == FLATS[:20]
    await page.keyboard.type("30")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await expect(field).to_have_value(FLATS[-1])
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(field).to_be_focused()


async def test_escape_and_leaving_keep_what_was_typed(page: Page, site: Site) -> None:
    field = await open_form(page, site)
    await type_in(field, "тара елочная")
    await expect(page.get_by_role("listbox")).to_be_visible()

    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(field).to_have_value("тара елочная")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(field).not_to_be_focused()
    await expect(field).to_have_value("тара елочная")


async def test_tab_takes_the_active_address(page: Page, site: Site) -> None:
    field = await open_form(page, site)
    await type_in(field, "тара елочная")
    await expect(page.get_by_role("listbox")).to_be_visible()

    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")

    await expect(field).to_have_value("г. Тара, ул. Ёлочная, д.1")
    await expect(field).not_to_be_focused()
    await expect(page.get_by_role("listbox")).to_be_hidden()


async def test_by_mouse_and_without_asking_the_server(page: Page, site: Site) -> None:
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(str(payload))))
    field = await open_form(page, site)
    await type_in(field, "тара елочная")
    await expect(page.get_by_role("option")).to_have_count(3)
    before = [frame for frame in sent if "address_state" in frame]
    assert before

    await page.get_by_role("option", name="д.10").click()

    await expect(field).to_have_value("г. Тара, ул. Ёлочная, д.10")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(page.get_by_text("Найдено адресов")).to_be_hidden()
    await expect(field).to_be_focused()
    await page.wait_for_timeout(600)
    assert [frame for frame in sent if "address_state" in frame] == before


async def test_by_touch_on_a_telephone(browser: Browser, site: Site) -> None:
    context = await browser.new_context(viewport=TELEPHONE, has_touch=True, is_mobile=True, locale="ru-RU")
    page = await context.new_page()
    field = await open_form(page, site)
    await field.tap()
    await type_in(field, "тара елочная")
    option = page.get_by_role("option").first
    await expect(option).to_be_visible()
    box = await option.bounding_box()
    assert box is not None
    assert box["height"] >= 44

    await option.tap()

    await expect(field).to_have_value("г. Тара, ул. Ёлочная, д.1")
    await context.close()


async def test_what_a_screen_reader_is_told(page: Page, site: Site) -> None:
    require_axe()
    field = await open_form(page, site)
    await expect(field).to_have_attribute("aria-expanded", "false")
    await expect(field).to_have_attribute("aria-autocomplete", "list")
    await type_in(field, "тара елочная")

    await expect(field).to_have_attribute("aria-expanded", "true")
    listbox = page.get_by_role("listbox", name="Адреса")
    assert await field.get_attribute("aria-controls") == await listbox.get_attribute("id")
    await expect(page.get_by_role("status").filter(has_text="Найдено адресов: 3")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    active = page.locator(f"#{await field.get_attribute('aria-activedescendant')}")
    await expect(active).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("option", selected=True)).to_have_count(1)
    assert await violations(page) == []

    await type_in(field, "город которого нет")
    await expect(page.get_by_role("status").filter(has_text="Такой адрес не найден")).to_be_visible()
    await expect(field).to_have_attribute("aria-expanded", "false")


async def test_typing_the_same_again_brings_the_list_again(page: Page, site: Site) -> None:
    """What was found last is found once more, so nothing in the list changes."""
    field = await open_form(page, site)
    await type_in(field, "тара елочная")
    await page.get_by_role("option", name="г. Тара, ул. Ёлочная, д.10", exact=True).click()
    await expect(field).to_have_attribute("aria-expanded", "false")

    await field.fill("тара елочная")

    await expect(field).to_have_attribute("aria-expanded", "true")
    await page.get_by_role("option", name="г. Тара, ул. Ёлочная, д.1", exact=True).click()
    await expect(field).to_have_value("г. Тара, ул. Ёлочная, д.1")


async def test_markup_and_quotes_are_text(page: Page, site: Site) -> None:
    field = await open_form(page, site)
    await type_in(field, '<b>тара</b> "ёлочная" -- \' OR 1=1')
    await expect(field).to_have_attribute("aria-expanded", "false")

    await type_in(field, '<b>тара</b> "ёлочная"')
    await expect(field).to_have_attribute("aria-expanded", "false")
    await type_in(field, '"тара" ёлочная')
    await expect(page.get_by_role("option")).to_have_count(3)
