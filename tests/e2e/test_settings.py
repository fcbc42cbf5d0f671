"""/settings, /new-password and /consent as a person uses them, each with a login of the test's own."""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from lk_portal.services import access, temporary_passwords
from lk_portal.services.access import Role
from lk_portal.services.database import Database
from tests import factories
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import TELEPHONE, Site, sign_in
from tests.smtp_server import plain_text, secret_in

pytestmark = pytest.mark.browser
NEW_PASSWORD = "Another-horse-2026"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """A subscriber of the running portal."""

    user_id: int
    email: str
    name: str


async def in_database(site: Site, work: Callable[[Database], Awaitable[object]]) -> object:
    database = Database(site.portal.database_address)
    try:
        return await work(database)
    finally:
        await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def person(site: Site) -> Person:
    number = next(_numbers)
    email, name = f"person{number}@example.com", f"Person {number}"

    async def add(database: Database) -> int:
        placed = await factories.a_metered_point(database)
        user_id = await access.create_user(
            database,
            site.settings,
            email=email,
            phone=None,
            role=Role.SUBSCRIBER,
            display_name=name,
            password=seed.PASSWORD,
            subscriber_id=placed.subscriber_id,
            now=datetime.now(UTC),
        )
        await factories.documents_accepted(database, user_id=user_id)
        return user_id

    user_id = await in_database(site, add)
    assert isinstance(user_id, int)
    return Person(user_id, email, name)


async def to_settings(page: Page, site: Site, person: Person, password: str = seed.PASSWORD) -> None:
    """Sign in and open the page by the menu under the person's name."""
    await sign_in(page, site, person.email, password)
    await page.get_by_label("Меню пользователя").click()
    await page.get_by_role("link", name="Настройка").click()
    await expect(page.get_by_role("button", name="Изменить: Email")).to_be_visible()


def form_with(page: Page, label: str) -> Locator:
    return page.locator("form").filter(has=page.get_by_label(label, exact=True))


async def apply(page: Page, label: str, value: str) -> None:
    """Fill a field of an open form and send the form."""
    await page.get_by_label(label, exact=True).fill(value)
    await form_with(page, label).get_by_role("button", name="Применить").click()


async def test_name_and_phone_are_changed_and_wrong_ones_are_not(
    page: Page, site: Site, person: Person
) -> None:
    await to_settings(page, site, person)
    await page.get_by_role("button", name="Изменить: ФИО").click()
    await apply(page, "ФИО", "я" * 300)
    await expect(page.get_by_role("alert").filter(has_text="от 1 до 200")).to_be_visible()
    await expect(page.get_by_label("ФИО", exact=True)).to_have_value("я" * 300)
    await apply(page, "ФИО", "<b>Пётр</b> 😀")
    await expect(page.get_by_text("Имя изменено.")).to_be_visible()
    await expect(page.locator("#name-value")).to_have_text("<b>Пётр</b> 😀")
    await expect(page.get_by_label("Меню пользователя")).to_contain_text("<b>Пётр</b> 😀")
    await expect(page.locator("#edit-name")).to_be_focused()

    await page.get_by_role("button", name="Изменить: Телефон").click()
    await apply(page, "Телефон", seed.PHONE)
    await expect(page.get_by_text("Этот номер телефона нельзя использовать.")).to_be_visible()
    await apply(page, "Телефон", f"8 913 000-00-{next(_numbers):02}")
    await expect(page.get_by_text("Номер телефона изменен.", exact=True)).to_be_visible()
    await expect(page.locator("#phone-value")).to_contain_text("+7 913 000-00-")


async def test_a_new_email_is_active_after_its_code(page: Page, site: Site, person: Person) -> None:
    new = f"new-{person.email}"
    await to_settings(page, site, person)
    await page.get_by_role("button", name="Изменить: Email").click()
    await expect(page.get_by_label("Email", exact=True)).to_be_focused()
    await apply(page, "Email", "not an address")
    await expect(page.get_by_text("Это не адрес электронной почты.")).to_be_visible()
    await apply(page, "Email", new)
    await expect(page.get_by_label("Код из письма")).to_be_focused()
    await expect(page.locator("#email-value")).to_have_text(person.email)

    code = secret_in(await letter_to(page, site, new))
    await apply(page, "Код из письма", "000000" if code != "000000" else "000001")
    await expect(page.get_by_text("Неверный код.")).to_be_visible()
    await page.reload()
    await apply(page, "Код из письма", code)
    await expect(page.locator("#email-value")).to_have_text(new)
    told = plain_text(await letter_to(page, site, person.email))
    assert "n***@example.com" in told
    assert new not in told


async def letter_to(page: Page, site: Site, address: str):  # type: ignore[no-untyped-def]
    """The newest letter to an address, once there is one."""
    for _ in range(300):
        if found := site.mail.letters_to(address):
            return found[-1]
        await page.wait_for_timeout(100)
    raise AssertionError(f"no letter came to {address}")


async def test_an_address_with_an_owner_gets_a_letter_and_no_code(
    page: Page, site: Site, person: Person
) -> None:
    before = len(site.mail.letters_to(seed.ADMIN))
    await to_settings(page, site, person)
    await page.get_by_role("button", name="Изменить: Email").click()
    await apply(page, "Email", seed.ADMIN)

    await expect(page.get_by_text("Письмо отправлено на адрес")).to_be_visible()
    await expect(page.get_by_label("Код из письма")).to_be_visible()
    for _ in range(300):
        if len(site.mail.letters_to(seed.ADMIN)) > before:
            break
        await page.wait_for_timeout(100)
    assert "уже есть" in str(site.mail.letters_to(seed.ADMIN)[-1]["subject"])
    await form_with(page, "Код из письма").get_by_role("button", name="Отмена").click()
    await expect(page.get_by_label("Код из письма")).not_to_be_visible()
    await expect(page.locator("#edit-email")).to_be_focused()


async def test_a_new_password_asks_for_the_old_one_and_ends_other_sessions(
    page: Page, site: Site, person: Person, browser: Browser
) -> None:
    elsewhere = await (await browser.new_context(locale="ru-RU")).new_page()
    await to_settings(elsewhere, site, person)
    await to_settings(page, site, person)
    for old, new, repeat, said in (
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "#old-error"),
        (seed.PASSWORD, "short", "short", "#password-error"),
        (seed.PASSWORD, NEW_PASSWORD, "Different-horse-2026", "#password2-error"),
    ):
        await change_password(page, old, new, repeat)
        await expect(page.locator(said)).not_to_be_empty()
        await expect(page.locator(said.replace("-error", ""))).to_be_focused()
    await change_password(page, seed.PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
    await expect(page.locator("#password-done")).not_to_be_empty()

    await elsewhere.goto(f"{site.url}/settings")
    await expect(elsewhere.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await sign_in(elsewhere, site, person.email, NEW_PASSWORD)
    await expect(elsewhere.get_by_role("heading", name="Настройка")).to_be_visible()


async def change_password(page: Page, old: str, new: str, repeat: str) -> None:
    if await page.get_by_label("Старый пароль").count() == 0:
        await page.get_by_role("button", name="Изменить: Пароль").click()
    await page.get_by_label("Старый пароль").fill(old)
    await page.get_by_label("Новый пароль", exact=True).fill(new)
    await page.get_by_label("Повторите новый пароль").fill(repeat)
    async with page.expect_navigation():
        await form_with(page, "Старый пароль").get_by_role("button", name="Применить").click()


async def test_sessions_are_listed_and_ended(
    page: Page, site: Site, person: Person, browser: Browser
) -> None:
    others = [await (await browser.new_context(locale="ru-RU")).new_page() for _ in range(3)]
    for other in others:
        await to_settings(other, site, person)
    await to_settings(page, site, person)
    await expect(page.get_by_text("этот сеанс")).to_have_count(1)
    ends = page.get_by_role("button", name="Завершить: Chrome")
    await expect(ends).to_have_count(3)

    await ends.first.click()  # the newest of the others
    await expect(ends).to_have_count(2)
    await others[2].goto(f"{site.url}/settings")
    await expect(others[2].get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await page.get_by_role("button", name="Завершить все остальные").click()
    await expect(ends).to_have_count(0)
    for other in others[:2]:
        await other.goto(f"{site.url}/settings")
        await expect(other.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Изменить: Email")).to_be_visible()


async def test_the_data_are_taken_along(page: Page, site: Site, person: Person) -> None:
    await to_settings(page, site, person)

    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Скачать мои данные").click()

    download = await waiting.value
    text = (await download.path()).read_text(encoding="utf-8")
    assert download.suggested_filename.endswith(".json")
    assert json.loads(text)["login"]["email"] == person.email
    assert seed.CANARY not in text


async def test_without_consent_the_cabinet_is_closed_until_it_is_given_again(
    page: Page, site: Site, person: Person
) -> None:
    await to_settings(page, site, person)
    await page.locator("summary", has_text="Отозвать согласие").click()
    await page.get_by_role("button", name="Отозвать согласие").click()
    await expect(page.get_by_text("Поставьте отметку, если вы уверены.")).to_be_visible()
    await expect(page.get_by_label("Я понимаю, что кабинет будет закрыт")).to_be_focused()
    await page.get_by_label("Я понимаю, что кабинет будет закрыт").check()
    await page.get_by_role("button", name="Отозвать согласие").click()
    await expect(page.get_by_role("heading", name="Примите документы")).to_be_visible()

    await page.goto(f"{site.url}/readings")
    await expect(page.get_by_role("heading", name="Примите документы")).to_be_visible()
    await page.get_by_role("button", name="Принять").click()
    await expect(page.locator("#consent-error")).not_to_be_empty()
    await expect(page.get_by_label("Я принимаю условия")).to_have_count(0)
    await page.get_by_label("Я даю согласие на обработку персональных данных").check()
    await page.get_by_role("button", name="Принять").click()
    await expect(page.get_by_role("heading", name="Показания")).to_be_visible()


async def test_the_password_from_a_letter_opens_only_the_choice_of_another(
    page: Page, site: Site, person: Person
) -> None:
    async def renew(database: Database) -> str | None:
        return await temporary_passwords.renew(
            database, site.settings, user_id=person.user_id, now=datetime.now(UTC)
        )

    temporary = await in_database(site, renew)
    await sign_in(page, site, person.email, str(temporary))
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()
    await page.goto(f"{site.url}/settings")
    await expect(page.get_by_role("heading", name="Новый пароль")).to_be_visible()

    for new, repeat, said in (
        ("short", "short", "#password-error"),
        (NEW_PASSWORD, "x", "#password2-error"),
    ):
        await choose(page, new, repeat)
        await expect(page.locator(said)).not_to_be_empty()
    await choose(page, NEW_PASSWORD, NEW_PASSWORD)
    await expect(page.get_by_role("heading", name="Настройка")).to_be_visible()


async def choose(page: Page, new: str, repeat: str) -> None:
    await page.get_by_label("Новый пароль", exact=True).fill(new)
    await page.get_by_label("Повторите новый пароль").fill(repeat)
    await page.get_by_role("button", name="Применить").click()


async def test_erased_data_let_nobody_in(page: Page, site: Site, person: Person) -> None:
    await to_settings(page, site, person)
    for password in ("wrong", seed.PASSWORD):
        if await page.get_by_label("Ваш пароль").is_hidden():
            await page.locator("summary", has_text="Удалить мои данные").click()
        await page.get_by_label("Я понимаю, что отменить это нельзя").check()
        await page.get_by_label("Ваш пароль").fill(password)
        await page.get_by_role("button", name="Удалить мои данные").click()
        if password == "wrong":
            await expect(page.get_by_text("Неверный пароль.")).to_be_visible()
    await expect(page.get_by_text("Ваши данные удалены.")).to_be_visible()

    await sign_in(page, site, person.email)
    await expect(page.get_by_role("alert")).to_have_text("Неверный логин или пароль")
    assert "удалены" in str((await letter_to(page, site, person.email))["subject"])


async def test_staff_has_settings_too(page: Page, site: Site) -> None:
    await sign_in(page, site, seed.OPERATOR)
    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
    await page.goto(f"{site.url}/settings")

    await expect(page.get_by_role("button", name="Изменить: Email")).to_be_visible()
    await expect(page.get_by_text("Удалить мои данные")).to_have_count(0)
    await expect(page.get_by_text("Отозвать согласие")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_open_forms_shut_nobody_out(browser: Browser, site: Site, person: Person, scheme: str) -> None:
    require_axe()
    context = await browser.new_context(viewport=TELEPHONE, color_scheme=scheme, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await to_settings(page, site, person)
    for summary in await page.locator("main summary").all():
        await summary.click()
    found = []
    for row in ("ФИО", "Email", "Телефон", "Пароль"):
        await page.get_by_role("button", name=f"Изменить: {row}").click()
        await expect(page.get_by_role("button", name="Отмена")).to_be_visible()
        await page.wait_for_timeout(300)
        found += await violations(page)
    await page.get_by_role("button", name="Изменить: Email").click()
    await apply(page, "Email", "not an address")
    await expect(page.get_by_text("Это не адрес электронной почты.")).to_be_visible()
    found += await violations(page)

    assert found == []
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= TELEPHONE["width"]
