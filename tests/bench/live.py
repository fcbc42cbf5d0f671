"""Five hundred open home pages of one portal: how soon a stored value is on the pages it is for.

Each page is a socket of its own under a session of its own. One value is stored for one of their subscribers,
then a page of the utility comes out, which is news to all of them. Time is taken from the commit to what the
pages receive; the broadcaster looks once a second, so up to a second of it is waiting for its turn.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from lk_portal.models import Duty, InfoKind, InfoPage, Role, User, UserSession
from lk_portal.models.types import to_milliseconds
from lk_portal.security.tokens import hash_of
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.migrations import migrate
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests import factories
from tests.bench.options import Options
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import RawClient
from tests.portal_process import RunningPortal, running_portal

PAGES = 500
NOOP = "reflex___state____state.lk_portal___state___shell____shell_state.dismiss_problem"
OPEN = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"
AT_ONCE = 20
VALUES = 5
IDLE_S = 20
PATIENCE_S = 60
DAYS = 40
NEW_HOURS = VALUES + 1
"""The last hours, which come while pages are open."""


@dataclass(frozen=True)
class Watcher:
    """A subscriber with a point, and the cookie of her session."""

    point_id: int
    cookie: str


def run(_options: Options) -> None:
    """Open the pages and store values."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        settings = load_settings(
            environment="demo", data_dir=folder, bcrypt_rounds=4, timezone="Asia/Omsk", database_url=""
        )
        migrate(settings.database_address)
        database = Database(settings.database_address)
        watchers = asyncio.run(_people(database, PAGES))
        with running_portal(folder, LK_IS_WORKER_EMBEDDED="false") as portal:
            asyncio.run(_measure(portal, settings.database_address, watchers))


async def _people(database: Database, count: int) -> list[Watcher]:
    watchers = [await _watcher(database, number) for number in range(count)]
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [now - timedelta(hours=step) for step in range(DAYS * 24, NEW_HOURS, -1)]
    rows = (_hour(one.point_id, start) for one in watchers for start in hours)
    await import_intervals(database, rows, clock=lambda: now - timedelta(hours=1))
    await database.close()
    return watchers


async def _watcher(database: Database, number: int) -> Watcher:
    placed = await factories.a_metered_point(database)
    now = datetime.now(UTC)
    token = f"bench-{number}"
    user = {
        "email": f"bench-{number}@example.com",
        "role": Role.SUBSCRIBER,
        "subscriber_id": placed.subscriber_id,
        "display_name": f"Абонент {number}",
        "password_hash": "",
        "created_at": now,
    }
    async with database.writing() as connection:
        key = (await connection.execute(insert(User).values(**user))).inserted_primary_key
        session = {"token_hash": hash_of(token), "user_id": key[0], "created_at": now, "seen_at": now}
        await connection.execute(
            insert(table_of(UserSession)).values(
                **session, expires_at=now + timedelta(hours=12), duty=Duty.NONE, address="", agent=""
            )
        )
    return Watcher(placed.point_id, f"lk_session={token}")


def _hour(point_id: int, start: datetime) -> IntervalRow:
    return IntervalRow(point_id, 1, to_milliseconds(start), 3600, 2000, 3600, 1, 0)


async def _measure(portal: RunningPortal, address: str, watchers: list[Watcher]) -> None:
    clients = [RawClient(portal.url, cookie=one.cookie) for one in watchers]
    began = time.perf_counter()
    await _in_turn(clients, _open)
    figure(f"live: {len(clients)} home pages opened", f"{time.perf_counter() - began:.1f} s")
    noop = statistics.median([await _noop(clients[-1]) for _ in range(30)])
    busy = await _cpu(portal, IDLE_S)
    figure("live: CPU of an idle turn, all pages open", f"{busy / IDLE_S * 1000:.1f} ms a second")
    database = Database(address)
    one = [await _one_value(database, clients, watchers[0], step) for step in range(VALUES)]
    figure("live: a value for one subscriber, until pushed", spread(one))
    ratio(
        "live: that / no-op", statistics.median(one) / noop, f"no-op {noop * 1000:.2f} ms; <= 1 s is waiting"
    )
    for name, store in (("a page out", _page_out), ("a value for each", _all_values)):
        before = _cpu_so_far(portal)
        first, last, clicks = await _to_all(database, clients, watchers, store)
        used = _cpu_so_far(portal) - before
        figure(f"live: {name}, until the first of all has it", f"{first:.2f} s")
        figure(f"live: {name}, until all {len(clients)} have it", f"{last:.2f} s, CPU {used:.2f} s")
        ratio(
            "live: that, by page / no-op",
            (last - first) / len(clients) / noop,
            f"{(last - first) / len(clients) * 1000:.2f} ms a page",
        )
        figure("live: a click meanwhile", spread(clicks) if len(clicks) > 1 else "none was sent")
    await database.close()
    await _in_turn(clients, RawClient.close)


async def _in_turn(clients: list[RawClient], do) -> None:  # type: ignore[no-untyped-def]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(client: RawClient) -> None:
        async with gate:
            await do(client)

    await asyncio.gather(*(one(client) for client in clients))


async def _open(client: RawClient) -> None:
    """Open the home page as a browser does, until its tiles are there."""
    await client.connect()
    await client.send(OPEN, path="/")
    await _until(client, '"is_hydrated_rx_state_": true')


async def _until(client: RawClient, text: str, *, since: int = 0) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not any(text in message for message in client.received[since:]):
            client.arrived.clear()
            await client.arrived.wait()


async def _noop(client: RawClient) -> float:
    seen = len(client.received)
    began = time.perf_counter()
    await client.send(NOOP, path="/")
    while len(client.received) == seen:
        client.arrived.clear()
        await client.arrived.wait()
    taken = time.perf_counter() - began
    await asyncio.sleep(0.05)
    return taken


async def _one_value(database: Database, clients: list[RawClient], watcher: Watcher, step: int) -> float:
    """Seconds from a commit to the page that shows the point."""
    await asyncio.sleep(1.5)
    seen = len(clients[0].received)
    await _store(database, [watcher], hours_ago=NEW_HOURS - step)
    began = time.perf_counter()
    await _until(clients[0], '"accounts', since=seen)
    return time.perf_counter() - began


async def _store(database: Database, watchers: list[Watcher], *, hours_ago: int) -> None:
    now = datetime.now(UTC)
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
    rows = [_hour(one.point_id, start) for one in watchers]
    await import_intervals(database, rows, clock=lambda: now)


async def _all_values(database: Database, watchers: list[Watcher]) -> str:
    await _store(database, watchers, hours_ago=1)
    return '"accounts'


async def _page_out(database: Database, _watchers: list[Watcher]) -> str:
    now = datetime.now(UTC)
    values = {"locale": "ru", "kind": InfoKind.NEWS, "title": "?", "text": "", "position": 0}
    async with database.writing() as connection:
        await connection.execute(
            insert(table_of(InfoPage)).values(
                slug="bench", is_public=True, published_at=now, updated_at=now, **values
            )
        )
    return '"news'


async def _to_all(database: Database, clients: list[RawClient], watchers: list[Watcher], store):  # type: ignore[no-untyped-def]
    """Seconds until the first and the last page has it, and of clicks on one of them meanwhile."""
    await asyncio.sleep(1.5)
    seen = [len(client.received) for client in clients]
    text = await store(database, watchers)
    began = time.perf_counter()
    arrived: list[float] = []

    async def wait(client: RawClient, since: int) -> None:
        await _until(client, text, since=since)
        arrived.append(time.perf_counter() - began)

    waiting = asyncio.gather(*(wait(client, since) for client, since in zip(clients, seen, strict=True)))
    clicks = []
    while not waiting.done():
        taken = await _noop(clients[-1])
        if arrived:
            clicks.append(taken)
    await waiting
    return min(arrived), max(arrived), clicks


async def _cpu(portal: RunningPortal, seconds: float) -> float:
    before = _cpu_so_far(portal)
    await asyncio.sleep(seconds)
    return _cpu_so_far(portal) - before


def _cpu_so_far(portal: RunningPortal) -> float:
    """Processor seconds of the portal's process, of its own and the system's."""
    fields = Path(f"/proc/{portal.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
