"""The server goes away under an open page and comes back: the page says so, and goes on by itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from lk_portal.metering.simulator import serial_of
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.e2e.line import Line
from tests.portal_process import RunningPortal, free_port, running_portal

pytestmark = pytest.mark.browser
LOST = "Нет связи с сервером. Страница продолжит работу, когда связь восстановится."
EMPTY = "Заполните это поле."


@contextlib.asynccontextmanager
async def planted(data_dir: Path) -> AsyncIterator[Callable[[], AbstractContextManager[RunningPortal]]]:
    """What starts a portal over data of its own, always at the same address."""
    settings = load_settings(environment="demo", data_dir=data_dir, bcrypt_rounds=4, database_url="")
    migrate(settings.database_address)
    database = Database(settings.database_address)
    await seed.plant(database, settings, simulator_port=1)
    port = free_port()
    yield lambda: running_portal(data_dir, port=port, LK_IS_WORKER_EMBEDDED="false")
    await database.close()


async def come_in(page: Page, portal: RunningPortal, login: str, address: str = "/") -> None:
    await page.goto(f"{portal.url}/login?next={address}")
    await page.get_by_label("Логин").fill(login)
    await page.get_by_label("Пароль").fill(seed.PASSWORD)
    await page.get_by_role("button", name="Войти").click()
    await page.wait_for_url(f"{portal.url}{address}")


async def test_an_open_page_outlives_a_restart(tmp_path: Path, page: Page) -> None:
    banner = page.get_by_text(LOST)
    async with planted(tmp_path) as portal:
        with portal() as first:
            await come_in(page, first, seed.SUBSCRIBER)
            await page.get_by_role("link", name="Показания").first.click()
            await expect(page.get_by_label("Интервал")).to_be_enabled()
            await expect(banner).to_have_count(0)
        await expect(banner).to_be_visible(timeout=30_000)
        await expect(page.get_by_role("heading", name="График потребления")).to_be_visible()
        await page.get_by_label("Интервал").select_option("Год")

        with portal():
            await expect(banner).to_have_count(0, timeout=60_000)
            await expect(page.get_by_label("Интервал")).to_have_value("year")
            await page.get_by_role("button", name="Показать").click()
            await page.wait_for_url(re.compile("interval=year"))
            await expect(page.get_by_role("heading", name=re.compile(r"^20\d\d$"))).to_be_visible()


async def test_every_page_is_filled_after_the_line_was_cut(page: Page, site: Site) -> None:
    """Those that were open before, which other pages' states were emptied with, and those that were not."""
    shown = {
        "Показания": page.get_by_label("Прибор учета").locator(f"option[value='{site.seed.serial}']"),
        "Абонент": page.get_by_text(seed.OWNED_ACCOUNT),
        "Диагностика": page.get_by_role("heading", name=re.compile("Критические|Предупреждения")),
    }
    line = await Line.of(page)
    await sign_in(page, site)
    for name in ("Показания", "Абонент"):
        await page.get_by_role("link", name=name).first.click()
        await expect(shown[name].first).to_be_attached()

    await line.cut()

    for name in ("Диагностика", "Показания", "Абонент"):
        await page.get_by_role("link", name=name).first.click()
        await expect(shown[name].first).to_be_attached()
    await page.get_by_role("link", name="Главная").first.click()
    await expect(page.get_by_text(seed.OWNED_ACCOUNT).first).to_be_visible()


@pytest.mark.parametrize(
    ("address", "button", "label"),
    [
        ("/accounts", "Добавить лицевой счет", "Лицевой счет*"),
        ("/meters/{serial}", "Переименовать", "Наименование"),
        ("/settings", "Изменить: ФИО", "ФИО"),
        ("/settings", "Изменить: Пароль", "Старый пароль"),
    ],
)
async def test_a_form_that_is_open_outlives_a_cut_line(
    page: Page, site: Site, address: str, button: str, label: str
) -> None:
    """With what was typed. Going to the page once more is another matter: it begins anew."""
    address = address.format(serial=site.seed.serial)
    line = await Line.of(page)
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await page.goto(f"{site.url}{address}")
    await page.get_by_role("button", name=button).first.click()
    field = page.get_by_label(label, exact=True)
    await field.fill("123456789012")

    await line.cut()
    await expect(field).to_have_value("123456789012")
    await line.cut()
    await expect(field).to_have_value("123456789012")

    await page.evaluate("history.pushState({}, '', '?again'); dispatchEvent(new PopStateEvent('popstate'))")
    await expect(field).to_have_count(0)


async def test_a_period_that_is_being_chosen_outlives_a_cut_line(page: Page, site: Site) -> None:
    line = await Line.of(page)
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await page.goto(f"{site.url}/readings")
    await page.get_by_label("Интервал").select_option("Год")
    await expect(page.get_by_label("Месяц")).to_have_count(0)

    await line.cut()

    await expect(page.get_by_label("Интервал")).to_have_value("year")
    await page.get_by_role("button", name="Показать").click()
    await page.wait_for_url(re.compile("interval=year"))


async def test_what_is_shown_once_outlives_a_cut_line(page: Page, site: Site) -> None:
    """A key that a telephone may have read by now, and codes that are shown nowhere again."""
    line = await Line.of(page)
    await sign_in(page, site, seed.OPERATOR)
    await page.wait_for_url(f"{site.url}/admin")
    await page.goto(f"{site.url}/admin/second-factor")
    await page.get_by_role("button", name="Настроить второй фактор").click()
    codes = page.get_by_role("list", name="Коды восстановления")
    shown = await codes.inner_text()
    assert shown

    await line.cut()

    await expect(codes).to_be_visible()
    assert await codes.inner_text() == shown


async def test_what_staff_was_typing_outlives_a_restart(tmp_path: Path, page: Page) -> None:
    """In the form of a new row, in that of a row that is there, and in one that is a page."""
    forms = (
        ("/admin/tariffs?row=new", "Код*", EMPTY),
        ("/admin/tariffs?row=1", "Название*", "Сохранено"),
        (f"/admin/meters/{serial_of(1)}/replace", "№ пломбы", EMPTY),
    )
    tabs = [page, await page.context.new_page(), await page.context.new_page()]
    async with planted(tmp_path) as portal:
        with portal() as first:
            await come_in(page, first, seed.ADMIN, "/admin")
            for tab, (address, label, _said) in zip(tabs, forms, strict=True):
                await tab.goto(f"{first.url}{address}")
                await tab.get_by_label(label).fill("Н-900")
        await expect(page.get_by_text(LOST)).to_be_visible(timeout=30_000)

        with portal():
            for tab, (_address, label, said) in zip(tabs, forms, strict=True):
                await expect(tab.get_by_text(LOST)).to_have_count(0, timeout=60_000)
                await expect(tab.get_by_label(label)).to_have_value("Н-900")
                await tab.get_by_role("button", name=re.compile("^(Сохранить|Зарегистрировать)")).click()
                await expect(tab.get_by_text(said).first).to_be_visible()
