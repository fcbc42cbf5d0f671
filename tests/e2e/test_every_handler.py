"""Every event handler there is, fired over a real socket by those who must not.

The list of handlers is Reflex's own registry, so a new one is tried without being named here.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import sqlite3
from collections.abc import Iterator

import pytest
from reflex_base.registry import RegistrationContext

from lk_portal.models import Duty
from lk_portal.security.tokens import hash_of
from lk_portal.services.access import Role
from lk_portal.state.guard import FRAMEWORK_HANDLERS, declared_access
from tests.e2e import seed
from tests.e2e.conftest import Site
from tests.e2e.raw_client import raw_client, session_cookie
from tests.e2e.sessions import in_database, put_under

# Their rows come and go with what the tests and the poller do; no handler may write to the others.
MOVING = {
    "user_session",
    "attempt",
    "captcha_challenge",
    "audit_entry",
    "audit_head",
    "letter",
    "register_reading",
    "register_mark",
    "interval",
    "day_rollup",
    "month_rollup",
    "point_freshness",
    "meter_connection",
    "seen_marker",
    "notified",
    "push_message",
    "second_factor",  # the own one of staff, not turned on yet
    "poll_batch",
}
HYDRATED = "is_hydrated_rx_state_"
GARBAGE: tuple[object, ...] = (
    "x",
    "<b>1</b>' OR 1=1 --",
    "\x00",
    "\ud800",
    None,
    1,
    10**400,
    [],
    [None, {"pointNumber": 0}],
    {"pointNumber": {"$gt": ""}},
    {"meter": "x", "interval": "month", "period": [1], "energy": {"$gt": ""}},
    {"email": None, "phone": 1, "password": [], "repeat": {}, "code": 0, "captcha": "", "address": 1.5},
)
AT_ONCE = 55
"""Events over one socket, below what closes it."""
SOCKETS = 4
"""So many of them at a time."""


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
    assert not FRAMEWORK_HANDLERS.keys() & set(closed)
    assert all(declared_access(name) is None for name in closed)


async def test_a_subscriber_gets_through(site: Site, handlers: list[str]) -> None:
    """The twin of the tests below: the same client with the right cookie does get the private street."""
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        answer = await client.wait_for(seed.CANARY)

    assert seed.CANARY in answer
    assert site.seed.serial in answer


@pytest.mark.parametrize("who", ["visitor", seed.STRANGER, seed.OPERATOR, seed.ADMIN])
async def test_nobody_else_reads_or_changes_anything(
    site: Site, handlers: list[str], registry: None, who: str
) -> None:
    cookie = "" if who == "visitor" else session_cookie(site.url, who, seed.PASSWORD)
    victim = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    before = await at_rest(site)
    # What the staff may see it sees by its own handlers, which the next test fires.
    others = [name for name in handlers if not is_own_of(who, name)]

    answers = await fire_all(site, others, cookie=cookie, things=things_of_the_subscriber(site, victim))

    assert seed.CANARY not in answers
    assert not cookie or secret_of(cookie) not in answers
    assert await at_rest(site) == before
    assert seed.CANARY in await readings_of(site, handlers, victim), "the victim's session goes on"


@pytest.mark.parametrize("who", [seed.OPERATOR, seed.ADMIN])
async def test_handlers_of_the_staff_change_nothing_without_their_page(
    site: Site, handlers: list[str], registry: None, who: str
) -> None:
    cookie = session_cookie(site.url, who, seed.PASSWORD)
    victim = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    before = await at_rest(site)
    own = [name for name in handlers if is_own_of(who, name)]
    assert len(own) > 5

    answers = await fire_all(site, own, cookie=cookie, things=things_of_the_subscriber(site, victim))

    assert secret_of(cookie) not in answers
    assert await at_rest(site) == before


def is_own_of(who: str, name: str) -> bool:
    """Whether a handler is for this person's role, and not for subscribers."""
    role = {seed.OPERATOR: Role.OPERATOR, seed.ADMIN: Role.ADMIN}.get(who)
    access = declared_access(name)
    return access is not None and role in access.roles and Role.SUBSCRIBER not in access.roles


@pytest.mark.parametrize("duty", [Duty.NEW_PASSWORD, Duty.CONSENT, Duty.SECOND_FACTOR, Duty.ENROL])
async def test_a_session_with_a_duty_reaches_nothing_else(
    site: Site, handlers: list[str], registry: None, duty: Duty
) -> None:
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    put_under(site, cookie, duty)
    before = await at_rest(site)

    answers = await fire_all(site, handlers, cookie=cookie, things=("x",))

    assert seed.CANARY not in answers
    assert await at_rest(site) == before


async def test_variables_cannot_be_set_by_name(site: Site, handlers: list[str]) -> None:
    """Reflex's own handlers could do it; the closed ones stay closed, the open one has nothing to set."""
    name = "reflex___state____state.lk_portal___state___login____login_state.login"
    setting = {"vars": {f"{name}{marker}": "planted" for marker in ("", "_rx_state_")}}
    async with raw_client(site.url) as client:
        for handler in handlers:
            if handler.endswith((".update_vars_internal", ".hydrate_and_load")):
                await client.send(handler, setting, path="/login")
            if handler.endswith("login_state.setvar"):
                await client.send(handler, {"var_name": "login", "value": "planted"}, path="/login")
        await client.send("reflex___state____state.hydrate", path="/login")
        answer = await client.wait_for("login_rx_state_")

    assert "login_rx_state_" in answer
    assert "planted" not in answer


async def fire_all(site: Site, handlers: list[str], *, cookie: str, things: tuple[object, ...]) -> str:
    """Every handler with every piece of garbage, and with things of somebody else; all that was answered."""
    events = [(name, payload) for name in handlers for payload in payloads(name, (*GARBAGE, *things))]
    portions = iter([events[first : first + AT_ONCE] for first in range(0, len(events), AT_ONCE)])
    answers = await asyncio.gather(*(_fire(site, portions, cookie) for _ in range(SOCKETS)))
    return "\n".join(answers)


async def _fire(site: Site, portions: Iterator[list[tuple[str, dict[str, object]]]], cookie: str) -> str:
    """Portions of events, each over a socket of its own, until none is left."""
    answers = []
    for portion in portions:
        async with raw_client(site.url, cookie=cookie) as client:
            for name, payload in portion:
                await client.send(name, payload, path=f"/readings?meter={site.seed.serial}")
            # The last is always answered, and after all the others.
            await client.send("reflex___state____state.hydrate", path="/readings")
            answers.append(await client.wait_for(HYDRATED))
            assert not client.is_closed.is_set()
    return "\n".join(answers)


def payloads(name: str, values: tuple[object, ...]) -> list[dict[str, object]]:
    """For a handler: no arguments, one too many, and each value as every argument it has."""
    registered = RegistrationContext.get().event_handlers[name]
    arguments = [one for one in inspect.signature(registered.handler.fn).parameters if one != "self"]
    filled = [dict.fromkeys(arguments, value) for value in values] if arguments else []
    return [{}, {"no_such_argument": 1}, *filled]


def things_of_the_subscriber(site: Site, cookie: str) -> tuple[object, ...]:
    """What a thief would like to name: the subscriber's meter, account, addresses, session."""
    names = (
        site.seed.serial,
        seed.OWNED_ACCOUNT,
        seed.SUBSCRIBER,
        seed.PHONE,
        hash_of(secret_of(cookie)),
        str(site.seed.ticket),
    )
    forms = (
        {"meter": site.seed.serial, "interval": "month"},
        {"account": seed.OWNED_ACCOUNT, "email": "thief@", "captcha": "00000"},
    )
    return (*names, *forms)


def secret_of(cookie: str) -> str:
    """The token in a Cookie header."""
    return cookie.partition("=")[2]


async def readings_of(site: Site, handlers: list[str], cookie: str) -> str:
    """What a session gets of /readings."""
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        return await client.wait_for(seed.CANARY)


async def test_a_copied_client_token_opens_nothing(site: Site, handlers: list[str]) -> None:
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        assert seed.CANARY in await client.wait_for(seed.CANARY)
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
        answer = await client.wait_for("rx_router_headers")

    assert "rx_router_headers" in answer
    assert cookie.partition("=")[2] not in answer


async def test_a_session_ended_elsewhere_works_no_more_at_the_next_event(
    site: Site, handlers: list[str]
) -> None:
    import httpx

    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send(_readings_load(handlers), path="/readings")
        assert seed.CANARY in await client.wait_for(seed.CANARY)
        async with httpx.AsyncClient() as http:
            await http.post(f"{site.url}/auth/logout", headers={"Origin": site.url, "Cookie": cookie})
        client.received.clear()
        await client.send(_readings_load(handlers), path="/readings")
        answer = await client.wait_for("/login")

    assert "/login" in answer
    assert seed.CANARY not in answer


def test_roles_of_the_sections_are_those_of_the_specification(handlers: list[str], registry: None) -> None:
    access = declared_access(_readings_load(handlers))

    assert access is not None
    assert access.roles == {Role.SUBSCRIBER}


def _readings_load(handlers: list[str]) -> str:
    [name] = [name for name in handlers if name.endswith("readings_state.load")]
    return name


async def at_rest(site: Site) -> dict[str, str]:
    """A hash of the rows of every table that must not move, once no letter is on its way."""
    path = site.portal.data_dir / "portal.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        for _ in range(200):
            if not connection.execute("SELECT 1 FROM letter WHERE status = 'waiting'").fetchone():
                break
            await asyncio.sleep(0.1)
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        queries = {
            name: f'SELECT * FROM "{name}" ORDER BY 1'
            for name in names
            if name not in MOVING and not name.startswith("sqlite_")
        }
        queries["seen_marker"] = (
            "SELECT seen.* FROM seen_marker seen JOIN portal_user person ON person.id = seen.user_id"
            f" WHERE person.email = '{seed.SUBSCRIBER}' ORDER BY seen.section"
        )
        queries["letter"] = "SELECT id, kind, to_address, user_id, data FROM letter ORDER BY 1"
        return {
            name: hashlib.sha256(repr(connection.execute(query).fetchall()).encode()).hexdigest()
            for name, query in queries.items()
        }


async def test_who_looks_through_a_subscribers_eyes_reads_everything_and_changes_nothing(
    site: Site, handlers: list[str], registry: None
) -> None:
    victim = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    cookie = await viewer_cookie(site, seed.OPERATOR)
    before, sessions = await at_rest(site), sessions_of_the_subscriber(site)
    things = things_of_the_subscriber(site, victim)

    # Twice: what a first round opens, such as a dialogue, a second one could send off.
    answers = [await fire_all(site, handlers, cookie=cookie, things=things) for _round in range(2)]

    assert seed.CANARY in answers[0], "the twin: it does get to see the cabinet"
    assert await at_rest(site) == before
    assert sessions_of_the_subscriber(site) == sessions
    assert seed.CANARY in await readings_of(site, handlers, victim), "the subscriber's session goes on"


def test_only_handlers_that_read_are_for_viewers(handlers: list[str], registry: None) -> None:
    reading = [name for name in handlers if (access := declared_access(name)) and access.is_reading]
    verbs = {name.rpartition(".")[2] for name in reading}
    assert verbs == {
        "load",
        "enter",
        "show",
        "show_earlier",
        "open_bar",
        "pick_grain",
        "compare_with",
        "close",
        "close_dialog",
        "close_form",
    }
    assert not [name for name in reading if "ticket_state.close" in name]


async def viewer_cookie(site: Site, login: str) -> str:
    """The session of a member of staff who has opened the subscriber's cabinet."""
    import httpx

    cookie = session_cookie(site.url, login, seed.PASSWORD)
    query = f"SELECT subscriber_id FROM portal_user WHERE email = '{seed.SUBSCRIBER}'"
    [(subscriber,)] = in_database(site, query)
    headers = {"Origin": site.url, "Cookie": cookie}
    async with httpx.AsyncClient() as http:
        answer = await http.post(
            f"{site.url}/auth/view", data={"subscriber": str(subscriber), "back": "/"}, headers=headers
        )
    assert answer.headers["location"] == "/"
    return f"lk_session={answer.cookies['lk_session']}"


def sessions_of_the_subscriber(site: Site) -> list[tuple[object, ...]]:
    query = (
        "SELECT token_hash, duty FROM user_session JOIN portal_user ON portal_user.id = user_id"
        f" WHERE email = '{seed.SUBSCRIBER}' ORDER BY 1"
    )
    return in_database(site, query)
