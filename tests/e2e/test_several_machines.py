"""Two portals over one PostgreSQL and one Redis, as on two machines: one session, one worker's data."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests.e2e import seed
from tests.e2e.raw_client import raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal
from tests.redis_server import running_redis

pytestmark = pytest.mark.postgres
LOAD = "reflex___state____state.lk_portal___state___readings____readings_state.load"


@pytest.fixture
def redis_url() -> Iterator[str]:
    with running_redis() as url:
        yield url


async def test_a_session_works_on_both_machines(
    tmp_path_factory: pytest.TempPathFactory, postgres_address: str, redis_url: str
) -> None:
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
    await database.close()
    shared = {
        "LK_DATABASE_URL": postgres_address,
        "LK_REDIS_URL": redis_url,
        "LK_SECRET_KEY": secret,
        "LK_IS_WORKER_EMBEDDED": "false",
    }

    with running_portal(first_dir, **shared) as first, running_portal(second_dir, **shared) as second:
        cookie = session_cookie(first.url, seed.SUBSCRIBER, seed.PASSWORD)
        for portal in (first, second):
            assert seed.CANARY in await _readings(portal, cookie), portal.log.read_text()[-2000:]
        async with httpx.AsyncClient() as http:
            await http.post(f"{second.url}/auth/logout", headers={"Origin": second.url, "Cookie": cookie})
        assert seed.CANARY not in await _readings(first, cookie)

    assert planted.serial


async def _readings(portal: RunningPortal, cookie: str) -> str:
    async with raw_client(portal.url, cookie=cookie) as client:
        await client.send(LOAD, path="/readings")
        return await client.settle()
