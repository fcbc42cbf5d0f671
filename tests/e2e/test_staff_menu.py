"""The staff's menu: one line on a desk, groups that unfold by keyboard, and nothing that leads nowhere."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, Site, sign_in

pytestmark = pytest.mark.browser
ONE_LINE_PX = 60


def group(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Главное меню").locator("summary").filter(has_text=name)


async def test_a_group_unfolds_and_folds_by_keyboard(page: Page, site: Site) -> None:
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    await sign_in(page, site, seed.ADMIN)
    await page.goto(f"{site.url}/admin/tickets")
    menu = page.get_by_role("navigation", name="Главное меню")
    seals = menu.get_by_role("link", name="Пломбы")
    await expect(group(page, "Обращения")).to_have_attribute("aria-current", "true")
    box = await menu.bounding_box()
    assert box is not None
    assert box["height"] <= ONE_LINE_PX

    await group(page, "Реестр").focus()
    await page.keyboard.press("Enter")
    await expect(seals).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(seals).to_be_hidden()
    await expect(group(page, "Реестр")).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(seals).to_be_visible()
    await group(page, "Опрос").focus()
    await expect(seals).to_be_hidden()

    await group(page, "Реестр").click()
    await seals.click()
    await expect(page).to_have_url(re.compile("/admin/seals"))
    await expect(seals).to_be_hidden()
    await expect(group(page, "Реестр")).to_have_attribute("aria-current", "true")
    await group(page, "Реестр").click()
    await expect(seals).to_have_attribute("aria-current", "page")


async def test_an_operator_is_not_led_where_only_admins_may_go(page: Page, site: Site) -> None:
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    menu = page.get_by_role("navigation", name="Главное меню")
    for login, is_admin in ((seed.OPERATOR, False), (seed.ADMIN, True)):
        await page.context.clear_cookies()
        await sign_in(page, site, login)
        await page.goto(f"{site.url}/admin")
        await group(page, "Система").click()
        await expect(menu.get_by_role("link", name="Письма")).to_be_visible()
        await expect(menu.get_by_role("link", name="Журнал действий")).to_have_count(int(is_admin))
