"""How fast `import_intervals` is beside a bare insert of the same rows into the same table.

100 points x 8760 hours by default. Bare means: executemany on SQLite, COPY on PostgreSQL, one transaction,
rows ready in memory, no rollups.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from lk_portal.services.database import Database
from lk_portal.services.intervals import import_intervals
from lk_portal.services.migrations import migrate
from tests import factories
from tests.bench.options import Options
from tests.bench.report import ratio
from tests.postgres import running_server

HOUR_MS = 3_600_000
START_MS = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp() * 1000)
COLUMNS = "point_id, quantity, start, duration_s, value_wh, covered_s, quality, flags, zone"


def make_rows(points: list[int]) -> list[tuple[int, ...]]:
    """A year of hours for each point."""
    hours = range(START_MS, START_MS + 8760 * HOUR_MS, HOUR_MS)
    return [(p, 1, at, 3600, 200 + (at // HOUR_MS * p) % 900, 3600, 1, 0) for p in points for at in hours]


async def make_points(database: Database, count: int) -> list[int]:
    """Points in Omsk, half of them with a two-zone tariff."""
    tariffs = [await factories.tariff(database), None]
    address = await factories.premises(database)
    account = await factories.account(database, premises_id=address)
    return [
        await factories.point(database, account_id=account, tariff_id=tariffs[number % 2])
        for number in range(count)
    ]


async def bare(database: Database, rows: list[tuple[object, ...]]) -> float:
    """Seconds of a plain insert of rows that are ready as tuples (SQLite) or as text (PostgreSQL)."""
    lines = "" if database.is_sqlite else "".join("\t".join(map(str, row)) + "\n" for row in rows)
    async with database.writing() as connection:
        begun = time.perf_counter()
        if database.is_sqlite:
            places = ", ".join("?" * 9)
            await connection.exec_driver_sql(f"INSERT INTO interval ({COLUMNS}) VALUES ({places})", rows)
        else:
            driver = (await connection.get_raw_connection()).driver_connection
            copying = f"COPY interval ({COLUMNS}) FROM STDIN"
            async with driver.cursor() as cursor, cursor.copy(copying) as copy:
                for start in range(0, len(lines), 1 << 20):
                    await copy.write(lines[start : start + (1 << 20)])
    return time.perf_counter() - begun


async def measure(address: str, points_count: int) -> None:
    """Print both times and their ratio for one database."""
    migrate(address)
    database = Database(address)
    points = await make_points(database, points_count)
    rows = make_rows(points)
    if database.is_sqlite:
        plain = [(*row, 0) for row in rows]
    else:
        plain = [(*r[:2], datetime.fromtimestamp(r[2] / 1000, UTC), *r[3:], 0) for r in rows]
    bare_s = await bare(database, plain)
    del plain
    async with database.writing() as connection:
        # A DELETE would leave dead index entries on PostgreSQL for our run to wade through.
        await connection.execute(text("DELETE FROM interval" if database.is_sqlite else "TRUNCATE interval"))
    times = []
    for _ in range(2):
        begun = time.perf_counter()
        report = await import_intervals(database, rows, clock=lambda: datetime.now(UTC))
        times.append(time.perf_counter() - begun)
        assert report.contradiction_count == 0
    await database.close()
    kind, rate = address.split(":", maxsplit=1)[0], len(rows) / times[0]
    ratio(
        f"ingest with rollups / bare, {kind}",
        bare_s / times[0],
        f"{len(rows)} rows: bare {bare_s:.2f} s, ours {times[0]:.2f} s = {rate:,.0f} rows/s; "
        f"again {times[1]:.2f} s",
        at_least=0.4,
    )


def run(options: Options) -> None:
    """Measure both databases."""
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(f"sqlite:///{Path(directory) / 'bench.sqlite3'}", options.points))
    with running_server() as server:
        asyncio.run(measure(f"{server}/postgres", options.points))
