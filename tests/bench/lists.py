"""A declared list of a million rows: the page by the number, the search and the filter, beside a no-op.

The list is of personal accounts with their owners and addresses, made by the database itself; half of them
belong to nobody. The questions are measured as the service asks them, on both databases; the events over a
real socket, in turn with a no-op of the portal: a guarded handler that answers without a change.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from lk_portal.models import Account, Premises, Subscriber, Tariff
from lk_portal.resources import audit as _declared  # noqa: F401
from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.services.resource import Choice, Column, Filter, Resource, resource_named
from lk_portal.services.resource.cursor import encode
from lk_portal.services.resource.reading import PAGE, View, read_page
from lk_portal.settings import load_settings
from tests.bench.events import BATCH, one_event
from tests.bench.openings import WARM_UP, processor_s
from tests.bench.options import Options
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal
from tests.postgres import running_server

ROWS = 1_000_000
FAR = 10_000
"""The page that must cost what the first costs."""
ROUNDS = 30
BATCHES = 8
ADMIN, PASSWORD = "admin@example.com", "Correct-horse-2026"
STATE = "reflex___state____state.lk_portal___state___resource____tariffs_resource_state"
NOOP = "a no-op"

ACCOUNTS = Resource(
    Account,
    "/admin/accounts",
    "Accounts",
    (
        Column(Account.number, "Number", is_sortable=True),
        Column(Premises.street, "Street"),
        Column(Subscriber.full_name, "Owner"),
    ),
    search=(Account.number, Subscriber.full_name, Premises.settlement),
    filters=(
        Filter(
            "owner",
            "Owner",
            (
                Choice("none", "Nobody", Account.subscriber_id.is_(None)),  # type: ignore[union-attr]
                Choice("some", "Somebody", Account.subscriber_id.is_not(None)),  # type: ignore[union-attr]
            ),
        ),
    ),
)
TARIFFS = Resource(
    Tariff,
    "/admin/tariffs",
    "Tariffs",
    (Column(Tariff.code, "Code", is_sortable=True), Column(Tariff.name, "Name")),
    search=(Tariff.code,),
)
AUDIT: Resource = resource_named("audit")  # type: ignore[assignment]
SQLITE_NUMBERS = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
POSTGRES_NUMBERS = f"WITH n(i) AS (SELECT generate_series(1, {ROWS}))"
NUMBER = {"sqlite": "printf('%07d', i)", "postgresql": "lpad(i::text, 7, '0')"}
EPOCH = {"sqlite": "0", "postgresql": "now()"}
JSON = {"sqlite": "", "postgresql": "::json"}


@dataclass(frozen=True)
class Asked:
    """A view of the list, by a name for the report."""

    name: str
    view: View
    resource: Resource = ACCOUNTS


@dataclass(frozen=True)
class Events:
    """By name: seconds of each event, the processor's seconds of all, bytes of the largest answer."""

    times: dict[str, list[float]]
    processor: dict[str, float]
    sizes: dict[str, int]


def views(number_at: int) -> list[Asked]:
    """What is measured; `number_at` is the row before the far page."""
    far = encode(f"N{number_at:07}", number_at)
    return [
        Asked("page 1", View()),
        Asked(f"page {FAR}", View(after=encode(number_at, number_at))),
        Asked("page 1 by number", View(sort="number")),
        Asked(f"page {FAR} by number", View(sort="number", after=far)),
        Asked(f"page {FAR} backwards", View(sort="number", before=far)),
        Asked("a number", View(query="n0777777")),
        Asked("a beginning that a thousand have", View(query="N0777")),
        Asked("a beginning that all have", View(query="n0")),
        Asked("a name", View(query="петров 0777777")),
        Asked("nothing", View(query="zzz")),
        Asked("filter of half of all", View(filters={"owner": "none"}, sort="number")),
        Asked("the audit, page 1", View(), AUDIT),
        Asked("the audit of an account", View(query="n0077777"), AUDIT),
        Asked("the audit of a beginning that all have", View(query="n0"), AUDIT),
        Asked("the audit of a clerk with 20,000 deeds", View(query="admin@"), AUDIT),
        Asked("the audit of nobody", View(query="zzz"), AUDIT),
    ]


def run(_options: Options) -> None:
    """The service on both databases, then the events of a portal on SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        _make_sqlite(Path(directory))
        asyncio.run(_ask("sqlite", f"sqlite:///{Path(directory) / 'portal.sqlite3'}"))
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            events = asyncio.run(_events(portal))
    _report(events)
    with _postgres() as address:
        asyncio.run(_ask("postgresql", address))


def _report(events: Events) -> None:
    noop = statistics.median(events.times[NOOP])
    figure("event: no-op of the portal", spread(events.times[NOOP]))
    for name, found in events.times.items():
        if name != NOOP:
            ratio(f"event: {name} / no-op", statistics.median(found) / noop, spread(found), at_most=3.0)
            processor = events.processor[name] / events.processor[NOOP]
            ratio(f"event: {name} / no-op, the server's processor", processor, "")
    largest = max(events.sizes.values()) / 1024
    figure("largest delta of a list", f"{largest:.1f} KB", target="<= 30", is_met=largest <= 30)


async def _ask(kind: str, address: str) -> None:
    """All views in turn, so that a busy machine slows all of them."""
    database = Database(address)
    now = datetime.now(UTC)
    times: dict[str, list[float]] = defaultdict(list)
    asked = views(FAR * PAGE)
    for _round in range(ROUNDS):
        for one in asked:
            began = time.perf_counter()
            await read_page(database, one.resource, one.view, now=now)
            times[one.name].append(time.perf_counter() - began)
    await database.close()
    middle = {name: statistics.median(found) for name, found in times.items()}
    for first, far in (("page 1", f"page {FAR}"), ("page 1 by number", f"page {FAR} by number")):
        detail = f"p50 {middle[far] * 1000:.2f} and {middle[first] * 1000:.2f} ms"
        ratio(f"list, {kind}: {far} / {first}", middle[far] / middle[first], detail, at_most=1.5)
    for name, found in list(times.items())[4:]:
        figure(f"list, {kind}: {name}", spread(found))


def _make_sqlite(directory: Path) -> None:
    settings = load_settings(
        environment="demo", data_dir=directory, bcrypt_rounds=4, timezone="Asia/Omsk", database_url=""
    )
    migrate(settings.database_address)
    asyncio.run(_add_admin(settings))
    with closing(sqlite3.connect(directory / "portal.sqlite3")) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-400000")
        for statement in _statements("sqlite", SQLITE_NUMBERS):
            connection.execute(statement)
        connection.commit()


@contextmanager
def _postgres() -> Iterator[str]:
    with running_server() as server:
        address = f"{server}/postgres"
        migrate(address)
        asyncio.run(_add_admin(load_settings(environment="demo", bcrypt_rounds=4, database_url=address)))
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in _statements("postgresql", POSTGRES_NUMBERS):
                connection.execute(statement.encode())
            connection.execute("VACUUM ANALYZE")
        yield address


def _statements(kind: str, numbers: str) -> list[str]:
    """A thousand addresses, half a million people, a million accounts, tariffs and entries of the audit.

    The first hundred thousand accounts have a meter, and half of the entries are about those.
    """
    words = {"numbers": numbers, "number": NUMBER[kind], "epoch": EPOCH[kind], "json": JSON[kind]}
    made = [
        "INSERT INTO premises (settlement, street, house, flat, timezone, search_text)"
        " {numbers} SELECT 'г. Омск', 'ул. ' || i, '1', '', 'Asia/Omsk', '' FROM n WHERE i <= 1000",
        "INSERT INTO subscriber (id, full_name, email, phone, created_at)"
        " {numbers} SELECT i, 'Петров ' || {number} || ' Пётр', i || '@e.example', '', {epoch}"
        " FROM n WHERE i % 2 = 1",
        "INSERT INTO account (id, number, subscriber_id, premises_id, note, contract_number, amenities)"
        " {numbers} SELECT i, 'N' || {number}, CASE WHEN i % 2 = 1 THEN i END,"
        " 1 + i % 1000, '', '', '' FROM n",
        "INSERT INTO tariff (id, code, name) {numbers} SELECT i, 'N' || {number}, 'Тариф ' || i FROM n",
        "INSERT INTO metering_point (id, code, account_id, name, place)"
        " {numbers} SELECT i, 'N' || {number}, i, '', '' FROM n WHERE i <= 100000",
        "INSERT INTO meter (id, serial, model, map_name)"
        " {numbers} SELECT i, 'N' || {number}, '', '' FROM n WHERE i <= 100000",
        "INSERT INTO installation (id, meter_id, point_id, installed_at, ct_ratio, vt_ratio)"
        " {numbers} SELECT i, i, i, {epoch}, 1, 1 FROM n WHERE i <= 100000",
        "INSERT INTO audit_entry (id, at, action, actor_user_id, subject_user_id, address, agent, detail,"
        " previous, hash) {numbers} SELECT 1000000 + i, {epoch},"
        " CASE WHEN i % 2 = 1 THEN 'registry:meters:change' ELSE 'web:session:begin' END,"
        " 1 + i % 50, 1 + i % 50000, '', '',"
        " (CASE WHEN i % 2 = 1 THEN '{{\"key\": ' || (1 + i / 2 % 100000) || '}}' ELSE '{{}}' END){json},"
        " '', '' FROM n",
    ]
    return [one.format(**words) for one in made]


async def _add_admin(settings: object) -> None:
    database = Database(settings.database_address)  # type: ignore[attr-defined]
    await create_user(
        database,
        settings,  # type: ignore[arg-type]
        email=ADMIN,
        phone=None,
        role=Role.ADMIN,
        display_name="Измеритель",
        password=PASSWORD,
        subscriber_id=None,
        now=datetime.now(UTC),
    )
    await database.close()


async def _events(portal: RunningPortal) -> Events:
    """Seconds of each event by the clock and by the server's processor, and the largest answer, in turn."""
    cookie = session_cookie(portal.url, ADMIN, PASSWORD)
    far = encode(f"N{FAR * PAGE:07}", FAR * PAGE)
    paths = {
        NOOP: "/admin/tariffs",
        "page 1": "/admin/tariffs",
        f"page {FAR} by code": f"/admin/tariffs?sort=code&after={far}",
        "a search that finds one": "/admin/tariffs?q=n0777777",
        "a search that finds a thousand": "/admin/tariffs?q=n0777",
        "a row's form": "/admin/tariffs?row=777777",
    }
    events = Events(defaultdict(list), defaultdict(float), defaultdict(int))
    for _batch in range(BATCHES):
        for name, path in paths.items():
            event = f"{STATE}.{'cancel' if name == NOOP else 'load'}"
            async with raw_client(portal.url, cookie=cookie) as client:
                for _number in range(WARM_UP):
                    await one_event(client, event, {}, path)
                began = processor_s(portal.process.pid)
                events.times[name] += [
                    await one_event(client, event, {}, path) for _number in range(BATCH - WARM_UP)
                ]
                events.processor[name] += processor_s(portal.process.pid) - began
                largest = max(len(message.encode()) for message in client.received)
                events.sizes[name] = max(events.sizes[name], largest)
    return events
