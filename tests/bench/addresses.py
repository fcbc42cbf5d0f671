"""How fast addresses are suggested out of a million, beside a bare indexed query of 20 rows.

Two registries, for what is hard is not the same: one city, whose name is in every address, and a region of
villages, whose streets all have the same few names. Bare means: 20 rows by primary key, through the same
connection. Both are measured in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from itertools import islice, product
from pathlib import Path

import psycopg
from sqlalchemy import text

from lk_portal.models.address_text import search_words
from lk_portal.services.addresses import suggest
from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from tests.bench.options import Options
from tests.bench.report import figure, ratio
from tests.postgres import running_server

COLUMNS = "settlement, street, house, flat, timezone, search_text"
BARE = "SELECT settlement, street, house, flat FROM premises WHERE id BETWEEN 500000 AND 500019"
SYLLABLES = ("ле", "ни", "ка", "ро", "ми", "та", "со", "ве", "гра", "пу", "бе", "ло", "зор", "ду", "бо", "ча")
KINDS = ("ул. ", "ул.", "улица ", "пер. ", "пр-т ")
COMMON = ("ул. Ленина", "ул. Советская", "ул. Мира", "ул. Садовая", "ул. Новая")
ROUNDS = 30

TYPED = {
    "city": ("ом", "омск", "омск лен", "улица", "омск 12", "омск леника 12", "г. Омск, ул. Леника, д.12, 3"),
    "region": ("се", "улица", "ленина", "ленина 12", "село лени", "с. Тачанисело 1521, ленина 12"),
}

Row = tuple[str, str, str, str, str, str]


def names(count: int) -> list[str]:
    """So many different names, of three syllables each."""
    return ["".join(three).capitalize() for three in islice(product(SYLLABLES, repeat=3), count)]


def city() -> Iterator[Row]:
    """A million: 2000 streets of 50 houses of 10 flats, all in Omsk."""
    streets = ["ул. Леника", *(f"{KINDS[number % 5]}{name}" for number, name in enumerate(names(1999)))]
    for street in streets:
        words = search_words("г. Омск", street)
        for house, flat in product(range(1, 51), range(1, 11)):
            yield "г. Омск", street, str(house), str(flat), "Asia/Omsk", words


def region() -> Iterator[Row]:
    """A million: 2000 villages of 20 streets, of the same names everywhere, of 25 houses."""
    streets = [*COMMON, *(f"ул. {name}" for name in names(15))]
    for village, own in enumerate(names(2000)):
        settlement = f"{('с.', 'д.', 'п.')[village % 3]} {own}село {village}"
        for street in streets:
            words = search_words(settlement, street)
            for house in range(1, 26):
                yield settlement, street, str(house), "", "Asia/Omsk", words


def fill_sqlite(path: Path, rows: Iterator[Row]) -> None:
    """One transaction of `executemany`, triggers and all."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-400000")
        connection.executemany(f"INSERT INTO premises ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()


def fill_postgres(address: str, rows: Iterator[Row]) -> None:
    """One COPY; then what autovacuum would do some minutes later."""
    with psycopg.connect(address, autocommit=True) as connection:
        with connection.cursor() as cursor, cursor.copy(f"COPY premises ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.execute("VACUUM ANALYZE premises, street")


async def measure(name: str, address: str) -> None:
    """Print a line for each of the typed texts."""
    database = Database(address)

    async def bare() -> int:
        async with database.reading() as connection:
            return len((await connection.execute(text(BARE))).all())

    for typed in TYPED[name.partition(",")[0]]:
        times: tuple[list[float], list[float]] = ([], [])
        count = 0
        for _ in range(ROUNDS):
            times[0].append(await seconds(bare))
            times[1].append(await seconds(lambda: suggest(database, typed=typed)))  # noqa: B023
            count = len(await suggest(database, typed=typed))
        bare_ms, ours_ms = (statistics.median(found) * 1000 for found in times)
        slowest = sorted(times[1])[-2] * 1000
        detail = f"p50 {ours_ms:.1f} ms, worst but one {slowest:.1f}; bare {bare_ms:.1f} ms; {count} rows"
        ratio(f"suggest / bare, {name}, {typed!r}", ours_ms / bare_ms, detail)
    await database.close()


async def seconds(action: Callable[[], Awaitable[object]]) -> float:
    """How long it took."""
    begun = time.perf_counter()
    await action()
    return time.perf_counter() - begun


def run(_options: Options) -> None:
    """Both registries on both databases."""
    with tempfile.TemporaryDirectory() as directory:
        for name, rows in (("city", city), ("region", region)):
            path = Path(directory) / f"{name}.sqlite3"
            migrate(f"sqlite:///{path}")
            _fill(f"{name}, sqlite", lambda: fill_sqlite(path, rows()))  # noqa: B023
            asyncio.run(measure(f"{name}, sqlite", f"sqlite:///{path}"))
    with running_server() as server:
        for name, rows in (("city", city), ("region", region)):
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            migrate(f"{server}/{name}")
            _fill(f"{name}, postgresql", lambda: fill_postgres(f"{server}/{name}", rows()))  # noqa: B023
            asyncio.run(measure(f"{name}, postgresql", f"{server}/{name}"))


def _fill(name: str, fill: Callable[[], None]) -> None:
    begun = time.perf_counter()
    fill()
    figure(f"1,000,000 addresses stored, {name}", f"{time.perf_counter() - begun:.1f} s")
