"""The chart's events with little and with much history: 20 meters and five years make nobody wait longer.

Months, years of the calendar and of billing months, and comparisons, each over a real socket against a
production build.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from datetime import date
from pathlib import Path

from tests.bench import big_database
from tests.bench.big_database import History
from tests.bench.events import STATE, timed
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal

# Two months, for each event of a pair has to show another one than the last.
LITTLE = History(date(2025, 5, 1), 61, own=1)
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
    """Measure the same views in both databases."""
    little, much = _portal(LITTLE), _portal(MUCH)
    for name in VIEWS:
        ratio(
            f"event: {name}, 20 meters of 5 years / one of 2 months",
            statistics.median(much[name]) / statistics.median(little[name]),
            spread(much[name]),
            at_most=1.3,
        )
    for name in YEARS:
        ratio(
            f"event: {name} chart / month chart, 20 meters of 5 years",
            statistics.median(much[name]) / statistics.median(much["month"]),
            spread(much[name]),
        )


def _portal(history: History) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as directory:
        serial = big_database.make(Path(directory), meters=history.own, history=history)
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            return asyncio.run(_measure(portal, serial))


async def _measure(portal: RunningPortal, serial: str) -> dict[str, list[float]]:
    cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
    found = {}
    for name, view in {**VIEWS, **YEARS}.items():
        first, second = (
            f"/readings?meter={serial}&energy=A_PLUS" + view.format(n)
            for n in ((5, 6) if name in VIEWS else (4, 5))
        )
        events = [(f"{STATE}.load", {}, path) for path in (first, second)]
        found[name] = await timed(portal.url, cookie, events)
        async with raw_client(portal.url, cookie=cookie) as client:
            await client.send(f"{STATE}.load", path=first)
            size = len((await client.settle()).encode()) / 1000
        figure(f"delta: {name}", f"{size:.1f} KB", target=f"<= {DELTA_KB}", is_met=size <= DELTA_KB)
    return found
