"""One portal, one simulated meter, one mail server and one browser for all browser and socket tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import Settings, load_settings
from tests.e2e import seed
from tests.portal_process import RunningPortal, free_port, portal_environment, running_portal, stop
from tests.smtp_server import SmtpServer

POLL_S = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
# A busy machine may take its time; what never comes fails all the same.
expect.set_options(timeout=20_000)
DESKTOP = {"width": 1280, "height": 900}
TELEPHONE = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in one event loop, for the browser they share lives in it.

    One that presses in a browser and fails is run once more: browser, portal, worker and meter share two
    processors with other tests, and a press may be sooner than what it is meant for. What fails twice has
    failed; what failed once is told at the end, with its reason, so that somebody looks (tests/conftest.py).
    Tests that speak to the portal without a browser - who may fire what, above all - are never run twice.
    """
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know, when they end, whether the test failed."""
    report = yield
    item.stash[FAILED] = report.failed or (call.when != "setup" and item.stash.get(FAILED, False))
    return report


@dataclass(frozen=True)
class Site:
    """The running portal, what was planted in it, and where its letters arrive."""

    portal: RunningPortal
    seed: seed.Seed
    settings: Settings
    mail: SmtpServer

    @property
    def url(self) -> str:
        return self.portal.url


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A portal with its worker, polling one simulated meter every few seconds."""
    data_dir = tmp_path_factory.mktemp("portal")
    port = free_port()
    settings = load_settings(
        environment="demo", data_dir=data_dir, bcrypt_rounds=4, timezone="Asia/Omsk", database_url=""
    )
    migrate(settings.database_address)
    planted = asyncio.run(_plant(settings, port))
    simulator = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "lk_portal",
            "simulate",
            "--meters",
            "1",
            "--port",
            str(port),
            "--speed",
            "20",
        ],
        env=portal_environment(data_dir, port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with (
            SmtpServer() as mail,
            running_portal(data_dir, LK_POLL_INTERVAL_S=str(POLL_S), LK_SMTP_URL=mail.url) as portal,
        ):
            yield Site(portal, planted, settings, mail)
    finally:
        stop(simulator)


async def _plant(settings: Settings, port: int) -> seed.Seed:
    database = Database(settings.database_address)
    try:
        return await seed.plant(database, settings, simulator_port=port)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; its absence fails on CI and skips elsewhere."""
    for name in (os.environ.get("CHROMIUM", ""), *BROWSERS):
        found = shutil.which(name) if name else None
        if found:
            return found
    own = asyncio.run(_playwrights_own())
    if Path(own).exists():
        return own
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail("CI must test in a browser: no Chromium was found", pytrace=False)
    pytest.skip("browser tests need Chromium: apt-get install chromium")


async def _playwrights_own() -> str:
    """Where Playwright keeps the browser it downloads itself: Ubuntu has Chromium only as a snap."""
    async with async_playwright() as tools:
        return tools.chromium.executable_path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launched(chromium: str) -> AsyncIterator[Browser]:
    """One headless browser for all tests: starting it takes longer than many a test."""
    async with async_playwright() as tools:
        started = await tools.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(launched: Browser) -> AsyncIterator[Browser]:
    """The browser without windows, and without anything that another test left in it."""
    yield launched
    for context in launched.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> BrowserContext:
    """A desktop window, light, in Russian."""
    return await browser.new_context(viewport=DESKTOP, color_scheme="light", locale="ru-RU")


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """An empty tab of it; when the test fails, the report has what the tab showed last, and its errors."""
    opened = await context.new_page()
    opened.set_default_timeout(15_000)
    said: list[str] = []
    opened.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    opened.on("pageerror", lambda error: said.append(f"error: {error}"))
    yield opened
    if request.node.stash.get(FAILED, False) and not opened.is_closed():
        shown = await opened.locator("body").aria_snapshot()
        request.node.add_report_section("teardown", "page", "\n".join([opened.url, *said, shown]))


async def sign_in(
    page: Page, site: Site, login: str = seed.SUBSCRIBER, password: str = seed.PASSWORD
) -> None:
    """Fill in the form of /login and send it, as a person does."""
    if "/login" not in page.url:
        await page.goto(f"{site.url}/login")
    await page.get_by_label("Логин").fill(login)
    await page.get_by_label("Пароль").fill(password)
    await page.get_by_role("button", name="Войти").click()


def read_log(site: Site) -> str:
    """What the portal wrote so far."""
    return Path(site.portal.log).read_text(encoding="utf-8", errors="replace")
