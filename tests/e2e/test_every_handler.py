"""Every event handler there is, fired over a real socket by those who must not.

The list of handlers is Reflex's own registry, so a new one is tried without being named here.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from reflex_base.registry import RegistrationContext

from lk_portal.services.access import Role
from lk_portal.state.guard import FRAMEWORK_HANDLERS, declared_access
from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.raw_client import raw_client, session_cookie

# Their rows come and go with what the tests and the poller do; no handler may write to the others.
MOVING = {
    "user_session",
    "attempt",
    "register_reading",
    "register_mark",
    "interval",
    "day_rollup",
    "month_rollup",
    "point_freshness",
    "meter_connection",
}
PAYLOADS = (
    {},
    {
        "value": "x",
        "form": {"meter": "x", "interval": "month"},
        "grain": "day",
        "points": [{"pointNumber": 0}],
    },
    {"points": "x", "form": [], "grain": None, "number": "<b>1</b>"},
    {"points": [None], "form": {"interval": {"$gt": ""}}, "grain": ["day"], "number": 10**400},
)


@pytest.fixture(scope="module")
def handlers() -> list[str]:
    """The full names of all handlers of the application."""
    from lk_portal.lk_portal import app

    return sorted(app._registration_context.event_handlers)


@pytest.fixture
def registry() -> Iterator[None]:
    """Reflex's registry, which is bound to a context."""
    from lk_portal.lk_portal import app

    with app._registration_context:
        yield


def test_every_handler_declares_who_may_fire_it(handlers: list[str], registry: None) -> None:
    assert len(handlers) > 20
    ours = [name for name in handlers if "lk_portal___" in name and not name.endswith(".setvar")]
    assert len(ours) >= 8
    assert RegistrationContext.get().event_handlers.keys() >= set(ours)

    undeclared = [name for name in ours if declared_access(name) is None]

    assert not undeclared, "add @requires(...) or @public to " + ", ".join(undeclared)


def test_setvar_and_client_storage_stay_closed(handlers: list[str], registry: None) -> None:
    closed = [name for name in handlers if name.endswith((".setvar", ".update_vars_internal"))]

    assert closed
    assert not FRAMEWORK_HANDLERS & set(closed)
    assert all(declared_access(name) is None for name in closed)


async def test_a_subscriber_gets_through(site: Site, handlers: list[str]) -> None:
    """The twin of the tests below: the same client with the right cookie does get the private street."""
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        answer = await client.settle()

    assert seed.CANARY in answer
    assert site.seed.serial in answer


@pytest.mark.parametrize("who", ["visitor", seed.STRANGER, seed.OPERATOR, seed.ADMIN])
async def test_nobody_else_reads_or_changes_anything(site: Site, handlers: list[str], who: str) -> None:
    cookie = "" if who == "visitor" else session_cookie(site.url, who, seed.PASSWORD)
    path = f"/readings?meter={site.seed.serial}"
    before = table_hashes(site.portal.data_dir / "portal.sqlite3")

    for payload in PAYLOADS:
        async with raw_client(site.url, cookie=cookie) as client:
            for number, name in enumerate(handlers):
                if number % 50 == 49:
                    await client.settle()
                await client.send(name, payload, path=path)
            answer = await client.settle()
        assert seed.CANARY not in answer
        assert not cookie or cookie.partition("=")[2] not in answer

    assert table_hashes(site.portal.data_dir / "portal.sqlite3") == before


async def test_a_copied_client_token_opens_nothing(site: Site, handlers: list[str]) -> None:
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        assert seed.CANARY in await client.settle()
        token = client.token

    thief = session_cookie(site.url, seed.STRANGER, seed.PASSWORD)
    for stolen_with in ("", thief):
        async with raw_client(site.url, cookie=stolen_with, token=token) as client:
            await client.send("reflex___state____state.hydrate", path="/readings")
            answer = await client.settle()
        assert answer
        assert seed.CANARY not in answer


async def test_the_token_of_the_session_never_reaches_the_page(site: Site) -> None:
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send("reflex___state____state.hydrate", path="/")
        answer = await client.settle()

    assert "rx_router_headers" in answer
    assert cookie.partition("=")[2] not in answer


async def test_a_session_ended_elsewhere_works_no_more_at_the_next_event(
    site: Site, handlers: list[str]
) -> None:
    import httpx

    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        assert seed.CANARY in await client.settle()
        async with httpx.AsyncClient() as http:
            await http.post(f"{site.url}/auth/logout", headers={"Origin": site.url, "Cookie": cookie})
        client.received.clear()
        await client.send(_readings_load(handlers), path="/readings")
        answer = await client.settle()

    assert "/login" in answer
    assert seed.CANARY not in answer


def test_roles_of_the_sections_are_those_of_the_specification(handlers: list[str], registry: None) -> None:
    access = declared_access(_readings_load(handlers))

    assert access is not None
    assert access.roles == {Role.SUBSCRIBER}


def _readings_load(handlers: list[str]) -> str:
    [name] = [name for name in handlers if name.endswith("readings_state.load")]
    return name


def table_hashes(path: Path) -> dict[str, str]:
    """A hash of the rows of every table that must not move."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: hashlib.sha256(
                repr(connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()).encode()
            ).hexdigest()
            for name in names
            if name not in MOVING and not name.startswith("sqlite_")
        }
