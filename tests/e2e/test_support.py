"""/support as a person uses it: asking with a picture, reading the answer as it comes, closing, going on."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, expect
from sqlalchemy import select

from lk_portal.models import User
from lk_portal.security.tokens import new_token
from lk_portal.services import ticket_desk
from lk_portal.services.access import Visit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.state.ticket import TicketState
from tests.attached import CANARY, HEIC, bomb, has_place, jpeg
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in
from tests.e2e.hands import Keys
from tests.e2e.line import Line
from tests.e2e.raw_client import raw_client, session_cookie
from tests.e2e.sessions import forget_attempts, in_database
from tests.smtp_server import plain_text

pytestmark = pytest.mark.browser
MARKUP = "<b>жирно</b> & <script>alert(1)</script>\nвторая строка"
ROUTER = "rx_router_"
TICKET_PAGE = re.compile(r"/support/\d+$")


@pytest.fixture(autouse=True)
def unthrottled(site: Site) -> None:
    forget_attempts(site)


async def in_service(site: Site, work: Callable[[Database], Awaitable[None]]) -> None:
    database = Database(site.portal.database_address)
    try:
        await work(database)
    finally:
        await database.close()


async def answer(site: Site, ticket_id: int, text: str, *, deed: object = ticket_desk.answer) -> None:
    """The operator says something in another process, as a desk of hers would."""

    async def work(database: Database) -> None:
        user = table_of(User)
        async with database.reading() as connection:
            staff = (await connection.scalars(select(user.c.id).where(user.c.email == seed.OPERATOR))).one()
        await deed(  # type: ignore[operator]
            database,
            staff_id=staff,
            ticket_id=ticket_id,
            text=text,
            send_key=new_token(),
            visit=Visit(address="", agent="", at=datetime.now(UTC)),
        )

    await in_service(site, work)


async def to_form(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/support")
    await page.get_by_role("link", name="Создать обращение").click()
    await expect(page.get_by_label("Текст обращения")).to_be_visible()


async def fill(page: Page, subject: str, text: str) -> None:
    await page.get_by_label("Тема", exact=True).fill(subject)
    await page.get_by_label("Категория").select_option(label="Прибор учета и поверка")
    await page.get_by_label("Текст обращения").fill(text)


async def send(page: Page) -> int:
    """Send the form; the number of the ticket it becomes."""
    await page.get_by_role("button", name="Отправить").click()
    await page.wait_for_url(TICKET_PAGE)
    await expect(page.get_by_role("button", name="Закрыть обращение")).to_be_visible()
    return int(page.url.rpartition("/")[2])


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_a_question_with_a_picture_goes_its_whole_way(
    browser: Browser, site: Site, viewport: dict[str, int], tmp_path: Path
) -> None:
    require_axe()
    context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    if viewport is TELEPHONE:
        await page.get_by_label(re.compile("^Меню(,|$)")).click()
    await page.get_by_role("link", name="Поддержка").first.click()
    await expect(page.get_by_role("link", name="Текущие")).to_be_visible()
    await page.get_by_role("link", name="Создать обращение").click()

    # What is typed outlives the page, also a text that no cookie could carry.
    await expect(page.get_by_label("Лицевой счет")).to_have_value(seed.OWNED_ACCOUNT)
    await fill(page, f"Счетчик {viewport['width']}", MARKUP + "\n" + "я" * 9_000)
    await page.reload()
    await expect(page.get_by_label("Тема", exact=True)).to_have_value(f"Счетчик {viewport['width']}")
    await expect(page.get_by_label("Текст обращения")).to_have_value(MARKUP + "\n" + "я" * 9_000)
    await page.get_by_label("Текст обращения").fill(MARKUP)

    taken = jpeg(1200, 900)
    assert has_place(taken)
    await page.get_by_label("Приложить файлы").set_input_files(
        [file(tmp_path, "Прибор.jpg", taken), file(tmp_path, "лишний.txt", b"x")]
    )
    await page.get_by_label("Приложить файлы").set_input_files([file(tmp_path, "tel.heic", HEIC)])
    chosen = page.locator("[data-lk-files] li")
    await expect(chosen).to_have_count(3)
    await expect(chosen.first).to_contain_text("КБ")
    await page.get_by_role("button", name="Убрать лишний.txt").click()
    await expect(chosen).to_have_count(2)
    assert await violations(page) == []
    number = await send(page)

    # The ticket: markup is text, the promise is there, the files have lost their places.
    await expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    await expect(page.get_by_text(re.compile("^Ответим до "))).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Новое")).to_be_visible()
    for name in ("Прибор.jpg", "tel.jpg"):
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name=name).click()
        download = await downloading.value
        assert download.suggested_filename == name
        got = bytes_of(await download.path())
        assert got.startswith(b"\xff\xd8\xff")
        assert not has_place(got)
        assert CANARY not in got
    assert await violations(page) == []
    width = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0

    # The answer comes by itself, and what is being typed stays.
    await page.get_by_label("Ваше сообщение").fill("Пишу и не ")
    await answer(site, number, "CANARY-NOTE", deed=ticket_desk.note)
    await answer(site, number, "Мы <i>проверим</i> прибор.")
    await expect(page.get_by_text("Мы <i>проверим</i> прибор.")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="Ждет ответа абонента")).to_be_visible()
    await expect(page.get_by_label("Ваше сообщение")).to_have_value("Пишу и не ")
    assert "CANARY-NOTE" not in await page.content()
    await page.get_by_label("Ваше сообщение").press_sequentially("теряю.")
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.get_by_text("Пишу и не теряю.")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="В работе")).to_be_visible()
    await expect(page.get_by_label("Ваше сообщение")).to_have_value("")

    # Closed, in the archive, open again.
    await page.get_by_role("button", name="Закрыть обращение").click()
    await expect(page.get_by_text("Обращение закрыто.")).to_be_visible()
    await page.get_by_role("link", name="К обращениям").click()
    await page.get_by_role("link", name="Архив сообщений").click()
    await page.get_by_role("link", name=f"Счетчик {viewport['width']}").click()
    await page.get_by_role("button", name="Открыть снова").click()
    await expect(page.get_by_label("Ваше сообщение")).to_be_visible()
    await page.get_by_role("link", name="К обращениям").click()
    await expect(page.get_by_role("link", name=f"Счетчик {viewport['width']}")).to_be_visible()
    await context.close()


async def test_an_answer_is_told_by_letter_which_leads_to_it(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, "Письмо об ответе", "Вопрос")
    number = await send(page)
    await answer(site, number, "CANARY-ANSWER")

    subject = f"Новое в обращении № {number}"
    for _ in range(150):
        found = [one for one in site.mail.letters_to(seed.SUBSCRIBER) if str(one["Subject"]) == subject]
        if found:
            break
        await asyncio.sleep(0.2)
    words = plain_text(found[0])
    assert f"{site.url}/support/{number}" in words
    assert "CANARY-ANSWER" not in words
    await page.goto(f"{site.url}/support/{number}")
    await expect(page.get_by_text("CANARY-ANSWER")).to_be_visible()


async def test_files_that_cannot_be_attached_are_named_and_nothing_is_lost(
    page: Page, site: Site, tmp_path: Path
) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, "Файлы", "Этот текст останется")
    files = page.get_by_label("Приложить файлы")
    place = page.locator("#files-error")
    remove = page.get_by_role("button", name=re.compile("^Убрать"))

    async def clear() -> None:
        while await remove.count():
            await remove.first.click()

    six = [file(tmp_path, f"{number}.txt", b"text") for number in range(6)]
    for name, content, sentence in (
        ("bomb.png", bomb(), "bomb.png: в изображении больше 64 млн точек"),
        ("photo.jpg", b"MZ\x90\x00\x03\x00\x00", "photo.jpg: такой файл приложить нельзя"),
        ("cut.jpg", jpeg()[:300], "cut.jpg: изображение повреждено"),
        ("empty.txt", b"", "empty.txt: файл пуст"),
    ):
        await files.set_input_files(file(tmp_path, name, content))
        await page.get_by_role("button", name="Отправить").click()
        await expect(place).to_contain_text(sentence)
        await expect(page.get_by_label("Текст обращения")).to_have_value("Этот текст останется")
        await expect(page.locator("[data-lk-files] li")).to_have_count(1)
        await clear()
    await files.set_input_files(file(tmp_path, "large.txt", b"x" * 11 * 2**20))
    await expect(place).to_contain_text("large.txt: файл больше 10 МБ")
    await page.get_by_role("button", name="Отправить").click()
    await expect(place).to_contain_text("large.txt: файл больше 10 МБ")
    await clear()
    await files.set_input_files(six)
    await expect(place).to_contain_text("Можно приложить не более 5 файлов")
    await page.get_by_role("button", name="Убрать 0.txt").click()
    await expect(place).to_be_empty()
    assert in_database(site, "SELECT id FROM ticket WHERE subject = 'Файлы'") == []

    number = await send(page)
    rows = in_database(
        site,
        "SELECT count(*) FROM attachment JOIN ticket_message m ON m.id = message_id WHERE m.ticket_id = ?",
        number,
    )
    assert rows == [(5,)]


async def test_what_was_forgotten_is_said_beside_its_field(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator("#subject-error")).to_contain_text("от 1 до 120 знаков")
    await expect(page.locator("#category-error")).to_contain_text("Выберите категорию")
    await expect(page.locator("#text-error")).to_contain_text("от 1 до 10000 знаков")
    await expect(page.locator("#account-error")).to_be_empty()
    await expect(page.get_by_label("Тема", exact=True)).to_be_focused()
    await expect(page.get_by_label("Категория")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Тема", exact=True).fill("Тема есть")
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.locator("#text-error")).to_contain_text("от 1 до 10000 знаков")
    await expect(page.locator("#subject-error")).to_be_empty()


async def test_it_is_done_with_nothing_but_the_keys(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    keys = Keys(page)
    await keys.fill("Тема", "С клавиатуры")
    await page.keyboard.press("Tab")
    for _ in range(6):
        await page.keyboard.press("ArrowDown")
    await expect(page.get_by_label("Категория")).to_have_value("other")
    await keys.fill("Текст обращения", "Без мыши")
    await keys.press("Отправить")
    await page.wait_for_url(TICKET_PAGE)
    await expect(page.get_by_text("Без мыши")).to_be_visible()
    await expect(page.get_by_text("Другой вопрос")).to_be_visible()


async def test_an_event_of_the_meter_is_quoted(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await page.goto(f"{site.url}/support?new=1&event={site.seed.event}")
    await expect(page.get_by_text(f"Событие прибора учета {site.seed.serial}")).to_be_visible()
    await page.get_by_label("Текст обращения").fill("Что это было?")
    await send(page)
    await expect(page.get_by_text(f"Событие прибора учета {site.seed.serial}")).to_be_visible()


async def test_what_is_somebody_elses_is_not_found(page: Page, site: Site, tmp_path: Path) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, f"Чужое {seed.CANARY}", f"Чужой текст {seed.CANARY}")
    await page.get_by_label("Приложить файлы").set_input_files(file(tmp_path, "Мой.txt", b"text"))
    number = await send(page)
    await expect(page).to_have_title(f"Чужое {seed.CANARY} — ЭнергоМир")
    address = await page.get_by_role("link", name="Мой.txt").get_attribute("href")
    cookie = session_cookie(site.url, seed.STRANGER, seed.PASSWORD)
    own = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)

    async with httpx.AsyncClient(base_url=site.url) as http:
        assert (await http.get(str(address), headers={"cookie": own})).content == b"text"
        foreign = await http.get(str(address), headers={"cookie": cookie})
        unknown = await http.get("/support/files/" + "x" * 43, headers={"cookie": cookie})
        assert (foreign.status_code, foreign.content) == (404, unknown.content)
        for path in (f"/support/files/{'x' * 43}", str(address)):
            assert (await http.get(path)).headers["location"].startswith("/login")

    stranger = await page.context.browser.new_context(locale="ru-RU")  # type: ignore[union-attr]
    other = await stranger.new_page()
    await sign_in(other, site, seed.STRANGER)
    await other.wait_for_url(f"{site.url}/")
    for path in (
        f"/support/{number}",
        "/support/999999",
        "/support/x",
        f"/support?new=1&event={site.seed.event}",
        "/support?after=x",
    ):
        await other.goto(f"{site.url}{path}")
        await other.wait_for_url(re.compile("/not-found"))
        await expect(other.get_by_role("heading", name="Не найдено").first).to_be_visible()
        assert seed.CANARY not in await other.content()
    await stranger.close()


async def test_a_foreign_request_is_answered_byte_for_byte_like_none(site: Site) -> None:
    """Over the socket, where its page asks, and over HTTP, where its form is sent."""
    own, foreign = (
        session_cookie(site.url, name, seed.PASSWORD) for name in (seed.SUBSCRIBER, seed.STRANGER)
    )
    unknown = site.seed.ticket + 10_000

    assert seed.CANARY in await heard(site, own, site.seed.ticket)
    told = [
        await heard(site, foreign, number, "show_earlier", "close", "reopen")
        for number in (site.seed.ticket, unknown)
    ]
    assert "/not-found" in told[0]
    assert told[0] == told[1]

    async with httpx.AsyncClient(base_url=site.url) as http:
        answers = [
            await http.post(
                "/support/send",
                data={"ticket": str(number), "text": "x", "send_key": new_token()},
                headers={"cookie": foreign, "origin": site.url, "accept": "application/json"},
            )
            for number in (site.seed.ticket, unknown)
        ]
    assert answers[0].json()["error"] == "Не найдено"
    assert answers[0].content == answers[1].content
    assert len({one.status_code for one in answers}) == 1


async def heard(site: Site, cookie: str, number: int, *handlers: str) -> str:
    """All that the portal says when somebody opens a request and presses what its page has.

    But for `rx_router_...`, which repeat what the client said of itself: its address, and its socket's key.
    """
    async with raw_client(site.url, cookie=cookie) as client:
        for handler in ("load", *handlers):
            await client.send(f"{TicketState.get_full_name()}.{handler}", path=f"/support/{number}")
        # This is always answered, and after all the others.
        await client.send("reflex___state____state.hydrate", path=f"/support/{number}")
        await client.settle()
    messages = [json.loads(one) for one in client.received]
    for message in messages:
        for shown in message.get("delta", {}).values():
            for name in [name for name in shown if name.startswith(ROUTER)]:
                del shown[name]
    return json.dumps(messages, ensure_ascii=False).replace(client.token, "TOKEN")


async def test_a_draft_is_its_writers_and_goes_with_her(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, "Черновик", "Личное")
    await page.get_by_label("Меню пользователя").click()
    await page.get_by_role("button", name="Выйти").click()
    await page.wait_for_url(re.compile("/login"))
    assert await page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('lk-draft'))") == []
    await sign_in(page, site, seed.STRANGER)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await expect(page.get_by_label("Текст обращения")).to_have_value("")


async def test_what_is_typed_for_one_request_is_not_sent_with_another(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    numbers = []
    for subject in ("Первое", "Второе"):
        await to_form(page, site)
        await fill(page, subject, subject)
        numbers.append(await send(page))
    await page.goto(f"{site.url}/support/{numbers[0]}")
    await page.get_by_label("Ваше сообщение").fill("Для первого")
    await page.get_by_role("link", name="К обращениям").click()
    await page.get_by_role("link", name="Второе").first.click()
    await expect(page.get_by_role("heading", name="Второе")).to_be_visible()
    await expect(page.get_by_label("Ваше сообщение")).to_have_value("")
    await page.evaluate("history.go(-2)")
    await expect(page.get_by_role("heading", name="Первое")).to_be_visible()
    await expect(page.get_by_label("Ваше сообщение")).to_have_value("Для первого")


@pytest.mark.parametrize("is_changed", [False, True], ids=["the same", "changed"])
async def test_a_message_whose_answer_was_lost_is_one_message(
    page: Page, site: Site, is_changed: bool
) -> None:
    """It has arrived, and nobody said so: the whole line died. Other words are another message."""
    line = await Line.of(page)
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, "В лифте", "Начало")
    number = await send(page)
    await page.get_by_label("Ваше сообщение").fill("Из лифта")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/support/send", lose_the_answer)
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.get_by_text("Сообщение не отправлено: нет связи.")).to_be_visible()
    await page.unroute("**/support/send")
    await line.cut()
    await expect(page.get_by_label("Ваше сообщение")).to_have_value("Из лифта")
    if is_changed:
        await page.get_by_label("Ваше сообщение").fill("Из лифта, еще раз")

    await page.get_by_role("button", name="Отправить").click()

    await expect(page.get_by_label("Ваше сообщение")).to_have_value("")
    sent = in_database(site, "SELECT text FROM ticket_message WHERE ticket_id = ? ORDER BY id", number)
    again = [("Из лифта, еще раз",)] if is_changed else []
    assert sent == [("Начало",), ("Из лифта",), *again]


async def test_a_lost_connection_loses_nothing(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.wait_for_url(f"{site.url}/")
    await to_form(page, site)
    await fill(page, "Нет связи", "Отправлю позже")
    await page.route("**/support/send", lambda route: route.abort())
    await page.get_by_role("button", name="Отправить").click()
    await expect(page.get_by_text("Сообщение не отправлено: нет связи.")).to_be_visible()
    await page.unroute("**/support/send")
    number = await send(page)
    assert in_database(site, "SELECT text FROM ticket_message WHERE ticket_id = ?", number) == [
        ("Отправлю позже",)
    ]
