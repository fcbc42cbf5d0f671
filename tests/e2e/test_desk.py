"""The staff's desk as two who work at it use it, with the subscriber's page open on a telephone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from lk_portal.models import User
from lk_portal.security.tokens import new_token
from lk_portal.services import tickets
from lk_portal.services.access import Visit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.tickets import Author, NewTicket
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site
from tests.e2e.hands import Keys
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import forget_attempts, give_cookie, in_database
from tests.smtp_server import plain_text

pytestmark = pytest.mark.browser
WORDS = "Здравствуйте! Мы <b>приняли</b> обращение."


@pytest.fixture(autouse=True)
def ready(site: Site) -> None:
    forget_attempts(site)
    in_database(site, "DELETE FROM answer_template")
    in_database(
        site, "INSERT INTO answer_template (title, text, position) VALUES ('Приветствие', ?, 1)", WORDS
    )


class Tabs:
    """People at their own machines."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.browser, self.site = browser, site

    async def of(self, login: str, viewport: dict[str, int] = DESKTOP) -> Page:
        context = await self.browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
        await give_cookie(context, self.site, session_cookie(self.site.url, login, seed.PASSWORD))
        page = await context.new_page()
        page.set_default_timeout(20_000)
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, site: Site) -> AsyncIterator[Tabs]:
    yield Tabs(browser, site)


async def ask(site: Site, subject: str, text: str = "Вопрос") -> int:
    """A ticket of the subscriber's."""
    database = Database(site.portal.database_address)
    user = table_of(User)
    try:
        async with database.reading() as connection:
            person = (await connection.execute(select(user).where(user.c.email == seed.SUBSCRIBER))).one()
        return await tickets.create(
            database,
            author=Author(person.id, person.subscriber_id),
            ticket=NewTicket(subject, "load", seed.OWNED_ACCOUNT, text),
            send_key=new_token(),
            visit=Visit(address="", agent="", at=datetime.now(UTC)),
        )
    finally:
        await database.close()


def count_of(page: Page, queue: str) -> re.Pattern[str]:
    return re.compile(rf"^{queue}( \d+)?$")


async def counted(page: Page, queue: str) -> int:
    tab = page.get_by_role("navigation", name="Очереди обращений").get_by_role(
        "link", name=re.compile(f"^{queue}")
    )
    return int((await tab.inner_text()).removeprefix(queue).strip() or 0)


def status(page: Page, text: str):
    return page.get_by_role("status").filter(has_text=text)


async def test_two_answer_one_subscriber_who_sees_it_on_her_telephone(
    tabs: Tabs, site: Site, tmp_path: Path
) -> None:
    require_axe()
    operator, admin = await tabs.of(seed.OPERATOR), await tabs.of(seed.ADMIN)
    subscriber = await tabs.of(seed.SUBSCRIBER, TELEPHONE)

    # The queue is open when she asks; what is new is there by itself, and counted.
    await operator.goto(f"{site.url}/")
    await operator.get_by_role("link", name="Обращения").first.click()
    await expect(operator.get_by_role("link", name=f"Вопрос: {seed.CANARY}")).to_be_visible()
    before = await counted(operator, "Новые")
    number = await ask(site, "Нет света с утра", "Когда <i>дадут</i>?")
    await expect(operator.get_by_role("link", name="Нет света с утра")).to_be_visible()
    assert await counted(operator, "Новые") == before + 1
    assert await violations(operator) == []
    await subscriber.goto(f"{site.url}/support/{number}")
    await expect(status(subscriber, "Новое")).to_be_visible()

    # One takes it; the other, who has it open too, sees that.
    await operator.get_by_role("link", name="Нет света с утра").click()
    await admin.goto(f"{site.url}/admin/tickets/{number}")
    await expect(admin.get_by_text("Пока никто не взял")).to_be_visible()
    await operator.get_by_role("button", name="Взять себе").click()
    await expect(operator.locator("#desk-done")).to_be_focused()
    await expect(admin.get_by_text("Operator", exact=True)).to_be_visible()
    await expect(status(subscriber, "В работе")).to_be_visible()
    card = operator.get_by_role("complementary", name="Абонент")
    for words in ("Иванов Иван Иванович", seed.SUBSCRIBER, seed.PHONE, seed.OWNED_ACCOUNT, site.seed.serial):
        await expect(card.get_by_text(words).first).to_be_visible()
    await expect(card.get_by_text("Состояние нагрузки:")).to_be_visible()
    await expect(operator.get_by_text("<i>дадут</i>")).to_be_visible()

    # What is typed is told to the colleague, and outlives the page; a template goes where the words are.
    answer = operator.get_by_label("Ваш ответ")
    note = operator.get_by_label("Заметка, которую видят только сотрудники")
    await answer.press_sequentially("Проверяем. ")
    await note.fill("Черновик заметки")
    await expect(admin.get_by_text("отвечает Operator")).to_be_visible()
    assert await violations(admin) == []
    await operator.reload()
    await expect(answer).to_have_value("Проверяем. ")
    await expect(note).to_have_value("Черновик заметки")
    await operator.get_by_role("button", name="Вставить").click()
    await expect(operator.get_by_label("Шаблон ответа")).to_be_focused()
    await operator.get_by_label("Шаблон ответа").select_option(label="Приветствие")
    await answer.evaluate("field => field.setSelectionRange(0, 0)")
    await operator.get_by_role("button", name="Вставить").click()
    await expect(answer).to_have_value(f"{WORDS}Проверяем. ")
    await expect(answer).to_be_focused()

    # Sent: the form is empty, the note's is not; the letter is written, the telephone shows it.
    (tmp_path / "Акт.txt").write_text("акт", encoding="utf-8")
    await operator.locator("#answer-files").set_input_files(tmp_path / "Акт.txt")
    await operator.get_by_role("button", name="Отправить ответ").click()
    await expect(operator.locator("#desk-done")).to_contain_text("Ответ отправлен.")
    await expect(operator.locator("#desk-done")).to_be_focused()
    await expect(answer).to_have_value("")
    await expect(note).to_have_value("Черновик заметки")
    await expect(operator.locator("[data-lk-files] li")).to_have_count(0)
    await expect(subscriber.get_by_text(f"{WORDS}Проверяем.")).to_be_visible()
    await expect(subscriber.get_by_role("link", name="Акт.txt")).to_be_visible()
    await expect(status(subscriber, "Ждет ответа абонента")).to_be_visible()
    await expect(admin.get_by_text(f"{WORDS}Проверяем.")).to_be_visible()
    await expect(admin.get_by_text("отвечает Operator")).to_have_count(0)
    assert await is_told(site, number)

    # A second answer is another message although the page was not loaded anew.
    await answer.fill("И еще.")
    await operator.get_by_role("button", name="Отправить ответ").click()
    await expect(subscriber.get_by_text("И еще.")).to_be_visible()

    # A note is the colleagues' only.
    await note.fill("CANARY-NOTE")
    await operator.get_by_role("button", name="Сохранить заметку").click()
    await expect(admin.get_by_text("CANARY-NOTE")).to_be_visible()
    await expect(note).to_have_value("")
    await admin.get_by_role("button", name="Закрыть обращение").click()
    await expect(status(subscriber, "Закрыто")).to_be_visible()
    assert "CANARY-NOTE" not in await subscriber.content()
    await subscriber.reload()
    await expect(status(subscriber, "Закрыто")).to_be_visible()
    assert "CANARY-NOTE" not in await subscriber.content()
    await expect(operator.get_by_text("Чтобы ответить, откройте его снова")).to_be_visible()
    await operator.get_by_role("button", name="Открыть снова").click()
    await expect(answer).to_be_visible()


async def is_told(site: Site, number: int) -> bool:
    """Whether the letter about the ticket has arrived, without a word of the answer."""
    subject = f"Новое в обращении № {number}"
    for _ in range(150):
        found = [one for one in site.mail.letters_to(seed.SUBSCRIBER) if str(one["Subject"]) == subject]
        if found:
            return WORDS not in plain_text(found[0])
        await asyncio.sleep(0.2)
    return False


async def test_who_stops_typing_is_soon_not_shown_any_more(tabs: Tabs, site: Site) -> None:
    number = await ask(site, "Кто отвечает")
    operator, admin = await tabs.of(seed.OPERATOR), await tabs.of(seed.ADMIN)
    for page in (operator, admin):
        await page.goto(f"{site.url}/admin/tickets/{number}")
        await expect(page.get_by_label("Ваш ответ")).to_be_visible()
    await operator.get_by_label("Ваш ответ").press_sequentially("Я")
    await admin.get_by_label("Ваш ответ").press_sequentially("И я")
    await expect(admin.get_by_text("отвечает Operator")).to_be_visible()
    await expect(operator.get_by_text("отвечает Admin")).to_be_visible()
    await expect(admin.get_by_text("отвечает Operator")).to_have_count(0, timeout=40_000)
    await expect(operator.get_by_text("отвечает Admin")).to_have_count(0)


async def test_the_desk_is_worked_with_nothing_but_the_keys(tabs: Tabs, site: Site) -> None:
    number = await ask(site, "Только клавиши")
    page = await tabs.of(seed.OPERATOR)
    keys = Keys(page)
    await page.goto(f"{site.url}/admin/tickets")
    await keys.fill("Номер обращения, начало лицевого счета или ФИО", f"№ {number}")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("q="))
    await expect(page.get_by_role("link", name="Только клавиши")).to_be_visible()
    await expect(page.get_by_role("link", name="Все найденные")).to_have_attribute("aria-current", "page")
    await keys.press("Только клавиши", role="link")
    await expect(page.get_by_label("Ваш ответ")).to_be_visible()

    await keys.press("Отправить ответ")
    await expect(page.locator("#answer-text-error")).to_contain_text("от 1 до 10000 знаков")
    await expect(page.get_by_label("Ваш ответ")).to_be_focused()
    await expect(page.locator("#note-text-error")).to_be_empty()
    await keys.press("Сохранить заметку")
    await expect(page.locator("#note-text-error")).to_contain_text("от 1 до 10000 знаков")
    await keys.press("Взять себе")
    await expect(page.locator("#desk-done")).to_contain_text("Теперь обращение ваше.")
    await keys.press("Вернуть в очередь")
    await expect(page.locator("#desk-done")).to_contain_text("Обращение возвращено в очередь.")
    await keys.fill("Ваш ответ", "Без мыши")
    await keys.press("Отправить ответ")
    await expect(page.get_by_role("log").get_by_text("Без мыши")).to_be_visible()
    await expect(page.locator("#desk-done")).to_be_focused()


async def test_what_was_typed_stays_when_it_cannot_be_sent(tabs: Tabs, site: Site) -> None:
    number = await ask(site, "Закрыто под рукой")
    operator, admin = await tabs.of(seed.OPERATOR), await tabs.of(seed.ADMIN)
    await operator.goto(f"{site.url}/admin/tickets/{number}")
    await operator.get_by_label("Ваш ответ").fill("Почти готово")
    await operator.context.set_offline(True)
    await operator.get_by_role("button", name="Отправить ответ").click()
    await expect(operator.locator("#answer-files-error")).to_contain_text("нет связи")
    await expect(operator.get_by_label("Ваш ответ")).to_have_value("Почти готово")
    await operator.context.set_offline(False)
    await operator.reload()
    await expect(operator.get_by_label("Ваш ответ")).to_have_value("Почти готово")

    await admin.goto(f"{site.url}/admin/tickets/{number}")
    await admin.get_by_role("button", name="Закрыть обращение").click()
    await expect(operator.get_by_text("Чтобы ответить, откройте его снова")).to_be_visible()
    await operator.get_by_role("button", name="Открыть снова").click()
    await expect(operator.get_by_label("Ваш ответ")).to_have_value("Почти готово")


async def test_the_desk_is_for_the_staff_only(tabs: Tabs, site: Site) -> None:
    page = await tabs.of(seed.SUBSCRIBER)
    for path in ("/admin/tickets", f"/admin/tickets/{site.seed.ticket}"):
        await page.goto(f"{site.url}{path}")
        await page.wait_for_url(re.compile("/not-found"))
    staff = await tabs.of(seed.OPERATOR)
    for path in (
        "/admin/tickets/999999",
        "/admin/tickets/x",
        "/admin/tickets?queue=x",
        "/admin/tickets?after=x",
    ):
        await staff.goto(f"{site.url}{path}")
        await staff.wait_for_url(re.compile("/not-found"))


@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_runs_out_of_the_page(
    tabs: Tabs, site: Site, viewport: dict[str, int], scheme: str, tmp_path: Path
) -> None:
    page = await tabs.of(seed.OPERATOR, viewport)
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path, words in (
        ("/admin/tickets", "Новые"),
        (f"/admin/tickets/{site.seed.ticket}", "Отправить ответ"),
    ):
        await page.goto(f"{site.url}{path}")
        await expect(page.get_by_text(words).first).to_be_visible()
        await page.screenshot(path=tmp_path / f"{path.count('/')}.png", full_page=True)
        width = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert width <= 0
