"""The server goes away under an open page and comes back: the page says so, and goes on by itself."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from playwright.async_api import TimeoutError as TooLateError

from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.portal_process import free_port, running_portal

pytestmark = pytest.mark.browser
LOST = "Нет связи с сервером. Страница продолжит работу, когда связь восстановится."


async def test_an_open_page_outlives_a_restart(tmp_path: Path, page: Page) -> None:
    settings = load_settings(environment="demo", data_dir=tmp_path, bcrypt_rounds=4, database_url="")
    migrate(settings.database_address)
    database = Database(settings.database_address)
    await seed.plant(database, settings, simulator_port=1)
    await database.close()
    port = free_port()
    banner = page.get_by_text(LOST)

    with running_portal(tmp_path, port=port, LK_IS_WORKER_EMBEDDED="false") as portal:
        await page.goto(f"{portal.url}/login")
        await page.get_by_label("Логин").fill(seed.SUBSCRIBER)
        await page.get_by_label("Пароль").fill(seed.PASSWORD)
        await page.get_by_role("button", name="Войти").click()
        await page.get_by_role("link", name="Показания").first.click()
        await expect(page.get_by_label("Интервал")).to_have_value("month")
        await expect(banner).to_have_count(0)
    await expect(banner).to_be_visible(timeout=30_000)
    await expect(page.get_by_role("heading", name="График потребления")).to_be_visible()

    with running_portal(tmp_path, port=port, LK_IS_WORKER_EMBEDDED="false"):
        await expect(banner).to_have_count(0, timeout=60_000)
        await choose_the_year(page)
        await expect(page.get_by_role("heading", name=re.compile(r"^20\d\d$"))).to_be_visible()


async def choose_the_year(page: Page) -> None:
    """The form waits until it is filled again; who chose in the moment before that chooses once more."""
    for _attempt in range(3):
        await page.get_by_label("Интервал").select_option("Год")
        await page.get_by_role("button", name="Показать").click()
        with contextlib.suppress(TooLateError):
            await page.wait_for_url(re.compile("interval=year"), timeout=6_000)
            return
    await page.wait_for_url(re.compile("interval=year"))
