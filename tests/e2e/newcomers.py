"""Somebody who registers, and the steps of the sign-in area, with the words of spec.md."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from email.message import EmailMessage

from playwright.async_api import Page, expect

from tests.e2e import seed
from tests.e2e.captcha_answers import digits_of, newest_digits
from tests.e2e.conftest import Site
from tests.e2e.hands import Pointer

AGREEMENT = "Я принимаю условия Пользовательского соглашения"
CONSENT = "Я даю согласие на обработку персональных данных"
WELCOME, RECOVERY = "для входа в личный кабинет", "восстановление доступа"
RECORDING = re.compile(r"/captcha/([^./]+)\.wav")
REFUSED = "Неверный логин или пароль"


@dataclass(frozen=True)
class Newcomer:
    """What a person types into the form of registration."""

    account: str
    address: str
    typed: str
    name: str
    email: str
    phone: str


def newcomer(house: int, email: str) -> Newcomer:
    """The future owner of a house in the free street."""
    return Newcomer(
        account=seed.FREE_ACCOUNTS[house - 1],
        address=f"г. Омск, {seed.FREE_STREET}, д.{house}",
        typed=f"омск вольная {house}",
        name="Новикова Анна Сергеевна",
        email=email,
        phone=f"8 (913) 700-00-{house:02}",
    )


async def fill_in(hands: Pointer, site: Site, who: Newcomer) -> None:
    """All of the form; only the button is left to press."""
    await hands.fill("Лицевой счет*", who.account)
    await hands.choose_address(who.typed, who.address)
    await expect(hands.page.get_by_label("Адрес*")).to_have_value(who.address)
    await hands.fill("ФИО", who.name)
    await hands.fill("Email*", who.email)
    await hands.fill("Телефон*", who.phone)
    await expect(hands.page.get_by_role("button", name="Зарегистрироваться")).to_be_disabled()
    await hands.tick(AGREEMENT)
    await hands.tick(CONSENT)
    await hands.fill("Введите проверочный код с картинки", await digits_on(hands.page, site, "register"))


async def recover(hands: Pointer, site: Site, email: str) -> None:
    """From /login: ask for a temporary password."""
    await hands.press("Забыли пароль?", role="link")
    await expect(hands.page.get_by_role("heading", name="Восстановление пароля")).to_be_visible()
    await hands.fill("Email", email)
    await hands.fill("Введите проверочный код с картинки", await digits_on(hands.page, site, "recover"))
    await hands.press("Применить")
    await expect(hands.page.get_by_text("Если этот адрес известен личному кабинету")).to_be_visible()
    await hands.press("Ко входу", role="link")


async def sign_in(hands: Pointer, login: str, password: str) -> None:
    """The form of /login, which is open."""
    await hands.fill("Логин", login)
    await hands.fill("Пароль", password)
    await hands.press("Войти")


async def sign_out(hands: Pointer) -> None:
    """By the menu under the person's name."""
    await hands.open_menu("Меню пользователя")
    await hands.press("Выйти")
    await expect(hands.page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()


async def choose_password(hands: Pointer, password: str) -> None:
    """The form of /new-password, which is open."""
    await hands.fill("Новый пароль", password)
    await hands.fill("Повторите новый пароль", password)
    await hands.press("Применить")


async def digits(site: Site, purpose: str) -> str:
    """What the newest picture shows."""
    return await asyncio.to_thread(newest_digits, site.portal.data_dir / "portal.sqlite3", purpose=purpose)


async def digits_on(page: Page, site: Site, purpose: str) -> str:
    """What the picture on this very page shows, once it stays: a page that is opened again gets a new one."""
    before = ""
    for _ in range(60):
        shown = await page.locator("#captcha-recording").get_attribute("src") or ""
        key = RECORDING.match(shown)
        if key and shown == before:
            database = site.portal.data_dir / "portal.sqlite3"
            if found := await asyncio.to_thread(digits_of, database, audio_key=key[1], purpose=purpose):
                return found
        before = shown
        await asyncio.sleep(0.4)
    raise AssertionError(f"{page.url} shows no picture for {purpose}")


async def letter(site: Site, address: str, *, subject: str, number: int = 1) -> EmailMessage:
    """The letter to somebody with these words in its subject, once so many of them have come."""
    found: list[EmailMessage] = []
    for _ in range(300):
        found = [one for one in site.mail.letters_to(address) if subject in str(one["subject"])]
        if len(found) >= number:
            return found[number - 1]
        await asyncio.sleep(0.1)
    subjects = [str(one["subject"]) for one in site.mail.letters_to(address)]
    raise AssertionError(f"{len(found)} letters about {subject!r} came to {address}; in all: {subjects}")
