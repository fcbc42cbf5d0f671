"""The chart's events with little and with much history: 20 meters and five years make nobody wait longer.

Months, years of the calendar and of billing months, and comparisons, each over a real socket against a
production build.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.bench import big_database
from tests.bench.big_database import History
from tests.bench.events import BATCHES, STATE, batch
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import raw_client, session_cookie
from tests.portal_process import running_portal

# As much as the views need to look the same in both: May and June, and what they are compared with.
LITTLE = History(date(2025, 3, 1), 153, own=1)
MUCH = History(date(2021, 1, 1), 1826, own=20)
VIEWS = {
    "month": "&interval=month&period=2025-0{}",
    "billing month": "&interval=month&period=2025-0{}&basis=billing",
    "month compared": "&interval=month&period=2025-0{}&compare=previous",
}
YEARS = {
    "year": "&interval=year&period=202{}",
    "billing year": "&interval=year&period=202{}&basis=billing",
    "year compared": "&interval=year&period=202{}&compare=year",
}
DELTA_KB = 20


def run() -> None:
    """Measure the same views in both databases, batch by batch in turn: neither has the quieter time."""
    with running(LITTLE) as little, running(MUCH) as much:
        found = asyncio.run(_measure(little, much))
    for name in VIEWS:
        ratio(
            f"event: {name}, 20 meters of 5 years / one of 5 months",
            statistics.median(found[much, name]) / statistics.median(found[little, name]),
            spread(found[much, name]),
            at_most=1.3,
        )
    for name in YEARS:
        ratio(
            f"event: {name} chart / month chart, 20 meters of 5 years",
            statistics.median(found[much, name]) / statistics.median(found[much, "month"]),
            spread(found[much, name]),
        )


@dataclass(frozen=True)
class Site:
    """A running portal and whose charts are asked for."""

    url: str
    serial: str
    cookie: str

    def events(self, name: str) -> list[tuple[str, dict[str, str], str]]:
        """Two loads that show different periods."""
        view = {**VIEWS, **YEARS}[name]
        address = f"/readings?meter={self.serial}&energy=A_PLUS{view}"
        return [(f"{STATE}.load", {}, address.format(n)) for n in ((5, 6) if name in VIEWS else (4, 5))]


@contextmanager
def running(history: History) -> Iterator[Site]:
    """A portal over a database with this much in it."""
    with tempfile.TemporaryDirectory() as directory:
        serial = big_database.make(Path(directory), meters=history.own, history=history)
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
            yield Site(portal.url, serial, cookie)


async def _measure(little: Site, much: Site) -> dict[tuple[Site, str], list[float]]:
    found: dict[tuple[Site, str], list[float]] = defaultdict(list)
    for name in (*VIEWS, *YEARS):
        for _ in range(BATCHES):
            for site in (little, much):
                found[site, name] += await batch(site.url, site.cookie, site.events(name))
        await _weigh(much, name)
    return found


async def _weigh(site: Site, name: str) -> None:
    async with raw_client(site.url, cookie=site.cookie) as client:
        event, _payload, path = site.events(name)[0]
        await client.send(event, path=path)
        size = len((await client.settle()).encode()) / 1000
    figure(f"delta: {name}", f"{size:.1f} KB", target=f"<= {DELTA_KB}", is_met=size <= DELTA_KB)
