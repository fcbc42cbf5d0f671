"""Languages and looks in a browser: each person's own, at the same time, before and after signing in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from lk_portal.i18n import LANGUAGES
from lk_portal.serving.frontend import pages_dir
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.e2e.conftest import POLL_S, Site, sign_in

pytestmark = pytest.mark.browser
CYRILLIC = re.compile(r"(?:[\u0400-\u04ff]|\\u04[0-9a-fA-F]{2})+")
SOURCES = (".html", ".js", ".css")
TEXTS_COME_S = 3 * POLL_S
ENGLISH_NUMBER = re.compile(r"^\d{1,3}(,\d{3})*\.\d{2}$")
RUSSIAN_NUMBER = re.compile(r"^\d{1,3}(\s\d{3})*,\d{2}$")


def cyrillic(locale: str) -> set[str]:
    """Every Russian word in the pages of a language, but the languages' own names and the utility's."""
    words: set[str] = set()
    for path in pages_dir(locale).rglob("*"):
        if path.suffix in SOURCES:
            words.update(CYRILLIC.findall(path.read_text(encoding="utf-8")))
    return words - set(LANGUAGES.values()) - set(load_settings().utility_name.split())


@pytest.mark.usefixtures("site")
def test_nothing_russian_is_left_in_the_english_pages() -> None:
    assert cyrillic("en") == set()


@pytest.mark.usefixtures("site")
def test_the_russian_pages_would_be_seen() -> None:
    assert {"Войти", "Показания", "Потребление", "Загрузка"} <= cyrillic("ru")


async def sign_in_in_english(page: Page, password: str = seed.PASSWORD) -> None:
    await page.get_by_label("Login").fill(seed.SUBSCRIBER)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def figure(page: Page, name: str) -> str:
    """A number beside the chart."""
    entry = page.locator("dl > div", has=page.get_by_text(name, exact=True))
    return (await entry.locator("dd span").first.inner_text()).strip()


async def test_a_visitor_switches_to_english_and_all_that_follows_is_english(
    page: Page, browser: Browser, site: Site
) -> None:
    russian = await (await browser.new_context(locale="en-US")).new_page()
    await sign_in(russian, site)
    await russian.get_by_role("link", name="Показания").first.click()

    await page.goto(f"{site.url}/login?next=%2F")
    await page.get_by_role("button", name="English").click()
    await expect(page).to_have_url(f"{site.url}/login?next=%2F")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await sign_in_in_english(page, "not her password")
    await expect(page.get_by_role("alert")).to_have_text("Wrong login or password")
    await sign_in_in_english(page)
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await page.get_by_role("link", name="Readings").first.click()  # without loading a page

    await expect(page.locator("#fresh")).to_have_text(re.compile(r"Data as of [A-Z][a-z]{2} \d+, \d{4}, "))
    await expect(russian.locator("#fresh")).to_have_text(re.compile(r"Данные на \d\d\.\d\d\.\d{4}, "))
    assert ENGLISH_NUMBER.match(await figure(page, "Total"))
    assert RUSSIAN_NUMBER.match(await figure(russian, "Всего"))
    assert CYRILLIC.findall(await own_texts(page)) == []

    shown = await page.locator("#fresh").inner_text(), await figure(page, "Total")
    await expect(page.locator("dl")).not_to_contain_text(shown[1], timeout=TEXTS_COME_S * 1000)
    assert ENGLISH_NUMBER.match(await figure(page, "Total"))  # pushed, not asked for
    assert RUSSIAN_NUMBER.match(await figure(russian, "Всего"))
    assert CYRILLIC.findall(await own_texts(page)) == []


async def own_texts(page: Page) -> str:
    """What is read on the page, without what people of the utility have typed."""
    text = await page.locator("main").inner_text()
    options = await page.locator("main select#meter").inner_text()
    return text.replace(options, "")


async def test_a_page_that_is_open_goes_on_in_its_language(context: BrowserContext, site: Site) -> None:
    """Another tab has chosen English; this one gets its next chunk, and its texts, in Russian."""
    first, second = await context.new_page(), await context.new_page()
    await sign_in(first, site)
    await expect(first.get_by_role("heading", name="Главная")).to_be_visible()
    await second.request.post(
        f"{site.url}/profile/preferences",
        form={"locale": "en"},
        headers={"Origin": site.url},
        max_redirects=0,
    )

    await first.get_by_role("link", name="Показания").first.click()
    await expect(first.locator("#fresh")).to_have_text(re.compile("Данные на "))
    await second.goto(site.url)
    await expect(second.get_by_role("heading", name="Home")).to_be_visible()

    await first.context.request.post(
        f"{site.url}/profile/preferences",
        form={"locale": "ru"},
        headers={"Origin": site.url},
        max_redirects=0,
    )


async def test_a_language_can_be_chosen_without_scripts(browser: Browser, site: Site) -> None:
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    await page.goto(f"{site.url}/login")
    for language, button in (("English", "Sign in"), ("Русский", "Войти")):
        await page.get_by_role("button", name=language).click()
        await expect(page.get_by_role("button", name=button)).to_be_visible()


@pytest.mark.parametrize("locale", LANGUAGES)
async def test_no_page_breaks_its_own_policy(context: BrowserContext, site: Site, locale: str) -> None:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    await context.add_cookies([{"name": "lk_locale", "value": locale, "url": site.url}])
    page = await context.new_page()
    page.on("console", note)
    for path in ("/login", "/not-found", "/no/such/page", "/"):
        answer = await page.goto(f"{site.url}{path}")
        assert answer is not None
        assert len(answer.headers["content-security-policy"]) < 2000
        await page.wait_for_load_state("networkidle")
        await expect(page.locator("html")).to_have_attribute("lang", locale)

    assert complaints == []


async def test_a_look_is_kept_by_browser_and_account(page: Page, browser: Browser, site: Site) -> None:
    await page.goto(f"{site.url}/login")
    assert await look(page) == ("light", "light")
    await page.get_by_role("button", name="Светлая или темная тема").click()
    assert await look(page) == ("dark", "dark")
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    assert await look(page) == ("dark", "dark")

    await page.wait_for_load_state()  # what is drawn ahead is there before the scripts
    async with page.expect_response("**/profile/preferences"):
        await page.get_by_role("button", name="Светлая или темная тема").click()
    assert await look(page) == ("light", "light")
    async with page.expect_response("**/profile/preferences"):
        await page.get_by_role("button", name="Светлая или темная тема").click()

    elsewhere = await (await browser.new_context(color_scheme="light")).new_page()
    await sign_in(elsewhere, site)
    await expect(elsewhere.get_by_role("heading", name="Главная")).to_be_visible()
    assert await look(elsewhere) == ("dark", "dark")
    await elsewhere.context.request.post(
        f"{site.url}/profile/preferences",
        form={"theme": "system"},
        headers={"Origin": site.url},
        max_redirects=0,
    )
    await elsewhere.reload()
    assert await look(elsewhere) == ("light", "light")


async def test_the_form_of_the_settings_changes_both_at_once(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/login?next=%2Fsettings")
    await sign_in(page, site)
    form = page.locator("form", has=page.locator("select[name=locale]"))

    await expect(form.locator("select[name=locale]")).to_have_value("ru")
    for locale, theme in (("en", "dark"), ("ru", "system")):
        await form.locator("select[name=locale]").select_option(locale)
        await form.locator("select[name=theme]").select_option(theme)
        await form.get_by_role("button").click()
        await expect(page.locator("html")).to_have_attribute("lang", locale)
        await expect(page).to_have_url(f"{site.url}/settings")
        await expect(form.locator("select[name=locale]")).to_have_value(locale)
        await expect(form.locator("select[name=theme]")).to_have_value(theme)
    assert await look(page) == ("light", "light")


async def look(page: Page) -> tuple[str, str]:
    """The theme of the page, and of the browser's own controls on it."""
    theme = await page.locator("html").get_attribute("data-theme")
    scheme = await page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    return str(theme), str(scheme)


def test_the_pages_of_both_languages_are_there(site: Site) -> None:
    assert site.url
    for locale in LANGUAGES:
        html = Path(pages_dir(locale) / "login" / "index.html").read_text(encoding="utf-8")
        assert f'<html lang="{locale}"' in html
