"""Notifications as a person sets them up: boxes, thresholds, this device; and how the portal is installed.

Headless Chromium has no push service, so its PushManager is replaced; all the rest - the page, the service
worker, the portal - is real.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.accessibility import require_axe, violations
from tests.e2e.conftest import TELEPHONE, Site, sign_in
from tests.e2e.hands import Keys
from tests.e2e.sessions import in_database
from tests.e2e.test_settings import Person, person, to_settings
from tests.push_service import Browser as PushBrowser

__all__ = ["person"]
pytestmark = pytest.mark.browser
LETTER, PHONE = "Письмо", "На телефон"
WARNINGS = "Предупреждения прибора учета"
LIMIT = "Сообщить, если за месяц больше, кВт·ч"
TURN_ON = "Включить уведомления на этом устройстве"
FAKE = """
(() => {
  const answer = ANSWER;
  let made = null;
  window.Notification.requestPermission = async () => answer.permission;
  const gone = async () => { made = null; return true; };
  PushManager.prototype.getSubscription = async () => made;
  PushManager.prototype.subscribe = async (options) => {
    if (answer.fails) throw new DOMException("no service", "AbortError");
    window.asked = options;
    made = { toJSON: () => answer.subscription, unsubscribe: gone };
    return made;
  };
})();
"""


async def with_push(
    context: BrowserContext, device: PushBrowser, *, permission: str = "granted", fails: bool = False
) -> None:
    """From the next page on, the browser has a push service that gives this subscription."""
    given = device.subscription
    subscription = {"endpoint": given.endpoint, "keys": {"p256dh": given.p256dh, "auth": given.auth}}
    answer = {"permission": permission, "fails": fails, "subscription": subscription}
    await context.add_init_script(FAKE.replace("ANSWER", json.dumps(answer)))


def box(page: Page, kind: str, way: str) -> Locator:
    return page.get_by_role("checkbox", name=f"{kind}: {way}", exact=True)


def endpoints(site: Site, person: Person) -> list[Any]:
    found = in_database(site, "SELECT endpoint FROM push_subscription WHERE user_id = ?", person.user_id)
    return [row[0] for row in found]


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, TELEPHONE], ids=["1280", "390"])
async def test_boxes_are_kept(browser: Browser, site: Site, person: Person, viewport: dict[str, int]) -> None:
    context = await browser.new_context(viewport=viewport, locale="ru-RU")  # type: ignore[arg-type]
    page = await context.new_page()
    await to_settings(page, site, person)
    for kind, letter, phone in (
        ("Ответ на обращение", True, True),
        ("Критические события прибора учета", True, True),
        (WARNINGS, False, False),
        ("Расход больше порога", True, True),
        ("Подходит срок поверки", True, True),
    ):
        await expect(box(page, kind, LETTER)).to_be_checked(checked=letter)
        await expect(box(page, kind, PHONE)).to_be_checked(checked=phone)
    await expect(box(page, "Вход с нового устройства", LETTER)).to_be_checked()
    await expect(box(page, "Вход с нового устройства", PHONE)).to_have_count(0)

    await box(page, WARNINGS, PHONE).click()
    await expect(page.get_by_text("Сохранено.")).to_be_visible()
    await box(page, "Вход с нового устройства", LETTER).click()
    await expect(box(page, "Вход с нового устройства", LETTER)).not_to_be_checked()
    await page.reload()

    await expect(box(page, WARNINGS, PHONE)).to_be_checked()
    await expect(box(page, WARNINGS, LETTER)).not_to_be_checked()
    await expect(box(page, "Вход с нового устройства", LETTER)).not_to_be_checked()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]


async def test_boxes_and_thresholds_by_keys_alone(page: Page, site: Site, person: Person) -> None:
    await to_settings(page, site, person)
    hands = Keys(page)

    await hands.tick(f"{WARNINGS}: {LETTER}")
    await expect(box(page, WARNINGS, LETTER)).to_be_checked()
    await hands.fill(LIMIT, "250")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("Сохранено.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label(LIMIT)).to_have_value("250")


async def test_a_threshold_that_is_none_gets_a_sentence_and_stays_typed(
    page: Page, site: Site, person: Person
) -> None:
    await to_settings(page, site, person)
    field = page.get_by_label(LIMIT)
    save = page.locator("form").filter(has=field).get_by_role("button", name="Сохранить")
    for typed in ("много", "-5", "0", "12,5", "<b>1</b>"):
        await field.fill(typed)
        await save.click()
        await expect(page.get_by_role("alert").filter(has_text="Введите целое число")).to_be_visible()
        await expect(field).to_have_value(typed)
        await expect(field).to_have_attribute("aria-invalid", "true")

    await field.fill("1 000")
    await save.click()
    await expect(page.get_by_role("alert").filter(has_text="Введите целое число")).to_have_count(0)
    await expect(field).to_have_value("1000")
    await field.fill("")
    await save.click()
    for _turn in range(100):
        if not in_database(site, "SELECT 1 FROM consumption_limit WHERE user_id = ?", person.user_id):
            break
        await page.wait_for_timeout(100)
    await page.reload()
    await expect(field).to_have_value("")


async def test_this_device_is_turned_on_and_off(
    context: BrowserContext, page: Page, site: Site, person: Person
) -> None:
    device = PushBrowser(f"/send/on-{person.user_id}")
    await with_push(context, device)
    await to_settings(page, site, person)

    await page.get_by_role("button", name=TURN_ON).click()

    await expect(page.get_by_text("Уведомления на этом устройстве включены.")).to_be_visible()
    await expect(page.get_by_text("это устройство")).to_be_visible()
    await expect(page.get_by_role("button", name=TURN_ON)).to_have_count(0)
    assert endpoints(site, person) == [device.subscription.endpoint]
    asked = await page.evaluate(
        "({bytes: asked.applicationServerKey.length, visible: asked.userVisibleOnly})"
    )
    assert asked == {"bytes": 65, "visible": True}
    scope = await page.evaluate("navigator.serviceWorker.ready.then(worker => worker.scope)")
    assert scope == f"{site.url}/"

    await page.reload()
    await page.get_by_role("button", name="Выключить").click()
    await expect(page.get_by_text("Уведомления на устройстве выключены.")).to_be_visible()
    await expect(page.get_by_role("button", name=TURN_ON)).to_be_visible()
    assert endpoints(site, person) == []


DENIED = "Браузер не разрешает уведомления."
FAILED = "Браузеру не удалось связаться со своей службой уведомлений."


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ({"permission": "denied"}, DENIED),
        ({"permission": "default"}, DENIED),
        ({"fails": True}, FAILED),
    ],
)
async def test_what_does_not_work_is_said(
    page: Page, site: Site, person: Person, trouble: dict[str, Any], sentence: str
) -> None:
    await with_push(page.context, PushBrowser(), **trouble)
    await to_settings(page, site, person)
    said = page.get_by_text(sentence)
    await expect(said).to_be_hidden()

    await page.get_by_role("button", name=TURN_ON).click()

    await expect(said).to_be_visible()
    await expect(page.get_by_role("button", name=TURN_ON)).to_be_enabled()
    assert endpoints(site, person) == []


async def test_a_browser_without_push_is_told_so(
    context: BrowserContext, page: Page, site: Site, person: Person
) -> None:
    await context.add_init_script("delete window.PushManager")
    await to_settings(page, site, person)
    await page.get_by_role("button", name=TURN_ON).click()
    await expect(page.get_by_text("Этот браузер не может показывать уведомления")).to_be_visible()
    await expect(page.get_by_text("На iPhone и iPad сначала добавьте кабинет")).to_be_visible()


async def test_signing_out_leaves_no_pushes_to_a_shared_computer(
    context: BrowserContext, page: Page, site: Site, person: Person
) -> None:
    await with_push(context, PushBrowser(f"/send/out-{person.user_id}"))
    await to_settings(page, site, person)
    await page.get_by_role("button", name=TURN_ON).click()
    await expect(page.get_by_text("это устройство")).to_be_visible()
    assert len(endpoints(site, person)) == 1

    await page.get_by_label("Меню пользователя").click()
    await page.get_by_role("button", name="Выйти").click()
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()

    assert endpoints(site, person) == []


async def test_a_push_is_shown_and_leads_to_its_page(
    context: BrowserContext, page: Page, site: Site, person: Person
) -> None:
    """The real service worker gets a real push event, through the browser's own debugging door."""
    await context.grant_permissions(["notifications"], origin=site.url)
    await sign_in(page, site, person.email)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    registrations: list[dict[str, Any]] = []
    tools = await context.new_cdp_session(page)
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    await tools.send("ServiceWorker.enable")
    await page.evaluate(
        "navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => 1)"
    )
    content = {
        "title": "ЭнергоМир",
        "body": "Новый ответ на обращение",
        "page": "/support/1",
        "tag": "answer",
    }
    for data in (json.dumps(content), "no json"):
        await tools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": site.url, "registrationId": registrations[0]["registrationId"], "data": data},
        )
    shown = """async () => {
      const worker = await navigator.serviceWorker.ready;
      for (let turn = 0; turn < 200; turn++) {
        const found = await worker.getNotifications();
        const seen = found.map(one => [one.title, one.body, one.tag, one.data.page ?? ""]);
        if (seen.length === 2) return seen.sort();
        await new Promise(done => setTimeout(done, 100));
      }
      return [];
    }"""

    assert await page.evaluate(shown) == [
        ["127.0.0.1", "", "portal", ""],
        ["ЭнергоМир", "Новый ответ на обращение", "answer", "/support/1"],
    ]
    cached = await page.evaluate("caches.keys()")
    assert cached == []


async def test_the_portal_can_be_installed(context: BrowserContext, page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/login")
    tools = await context.new_cdp_session(page)

    manifest = await tools.send("Page.getAppManifest")
    wrong = await tools.send("Page.getInstallabilityErrors")

    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["display"] == "standalone"
    ignored = {"in-incognito"}
    assert [one for one in wrong["installabilityErrors"] if one["errorId"] not in ignored] == []
    for address, kind in (("/sw.js", "javascript"), ("/icons/192.png", "image/png")):
        answer = await page.request.get(f"{site.url}{address}")
        assert answer.ok
        assert kind in answer.headers["content-type"]
    assert await page.locator("link[rel=apple-touch-icon]").get_attribute("href") == "/icons/180.png"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_with_a_device_the_page_shuts_nobody_out(
    browser: Browser, site: Site, person: Person, scheme: str
) -> None:
    require_axe()
    context = await browser.new_context(viewport=TELEPHONE, color_scheme=scheme, locale="ru-RU")  # type: ignore[arg-type]
    await with_push(context, PushBrowser(f"/send/axe-{scheme}-{person.user_id}"))
    page = await context.new_page()
    await to_settings(page, site, person)
    await page.get_by_role("button", name=TURN_ON).click()
    await expect(page.get_by_text("это устройство")).to_be_visible()
    await page.get_by_label(LIMIT).fill("x")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").filter(has_text="Введите целое число")).to_be_visible()

    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]
