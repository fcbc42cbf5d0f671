"""/admin/info and /admin/agreement as the staff uses them: writing, pictures, conflicts, lost connections."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import delete

from lk_portal.models import InfoPage
from lk_portal.services.database import Database
from tests.attached import bomb, jpeg
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site
from tests.e2e.info_texts import MARKUP, put_out
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import forget_attempts, give_cookie

pytestmark = pytest.mark.browser
EDITOR = re.compile(r"/admin/info/\d+")


@pytest_asyncio.fixture(loop_scope="session")
async def admin(context: BrowserContext, page: Page, site: Site) -> AsyncIterator[Page]:
    """A tab of an admin; the texts of the test are gone afterwards."""
    forget_attempts(site)
    await give_cookie(context, site, session_cookie(site.url, seed.ADMIN, seed.PASSWORD))
    yield page
    database = Database(site.settings.database_address)
    async with database.writing() as connection:
        await connection.execute(delete(InfoPage))
    await database.close()


async def begin(page: Page, site: Site, *, title: str, slug: str, text: str) -> None:
    """The form of a new page, filled in."""
    await page.goto(f"{site.url}/admin/info")
    await page.get_by_role("link", name="Новый текст").click()
    await page.get_by_label("Заголовок").fill(title)
    await page.get_by_label("Адрес страницы").fill(slug)
    await page.get_by_label("Текст (Markdown)").fill(text)


async def save(page: Page, release: str = "") -> None:
    if release:
        await page.get_by_label("Публикация").select_option(label=release)
    await page.get_by_role("button", name="Сохранить", exact=True).click()


async def test_an_admin_publishes_a_page_with_a_picture_that_a_visitor_reads(
    admin: Page, site: Site, browser: Browser, tmp_path: Path
) -> None:
    photo, fake, huge = tmp_path / "Щит учета.jpg", tmp_path / "words.png", tmp_path / "bomb.png"
    photo.write_bytes(jpeg(400, 300))
    fake.write_bytes(b"just words")
    huge.write_bytes(bomb())
    await begin(admin, site, title="Где щит", slug="board", text=f"## Смотрите\n\n{MARKUP}\n\n")
    preview = admin.locator("[data-lk-preview]")
    await expect(preview.get_by_role("heading", name="Смотрите")).to_be_visible()
    await expect(preview).to_contain_text("<b id=evil>жирно</b>")
    assert await preview.locator("img, b, script").count() == 0

    chooser = admin.locator("#picture")
    for wrong in (fake, huge):
        await chooser.set_input_files(wrong)
        await expect(admin.locator("#picture-error")).to_contain_text(wrong.name)
    await chooser.set_input_files(photo)
    await expect(admin.get_by_label("Текст (Markdown)")).to_have_value(
        re.compile(r"!\[Щит учета\]\(/info/pictures/[0-9a-f]{32}-400x300\)")
    )
    await expect(preview.get_by_role("img", name="Щит учета")).to_be_visible()
    await save(admin, "Опубликовать сейчас")
    await admin.wait_for_url(EDITOR)
    await expect(admin.get_by_text("Сохранено.", exact=True)).to_be_visible()
    assert await violations(admin) == []

    visitor = await browser.new_page(viewport=TELEPHONE, locale="ru-RU")  # type: ignore[arg-type]
    await visitor.goto(f"{site.url}/info")
    await visitor.get_by_role("link", name="Где щит").click()
    picture = visitor.get_by_role("img", name="Щит учета")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("naturalWidth", 400)
    assert await visitor.title() != "1"


async def test_somebody_else_saved_meanwhile(admin: Page, site: Site) -> None:
    await put_out(site, "tariffs", title="Тарифы", text="Первое")
    await admin.goto(f"{site.url}/admin/info")
    await admin.get_by_role("link", name="Тарифы").click()
    text = admin.get_by_label("Текст (Markdown)")
    await text.fill("Мое")
    await put_out(site, "tariffs", title="Тарифы", text="Чужое")

    await save(admin)

    panel = admin.get_by_role("region", name="Пока вы писали, это изменил кто-то другой")
    await expect(panel.get_by_label("Сохраненный текст")).to_have_value("Чужое")
    await expect(panel.locator("ins")).to_have_text(["Мое"])
    await expect(panel.locator("del")).to_have_text(["Чужое"])
    await expect(text).to_have_value("Мое")
    assert await violations(admin) == []
    await admin.get_by_role("link", name="История изменений").click(modifiers=["ControlOrMeta"])
    await panel.get_by_role("button", name="Сохранить мой текст вместо него").click()
    await expect(admin.get_by_text("Сохранено.", exact=True)).to_be_visible()
    await expect(text).to_have_value("Мое")


async def test_what_is_typed_survives_a_lost_connection(
    admin: Page, site: Site, context: BrowserContext
) -> None:
    await put_out(site, "tariffs", title="Тарифы", text="Первое")
    await admin.goto(f"{site.url}/admin/info")
    await admin.get_by_role("link", name="Тарифы").click()
    text, visible = admin.get_by_label("Текст (Markdown)"), admin.get_by_label("Видно до входа")
    await text.fill("Долгий труд")
    await visible.uncheck()
    await context.set_offline(True)
    await save(admin)
    await expect(admin.locator("#form-error")).to_contain_text("нет связи")
    await expect(text).to_have_value("Долгий труд")
    await context.set_offline(False)
    await put_out(site, "tariffs", title="Тарифы", text="Чужое")

    await admin.reload()

    await expect(admin.get_by_text("Восстановлено то, что вы набрали")).to_be_visible()
    await expect(text).to_have_value("Долгий труд")
    await expect(visible).not_to_be_checked()
    await expect(admin.locator("[data-lk-preview]")).to_contain_text("Долгий труд")
    await save(admin)
    await expect(admin.get_by_label("Сохраненный текст")).to_have_value("Чужое")
    await admin.get_by_role("button", name="Отбросить мой текст").click()
    await expect(text).to_have_value("Чужое")
    await expect(admin.get_by_text("Восстановлено то, что вы набрали")).to_be_hidden()


async def test_a_text_whose_answer_was_lost_is_saved_by_sending_it_again(admin: Page, site: Site) -> None:
    await put_out(site, "tariffs", title="Тарифы", text="Первое")
    await admin.goto(f"{site.url}/admin/info")
    await admin.get_by_role("link", name="Тарифы").click()
    await admin.get_by_label("Текст (Markdown)").fill("Мое")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await admin.route("**/admin/info/save", lose_the_answer)
    await save(admin)
    await expect(admin.locator("#form-error")).to_contain_text("нет связи")
    await admin.unroute("**/admin/info/save")
    await save(admin)

    await expect(admin.get_by_text("Сохранено.", exact=True)).to_be_visible()
    await expect(admin.get_by_label("Текст (Markdown)")).to_have_value("Мое")
    await expect(admin.get_by_text("Восстановлено то, что вы набрали")).to_be_hidden()


async def test_an_earlier_text_is_brought_back(admin: Page, site: Site) -> None:
    await put_out(site, "tariffs", title="Тарифы", text="Первое")
    await put_out(site, "tariffs", title="Тарифы", text="Второе")
    await admin.goto(f"{site.url}/admin/info")
    await admin.get_by_role("link", name="Тарифы").click()
    await admin.get_by_role("link", name="История изменений").click()

    await expect(admin.locator("main ins")).to_have_text(["Второе"])
    await expect(admin.locator("main del")).to_have_text(["Первое"])
    assert await violations(admin) == []
    await admin.get_by_role("link", name="Версия 1").click()
    await admin.get_by_role("button", name="Вернуть этот текст").click()
    await expect(admin.get_by_text("Текст версии 1 возвращен")).to_be_visible()
    await expect(admin.get_by_role("link", name="Версия 2")).to_be_visible()
    await expect(admin.locator("main ins")).to_have_text(["Первое"])


async def test_the_welcome_of_the_sign_in_page_is_a_block(admin: Page, site: Site, browser: Browser) -> None:
    await admin.goto(f"{site.url}/admin/info?kind=block")
    await admin.get_by_role("link", name="Написать").click()
    await admin.get_by_label("Заголовок").fill("Добро пожаловать")
    await admin.get_by_label("Текст (Markdown)").fill("**Рады** вам")
    await expect(admin.get_by_label("Адрес страницы")).to_have_value("login-welcome")
    await save(admin, "Опубликовать сейчас")
    await admin.wait_for_url(EDITOR)

    visitor = await browser.new_page(viewport=DESKTOP, locale="ru-RU")  # type: ignore[arg-type]
    await visitor.goto(f"{site.url}/login")
    await expect(visitor.get_by_role("heading", name="Добро пожаловать")).to_be_visible()
    await expect(visitor.locator("strong")).to_have_text("Рады")


async def test_an_operator_reads_the_lists_and_writes_nothing(
    context: BrowserContext, page: Page, site: Site
) -> None:
    await give_cookie(context, site, session_cookie(site.url, seed.OPERATOR, seed.PASSWORD))
    for address, heading in (("info", "Страницы"), ("agreement", "Соглашение")):
        await page.goto(f"{site.url}/admin/{address}")
        await expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        await page.wait_for_load_state("networkidle")
        assert await page.get_by_role("link", name=re.compile("^Нов(ый|ая) ")).count() == 0
    for address in ("info/new", "info/1/history", "agreement/new"):
        await page.goto(f"{site.url}/admin/{address}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()


async def test_a_subscriber_finds_nothing_there(context: BrowserContext, page: Page, site: Site) -> None:
    forget_attempts(site)
    await give_cookie(context, site, session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD))
    for address in ("info", "info/new", "info/1/history", "agreement", "agreement/new"):
        await page.goto(f"{site.url}/admin/{address}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()


async def test_the_report_of_consents_is_searched_and_downloaded(admin: Page, site: Site) -> None:
    await admin.goto(f"{site.url}/admin/agreement")
    await expect(admin.get_by_text("действует")).to_have_count(2)
    await admin.get_by_role("tab", name="Кто принял").click()
    await admin.get_by_label("ФИО, email, телефон или лицевой счет").fill(seed.OWNED_ACCOUNT)
    await admin.get_by_role("button", name="Показать").click()
    await expect(admin.get_by_text(seed.SUBSCRIBER)).to_be_visible()
    await expect(admin.get_by_text(seed.STRANGER)).to_have_count(0)

    async with admin.expect_download() as waiting:
        await admin.get_by_role("link", name="Выгрузить CSV").click()
    written = (await (await waiting.value).path()).read_text(encoding="utf-8")
    assert seed.SUBSCRIBER in written
    assert seed.STRANGER not in written


@pytest.fixture(autouse=True, scope="module")
def axe() -> None:
    require_axe()
