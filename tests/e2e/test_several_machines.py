"""Two portals over one PostgreSQL and one Redis, as on two machines: they share sessions, data and badges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from lk_portal.models import Meter
from lk_portal.services.database import Database
from lk_portal.services.events import event_row, store_events
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal
from tests.redis_server import running_redis

pytestmark = pytest.mark.postgres
HYDRATE = "reflex___state____state.hydrate_and_load"
STATES = "reflex___state____state.lk_portal___state___"
LOAD = f"{STATES}readings____readings_state.load"
ENTER = f"{STATES}shell____shell_state.enter"
PATIENCE_S = 30


@pytest.fixture
def redis_url() -> Iterator[str]:
    with running_redis() as url:
        yield url


@dataclass
class Machines:
    """Two portals, what they share, and the cookie of a subscriber who signed in at the first."""

    first: RunningPortal
    second: RunningPortal
    database: Database
    planted: seed.Seed
    cookie: str


@pytest_asyncio.fixture(loop_scope="session")
async def machines(
    tmp_path_factory: pytest.TempPathFactory, postgres_address: str, redis_url: str
) -> AsyncIterator[Machines]:
    first_dir, second_dir = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    secret = "a shared secret of both machines, long enough"
    settings = load_settings(
        environment="demo",
        data_dir=first_dir,
        bcrypt_rounds=4,
        secret_key=secret,
        database_url=postgres_address,
    )
    database = Database(postgres_address)
    planted = await seed.plant(database, settings, simulator_port=1)
    shared = {
        "LK_DATABASE_URL": postgres_address,
        "LK_REDIS_URL": redis_url,
        "LK_SECRET_KEY": secret,
        "LK_IS_WORKER_EMBEDDED": "false",
    }
    with running_portal(first_dir, **shared) as first, running_portal(second_dir, **shared) as second:
        cookie = session_cookie(first.url, seed.SUBSCRIBER, seed.PASSWORD)
        yield Machines(first, second, database, planted, cookie)
    await database.close()


async def test_a_session_works_on_both_machines(machines: Machines) -> None:
    for portal in (machines.first, machines.second):
        answer = await _readings(portal, machines.cookie, until=seed.CANARY)
        assert seed.CANARY in answer, portal.log.read_text()[-2000:]
    async with httpx.AsyncClient() as http:
        headers = {"Origin": machines.second.url, "Cookie": machines.cookie}
        await http.post(f"{machines.second.url}/auth/logout", headers=headers)
    assert seed.CANARY not in await _readings(machines.first, machines.cookie)


async def test_what_is_new_comes_and_goes_on_both(machines: Machines) -> None:
    """The event is stored by a third process; it is seen on the first machine, and gone on the second."""
    async with (
        raw_client(machines.first.url, cookie=machines.cookie) as one,
        raw_client(machines.second.url, cookie=machines.cookie) as other,
    ):
        for page in (one, other):
            await page.send(ENTER)
            await page.settle()
        await _happens(machines)
        for page in (one, other):
            await _hears(page, '"events": "1"')
            page.received.clear()

        await one.send(ENTER, path="/diagnostics")

        await _hears(other, '"events": ""')


async def test_a_tab_that_is_back_at_the_other_machine_is_the_same_tab(machines: Machines) -> None:
    """The first machine may believe for minutes that it still has it."""
    first, second = machines.first.url, machines.second.url
    async with raw_client(first, cookie=machines.cookie, greeting=HYDRATE) as lost:
        await lost.wait_for(seed.CANARY)
        async with raw_client(second, cookie=machines.cookie, token=lost.token, greeting=HYDRATE) as back:
            await _hears(back, seed.CANARY)
            assert not back.given_token
            lost.received.clear()

            await _happens(machines)

            await _hears(back, '"events": "1"')
            assert not lost.received
        async with raw_client(first, cookie=machines.cookie, token=lost.token, greeting=HYDRATE) as again:
            await _hears(again, seed.CANARY)
            assert not again.given_token


async def _readings(portal: RunningPortal, cookie: str, *, until: str = "") -> str:
    async with raw_client(portal.url, cookie=cookie) as client:
        await client.send(LOAD, path="/readings")
        return await client.wait_for(until)


async def _happens(machines: Machines) -> None:
    meter, now = table_of(Meter), datetime.now(UTC)
    async with machines.database.writing() as connection:
        found = await connection.execute(select(meter.c.id).where(meter.c.serial == machines.planted.serial))
        at = now - timedelta(minutes=1)
        row = event_row(meter_id=found.scalar_one(), occurred_at=at, journal=4, code=3)
        await store_events(connection, [row], now=now)


async def _hears(page: RawClient, text: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while text not in "\n".join(page.received):
            await page.arrived.wait()
            page.arrived.clear()
