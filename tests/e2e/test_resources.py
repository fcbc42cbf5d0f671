"""A declared list in the browser and over a raw socket: /admin/tariffs stands for all of them."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.e2e import seed
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site
from tests.e2e.hands import Keys, Pointer
from tests.e2e.line import Line
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.e2e.sessions import give_cookie, in_database

STATE = "reflex___state____state.lk_portal___state___resource____tariffs_resource_state"
TARIFFS = "/admin/tariffs"
SECRET = "Тайный тариф"
COUNT = "SELECT count(*) FROM tariff"


@pytest.fixture(autouse=True)
def tariffs(site: Site) -> None:
    """Sixty tariffs beside the seed's, as they were before every test."""
    in_database(site, "DELETE FROM tariff WHERE code LIKE 'Т-%' OR code LIKE 'Н-%'")
    for number in range(60):
        in_database(site, "INSERT INTO tariff (code, name) VALUES (?, ?)", f"Т-{number:03}", SECRET)


def name_of(site: Site, code: str) -> str:
    return str(in_database(site, "SELECT name FROM tariff WHERE code = ?", code)[0][0])


async def as_admin(context: BrowserContext, site: Site) -> None:
    await give_cookie(context, site, session_cookie(site.url, seed.ADMIN, seed.PASSWORD))


@pytest.mark.browser
@pytest.mark.parametrize("way", ["desk", "telephone", "keys"])
async def test_a_list_from_search_to_removal(page: Page, site: Site, way: str) -> None:
    await page.set_viewport_size(TELEPHONE if way == "telephone" else DESKTOP)  # type: ignore[arg-type]
    await as_admin(page.context, site)
    hands = Keys(page) if way == "keys" else Pointer(page)
    await page.goto(f"{site.url}{TARIFFS}")
    first = page.locator("td[data-label='Код']").first
    await expect(first).to_be_visible()

    if way != "telephone":  # cards have no headings to sort by
        await hands.press("Код", role="link")
        heading = page.get_by_role("columnheader", name="Код")
        await expect(heading).to_have_attribute("aria-sort", "ascending")
        await hands.press("Код", role="link")
        await expect(heading).to_have_attribute("aria-sort", "descending")
        await expect(first).to_have_text("Т-059")
    await hands.press("Следующие строки", role="link")
    await expect(page).to_have_url(re.compile("after="))
    await expect(page.get_by_role("link", name="Предыдущие строки").first).to_be_visible()
    await hands.press("Предыдущие строки", role="link")
    await expect(page).to_have_url(re.compile("before="))

    await hands.fill("Поиск: начало кода", "т-05")
    await hands.press("Найти")
    await expect(page.locator("tbody tr")).to_have_count(10)

    await hands.press("Добавить", role="link")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await hands.fill("Код*", "Т-059")
    await hands.press("Сохранить")
    await expect(page.locator("#name-error")).to_have_text("Заполните это поле.")
    await hands.fill("Название*", "Новый")
    await hands.press("Сохранить")
    await expect(page.locator("#code-error")).to_have_text("Запись с таким значением уже есть.")
    await expect(page.get_by_label("Название*")).to_have_value("Новый")
    await hands.fill("Код*", "Н-001")
    await hands.press("Сохранить")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert name_of(site, "Н-001") == "Новый"

    await hands.fill("Поиск: начало кода", "н-001")
    await hands.press("Найти")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await hands.press("Открыть", role="link")
    await expect(page.get_by_label("Название*")).to_have_value("Новый")
    in_database(site, "UPDATE tariff SET name = 'Чужой' WHERE code = 'Н-001'")
    await hands.fill("Название*", "Мой")
    await hands.press("Сохранить")
    both = page.get_by_role("table", name="Обе версии")
    await expect(both).to_contain_text("Чужой")
    await expect(both).to_contain_text("Мой")
    await expect(page.get_by_label("Название*")).to_have_value("Мой")
    assert name_of(site, "Н-001") == "Чужой"
    await hands.press("Сохранить")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert name_of(site, "Н-001") == "Мой"

    await page.goto(f"{site.url}{TARIFFS}?q=Т-05")
    await expect(page.locator("tbody tr")).to_have_count(10)
    for code in ("Т-050", "Т-051"):
        await hands.tick(f"Отметить {code}")
    before = in_database(site, COUNT)[0][0]
    await hands.press("Применить")
    await expect(page.get_by_role("dialog")).to_contain_text("Будет удалено навсегда записей: 2")
    assert in_database(site, COUNT)[0][0] == before
    await hands.press("Да")
    await expect(page.locator("tbody tr")).to_have_count(8)
    assert in_database(site, COUNT)[0][0] == before - 2


@pytest.mark.browser
async def test_escape_changes_nothing(page: Page, site: Site) -> None:
    await as_admin(page.context, site)
    await page.goto(f"{site.url}{TARIFFS}?q=Т-05")
    await page.get_by_role("link", name="Открыть").first.click()
    await page.get_by_label("Название*").fill("Другое")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Применить").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    assert in_database(site, "SELECT count(*) FROM tariff WHERE name = ?", SECRET) == [(60,)]


async def opened(client: RawClient, key: object, *, until: str = "form_key_rx_state_") -> str:
    await client.send(f"{STATE}.load", path=f"{TARIFFS}?row={key}")
    return await client.wait_for(until)


async def save(client: RawClient, name: str) -> str:
    form = {"code": "Т-000", "name": name}
    await client.send(f"{STATE}.save", {"form": form}, path=TARIFFS)
    return await client.settle()


def key_of(site: Site, code: str) -> object:
    return in_database(site, "SELECT id FROM tariff WHERE code = ?", code)[0][0]


async def test_an_operator_reads_and_does_not_write(site: Site) -> None:
    cookie = session_cookie(site.url, seed.OPERATOR, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        assert SECRET in await opened(client, key_of(site, "Т-000"))
        await save(client, "Взлом")
        await client.send(f"{STATE}.ask_one", {"name": "remove", "row": "1"}, path=TARIFFS)
        await client.send(f"{STATE}.ask", {"form": {"deed": "remove", "row-1": "on"}}, path=TARIFFS)
        await client.send(f"{STATE}.confirm", path=TARIFFS)
        await client.send(f"{STATE}.suggest", {"name": "code", "typed": "Т"}, path=TARIFFS)
        await client.settle()

    assert name_of(site, "Т-000") == SECRET
    assert len(in_database(site, "SELECT id FROM tariff WHERE code LIKE 'Т-%'")) == 60


async def test_the_admin_does_write_that_way(site: Site) -> None:
    """The twin of the one above."""
    cookie = session_cookie(site.url, seed.ADMIN, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await opened(client, key_of(site, "Т-000"))
        await save(client, "Другое")
        await client.wait_for("_redirect")

    assert name_of(site, "Т-000") == "Другое"


async def test_a_form_that_is_pressed_twice_is_saved_once(site: Site) -> None:
    """A seal has nothing of which there may be only one: a second of it would not be refused."""
    seals = STATE.replace("tariffs", "seals")
    form = {"meter_id": site.seed.serial, "number": "П-2", "placed_on": "2026-01-01", "removed_on": ""}
    cookie = session_cookie(site.url, seed.ADMIN, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(f"{seals}.load", path="/admin/seals?row=new")
        await client.wait_for('"placed_on"')
        for _ in range(2):
            await client.send(f"{seals}.save", {"form": form}, path="/admin/seals?row=new")
        await client.wait_for("_redirect")
        await client.settle()

        assert in_database(site, "SELECT count(*) FROM seal WHERE number = 'П-2'") == [(1,)]
        # The form of the next one is another.
        await client.send(f"{seals}.load", path="/admin/seals?row=new")
        await client.send(f"{seals}.save", {"form": form}, path="/admin/seals?row=new")
        await client.settle()
        await client.send(f"{seals}.load", path="/admin/seals?q=П-2")
        await client.settle()
    assert in_database(site, "SELECT count(*) FROM seal WHERE number = 'П-2'") == [(2,)]
    in_database(site, "DELETE FROM seal WHERE number = 'П-2'")


async def test_a_role_taken_away_while_the_form_is_open_writes_nothing(site: Site) -> None:
    cookie = session_cookie(site.url, seed.ADMIN, seed.PASSWORD)
    try:
        async with raw_client(site.url, cookie=cookie) as client:
            assert SECRET in await opened(client, key_of(site, "Т-000"))
            in_database(site, "UPDATE portal_user SET role = 'operator' WHERE email = ?", seed.ADMIN)
            await save(client, "Взлом")
    finally:
        in_database(site, "UPDATE portal_user SET role = 'admin' WHERE email = ?", seed.ADMIN)

    assert name_of(site, "Т-000") == SECRET


async def exported(site: Site, query: str, cookie: str, *, came_from: str = "none") -> httpx.Response:
    async with httpx.AsyncClient() as http:
        headers = {"Cookie": cookie, "Sec-Fetch-Site": came_from}
        return await http.get(f"{site.url}{TARIFFS}/export?{query}", headers=headers)


@pytest.mark.parametrize("who", ["", seed.SUBSCRIBER])
async def test_others_get_nothing(site: Site, who: str) -> None:
    cookie = session_cookie(site.url, who, seed.PASSWORD) if who else ""
    async with raw_client(site.url, cookie=cookie) as client:
        answer = await opened(client, key_of(site, "Т-000"), until="")
        answer += await save(client, "Взлом")
    file = await exported(site, "format=csv", cookie)

    assert SECRET not in answer + file.text
    assert file.status_code in (303, 404)
    assert name_of(site, "Т-000") == SECRET


async def test_the_file_is_for_readers_and_stands_in_the_audit(site: Site) -> None:
    cookie = session_cookie(site.url, seed.OPERATOR, seed.PASSWORD)
    entries = "SELECT count(*) FROM audit_entry WHERE action = 'registry:tariffs:export'"
    before = in_database(site, entries)

    answer = await exported(site, "format=csv&q=т-05", cookie)

    assert answer.text.count(SECRET) == 10
    assert in_database(site, entries) > before
    for wrong in ("format=xml", "", "format="):
        assert (await exported(site, wrong, cookie)).status_code == 404
    away = await exported(site, "format=csv", cookie, came_from="cross-site")
    assert away.status_code == 303


async def test_a_delta_of_the_list_is_small(site: Site) -> None:
    cookie = session_cookie(site.url, seed.ADMIN, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await opened(client, key_of(site, "Т-000"))

    assert max(len(message.encode()) for message in client.received) <= 30 * 1024


@pytest.mark.browser
async def test_what_is_typed_outlives_a_lost_connection(page: Page, site: Site) -> None:
    await as_admin(page.context, site)
    line = await Line.of(page)
    await page.goto(f"{site.url}{TARIFFS}?row=new")
    form = page.get_by_role("dialog")
    await form.get_by_label("Код*").fill("Н-900")
    await form.get_by_role("button", name="Сохранить").click()
    await expect(page.locator("#name-error")).to_have_text("Заполните это поле.")

    await line.cut()

    await expect(form.get_by_label("Код*")).to_have_value("Н-900")
    await form.get_by_label("Название*").fill("Ночной")
    await form.get_by_role("button", name="Сохранить").click()
    await expect(form).to_have_count(0)
    assert name_of(site, "Н-900") == "Ночной"


@pytest.mark.browser
async def test_what_was_saved_as_the_line_died_is_saved_once(page: Page, site: Site) -> None:
    """The portal got the form, the page never got the answer."""
    await as_admin(page.context, site)
    line = await Line.of(page)
    await page.goto(f"{site.url}{TARIFFS}?row=new")
    form = page.get_by_role("dialog")
    await form.get_by_label("Код*").fill("Н-901")
    await form.get_by_label("Название*").fill("Ночной")
    line.lose(answers=True)
    await form.get_by_role("button", name="Сохранить").click()
    async with asyncio.timeout(20):
        while not in_database(site, "SELECT id FROM tariff WHERE code = 'Н-901'"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await expect(form).to_be_visible()

    await line.cut()

    await expect(form).to_have_count(0)
    await expect(page.get_by_text("Сохранено")).to_be_visible()
    assert in_database(site, "SELECT count(*) FROM tariff WHERE code = 'Н-901'") == [(1,)]


@pytest.mark.browser
async def test_what_was_pressed_on_a_dead_line_is_pressed_again(page: Page, site: Site) -> None:
    """The portal never got the form."""
    await as_admin(page.context, site)
    line = await Line.of(page)
    await page.goto(f"{site.url}{TARIFFS}?row=new")
    form = page.get_by_role("dialog")
    await form.get_by_label("Код*").fill("Н-902")
    await form.get_by_label("Название*").fill("Ночной")
    line.lose(events=True)
    await form.get_by_role("button", name="Сохранить").click()

    await line.cut()

    assert not in_database(site, "SELECT id FROM tariff WHERE code = 'Н-902'")
    await expect(form.get_by_label("Код*")).to_have_value("Н-902")
    await form.get_by_role("button", name="Сохранить").click()
    await expect(page.get_by_text("Сохранено")).to_be_visible()
    assert name_of(site, "Н-902") == "Ночной"


@pytest.mark.browser
async def test_a_form_that_was_there_before_the_script_of_dialogs_is_seen(page: Page, site: Site) -> None:
    """On a slow line the page's own code may be first."""
    asked = asyncio.Event()

    async def hold(route: Route) -> None:
        await asked.wait()
        await route.continue_()

    await as_admin(page.context, site)
    await page.route("**/dialog.js", hold)
    await page.goto(f"{site.url}{TARIFFS}?row=new", wait_until="commit")
    await expect(page.locator("dialog[data-lk-dialog]")).to_have_count(1)
    asked.set()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
