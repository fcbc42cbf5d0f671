"""Every page is there before any script runs: also where the address has a parameter in it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from lk_portal.metering.simulator import serial_of
from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import give_cookie

pytestmark = pytest.mark.browser
PAGES = {
    "/login": "Вход в личный кабинет",
    "/readings": "Показания",
    "/info/help-chart": "Информация",
    f"/accounts/{seed.OWNED_ACCOUNT}": "Лицевой счет",
    f"/meters/{serial_of(1)}": "Прибор учета",
}
"""Their headings as they are drawn, when nothing is known yet."""
OPENED = {
    "/info/help-chart": "График потребления",
    f"/accounts/{seed.OWNED_ACCOUNT}": "Карточка лицевого счета",
    f"/meters/{serial_of(1)}": "Поверка прибора учета",
}


async def test_pages_are_seen_without_scripts(browser: Browser, site: Site) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    for address, heading in PAGES.items():
        answer = await page.goto(f"{site.url}{address}")

        assert answer is not None
        assert answer.status == 200
        await expect(page.get_by_role("heading", level=1)).to_contain_text(heading)


async def test_what_was_drawn_for_an_example_becomes_the_page_that_was_asked_for(
    page: Page, site: Site
) -> None:
    """React says so on the console when what was drawn is not what it would draw."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await give_cookie(page.context, site, session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD))
    for address, heading in OPENED.items():
        await page.goto(f"{site.url}{address}")
        await expect(page.get_by_role("heading", name=heading).first).to_be_visible()

    assert said == []
