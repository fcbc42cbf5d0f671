"""What people unfold, open or get wrong on a page: steps for the test that nothing of it shuts anybody out.

Each step goes to its page and ends when what it is about is to be seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from lk_portal.metering.simulator import serial_of
from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.newcomers import AGREEMENT, CONSENT
from tests.e2e.sessions import in_database

Step = Callable[[Page, Site], Awaitable[None]]
ACCOUNT = f"лицевой счет {seed.OWNED_ACCOUNT}"


async def refused_sign_in(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/login")
    await page.get_by_label("Логин").fill("nobody@example.com")
    await page.get_by_label("Пароль").fill("wrong")
    await page.get_by_role("button", name="Войти").click()
    await expect(page.get_by_role("alert").filter(has_text="Неверный логин или пароль")).to_be_visible()


async def empty_registration(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/register")
    await expect(page.locator("main img")).to_be_visible()
    for sentence in (AGREEMENT, CONSENT):
        await page.get_by_role("checkbox", name=sentence).check()
    await page.get_by_role("button", name="Зарегистрироваться").click()
    await expect(page.locator("#account-error")).to_contain_text("Введите номер лицевого счета")
    await expect(page.locator("#email-error")).not_to_be_empty()


async def empty_recovery(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/recover")
    await expect(page.locator("main img")).to_be_visible()
    await page.get_by_role("button", name="Применить").click()
    await expect(page.locator("[aria-invalid='true']").first).to_be_visible()


async def folded_menu(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.locator("summary[aria-label^='Меню']").click()
    await expect(page.get_by_role("link", name="Диагностика").locator("visible=true")).to_be_visible()


async def own_menu(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.get_by_label("Меню пользователя").click()
    await expect(page.get_by_role("button", name="Выйти")).to_be_visible()


async def empty_account(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.get_by_role("button", name="Добавить лицевой счет").click()
    await page.get_by_role("button", name="Добавить", exact=True).click()
    await expect(page.locator("#address-error")).to_contain_text("Введите адрес")


async def found_addresses(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.get_by_role("button", name="Добавить лицевой счет").click()
    await page.get_by_label("Адрес*").press_sequentially("вольная", delay=20)
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_have_count(1)


async def note_of_account(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.get_by_role("button", name=f"Переименовать {ACCOUNT}").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def removal_of_account(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/accounts")
    await page.get_by_role("button", name=f"Удалить {ACCOUNT} из кабинета").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def wrong_name_of_meter(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/meters/{serial_of(1)}")
    await page.get_by_role("button", name="Переименовать").click()
    await page.get_by_label("Наименование").fill("")
    await page.keyboard.press("Enter")
    await expect(page.locator("#name-error")).to_contain_text("от 1 до 60 знаков")


async def chart_with_its_numbers(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/readings?compare=previous")
    await page.locator("summary").filter(has_text="То же таблицей").click()
    await page.locator("summary").filter(has_text="Выгрузить").click()
    await expect(page.get_by_role("link", name="CSV")).to_be_visible()


async def events_in_full(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/diagnostics?interval=year")
    await expect(page.locator("main .event").first).to_be_visible()
    for summary in await page.locator("main details:not([open]) > summary").all():
        await summary.click()
    await expect(page.locator("main details:not([open])")).to_have_count(0)


async def events_in_a_table_in_full(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/diagnostics?interval=year&view=table")
    await expect(page.locator("main .event-table").first).to_be_visible()
    await page.locator("main td summary").first.click()
    await expect(page.locator("main td details[open]")).to_have_count(1)


async def empty_ticket(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/support?new=1")
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator("#subject-error")).to_contain_text("от 1 до 120 знаков")


async def ticket(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/support/{site.seed.ticket}")
    await expect(page.get_by_role("heading", name=f"Вопрос: {seed.CANARY}")).to_be_visible()
    for summary in await page.locator("main details:not([open]) > summary").all():
        await summary.click()


async def folded_menu_of_staff(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/admin/tickets")
    await page.locator("summary[aria-label^='Меню']").locator("visible=true").click()
    await expect(page.get_by_role("link", name="Регистрации на проверку")).to_be_visible()
    await page.locator("summary").filter(has_text="Реестр").locator("visible=true").click()
    await expect(page.get_by_role("link", name="Пломбы")).to_be_visible()


async def work_of_staff(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/")
    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()


async def empty_answer_of_staff(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/admin/tickets/{site.seed.ticket}")
    await page.get_by_role("button", name="Отправить ответ").click()
    await expect(page.locator("#answer-text-error")).to_contain_text("от 1 до 10000 знаков")
    await page.get_by_label("Заметка, которую видят только сотрудники").fill("Заметка")
    await page.get_by_role("button", name="Сохранить заметку").click()
    await expect(page.locator("#desk-done")).to_contain_text("Заметка сохранена.")


async def form_of_a_row_with_errors(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/admin/tariffs?row=new")
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.locator("#name-error")).to_contain_text("Заполните")


async def two_versions_of_a_row(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/admin/tariffs")
    await page.get_by_role("link", name="Открыть").first.click()
    await expect(page.get_by_label("Название*")).not_to_have_value("")
    in_database(site, "UPDATE tariff SET name = name || '!'")
    await page.get_by_label("Название*").fill("Своё")
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.get_by_role("table", name="Обе версии")).to_be_visible()


async def question_before_removal(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/admin/tariffs")
    await page.get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Применить").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Будет удалено")


BY_VISITORS: tuple[Step, ...] = (refused_sign_in, empty_registration, empty_recovery)
BY_SUBSCRIBERS: tuple[Step, ...] = (
    folded_menu,
    own_menu,
    empty_account,
    found_addresses,
    note_of_account,
    removal_of_account,
    wrong_name_of_meter,
    chart_with_its_numbers,
    events_in_full,
    events_in_a_table_in_full,
    empty_ticket,
    ticket,
)
BY_STAFF: tuple[Step, ...] = (folded_menu_of_staff, work_of_staff, empty_answer_of_staff)
BY_ADMINS: tuple[Step, ...] = (form_of_a_row_with_errors, two_versions_of_a_row, question_before_removal)
