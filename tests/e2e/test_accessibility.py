"""No page shuts anybody out, in either theme, on a desk or on a telephone; axe-core says so.

Nor is one wider than the window: on a telephone every line would have to be pushed from side to side.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

import lk_portal.lk_portal  # noqa: F401 - registers every page
from lk_portal.metering.simulator import serial_of
from lk_portal.models import ClaimReason, Duty
from lk_portal.pages.registry import all_pages
from tests.e2e import seed
from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import DESKTOP, TELEPHONE, Site
from tests.e2e.info_texts import put_out
from tests.e2e.raw_client import session_cookie
from tests.e2e.sessions import forget_attempts, give_cookie, in_database, put_under
from tests.e2e.unfolded import BY_ADMINS, BY_STAFF, BY_SUBSCRIBERS, BY_VISITORS

pytestmark = pytest.mark.browser
PUBLIC = {
    "/login": "Вход в личный кабинет",
    "/register": "Регистрация",
    "/recover": "Восстановление пароля",
    "/info": "Информация",
    "/info?q=пароль": "Результаты поиска",
    "/info/agreement": "Пользовательское соглашение",
    "/info/help": "Помощь",
    "/info/help-marks": "Что значат обозначения",
    "/not-found": "Не найдено",
}
OWN = {
    "/": "Главная",
    "/accounts": "Абонент",
    f"/accounts/{seed.OWNED_ACCOUNT}": "Карточка лицевого счета",
    f"/meters/{serial_of(1)}": "Поверка прибора учета",
    "/diagnostics": "Диагностика",
    "/diagnostics?view=table": "Диагностика",
    "/readings": "График потребления",
    "/readings?compare=previous&basis=billing": "График потребления",
    "/readings?tab=table": "Таблица показаний",
    "/settings": "Настройка",
    "/support": "Поддержка",
    "/support?new=1": "Новое обращение",
}
OF_STAFF = {
    "/admin/tickets": "Обращения",
    "/admin/tickets?queue=closed": "Обращения",
    "/admin/tickets?q=550": "Обращения",
    "/admin/tickets/1": "Ответ абоненту",
    "/info?news=all": "Руководство оператора",
    "/info/help-staff": "Руководство оператора",
    "/info/help-staff-lists": "Если запись меняют двое",
}
OF_ADMINS = {
    "/admin/info": "Страницы",
    "/admin/info?kind=block": "Страницы",
    "/admin/info/new": "Просмотр",
    "/admin/info/{text}": "Просмотр",
    "/admin/info/{text}/history": "История изменений",
    "/admin/agreement": "Соглашение",
    "/admin/agreement?tab=consents": "Соглашение",
    "/admin/agreement/new": "Просмотр",
    "/admin/registry": "Реестр",
    "/admin/subscribers": "Абоненты",
    "/admin/accounts": "Лицевые счета",
    "/admin/accounts?row=new": "Лицевые счета",
    "/admin/meters": "Приборы учета",
    f"/admin/meters/{serial_of(1)}/replace": "Замена прибора учета",
    "/admin/premises": "Адреса",
    "/admin/points": "Точки учета",
    "/admin/installations": "Установки приборов",
    "/admin/verifications": "Поверки",
    "/admin/seals": "Пломбы",
    "/admin/answers": "Шаблоны ответов",
    "/admin/answers?row=1": "Шаблоны ответов",
    "/admin/zones": "Тарифные зоны",
    "/admin/zones?row=new": "Тарифные зоны",
    "/admin/billing": "Расчетные дни",
    "/admin/import": "Загрузка реестра",
    "/admin/tariffs": "Тарифы",
    "/admin/tariffs?q=нет": "Тарифы",
    "/admin/tariffs?row=1": "Тарифы",
    "/admin": "Рабочий стол",
    "/admin/connections": "Подключения",
    "/admin/connections?row=1": "Подключения",
    f"/admin/connections/{serial_of(1)}": "Последний опрос",
    "/admin/gateways": "Шлюзы",
    "/admin/gateways?row=new": "Шлюзы",
    "/admin/polling": "Полнота данных",
    "/admin/polling/1": "Полнота данных",
    "/admin/letters": "Письма",
    "/admin/claims": "Регистрации на проверку",
    "/admin/audit": "Журнал действий",
    "/admin/users": "Пользователи и роли",
    "/admin/users?row=new": "Пользователи и роли",
    "/admin/second-factor": "Второй фактор",
    "/admin/as/1": "Глазами абонента",
}
Look = Callable[[Page], Awaitable[list[str]]]
SHADES_MS = 300
"""So long at most colours take to turn."""
CLAIMANT = "Сидорова Анна"
CLAIM = (
    "INSERT INTO account_claim (reason, account_id, full_name, email, phone, address, created_at)"
    " SELECT ?, min(id), ?, 'sidorova@example.com', '+79135550011', '', 0 FROM account"
)
STEPS = {
    "": BY_VISITORS,
    seed.SUBSCRIBER: BY_SUBSCRIBERS,
    seed.OPERATOR: BY_STAFF,
    seed.ADMIN: BY_ADMINS,
}
DUTIES = {Duty.NEW_PASSWORD: "/new-password", Duty.CONSENT: "/consent"}
PLANTED = {
    "image-alt": "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "label": "<input type='text'>",
    "button-name": "<button type='button'></button>",
    "wider": "<p style='width:2000px'>a long line</p>",
    "color-contrast": "<p style='color:#999;background:#aaa'>a pale word</p>",
    "heading-order": "<h6>too deep</h6>",
}


@pytest.fixture(autouse=True)
def axe() -> None:
    require_axe()


def test_every_page_of_the_staff_is_walked() -> None:
    walked = {address.partition("?")[0] for address in (*OF_STAFF, *OF_ADMINS)}
    routes = [page.route for page in all_pages() if page.route.startswith("/admin")]

    assert len(routes) > 25
    assert not [route for route in routes if not any(_is_at(address, route) for address in walked)]


def _is_at(address: str, route: str) -> bool:
    return re.fullmatch(re.sub(r"\[\w+\]", "[^/]+", route), address) is not None


@pytest.mark.parametrize("viewport", [DESKTOP, TELEPHONE], ids=["1280", "390"])
async def test_no_page_shuts_anybody_out(browser: Browser, site: Site, viewport: dict[str, int]) -> None:
    async def walk_as(login: str, addresses: dict[str, str]) -> dict[str, list[str]]:
        context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
        if login:
            cookie = await asyncio.to_thread(session_cookie, site.url, login, seed.PASSWORD)
            await give_cookie(context, site, cookie)
        page = await context.new_page()
        found = await _walk(page, site, addresses)
        if not login:
            for duty in DUTIES:
                found |= await _look_at_duty(context, page, site, duty)
        await context.close()
        return found

    of_admins = list((await _with_rows(site)).items())
    walks = await asyncio.gather(
        walk_as("", PUBLIC),
        walk_as(seed.SUBSCRIBER, OWN),
        walk_as(seed.OPERATOR, OF_STAFF),
        walk_as(seed.ADMIN, dict(of_admins[::2])),
        walk_as(seed.ADMIN, dict(of_admins[1::2])),
    )
    found = {address: lines for walk in walks for address, lines in walk.items()}

    assert not {address: lines for address, lines in found.items() if lines}
    in_database(site, "DELETE FROM account_claim WHERE full_name = ?", CLAIMANT)
    assert len(found) == sum(map(len, (PUBLIC, OWN, OF_STAFF, OF_ADMINS, DUTIES)))


async def test_nothing_that_opens_shuts_anybody_out(browser: Browser, site: Site) -> None:
    """Menus, dialogs, forms with errors and what else is not there when a page is opened."""
    forget_attempts(site)
    context = await browser.new_context(viewport=TELEPHONE, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    found = {}
    for login, steps in (
        ("", BY_VISITORS),
        (seed.SUBSCRIBER, BY_SUBSCRIBERS),
        (seed.OPERATOR, BY_STAFF),
        (seed.ADMIN, BY_ADMINS),
    ):
        if login:
            await give_cookie(context, site, session_cookie(site.url, login, seed.PASSWORD))
        for step in steps:
            await step(page, site)
            await _come_to_rest(page)
            found[step.__name__] = await _in_both_themes(page, violations)

    assert not {name: lines for name, lines in found.items() if lines}
    assert len(found) == sum(map(len, STEPS.values()))


async def _walk(page: Page, site: Site, addresses: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for address, heading in addresses.items():
        await page.goto(f"{site.url}{address}")
        await expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        await _come_to_rest(page)
        found[address] = await _in_both_themes(page, violations, _overflow)
    return found


async def _in_both_themes(page: Page, *looks: Look) -> list[str]:
    """What is wrong in the light and in the dark: an open page goes with the system's choice."""
    found = []
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(page.locator("html")).to_have_attribute("data-theme", scheme)
        await page.wait_for_timeout(SHADES_MS)
        found += [f"{scheme}: {line}" for look in looks for line in await look(page)]
    return found


async def _with_rows(site: Site) -> dict[str, str]:
    """The addresses for admins; lists that would be empty have something to show."""
    in_database(site, CLAIM, ClaimReason.ACCOUNT_OWNED.value, CLAIMANT)
    await put_out(site, "walked", title="Прогулка", text="Текст", after_s=1e8)
    [(text,)] = in_database(site, "SELECT id FROM info_page WHERE slug = 'walked'")
    return {address.format(text=text): heading for address, heading in OF_ADMINS.items()}


async def _overflow(page: Page) -> list[str]:
    """What makes the page wider than the window."""
    wide = await page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const isOut = element => element.getBoundingClientRect().right > width + 1;
            return [...document.body.querySelectorAll("*")].filter(isOut).map(e => e.outerHTML.slice(0, 160));
        }"""
    )
    return [f"wider than the window: {html}" for html in wide[-3:]]


async def _look_at_duty(context: BrowserContext, page: Page, site: Site, duty: Duty) -> dict[str, list[str]]:
    cookie = session_cookie(site.url, seed.STRANGER, seed.PASSWORD)
    put_under(site, cookie, duty)
    await give_cookie(context, site, cookie)
    await page.goto(f"{site.url}/")
    await page.wait_for_url(re.compile(DUTIES[duty]))
    await _come_to_rest(page)
    return {DUTIES[duty]: await _in_both_themes(page, violations)}


async def _come_to_rest(page: Page) -> None:
    """Until what the page asked for is there: pictures, charts, the person's name."""
    await page.wait_for_load_state("networkidle")
    await page.wait_for_timeout(300)


async def test_planted_violations_are_found(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/login")
    await page.get_by_label("Пароль").wait_for()
    await _come_to_rest(page)
    await page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)",
        "".join(PLANTED.values()),
    )

    found = {line.partition(":")[0] for line in await violations(page)}
    found |= {line.partition(" ")[0] for line in await _overflow(page)}

    assert found >= PLANTED.keys()
