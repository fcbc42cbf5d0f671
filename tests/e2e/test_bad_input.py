"""What people mistype and enemies type into the forms of the sign-in area: the answer on the screen."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, Site
from tests.e2e.hands import Pointer
from tests.e2e.line import Line
from tests.e2e.newcomers import (
    REFUSED,
    WELCOME,
    choose_password,
    digits_on,
    fill_in,
    letter,
    newcomer,
    sign_in,
    sign_out,
)
from tests.e2e.sessions import forget_attempts, in_database
from tests.smtp_server import html_text, secret_in

pytestmark = pytest.mark.browser
NO_MATCH = "Номер лицевого счета и адрес не соответствуют друг другу"
CODE = "Введите проверочный код с картинки"
SQL = "'; DROP TABLE portal_user; --"
HTML = "<img src=x onerror=alert(1)>"
LONG_CYRILLIC = "Ёжик-в-тумане-видел-лошадь-" * 3 + "и-не-узнал-ее-потому-чт"


@pytest.fixture(autouse=True)
def unthrottled(site: Site) -> None:
    forget_attempts(site)


@pytest_asyncio.fixture(loop_scope="session")
async def form(page: Page, site: Site) -> Pointer:
    """/register, open and connected."""
    await page.goto(f"{site.url}/register")
    await expect(page.get_by_role("img")).to_be_visible()
    return Pointer(page)


async def test_every_mistake_gets_its_sentence_and_nothing_typed_is_lost(form: Pointer, site: Site) -> None:
    page, who = form.page, newcomer(3, "mistakes@example.com")
    before = people(site)
    await fill_in(form, site, who)

    async def send(label: str, text: str, said: str, error: str) -> None:
        """Type it, send the form, and see what is said there; then type the right thing again."""
        right = await page.get_by_label(label, exact=True).input_value()
        await form.fill(label, text)
        await form.press("Зарегистрироваться")
        await expect(page.locator(error)).to_contain_text(said)
        if label != CODE:
            await expect(page.get_by_label(label, exact=True)).to_have_value(text)
            await form.fill(label, right)
        await expect(page.get_by_label("ФИО")).not_to_have_value("")

    await send("ФИО", "я" * 300, "Не больше 200 знаков", "#full_name-error")
    await send("Email*", "anna@", "Это не адрес электронной почты", "#email-error")
    await send("Телефон*", "8 913", "Это не номер телефона", "#phone-error")
    await send(CODE, "", "Введите цифры, которые видите на картинке", "#captcha-error")
    await send(CODE, "000000", "Цифры введены неверно", "#captcha-error")

    for label, text in (("Лицевой счет*", "999"), ("Адрес*", "г. Омск, ул. Чужая, д.1")):
        await form.fill(CODE, await fresh_digits(page, site))
        await send(label, text, NO_MATCH, "#match-error")

    await form.fill(CODE, await fresh_digits(page, site))
    in_database(site, "UPDATE captcha_challenge SET expires_at = 1 WHERE purpose = 'register'")
    await form.press("Зарегистрироваться")
    await expect(page.locator("#captcha-error")).to_contain_text("Картинка устарела")
    await page.get_by_role("checkbox").first.uncheck()
    await expect(page.get_by_role("button", name="Зарегистрироваться")).to_be_disabled()

    assert people(site) == before
    assert site.mail.letters_to(who.email) == []


async def test_odd_names_addresses_and_passwords_work(form: Pointer, site: Site, browser: Browser) -> None:
    """A Cyrillic domain; emoji, SQL and HTML as text; a password of 100 letters of which each one counts."""
    page, name = form.page, f"Анна 😀 {HTML} {SQL}"
    await fill_in(form, site, newcomer(4, "anna@почта.рф"))
    await form.fill("ФИО", name)
    await form.press("Зарегистрироваться")
    await expect(page.get_by_role("heading", name="Письмо отправлено")).to_be_visible()
    welcome = await letter(site, "anna@xn--80a1acny.xn--p1ai", subject=WELCOME)
    assert HTML not in html_text(welcome)

    await form.press("Ко входу", role="link")
    await sign_in(form, "ANNA@Почта.РФ", secret_in(welcome))
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    assert len(LONG_CYRILLIC) == 104
    password = LONG_CYRILLIC[:100]
    await choose_password(form, password)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await expect(page.get_by_label("Меню пользователя")).to_contain_text(HTML)
    assert await page.locator("img[src=x]").count() == 0

    await sign_out(form)
    await sign_in(form, "anna@почта.рф", password[:-1] + "ь")
    await expect(page.get_by_role("alert")).to_have_text(REFUSED)
    await sign_in(form, "anna@xn--80a1acny.xn--p1ai", password)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()


@pytest.mark.parametrize("text", [SQL, HTML, "😀" * 60, "' OR '1'='1", "я" * 250])
async def test_hostile_texts_are_texts(page: Page, site: Site, text: str) -> None:
    before = people(site)
    hands = Pointer(page)
    await page.goto(f"{site.url}/login")
    await sign_in(hands, text, text)
    await expect(page.get_by_role("alert")).to_have_text(REFUSED)
    await expect(page.get_by_label("Логин")).to_have_value(text)

    await page.goto(f"{site.url}/recover")
    await hands.fill("Email", text)
    await hands.fill(CODE, await digits_on(page, site, "recover"))
    await hands.press("Применить")
    await expect(page.locator("#email-error")).to_contain_text("Это не адрес электронной почты")
    await expect(page.get_by_label("Email")).to_have_value(text)

    await page.goto(f"{site.url}/info/{text[:20].replace('/', '')}")
    await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
    assert await page.locator("img[src=x]").count() == 0
    assert people(site) == before


async def test_a_double_click_and_a_second_tab_make_one_person(form: Pointer, site: Site) -> None:
    page, who = form.page, newcomer(5, "twice@example.com")
    other = Pointer(await page.context.new_page())
    await other.page.goto(f"{site.url}/register")
    await fill_in(form, site, who)

    await page.get_by_role("button", name="Зарегистрироваться").dblclick()

    await expect(page.get_by_role("heading", name="Письмо отправлено")).to_be_visible()
    first = secret_in(await letter(site, who.email, subject=WELCOME))
    await asyncio.sleep(1)
    assert len(site.mail.letters_to(who.email)) == 1

    await other.page.reload()
    await fill_in(other, site, who)
    await other.press("Зарегистрироваться")
    await expect(other.page.get_by_role("heading", name="Письмо отправлено")).to_be_visible()
    second = secret_in(await letter(site, who.email, subject=WELCOME, number=2))
    assert in_database(site, "SELECT count(*) FROM portal_user WHERE email = ?", who.email) == [(1,)]
    await page.goto(f"{site.url}/login")
    await sign_in(form, who.email, first)
    await expect(page.get_by_role("alert")).to_have_text(REFUSED)
    await sign_in(form, who.email, second)
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()


async def test_an_account_with_an_owner_is_left_to_the_utility(
    form: Pointer, site: Site, browser: Browser
) -> None:
    """The page says so, the owner keeps everything, and what was asked for is kept for the staff."""
    page, who = form.page, newcomer(6, "claimant@example.com")
    street, house = in_database(
        site,
        "SELECT street, house FROM premises JOIN account ON premises.id = premises_id WHERE number = ?",
        seed.OWNED_ACCOUNT,
    )[0]
    await fill_in(form, site, who)
    await form.fill("Лицевой счет*", seed.OWNED_ACCOUNT)
    await form.fill("Адрес*", f"г Омск {street} {house}")
    await form.press("Зарегистрироваться")

    await expect(page.get_by_role("heading", name="Заявка передана")).to_be_visible()
    told = await letter(site, who.email, subject="заявка")
    assert seed.SUBSCRIBER not in html_text(told)
    kept = in_database(site, "SELECT email, closed_at FROM account_claim ORDER BY id DESC LIMIT 1")
    assert kept == [(who.email, None)]
    owner = await (await browser.new_context(viewport=DESKTOP, locale="ru-RU")).new_page()  # type: ignore[arg-type]
    await owner.goto(f"{site.url}/login")
    await sign_in(Pointer(owner), seed.SUBSCRIBER, seed.PASSWORD)
    await expect(owner.get_by_text(seed.CANARY).first).to_be_visible()


async def test_a_known_and_an_unknown_email_hear_the_same(page: Page, site: Site) -> None:
    hands = Pointer(page)
    await page.goto(f"{site.url}/login")
    said = []
    for email in ("nobody-at-all@example.com", seed.OPERATOR):
        await hands.press("Забыли пароль?", role="link")
        await hands.fill("Email", email)
        await hands.fill(CODE, await digits_on(page, site, "recover"))
        await hands.press("Применить")
        await expect(page.locator("#done")).to_be_visible()
        said.append(await page.inner_html("#done"))
        await hands.press("Заполнить форму еще раз")
        await hands.press("Отмена", role="link")

    assert said[0] == said[1]
    await letter(site, seed.OPERATOR, subject="восстановление доступа")
    assert site.mail.letters_to("nobody-at-all@example.com") == []


async def fresh_digits(page: Page, site: Site) -> str:
    """Of a new picture: what was typed for the last is used up or of no use."""
    old = await page.get_by_role("img").get_attribute("src")
    await page.get_by_role("button", name="Обновить картинку").click()
    await expect(page.get_by_role("img")).not_to_have_attribute("src", str(old))
    return await digits_on(page, site, "register")


def people(site: Site) -> list[tuple[object, ...]]:
    """All who may sign in or have begun to register."""
    return in_database(site, "SELECT id, email, phone, display_name FROM portal_user ORDER BY id")


async def test_a_filled_form_is_sent_after_the_connection_was_lost(page: Page, site: Site) -> None:
    """As on a telephone in a lift: texts, ticks and picture are still there, and good."""
    line = await Line.of(page)
    await page.goto(f"{site.url}/register")
    await expect(page.get_by_role("img")).to_be_visible()
    form, who = Pointer(page), newcomer(9, "lift@example.com")
    await fill_in(form, site, who)
    picture = await page.get_by_role("img").get_attribute("src")

    await line.cut()

    assert await page.get_by_role("img").get_attribute("src") == picture
    await form.press("Зарегистрироваться")
    await expect(page.get_by_role("heading", name="Письмо отправлено")).to_be_visible()
    await letter(site, who.email, subject=WELCOME)
