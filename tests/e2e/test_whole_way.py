"""From nothing to a cabinet of one's own, as a person goes: the words are those of spec.md."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.async_api import Browser, Page, expect
from playwright.async_api import Error as PlaywrightError

from tests.e2e.conftest import DESKTOP, TELEPHONE, Site
from tests.e2e.hands import Keys, Pointer
from tests.e2e.newcomers import (
    RECOVERY,
    REFUSED,
    WELCOME,
    choose_password,
    fill_in,
    letter,
    newcomer,
    recover,
    sign_in,
    sign_out,
)
from tests.smtp_server import html_text, plain_text, secret_in

pytestmark = pytest.mark.browser
FIRST, SECOND = "Тихая-река-за-лесом-17", "Синий-чайник-на-плите-42"


@pytest.mark.parametrize(
    ("viewport", "kind", "house"),
    [(DESKTOP, Keys, 1), (TELEPHONE, Pointer, 2)],
    ids=["1280-keys-only", "390-touch"],
)
async def test_the_whole_way(
    browser: Browser, site: Site, viewport: dict[str, int], kind: type[Pointer], house: int
) -> None:
    page = await new_page(browser, viewport)
    hands, who = kind(page), newcomer(house, f"whole-way-{house}@example.com")
    await page.goto(f"{site.url}/login")

    await hands.press("Регистрация", role="link")
    await expect(page.get_by_role("heading", name="Регистрация")).to_be_visible()
    await fill_in(hands, site, who)
    await hands.press("Зарегистрироваться")
    await expect(page.get_by_role("heading", name="Письмо отправлено")).to_be_visible()
    await expect(page.get_by_text(who.email)).to_be_visible()
    welcome = await letter(site, who.email, subject=WELCOME)
    assert site.url in plain_text(welcome)
    assert secret_in(welcome) in html_text(welcome)
    await hands.press("Ко входу", role="link")

    # The mailed password opens nothing but the choice of another, and works once.
    await sign_in(hands, who.email, secret_in(welcome))
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    for address in ("/", "/readings", "/settings", "/consent"):
        await page.goto(f"{site.url}{address}")
        await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    await hands.press("Выйти")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(hands, who.email, secret_in(welcome))
    await expect(page.get_by_role("alert")).to_have_text(REFUSED)

    await recover(hands, site, who.email)
    again = secret_in(await letter(site, who.email, subject=WELCOME, number=2))
    await sign_in(hands, who.phone, again)
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    await choose_password(hands, FIRST)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await sign_out(hands)
    await sign_in(hands, who.email, FIRST)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()

    await forget_the_password(browser, site, page, hands, who.email)


async def forget_the_password(browser: Browser, site: Site, page: Page, hands: Pointer, login: str) -> None:
    """The old password works until the temporary one is used; then it is dead, and so is every session."""
    elsewhere = await new_page(browser, DESKTOP)
    await sign_out(hands)
    await recover(hands, site, login)
    temporary = secret_in(await letter(site, login, subject=RECOVERY))
    await elsewhere.goto(f"{site.url}/login")
    await sign_in(Pointer(elsewhere), login, FIRST)
    await expect(elsewhere.get_by_role("heading", name="Главная")).to_be_visible()

    await sign_in(hands, login, temporary)
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    await choose_password(hands, SECOND)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()

    # Her page there may learn of the end by itself, e.g. with the next reading of a meter.
    begin = elsewhere.get_by_role("heading", name="Вход в личный кабинет")
    section = elsewhere.get_by_role("link", name="Показания").first
    await expect(begin.or_(section)).to_be_visible()
    if await section.is_visible():
        with contextlib.suppress(PlaywrightError):
            await section.click(timeout=5_000)
    await expect(begin).to_be_visible()
    for dead in (FIRST, temporary):
        await sign_in(Pointer(elsewhere), login, dead)
        await expect(elsewhere.get_by_role("alert")).to_have_text(REFUSED)
    await sign_in(Pointer(elsewhere), login, SECOND)
    # To where she was going, or home, if her page had learnt of the end by itself before she clicked.
    await expect(elsewhere).to_have_url(re.compile(r"^[^/]+//[^/]+/(readings.*)?$"))


async def new_page(browser: Browser, viewport: dict[str, int]) -> Page:
    """A browser of somebody's own."""
    context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(15_000)
    return page
