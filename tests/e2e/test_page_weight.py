"""The budgets of bytes: pages stay light for a cheap telephone. Bytes do not jitter, so they are asserted."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.e2e.line import FILLED, Line
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
    ("login", "most_kb", "others"),
    [
        (seed.SUBSCRIBER, SECTION_KB, ("home_state", "readings_state")),
        (seed.ADMIN, STAFF_KB, ("desk_home_state", "polling_state")),
    ],
)
async def test_no_answer_is_large_nor_is_that_of_a_reload_after_every_page(
    page: Page, site: Site, login: str, most_kb: int, others: tuple[str, ...]
) -> None:
    answers: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: answers.append(str(text))))
    await sign_in(page, site, login)
    await walk(page, site, answers)
    walked, answers[:] = list(answers), []

    await page.reload()
    await filled(answers, 1)

    assert all(any(f"____{name}" in answer for answer in walked) for name in others)
    assert not any(f"____{name}" in answer for answer in answers for name in others)
    assert max(len(answer.encode()) for answer in walked + answers) <= most_kb * 1000


@pytest.mark.parametrize(
    ("login", "most_kb", "is_anothers"),
    [(seed.SUBSCRIBER, SECTION_KB, "tariffs_resource_state"), (seed.ADMIN, STAFF_KB, "diagnostics_state")],
)
async def test_a_connection_that_is_back_is_sent_only_what_the_tab_has_been_at(
    page: Page, site: Site, login: str, most_kb: int, is_anothers: str
) -> None:
    line = await Line.of(page)
    answers: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: answers.append(str(text))))
    await sign_in(page, site, login)
    await walk(page, site, answers)
    answers.clear()

    await line.cut()

    assert not any(f"____{is_anothers}" in answer for answer in answers)
    assert 2_000 < max(len(answer.encode()) for answer in answers) <= most_kb * 1000


async def walk(page: Page, site: Site, answers: list[str]) -> None:
    """Open every page of the menu, each when the one before it is filled."""
    links = page.locator("nav a[href^='/']")
    await links.first.wait_for()
    await filled(answers, 1)
    sections = list(dict.fromkeys([await link.get_attribute("href") for link in await links.all()]))
    assert len(sections) >= 6
    # The page that is open already first: going there again fills it again, and the last is another.
    for section in sections:
        before = sum(FILLED in answer for answer in answers)
        await page.locator(f"nav a[href='{section}']").first.dispatch_event("click")
        await expect(page).to_have_url(f"{site.url}{section}")
        await filled(answers, before + 1)


async def filled(answers: list[str], times: int) -> None:
    """Wait until pages were filled so many times."""
    async with asyncio.timeout(30):
        while sum(FILLED in answer for answer in answers) < times:  # noqa: ASYNC110 - the browser tells nobody
            await asyncio.sleep(0.05)
