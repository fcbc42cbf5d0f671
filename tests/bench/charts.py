"""The chart's events with little and with much history: 20 meters and five years make nobody wait longer.

The month of a subscriber with one meter, installed that month, beside the same month of one with 20 meters
and five years; then billing months, years and comparisons, which need more than a month to look the same,
beside the month. Each over a real socket against a production build.
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
from tests.bench.options import Options
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import raw_client, session_cookie
from tests.portal_process import running_portal

LITTLE = History(date(2025, 5, 1), 31, own=1)
MUCH = History(date(2021, 1, 1), 1826, own=20)
MONTH = "month"
VIEWS = {
    MONTH: ("&interval=month&period=2025-05",),
    "billing month": tuple(f"&interval=month&period=2025-0{n}&basis=billing" for n in (5, 6)),
    "month compared": tuple(f"&interval=month&period=2025-0{n}&compare=previous" for n in (5, 6)),
    "year": tuple(f"&interval=year&period=202{n}" for n in (4, 5)),
    "billing year": tuple(f"&interval=year&period=202{n}&basis=billing" for n in (4, 5)),
    "year compared": tuple(f"&interval=year&period=202{n}&compare=year" for n in (4, 5)),
}
DELTA_KB = 20


def run(_options: Options) -> None:
    """Measure the same views in both databases, batch by batch in turn: neither has the quieter time."""
    with running(LITTLE) as little, running(MUCH) as much:
        found = asyncio.run(_measure(little, much))
    ratio(
        "event: month chart, 20 meters of 5 years / one of a month",
        statistics.median(found[much, MONTH]) / statistics.median(found[little, MONTH]),
        f"{spread(found[much, MONTH])}; {spread(found[little, MONTH])}",
        at_most=1.3,
    )
    for name in VIEWS:
        if name != MONTH:
            ratio(
                f"event: {name} chart / month chart, 20 meters of 5 years",
                statistics.median(found[much, name]) / statistics.median(found[much, MONTH]),
                spread(found[much, name]),
            )


@dataclass(frozen=True)
class Site:
    """A running portal and whose charts are asked for."""

    url: str
    serial: str
    cookie: str
    meters: int

    def events(self, name: str) -> list[tuple[str, dict[str, str], str]]:
        """The loads of the view's periods, in turn."""
        address = f"/readings?meter={self.serial}&energy=A_PLUS"
        return [(f"{STATE}.load", {}, address + view) for view in VIEWS[name]]


@contextmanager
def running(history: History) -> Iterator[Site]:
    """A portal over a database with this much in it."""
    with tempfile.TemporaryDirectory() as directory:
        serial = big_database.make(Path(directory), meters=history.own, history=history)
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
            yield Site(portal.url, serial, cookie, history.own)


async def _measure(little: Site, much: Site) -> dict[tuple[Site, str], list[float]]:
    found: dict[tuple[Site, str], list[float]] = defaultdict(list)
    for name in VIEWS:
        for _ in range(BATCHES):
            for site in (little, much) if name == MONTH else (much,):
                found[site, name] += await batch(site.url, site.cookie, site.events(name))
        await _weigh(much, name)
    await _weigh(little, MONTH)
    return found


async def _weigh(site: Site, name: str) -> None:
    async with raw_client(site.url, cookie=site.cookie) as client:
        event, _payload, path = site.events(name)[0]
        await client.send(event, path=path)
        size = len((await client.settle()).encode()) / 1000
    figure(
        f"delta: {name}, {site.meters} meters",
        f"{size:.1f} KB",
        target=f"<= {DELTA_KB}",
        is_met=size <= DELTA_KB,
    )
