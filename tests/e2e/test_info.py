"""Раздел «Информация», as a visitor and as a subscriber read it: on a computer and on a telephone."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lk_portal.services.content import InfoKind
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site, sign_in
from tests.e2e.info_texts import MARKUP, next_agreement, put_out, withdraw

pytestmark = pytest.mark.browser
SOON_S = 6


@pytest_asyncio.fixture(loop_scope="session", params=[DESKTOP, TELEPHONE], ids=["1280", "390"])
async def reader(browser: Browser, request: pytest.FixtureRequest) -> Page:
    """A visitor's tab, in each width."""
    context = await browser.new_context(viewport=request.param, locale="ru-RU")
    page = await context.new_page()
    page.set_default_timeout(15_000)
    return page


async def search(page: Page, words: str) -> None:
    await page.get_by_label("Поиск по справке, новостям и документам").fill(words)
    await page.get_by_role("button", name="Найти").click()


async def has_no_sideways_scrolling(page: Page) -> bool:
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return bool(wide <= 0)


async def test_a_visitor_reads_pages_news_and_help(reader: Page, site: Site) -> None:
    await put_out(site, "tariffs", title="Тарифы", text="## Цены\n\n| зона | цена |\n|---|---|\n| Т1 | 5 |")
    await put_out(site, "works", title="Работы в среду", text="С 10 до 12", kind=InfoKind.NEWS)
    await reader.goto(f"{site.url}/login")
    await reader.get_by_role("link", name="Информация").click()
    await expect(reader.get_by_role("heading", name="Информация", level=1)).to_be_visible()

    await reader.get_by_role("link", name="Работы в среду").click()
    await expect(reader.get_by_role("heading", name="Работы в среду", level=1)).to_be_visible()
    await expect(reader.get_by_text("С 10 до 12")).to_be_visible()
    await expect(reader.get_by_text("Опубликовано")).to_be_visible()
    await expect(reader).to_have_title("Работы в среду — ЭнергоМир")

    await (
        reader.get_by_role("navigation", name="Вы находитесь здесь")
        .get_by_role("link", name="Информация")
        .click()
    )
    await expect(reader).to_have_title("Информация — ЭнергоМир")
    await reader.get_by_role("link", name="Тарифы").click()
    await expect(reader.get_by_role("cell", name="Т1")).to_be_visible()
    await expect(reader).to_have_title("Тарифы — ЭнергоМир")
    assert await has_no_sideways_scrolling(reader)

    await reader.goto(f"{site.url}/info")
    await reader.get_by_role("link", name="Регистрация и вход").click()
    await expect(reader.get_by_role("heading", name="Первый раз: регистрация")).to_be_visible()
    picture = reader.get_by_role("img", name="Страница входа на телефоне")
    await picture.scroll_into_view_if_needed()
    await reader.wait_for_function("image => image.naturalWidth > 300", arg=await picture.element_handle())
    await reader.get_by_role("navigation", name="Другие темы").get_by_role("link").click()
    await expect(reader.get_by_role("heading", name="Восстановление пароля", level=1)).to_be_visible()
    assert await has_no_sideways_scrolling(reader)


async def test_the_contents_lead_to_the_headings(reader: Page, site: Site) -> None:
    await reader.goto(f"{site.url}/info/help-marks")
    contents = reader.get_by_role("navigation", name="Содержание")
    await contents.get_by_role("link", name="кВт·ч и квар·ч").click()

    await expect(reader.get_by_role("heading", name="кВт·ч и квар·ч")).to_be_in_viewport()
    assert reader.url.startswith(f"{site.url}/info/help-marks#section-")


async def test_a_search_marks_what_it_found_and_stays_in_the_address(reader: Page, site: Site) -> None:
    await reader.goto(f"{site.url}/info")
    await search(reader, "временным ПАРОЛЬ")

    await expect(reader.get_by_role("heading", name="Результаты поиска")).to_be_visible()
    found = reader.get_by_role("link", name="Восстановление пароля")
    await expect(found).to_be_visible()
    await expect(reader.locator("mark", has_text="Временный").first).to_be_visible()
    address = reader.url
    assert "/info?q=" in address
    assert await has_no_sideways_scrolling(reader)

    await found.click()
    await expect(reader.get_by_role("heading", name="Восстановление пароля", level=1)).to_be_visible()
    await reader.go_back()
    await expect(reader.get_by_label("Поиск по справке, новостям и документам")).to_have_value(
        "временным ПАРОЛЬ"
    )

    await search(reader, "абракадабра")
    await expect(reader.get_by_text("Ничего не найдено")).to_be_visible()
    await expect(reader.get_by_text("Найдено 0 текстов")).to_be_visible()
    await reader.get_by_role("link", name="Вся информация").click()
    await expect(reader.get_by_role("link", name="Регистрация и вход")).to_be_visible()


async def test_a_draft_is_nowhere_and_a_scheduled_one_comes_when_it_is_due(page: Page, site: Site) -> None:
    await put_out(site, "secret-draft", title="Канарейка черновик", text="Канарейка")
    await withdraw(site, "secret-draft")
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    await page.get_by_role("link", name="Информация").first.click()
    await expect(page.get_by_role("link", name="Регистрация и вход")).to_be_visible()

    await put_out(
        site, "due-soon", title="Канарейка новость", text="Вышла", kind=InfoKind.NEWS, after_s=SOON_S
    )
    await expect(page.get_by_role("link", name="Канарейка новость")).to_have_count(0)
    # The open page shows it by itself; nothing is reloaded.
    await expect(page.get_by_role("link", name="Канарейка новость")).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("Канарейка черновик")).to_have_count(0)

    await search(page, "канарейка")
    await expect(page.get_by_text("Найден 1 текст")).to_be_visible()
    await page.goto(f"{site.url}/info/secret-draft")
    await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()


async def test_some_pages_are_seen_after_signing_in(page: Page, site: Site) -> None:
    await put_out(site, "for-subscribers", title="Для абонентов", text="Внутреннее", is_public=False)
    await page.goto(f"{site.url}/info?q=Внутреннее")
    await expect(page.get_by_text("Ничего не найдено")).to_be_visible()
    await page.goto(f"{site.url}/info/for-subscribers")
    await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
    await expect(page.get_by_text("Внутреннее")).to_have_count(0)

    await page.get_by_role("link", name="Войти").click()
    await page.wait_for_url("**/login?next=*")
    await sign_in(page, site)

    await expect(page.get_by_role("heading", name="Для абонентов", level=1)).to_be_visible()
    await expect(page.get_by_text("Внутреннее")).to_be_visible()


async def test_markup_is_text_wherever_it_stands(page: Page, site: Site) -> None:
    await put_out(site, "markup", title=f"Тест {MARKUP}", text=f"Разметочка {MARKUP}", kind=InfoKind.NEWS)
    for address in ("/info", "/info?q=разметочка", "/info?q=evil", "/info/markup"):
        await page.goto(f"{site.url}{address}")
        await expect(page.get_by_text(MARKUP).first).to_be_visible()
        assert await page.locator("#evil").count() == 0
        assert await page.title() != "1"
    await page.goto(f"{site.url}/info?q=<script>document.title=1</script>")
    await expect(page.get_by_text("Ничего не найдено")).to_be_visible()
    await withdraw(site, "markup")


async def test_earlier_versions_of_the_agreement_can_be_read(reader: Page, site: Site) -> None:
    title = "Пользовательское соглашение"
    async with next_agreement(site, title=title, text=f"# {title}\n\nНовые условия"):
        await reader.goto(f"{site.url}/info")
        await reader.get_by_role("link", name=title).click()
        await expect(reader.get_by_text("Новые условия")).to_be_visible()
        await expect(reader.get_by_text("Версия 2 от")).to_be_visible()

        await reader.get_by_role("link", name="Версия 1 от").click()
        await expect(reader.get_by_text("Эта версия больше не действует")).to_be_visible()
        await expect(reader.get_by_role("heading", name="1. Что такое личный кабинет")).to_be_visible()
        await expect(reader.get_by_text("Новые условия")).to_have_count(0)

        await reader.get_by_role("link", name="Действующая версия").click()
        await expect(reader.get_by_text("Новые условия")).to_be_visible()
        await reader.goto(f"{site.url}/info/agreement?version=99")
        await expect(reader.get_by_role("heading", name="Не найдено")).to_be_visible()


async def test_the_utilitys_welcome_takes_the_place_of_ours(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/login")
    await expect(page.get_by_role("heading", name="Уважаемые абоненты!")).to_be_visible()
    before = await page.locator("form").first.bounding_box()

    await put_out(
        site, "login-welcome", title="Добрый день!", text="Мы **рядом**. " * 30, kind=InfoKind.BLOCK
    )
    await page.reload()
    await expect(page.get_by_role("heading", name="Добрый день!")).to_be_visible()
    await expect(page.get_by_role("heading", name="Уважаемые абоненты!")).to_have_count(0)
    assert await page.locator("form").first.bounding_box() == before
    await withdraw(site, "login-welcome")


async def test_the_menu_leads_here_and_says_so(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await page.get_by_role("navigation", name="Главное меню").get_by_role("link", name="Информация").click()

    await expect(page.get_by_role("heading", name="Информация", level=1)).to_be_visible()
    here = page.get_by_role("navigation", name="Главное меню").get_by_role("link", name="Информация")
    await expect(here).to_have_attribute("aria-current", "page")
