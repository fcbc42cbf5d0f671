"""What comes in from outside: foreign origins, floods, closed paths, headers, secrets in the log."""

from __future__ import annotations

import asyncio
import sys
import time

import httpx
import pytest
import socketio.exceptions

from lk_portal.web.routes import make_routes
from tests.e2e import seed
from tests.e2e.conftest import Site, read_log
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.portal_process import ROOT

FLOOD = 50_000
FLOOD_S = 5.0
PINGS = 50
MOST_WAIT_S = FLOOD_S / 2  # nobody waits for the flood to be over


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_a_foreign_or_missing_origin_gets_no_websocket(site: Site, origin: str) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with raw_client(site.url, origin=origin):
            pass


async def test_the_portals_own_origin_gets_one(site: Site) -> None:
    async with raw_client(site.url) as client:
        await client.send("reflex___state____state.hydrate")
        assert await client.settle()


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_a_form_from_elsewhere_is_refused(site: Site, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    form = {"login": seed.SUBSCRIBER, "password": seed.PASSWORD}

    answer = httpx.post(f"{site.url}/auth/login", data=form, headers=headers)

    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "set-cookie" not in answer.headers


def test_every_form_there_is_wants_the_portals_own_origin(site: Site) -> None:
    """The list is the routes' own, so a new form is tried without being named here."""
    forms = [route.path for route in make_routes().routes if "POST" in (route.methods or ())]  # type: ignore[attr-defined]
    assert len(forms) >= 8

    for path in forms:
        for headers in ({}, {"Origin": "https://evil.example"}):
            answer = httpx.post(f"{site.url}{path}", data={"sure": "yes"}, headers=headers)
            assert answer.status_code == httpx.codes.FORBIDDEN, path
        own = httpx.post(f"{site.url}{path}", headers={"Origin": site.url})
        assert own.status_code == httpx.codes.SEE_OTHER, path


def test_a_form_too_large_to_be_typed_is_refused_unread(site: Site) -> None:
    form = {"login": seed.SUBSCRIBER, "password": "x" * 100_000}

    answer = httpx.post(f"{site.url}/auth/login", data=form, headers={"Origin": site.url})

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("path", ["/_upload", "/_upload/x.txt", "/_all_routes", "/ping"])
def test_reflexs_own_doors_are_closed(site: Site, path: str) -> None:
    assert httpx.get(f"{site.url}{path}").status_code == httpx.codes.NOT_FOUND


def test_pages_carry_the_security_headers(site: Site) -> None:
    answer = httpx.get(f"{site.url}/login")

    policy = answer.headers["content-security-policy"]
    assert answer.status_code == httpx.codes.OK, "a page is served at its own address, without a redirect"
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    script = policy.split("script-src", 1)[1].split(";", 1)[0]
    assert "unsafe-inline" not in script
    assert "unsafe-eval" not in script
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


def test_hashed_files_may_be_kept_for_ever(site: Site) -> None:
    page = httpx.get(f"{site.url}/login").text
    name = page.split('href="/assets/', 1)[1].split('"', 1)[0]

    answer = httpx.get(f"{site.url}/assets/{name}")

    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_sign_in_never_leads_to_another_site(site: Site, target: str) -> None:
    form = {"login": seed.SUBSCRIBER, "password": seed.PASSWORD, "next": target}

    answer = httpx.post(f"{site.url}/auth/login", data=form, headers={"Origin": site.url})

    assert answer.headers["location"] == "/"


def test_sign_in_leads_to_the_page_that_was_asked_for(site: Site) -> None:
    form = {"login": seed.SUBSCRIBER, "password": seed.PASSWORD, "next": "/readings?interval=year"}

    answer = httpx.post(f"{site.url}/auth/login", data=form, headers={"Origin": site.url})

    assert answer.headers["location"] == "/readings?interval=year"


async def test_a_flood_of_events_is_cut_and_others_go_on(site: Site) -> None:
    """50,000 events in 5 s on one socket; a new one whenever the portal has cut the last."""
    size = len(read_log(site))
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as other:
        flooder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.e2e.flood", site.url, str(FLOOD), str(FLOOD_S)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        waits = [await _ping(other) for _ in range(PINGS)]
        output, _nothing = await flooder.communicate()
    sent, sockets = map(int, output.split())

    assert flooder.returncode == 0
    assert sent == FLOOD
    assert sockets > 1, "a socket that floods is cut"
    assert sorted(waits)[PINGS * 9 // 10] < MOST_WAIT_S, waits
    assert len(read_log(site)) - size < 1_000_000


async def _ping(client: RawClient) -> float:
    """Seconds until an answer came; then a pause, so that the pings last as long as the flood."""
    client.received.clear()
    client.arrived.clear()
    began = time.monotonic()
    await client.send("reflex___state____state.hydrate", path="/")
    async with asyncio.timeout(10):
        await client.arrived.wait()
    waited = time.monotonic() - began
    await asyncio.sleep(max(0.0, FLOOD_S / PINGS - waited))
    return waited


async def test_an_event_too_large_for_any_form_closes_the_socket(site: Site) -> None:
    size = len(read_log(site))
    async with raw_client(site.url) as client:
        await client.send("reflex___state____state.hydrate_and_load", {"hashes": ["x" * 10_000]})
        assert await client.settle()
        await client.send("reflex___state____state.hydrate_and_load", {"hashes": ["x" * 100_000]})
        async with asyncio.timeout(5):
            await client.is_closed.wait()

    assert len(read_log(site)) - size < 50_000


@pytest.mark.parametrize("origin", ["own", "https://evil.example"])
def test_events_cannot_come_by_plain_requests(site: Site, origin: str) -> None:
    """Socket.IO's other way in, which no bucket counts and no token is taken out of, is shut."""
    headers = {"Origin": site.url if origin == "own" else origin}

    answer = httpx.get(f"{site.url}/_event/?EIO=4&transport=polling", headers=headers)

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "sid" not in answer.text


async def test_secrets_stay_out_of_the_log(site: Site) -> None:
    canary = "Canary-password-9431"
    async with httpx.AsyncClient() as http:
        form = {"login": seed.SUBSCRIBER, "password": canary}
        await http.post(f"{site.url}/auth/login", data=form, headers={"Origin": site.url})
    cookie = session_cookie(site.url, seed.SUBSCRIBER, seed.PASSWORD)
    async with raw_client(site.url, cookie=cookie) as client:
        await client.send("no.such.event", {"password": canary})
        await client.send("reflex___state____state.setvar", {"var_name": "x", "value": canary})
        await client.settle(patience_s=1)
    log = read_log(site)

    assert "lk_portal" in log
    assert canary not in log
    assert cookie.partition("=")[2] not in log


def test_health_says_what_it_watches(site: Site) -> None:
    answer = httpx.get(f"{site.url}/healthz")

    assert answer.json() == {"status": "ok", "failing": []}
    assert answer.headers["cache-control"] == "no-store"
