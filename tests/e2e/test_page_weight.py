"""The budgets of bytes: pages stay light for a cheap telephone. Bytes do not jitter, so they are asserted."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.page_weight import weigh

pytestmark = pytest.mark.browser
LOGIN_KB = 190
REGISTER_KB = 200
HOME_KB = 200
READINGS_KB = 560
SECTION_KB, STAFF_KB = 20, 30
"""Of one answer over the socket, before it is compressed."""


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


@pytest.mark.parametrize(
    ("login", "home", "most_kb"), [(seed.SUBSCRIBER, "/", SECTION_KB), (seed.ADMIN, "/admin", STAFF_KB)]
)
async def test_no_answer_is_large_nor_is_that_of_a_reload_after_every_page(
    page: Page, site: Site, login: str, home: str, most_kb: int
) -> None:
    answers: list[int] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda text: answers.append(len(str(text).encode()))),
    )
    await sign_in(page, site, login)
    links = page.locator("nav a[href^='/']")
    await links.first.wait_for()
    await expect(page).to_have_url(f"{site.url}{home}")
    sections = list(dict.fromkeys([await link.get_attribute("href") for link in await links.all()]))
    assert len(sections) >= 6
    for section in sections:
        await page.locator(f"nav a[href='{section}']").first.dispatch_event("click")
        await expect(page).to_have_url(f"{site.url}{section}")
        await expect(page.locator("main").get_by_text("Загрузка", exact=True)).to_have_count(0)
    walked, answers[:] = sum(answers), []

    await page.reload()
    await links.first.wait_for()
    await expect(page.locator("main").get_by_text("Загрузка", exact=True)).to_have_count(0)

    assert 0 < max(answers) <= most_kb * 1000, answers
    assert sum(answers) < walked / 2, walked
