"""What guards the staff's side, in a browser: the second factor, and looking through a subscriber's eyes."""

from __future__ import annotations

import re

import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.e2e.sessions import forget_attempts, in_database

pytestmark = pytest.mark.browser


async def test_an_operator_sets_a_second_factor_up_and_signs_in_with_it(page: Page, site: Site) -> None:
    forget_attempts(site)
    try:
        await sign_in(page, site, seed.OPERATOR)
        await page.goto(f"{site.url}/admin/second-factor")
        await page.get_by_role("button", name="Настроить второй фактор").click()
        await expect(page.get_by_role("img", name="Ключ в виде QR-кода")).to_be_visible()
        key = (await page.locator("#factor-key").inner_text()).replace(" ", "")
        codes = await page.get_by_label("Коды восстановления").locator("code").all_inner_texts()
        assert len(codes) == 10

        await page.get_by_label("Код из приложения").fill("000000")
        await page.get_by_role("button", name="Включить").click()
        await expect(page.get_by_text("Код неверный")).to_have_count(0)
        await page.get_by_role("button", name="Настроить второй фактор").click()
        assert (await page.locator("#factor-key").inner_text()).replace(" ", "") == key, "still the same key"
        await page.get_by_label("Код из приложения").fill(pyotp.TOTP(key).now())
        await page.get_by_role("button", name="Включить").click()
        await expect(page.get_by_text("Осталось кодов восстановления: 10")).to_be_visible()

        await page.context.clear_cookies()
        await sign_in(page, site, seed.OPERATOR)
        await expect(page.get_by_role("heading", name="Второй фактор")).to_be_visible()
        await page.goto(f"{site.url}/admin/second-factor")
        await expect(page).to_have_url(re.compile("/second-factor\\?next="))
        await page.get_by_label("Код из приложения").fill("000000")
        await page.get_by_role("button", name="Войти").click()
        await expect(page.get_by_text("Код неверный, устарел или уже использован.")).to_be_visible()
        await page.get_by_label("Код из приложения").fill(codes[0])
        await page.get_by_role("button", name="Войти").click()
        await expect(page.get_by_text("Осталось кодов восстановления: 9")).to_be_visible()
    finally:
        for table in ("second_factor", "recovery_code"):
            in_database(site, f"DELETE FROM {table}")
        forget_attempts(site)


async def test_an_operator_looks_through_a_subscribers_eyes(page: Page, site: Site) -> None:
    [(subscriber,)] = in_database(
        site, "SELECT subscriber_id FROM portal_user WHERE email = ?", seed.SUBSCRIBER
    )
    await sign_in(page, site, seed.OPERATOR)
    await page.goto(f"{site.url}/admin/as/{subscriber}?back=/settings")
    await page.get_by_role("button", name="Открыть кабинет").click()

    banner = page.get_by_text("Вы смотрите глазами абонента")
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    for address in ("/", "/accounts", "/readings", "/diagnostics", "/support", "/info", "/settings"):
        await page.goto(f"{site.url}{address}")
        await expect(banner).to_be_visible()
    await page.get_by_role("button", name="Изменить: ФИО").first.click()
    await expect(page.get_by_text("Вы только смотрите. Ничего не изменено.")).to_be_visible()

    await page.get_by_role("button", name="Закончить").click()
    await expect(page).to_have_url(re.compile("/settings"))
    await expect(banner).to_have_count(0)
    await page.goto(f"{site.url}/readings")
    await expect(page).to_have_url(re.compile("/not-found"))

    await page.context.clear_cookies()
    await sign_in(page, site, seed.SUBSCRIBER)
    await page.goto(f"{site.url}/settings")
    await expect(
        page.get_by_text("Сотрудник компании открыл ваш кабинет для просмотра").first
    ).to_be_visible()
    await expect(
        page.get_by_text("Сотрудник компании закончил просмотр вашего кабинета").first
    ).to_be_visible()


async def test_a_subscriber_opens_nobodys_cabinet(page: Page, site: Site) -> None:
    await sign_in(page, site, seed.STRANGER)
    await page.goto(f"{site.url}/admin/as/1")
    await expect(page).to_have_url(re.compile("/not-found"))
    answer = await page.request.post(
        f"{site.url}/auth/view", form={"subscriber": "1"}, headers={"Origin": site.url}, max_redirects=0
    )
    assert answer.headers["location"] == "/not-found"
