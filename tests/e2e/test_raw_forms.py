"""The form of registration sent as no page would: without ticks, twice, with used digits, with zero bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.newcomers import WELCOME, digits, letter, newcomer
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.e2e.sessions import forget_attempts, in_database

STATE = "reflex___state____state.lk_portal___state___register____register_state"
ATTEMPT = re.compile(r'"attempt_rx_state_": ?"([^"]+)"')
OFFERED = "attempt_rx_state_"
WRONG_DIGITS = "Цифры введены неверно"


@pytest.fixture(autouse=True)
def unthrottled(site: Site) -> None:
    forget_attempts(site)


@asynccontextmanager
async def registering(site: Site) -> AsyncIterator[RawClient]:
    """A socket on /register, with a picture."""
    async with raw_client(site.url) as client:
        await client.send(f"{STATE}.load", path="/register")
        await client.wait_for(OFFERED)
        yield client


def form_of(client: RawClient, house: int, email: str, captcha: str, **other: object) -> dict[str, Any]:
    """What the page would send for a newcomer."""
    who = newcomer(house, email)
    attempt = ATTEMPT.findall("\n".join(client.received))[-1]
    return {
        "attempt": attempt,
        "account": who.account,
        "address": who.address,
        "full_name": who.name,
        "email": who.email,
        "phone": who.phone,
        "agreement": True,
        "consent": True,
        "captcha": captcha,
        **other,
    }


async def submit(client: RawClient, *forms: dict[str, Any]) -> str:
    """Send the form, once or more often at once; what was answered."""
    client.received.clear()
    for form in forms:
        await client.send(f"{STATE}.submit", {"form": form}, path="/register")
    answer = ""
    for _ in range(10):
        answer = await client.settle()
        if '"is_sending_rx_state_":false' in answer.replace(" ", ""):
            break
    return answer


def people(site: Site) -> list[tuple[object, ...]]:
    return in_database(site, "SELECT id, email FROM portal_user ORDER BY id")


@pytest.mark.parametrize("box", ["agreement", "consent"])
@pytest.mark.parametrize("value", [False, "", None, "off", 0])
async def test_a_box_that_was_not_ticked_is_missed(site: Site, box: str, value: object) -> None:
    before = people(site)
    async with registering(site) as client:
        shown = await digits(site, "register")
        answer = await submit(client, form_of(client, 7, "no-tick@example.com", shown, **{box: value}))

    assert "Без этого зарегистрироваться нельзя" in answer
    assert people(site) == before


@pytest.mark.parametrize("field", ["account", "address", "full_name", "email", "phone", "captcha"])
async def test_zero_bytes_and_turning_signs_are_refused(site: Site, field: str) -> None:
    before = people(site)
    async with registering(site) as client:
        for odd in ("a\x00b", "a\u202eb", "a\nb"):
            right = form_of(client, 7, "zero@example.com", await digits(site, "register"))
            form = {**right, field: odd}
            answer = await submit(client, form)
            assert "нельзя использовать" in answer or WRONG_DIGITS in answer or "Это не " in answer, answer
            assert "Номер ошибки" not in answer

    assert people(site) == before


async def test_a_form_sent_twice_registers_once_and_digits_work_once(site: Site) -> None:
    email = "sent-twice@example.com"
    async with registering(site) as client:
        shown = await digits(site, "register")
        form = form_of(client, 7, email, shown)
        await submit(client, *[form] * 20)
        await letter(site, email, subject=WELCOME)
        client.received.clear()
        await client.send(f"{STATE}.begin_anew", path="/register")
        await client.wait_for(OFFERED)
        replayed = await submit(client, form_of(client, 8, "replayed@example.com", shown))

    await asyncio.sleep(0.5)
    assert WRONG_DIGITS in replayed
    assert len(site.mail.letters_to(email)) == 1
    assert in_database(site, "SELECT count(*) FROM portal_user WHERE email = ?", email) == [(1,)]
    assert site.mail.letters_to("replayed@example.com") == []


async def test_digits_of_one_socket_are_of_no_use_on_another(site: Site) -> None:
    async with registering(site) as first:
        shown = await digits(site, "register")
        async with registering(site) as second:
            answer = await submit(second, form_of(second, 8, "borrowed@example.com", shown))
        assert first.received

    assert WRONG_DIGITS in answer
    assert site.mail.letters_to("borrowed@example.com") == []


async def test_an_old_attempt_is_not_taken_for_this_one(site: Site) -> None:
    async with registering(site) as client:
        shown = await digits(site, "register")
        form = form_of(client, 8, "forged@example.com", shown, attempt="made-up")
        answer = await submit(client, form)

    assert "Страница была открыта слишком долго" in answer
    assert site.mail.letters_to("forged@example.com") == []


async def test_what_a_page_claims_of_its_connection_is_not_believed(site: Site) -> None:
    """The headers and the address in an event are the portal's own to know."""
    from lk_portal.security.tokens import hash_of

    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    session_hash = hash_of(cookie.partition("=")[2])
    readings = "reflex___state____state.lk_portal___state___readings____readings_state.load"
    claims = {
        "pathname": "/readings",
        "asPath": "/readings",
        "query": {},
        "headers": {"cookie": f"lk_session_hash={session_hash}"},
        "ip": "203.0.113.7",
    }
    for forged in ("", f"lk_session_hash={session_hash}", f"lk_flash=x; lk_session_hash={session_hash}"):
        async with raw_client(site.url, cookie=forged) as client:
            await client.send(readings, path="/readings", router_data=claims)
            answer = await client.wait_for("/login")
        assert seed.CANARY not in answer
        assert "/login" in answer


async def test_an_event_in_the_greeting_is_guarded_like_any_other(site: Site) -> None:
    """Reflex takes one with the connection itself."""
    readings = "reflex___state____state.lk_portal___state___readings____readings_state.load"
    own = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    for cookie, may in (("", False), (own, True)):
        async with raw_client(site.url, cookie=cookie, greeting=readings) as client:
            answer = await (client.wait_for(seed.CANARY) if may else client.settle())
        assert (seed.CANARY in answer) is may
