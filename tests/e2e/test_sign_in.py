"""Signing in and out as a person does, in Russian."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in

pytestmark = pytest.mark.browser


async def test_a_visitor_signs_in_and_lands_where_he_was_going(page: Page, site: Site) -> None:
    await page.goto(f"{site.url}/readings?interval=year&period=2026")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()

    await sign_in(page, site)

    await expect(page).to_have_url(re.compile(r"/readings\?interval=year&period=2026"))
    await expect(page.get_by_role("heading", name="2026", exact=True)).to_be_visible()


@pytest.mark.parametrize("login", ["8 913 123-45-67", "+7 (913) 1234567", "IVANOV@Example.com "])
async def test_a_login_is_understood_as_people_type_it(page: Page, site: Site, login: str) -> None:
    await sign_in(page, site, login)

    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()


@pytest.mark.parametrize(
    ("login", "password"),
    [
        (seed.SUBSCRIBER, "wrong password"),
        ("nobody@example.com", seed.PASSWORD),
        ("' OR 1=1 --", "<script>alert(1)</script>"),
    ],
)
async def test_a_refusal_never_says_which_half_was_wrong(
    page: Page, site: Site, login: str, password: str
) -> None:
    await sign_in(page, site, login, password)

    await expect(page.get_by_role("alert")).to_have_text("Неверный логин или пароль")
    await expect(page.get_by_label("Логин")).to_have_value(login.strip())
    assert "Неверный" not in page.url


async def test_sign_out_ends_the_session_on_the_server(
    page: Page, context: BrowserContext, site: Site
) -> None:
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    stolen = await context.cookies()

    await page.get_by_label("Меню пользователя").click()
    await page.get_by_role("button", name="Выйти").click()
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()

    await context.add_cookies(stolen)  # type: ignore[arg-type]
    await page.goto(f"{site.url}/")
    await expect(page.get_by_role("heading", name="Вход в личный кабинет")).to_be_visible()


async def test_the_session_is_out_of_reach_of_scripts(
    page: Page, context: BrowserContext, site: Site
) -> None:
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    [session] = [cookie for cookie in await context.cookies() if cookie["name"] == "lk_session"]

    assert session["httpOnly"]
    assert session["sameSite"] == "Lax"
    assert session["value"] not in await page.evaluate("document.cookie")
    # Reflex keeps the request's headers in the state that it sends to the page.
    assert session["value"] not in await page.evaluate("JSON.stringify(window.sessionStorage)")


async def test_staff_has_no_cabinet(page: Page, site: Site) -> None:
    await sign_in(page, site, seed.OPERATOR)
    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("heading", name="Рабочий стол")).to_be_visible()

    await page.goto(f"{site.url}/readings")
    await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()


async def test_a_broken_address_looks_like_every_one_that_does_not_exist(page: Page, site: Site) -> None:
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    answers = {}
    unknown = ("/none", "/%00", "/%ff", "/%", "/readings/%00", f"/{'a' * 300}")
    # These are addresses of a page, which finds that there is no such meter: the same for all of them.
    meters = ("/meters/none", "/meters/%00", "/meters/44103811020517")
    for path in (*unknown, *meters):
        answer = await page.goto(f"{site.url}{path}")
        await expect(page.get_by_role("heading", name="Не найдено")).to_be_visible()
        assert answer is not None
        answers[path] = await answer.body()

    assert {answers[path] for path in unknown} == {answers["/none"]}
    assert {answers[path] for path in meters} == {answers["/meters/none"]}
