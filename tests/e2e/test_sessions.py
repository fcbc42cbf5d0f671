"""Sessions over real sockets and in a browser: ended elsewhere, rotated, begun with a double click."""

from __future__ import annotations

import asyncio
import contextlib
import re

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, Route, expect
from playwright.async_api import Error as PlaywrightError

from lk_portal.services import temporary_passwords
from lk_portal.services.access import Role, create_user
from lk_portal.services.context import utc_now
from lk_portal.services.database import Database
from lk_portal.state.live import TURN_S
from lk_portal.state.sockets import GRACE_S
from tests.e2e import seed
from tests.e2e.conftest import Site, sign_in
from tests.e2e.raw_client import raw_client, session_cookie

READINGS = "reflex___state____state.lk_portal___state___readings____readings_state.load"
RECOVER = "reflex___state____state.lk_portal___state___recover____recover_state.load"
HYDRATE = "reflex___state____state.hydrate"


async def sign_out(site: Site, cookie: str) -> None:
    async with httpx.AsyncClient() as http:
        await http.post(f"{site.url}/auth/logout", headers={"Origin": site.url, "Cookie": cookie})


@pytest.mark.parametrize("event", [READINGS, HYDRATE])
async def test_the_socket_of_an_ended_session_is_closed_at_its_next_event(site: Site, event: str) -> None:
    """This tab follows nothing, so no push closes its socket: the event itself must."""
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(HYDRATE, path="/readings")
        assert await client.settle()
        await sign_out(site, cookie)
        client.received.clear()

        await client.send(event, path="/readings")

        async with asyncio.timeout(10):
            await client.is_closed.wait()
        assert seed.CANARY not in "\n".join(client.received)


async def test_a_session_ended_elsewhere_is_pushed_nothing_and_closed(site: Site) -> None:
    """The meter is polled every few seconds, and its page is told of it without asking."""
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(READINGS, path=f"/readings?meter={site.seed.serial}")
        await client.wait_for(site.seed.serial)
        await sign_out(site, cookie)
        client.received.clear()

        async with asyncio.timeout(30):
            await client.is_closed.wait()
        assert seed.CANARY not in "\n".join(client.received)


async def test_a_living_session_keeps_its_socket(site: Site) -> None:
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    other = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(READINGS, path="/readings")
        await client.settle()
        await sign_out(site, other)
        await client.send(READINGS, path="/readings")
        await client.settle()
        await asyncio.sleep(1.5)

        assert not client.is_closed.is_set()


async def test_what_a_tab_opens_after_signing_out_keeps_its_socket(site: Site) -> None:
    """News for the page before come too late: what is half filled in by now must stay as it is."""
    page = f"/readings?meter={site.seed.serial}"
    cookie, lasting = (session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD) for _ in range(2))
    async with raw_client(site.url, cookie=lasting) as witness:
        await witness.send(READINGS, path=page)
        assert site.seed.serial in await witness.wait_for(site.seed.serial)
        async with raw_client(site.url, cookie=cookie) as before:
            await before.send(READINGS, path=page)
            assert site.seed.serial in await before.wait_for(site.seed.serial)
            await sign_out(site, cookie)
        # Sooner than the broadcaster looks which tabs are gone.
        async with raw_client(site.url, token=before.token) as after:
            await after.send(RECOVER, path="/recover")
            assert "/captcha/" in await after.wait_for("/captcha/")
            witness.arrived.clear()
            async with asyncio.timeout(60):
                await witness.arrived.wait()
            await asyncio.sleep(GRACE_S + TURN_S)

            assert not after.is_closed.is_set()


@pytest.mark.browser
async def test_another_tab_goes_on_after_a_new_sign_in(
    page: Page, context: BrowserContext, site: Site
) -> None:
    """The sign-in ends the session the other tab knows; the tab comes back by itself, to where it was."""
    await sign_in(page, site)
    await expect(page.get_by_role("heading", name="Главная")).to_be_visible()
    other = await context.new_page()
    await other.goto(f"{site.url}/readings?interval=year&period=2026")
    await expect(other.get_by_role("heading", name="2026", exact=True)).to_be_visible()

    cookie = "; ".join(f"{one['name']}={one['value']}" for one in await context.cookies())
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{site.url}/auth/login",
            data={"login": seed.SUBSCRIBER, "password": seed.PASSWORD},
            headers={"Origin": site.url, "Cookie": cookie},
        )
    await context.add_cookies(
        [{"name": "lk_session", "value": answer.cookies["lk_session"], "url": site.url, "httpOnly": True}]
    )

    await other.get_by_role("button", name="Показать").click()

    await expect(other).to_have_url(re.compile(r"/readings\?"))
    await expect(other.get_by_role("heading", name="Показания")).to_be_visible()


@pytest.mark.browser
async def test_a_second_click_does_not_waste_a_temporary_password(page: Page, site: Site) -> None:
    """The first request takes its time; a second one would find the password used."""
    login = "second-click@example.com"
    mailed = await _mailed(site, login)
    sent = []

    async def slowly(route: Route) -> None:
        sent.append(route.request.url)
        await asyncio.sleep(1.5)
        with contextlib.suppress(PlaywrightError):  # a request that the browser gave up
            await route.continue_()

    await page.route("**/auth/login", slowly)
    await page.goto(f"{site.url}/login")
    await page.get_by_label("Логин").fill(login)
    await page.get_by_label("Пароль").fill(mailed)
    button = page.get_by_role("button", name="Войти")

    # Playwright itself would wait for the page to come before it clicks again.
    await button.evaluate("button => { button.click(); setTimeout(() => button.click(), 300); }")

    await expect(page).to_have_url(re.compile("/new-password"))
    assert len(sent) == 1


async def _mailed(site: Site, login: str) -> str:
    """A new operator's temporary password."""
    database = Database(site.settings.database_address)
    try:
        user_id = await create_user(
            database,
            site.settings,
            email=login,
            phone=None,
            role=Role.OPERATOR,
            display_name="Оператор",
            password=seed.PASSWORD,
            subscriber_id=None,
            now=utc_now(),
        )
        made = await temporary_passwords.renew(database, site.settings, user_id=user_id, now=utc_now())
    finally:
        await database.close()
    assert made is not None
    return made
