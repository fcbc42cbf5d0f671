"""A database with hourly intervals for many meters, a year unless told, made by the database itself.

Ten thousand meters are 87.6 million intervals: too many to send row by row. What is measured afterwards is
reading, so the rows are plain: one quantity, every hour there, no tariff.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from lk_portal.settings import load_settings
from tests import factories

YEAR = 2025
HOURS = 8760
LOGIN = "bench@example.com"
PASSWORD = "Correct-horse-2026"
METERS_OF_SUBSCRIBER = 20
OMSK_MS = 6 * 3_600_000


@dataclass(frozen=True)
class History:
    """How much there is: local days from the first on, and how many meters are the subscriber's."""

    first: date = date(YEAR, 1, 1)
    days: int = HOURS // 24
    own: int = METERS_OF_SUBSCRIBER


A_YEAR = History()


def make(data_dir: Path, *, meters: int, history: History = A_YEAR) -> str:
    """Fill `data_dir` with `meters` points, the first of them the subscriber's; gives a serial of hers."""
    settings = load_settings(
        environment="demo", data_dir=data_dir, bcrypt_rounds=4, timezone="Asia/Omsk", database_url=""
    )
    migrate(settings.database_address)
    serial = asyncio.run(_people(Database(settings.database_address), settings, history.own))
    with sqlite3.connect(data_dir / "portal.sqlite3") as connection:
        connection.executescript(
            "PRAGMA synchronous=OFF; PRAGMA cache_size=-400000; PRAGMA temp_store=MEMORY;"
        )
        _points(connection, meters)
        _intervals(connection, history)
        _rollups(connection, history)
    return serial


async def _people(database: Database, settings: object, own: int) -> str:
    owner = await factories.subscriber(database)
    serial = ""
    for _ in range(own):
        made = await factories.a_metered_point(database, subscriber_id=owner)
        serial = serial or made.serial
    user_id = await create_user(
        database,
        settings,  # type: ignore[arg-type]
        email=LOGIN,
        phone=None,
        role=Role.SUBSCRIBER,
        display_name="Измеритель",
        password=PASSWORD,
        subscriber_id=owner,
        now=datetime.now(UTC),
    )
    await factories.documents_accepted(database, user_id=user_id)
    await database.close()
    return serial


def _points(connection: sqlite3.Connection, meters: int) -> None:
    """Copies of the first point until there are `meters`."""
    there = connection.execute("SELECT max(id) FROM metering_point").fetchone()[0]
    more = range(there + 1, meters + 1)
    account = connection.execute("SELECT min(account_id) FROM metering_point").fetchone()[0]
    premises = connection.execute("SELECT premises_id FROM account WHERE id = ?", (account,)).fetchone()[0]
    connection.execute(
        "INSERT INTO account (id, number, premises_id, note, contract_number, amenities)"
        " VALUES (1000000, 'neighbours', ?, '', '', '')",
        (premises,),
    )
    connection.executemany(
        "INSERT INTO metering_point (id, code, account_id, name, place) VALUES (?, ?, 1000000, '', '')",
        ((number, f"urn:bench:{number}") for number in more),
    )


def _intervals(connection: sqlite3.Connection, history: History) -> None:
    start = datetime.combine(history.first, time(), tzinfo=UTC) - timedelta(milliseconds=OMSK_MS)
    connection.execute(
        """
        WITH RECURSIVE hour(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM hour WHERE n < ? - 1)
        INSERT INTO interval
          (point_id, quantity, start, duration_s, value_wh, covered_s, zone, quality, flags)
        SELECT p.id, 1, ? + h.n * 3600000, 3600, 150 + (p.id * 31 + h.n * 17) % 700, 3600, 0, 1, 0
        FROM (SELECT id FROM metering_point ORDER BY id) p CROSS JOIN hour h
        """,
        (history.days * 24, int(start.timestamp() * 1000)),
    )


def _rollups(connection: sqlite3.Connection, history: History) -> None:
    days = [history.first + timedelta(days=n) for n in range(history.days)]
    connection.execute("CREATE TEMP TABLE days (n INTEGER PRIMARY KEY, day TEXT)")
    first = (days[0] - date(1970, 1, 1)).days
    connection.executemany(
        "INSERT INTO days VALUES (?, ?)", [(first + n, str(day)) for n, day in enumerate(days)]
    )
    connection.execute(
        f"""
        INSERT INTO day_rollup
          (point_id, quantity, day, total_wh, t1_wh, t2_wh, t3_wh, t4_wh, covered_s, estimated_s)
        SELECT i.point_id, 1, d.day, i.total, 0, 0, 0, 0, i.covered, 0 FROM (
          SELECT point_id, (start + {OMSK_MS}) / 86400000 AS n, sum(value_wh) AS total,
            sum(covered_s) AS covered
          FROM interval GROUP BY point_id, quantity, n) i JOIN days d ON d.n = i.n
        """
    )
    connection.execute(
        """
        INSERT INTO month_rollup
          (point_id, quantity, month, total_wh, t1_wh, t2_wh, t3_wh, t4_wh, covered_s, estimated_s)
        SELECT point_id, quantity, substr(day, 1, 7) || '-01', sum(total_wh), 0, 0, 0, 0, sum(covered_s), 0
        FROM day_rollup GROUP BY point_id, quantity, substr(day, 1, 7)
        """
    )
    connection.execute(
        "INSERT INTO point_freshness SELECT id, 1767225600000, 1767225600000 FROM metering_point"
    )
