"""A new password and agreement to documents over HTTP: what rises, rotates, leads on, and what is refused."""

from __future__ import annotations

import httpx
import pytest
import pytest_asyncio

from lk_portal.security.tokens import hash_of
from lk_portal.services import access, documents, sessions, temporary_passwords
from lk_portal.services.access import Duty, Role
from tests import factories
from tests.unit.web.site import EMAIL, NOW, PASSWORD, Browser, Site

NEW = "Another-horse-2026"
SUBSCRIBER = "petrova@example.com"


@pytest_asyncio.fixture
async def browser(site: Site) -> Browser:
    """The operator's, signed in."""
    opened = Browser(site)
    await opened.post("/auth/login", login=EMAIL, password=PASSWORD)
    return opened


async def mailed(site: Site, user_id: int = 1) -> str:
    portal = site.portal
    made = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW)
    assert made is not None
    return made


async def subscriber(site: Site) -> int:
    owner = await factories.subscriber(site.portal.database)
    return await access.create_user(
        site.portal.database,
        site.portal.settings,
        email=SUBSCRIBER,
        phone=None,
        role=Role.SUBSCRIBER,
        display_name="Петрова",
        password=PASSWORD,
        subscriber_id=owner,
        now=NOW,
    )


async def duty(browser: Browser) -> Duty | None:
    identity = await browser.identity()
    return identity.duty if identity else None


def told(site: Site, answer: httpx.Response) -> tuple[str, str]:
    """Where an answer leads, and the field it speaks of."""
    return answer.headers["location"], str(site.flash(answer).get("field", ""))


async def test_a_mailed_password_leads_to_a_new_one_and_on(site: Site) -> None:
    browser = Browser(site)
    target = "/readings?interval=year"

    first = await browser.post("/auth/login", login=EMAIL, password=await mailed(site), next=target)
    assert first.headers["location"] == "/new-password?next=%2Freadings%3Finterval%3Dyear"
    assert await duty(browser) is Duty.NEW_PASSWORD
    before = browser.cookies["lk_session"]

    second = await browser.post("/auth/new-password", password=NEW, password2=NEW, next=target)

    assert second.headers["location"] == target
    assert await duty(browser) is Duty.NONE
    assert browser.cookies["lk_session"] != before
    assert not await site.is_signed_in(before)


async def test_where_to_go_is_known_without_scripts(site: Site) -> None:
    browser = Browser(site)
    await browser.post("/auth/login", login=EMAIL, password=await mailed(site))
    answer = await site.http.post(
        "/auth/new-password",
        data={"password": NEW, "password2": NEW},
        headers={
            "cookie": f"lk_session={browser.cookies['lk_session']}",
            "referer": "http://127.0.0.1:8000/new-password?next=%2Fdiagnostics",
        },
    )

    assert answer.headers["location"] == "/diagnostics"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"password": NEW, "password2": "x"}, "password2"),
        ({"password": "short", "password2": "short"}, "password"),
        ({"password": "ivanov@example.com", "password2": "ivanov@example.com"}, "password"),
        ({}, "password"),
    ],
)
async def test_a_refused_new_password_is_told_at_its_field(
    site: Site, fields: dict[str, str], field: str
) -> None:
    browser = Browser(site)
    await browser.post("/auth/login", login=EMAIL, password=await mailed(site))

    answer = await browser.post("/auth/new-password", next="/readings", **fields)

    assert told(site, answer) == ("/new-password?next=%2Freadings", field)
    assert site.flash(answer)["form"] == "new-password"
    assert NEW not in str(site.flash(answer))
    assert await duty(browser) is Duty.NEW_PASSWORD


async def test_a_duty_opens_no_other_form(site: Site) -> None:
    browser = Browser(site)
    await browser.post("/auth/login", login=EMAIL, password=await mailed(site))

    for path in ("/auth/password", "/auth/consent"):
        answer = await browser.post(
            path, old=PASSWORD, password=NEW, password2=NEW, agreement="1", consent="2"
        )
        assert answer.headers["location"] == "/new-password"
    assert await duty(browser) is Duty.NEW_PASSWORD


@pytest.mark.parametrize("path", ["/auth/new-password", "/auth/consent"])
async def test_without_the_duty_its_form_does_nothing(site: Site, browser: Browser, path: str) -> None:
    answer = await browser.post(path, password=NEW, password2=NEW, agreement="1", consent="2")

    assert answer.headers["location"] == "/"
    assert "lk_session" not in answer.cookies
    assert (await site.sign_in()).cookies["lk_session"], "the password is what it was"


@pytest.mark.parametrize("path", ["/auth/new-password", "/auth/password", "/auth/consent"])
@pytest.mark.parametrize("token", ["", "x", "stolen"])
async def test_without_a_session_one_is_asked_to_sign_in(
    site: Site, browser: Browser, path: str, token: str
) -> None:
    stolen = browser.cookies["lk_session"]
    await browser.post("/auth/logout")

    answer = await site.post(
        path, cookies={"lk_session": stolen if token == "stolen" else token}, password=NEW
    )

    assert answer.headers["location"] == "/login"
    assert site.flash(answer)["message"] == "You are not signed in any more. Sign in again."
    assert "lk_session" not in answer.cookies


async def test_a_link_changes_nothing(site: Site) -> None:
    for path in ("/auth/new-password", "/auth/password", "/auth/consent"):
        assert (await site.http.get(path)).status_code == 405


async def test_a_password_is_changed_from_the_settings(site: Site, browser: Browser) -> None:
    elsewhere = (await site.sign_in()).cookies["lk_session"]
    before = browser.cookies["lk_session"]

    answer = await browser.post("/auth/password", old=PASSWORD, password=NEW, password2=NEW)

    assert answer.headers["location"] == "/settings"
    assert site.flash(answer)["notice"]
    assert await duty(browser) is Duty.NONE
    assert not await site.is_signed_in(before)
    assert not await site.is_signed_in(elsewhere)
    assert (await site.sign_in(password=NEW)).cookies["lk_session"]


async def test_a_wrong_old_password_is_told_and_slowed(site: Site, browser: Browser) -> None:
    for _ in range(5):
        answer = await browser.post("/auth/password", old="wrong", password=NEW, password2=NEW)
        assert told(site, answer) == ("/settings", "old")

    slowed = await browser.post("/auth/password", old=PASSWORD, password=NEW, password2=NEW)

    assert slowed.headers["retry-after"] == "1"
    assert "lk_session" not in slowed.cookies


async def test_an_ended_session_changes_no_password(site: Site, browser: Browser) -> None:
    """Twice at the same time is the same: the second finds the session gone."""
    token_hash = hash_of(browser.cookies["lk_session"])
    await sessions.end_others(
        site.portal.database,
        user_id=1,
        session_hash="",
        visit=access.Visit(address="", agent="", at=NOW),
    )

    answer = await browser.post("/auth/password", old=PASSWORD, password=NEW, password2=NEW)

    assert answer.headers["location"] == "/login"
    assert token_hash not in str(site.flash(answer))
    assert (await site.sign_in()).cookies["lk_session"]


async def test_documents_are_accepted_with_two_ticks(site: Site) -> None:
    await subscriber(site)
    browser = Browser(site)
    first = await browser.post("/auth/login", login=SUBSCRIBER, password=PASSWORD, next="/accounts")
    assert first.headers["location"] == "/consent?next=%2Faccounts"
    agreement, consent = [str(one.id) for one in await documents.current(site.portal.database)]

    for fields, field in (
        ({"agreement": agreement}, "consent"),
        ({"consent": consent}, "agreement"),
        ({"agreement": "on", "consent": "on"}, "agreement"),
        ({"agreement": "9" * 30, "consent": "-1"}, "agreement"),
    ):
        answer = await browser.post("/auth/consent", next="/accounts", **fields)
        assert told(site, answer) == ("/consent?next=%2Faccounts", field)
    before = browser.cookies["lk_session"]

    done = await browser.post("/auth/consent", agreement=agreement, consent=consent, next="/accounts")

    assert done.headers["location"] == "/accounts"
    assert await duty(browser) is Duty.NONE
    assert not await site.is_signed_in(before)
    assert (await site.sign_in(SUBSCRIBER)).headers["location"] == "/"


async def test_after_the_new_password_come_the_documents(site: Site) -> None:
    user_id = await subscriber(site)
    browser = Browser(site)
    await browser.post("/auth/login", login=SUBSCRIBER, password=await mailed(site, user_id))

    answer = await browser.post("/auth/new-password", password=NEW, password2=NEW, next="/accounts")

    assert answer.headers["location"] == "/consent?next=%2Faccounts"
    assert await duty(browser) is Duty.CONSENT


async def test_what_breaks_inside_gets_a_number(site: Site, browser: Browser) -> None:
    async with site.portal.database.writing() as connection:
        await connection.exec_driver_sql("DROP TABLE letter")

    answer = await browser.post("/auth/password", old=PASSWORD, password=NEW, password2=NEW)

    message = str(site.flash(answer)["message"])
    assert answer.headers["location"] == "/settings"
    assert "number" in message or "could not be saved" in message
    assert "letter" not in message
    again = await site.sign_in(cookies={"lk_device": browser.cookies["lk_device"]})
    assert again.cookies["lk_session"], "nothing half-done stays"
