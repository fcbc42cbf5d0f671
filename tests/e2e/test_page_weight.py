"""The budgets of bytes: pages stay light for a cheap telephone. Bytes do not jitter, so they are asserted."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Site, sign_in
from tests.page_weight import weigh

pytestmark = pytest.mark.browser
LOGIN_KB = 190
REGISTER_KB = 200
HOME_KB = 200
READINGS_KB = 560


async def signed_in_anew(page: Page, site: Site) -> Page:
    """A tab of the same person in a browser that has nothing cached."""
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    fresh = await page.context.browser.new_context()  # type: ignore[union-attr]
    await fresh.add_cookies(await page.context.cookies())  # type: ignore[arg-type]
    return await fresh.new_page()


async def test_login_is_light_and_has_no_chart(page: Page, site: Site) -> None:
    weight = await weigh(page, f"{site.url}/login", wait_for="#login")

    assert 50 < weight.kilobytes <= LOGIN_KB, weight.names()
    assert "plotly" not in weight.names().lower()


async def test_registering_is_light_and_has_no_chart(page: Page, site: Site) -> None:
    weight = await weigh(page, f"{site.url}/register", wait_for="img[src^='data:']")

    assert 50 < weight.kilobytes <= REGISTER_KB, weight.names()
    assert "plotly" not in weight.names().lower()


async def test_the_home_page_is_light_and_has_no_chart_library(page: Page, site: Site) -> None:
    weight = await weigh(await signed_in_anew(page, site), f"{site.url}/", wait_for=".spark")

    assert 50 < weight.kilobytes <= HOME_KB, weight.names()
    assert "plotly" not in weight.names().lower()


async def test_the_chart_library_is_asked_for_before_there_is_a_figure(page: Page, site: Site) -> None:
    fresh = await signed_in_anew(page, site)
    await fresh.route_web_socket("**/*", lambda _socket: None)

    async with fresh.expect_request("**/assets/plotly-*.js"):
        await fresh.goto(f"{site.url}/readings")


async def test_the_table_of_readings_needs_no_chart_library(page: Page, site: Site) -> None:
    fresh = await signed_in_anew(page, site)

    weight = await weigh(fresh, f"{site.url}/readings?tab=table", wait_for="#readings table tbody tr")

    assert 50 < weight.kilobytes <= HOME_KB, weight.names()
    assert "plotly" not in weight.names().lower()


async def test_readings_keeps_its_budget(page: Page, site: Site) -> None:
    fresh = await signed_in_anew(page, site)

    weight = await weigh(fresh, f"{site.url}/readings", wait_for=".barlayer .point path:visible")

    assert 300 < weight.kilobytes <= READINGS_KB, weight.names()
    assert "plotly" in weight.names().lower()
