"""The chart's events, beside a no-op: from sending an event to its answer.

Every event is timed over a real socket against a production build. The no-op is a guarded handler that
changes one word; the bare counter has no guard, no session and no database. The figures that count are the
chart's, with 10 meters in the database and with 10,000.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench import big_database
from tests.bench.bare_app import running_bare_app
from tests.bench.options import Options
from tests.bench.report import figure, ratio, spread
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal

STATE = "reflex___state____state.lk_portal___state___readings____readings_state"
COUNTER = "reflex___state____state.bare___bare____counter.add"
BATCH = 45
"""Events on one connection: the guard lets 60 through at once, and 20 a second after that."""
BATCHES = 12


@dataclass(frozen=True)
class Times:
    """Seconds of each event."""

    noop: list[float]
    month: list[float]
    year: list[float]
    day: list[float]
    delta: int


def run(options: Options) -> None:
    """Measure the floor, then both databases."""
    meters = options.meters
    with tempfile.TemporaryDirectory() as directory, running_bare_app(Path(directory)) as url:
        bare = asyncio.run(_bare(url))
    figure("event: bare Reflex counter", spread(bare))
    few, many = (_portal(count) for count in (10, meters))
    for name, count, times in (("few", 20, few), ("many", meters, many)):
        noop = statistics.median(times.noop)
        figure(f"event: no-op of the portal, {count} meters", spread(times.noop))
        for kind in ("month", "year", "day"):
            values = getattr(times, kind)
            ratio(
                f"event: {kind} chart / no-op, {name} meters ({count})",
                statistics.median(values) / noop,
                spread(values),
                at_most=None if kind == "day" else 3.0,
            )
    for kind in ("month", "year"):
        ratio(
            f"event: {kind} chart, {meters} meters / few",
            statistics.median(getattr(many, kind)) / statistics.median(getattr(few, kind)),
            f"{meters * big_database.HOURS:,} intervals against {20 * big_database.HOURS:,}",
            at_most=1.3,
        )
    ratio(
        "event: no-op of the portal / bare counter", statistics.median(few.noop) / statistics.median(bare), ""
    )
    figure("delta of a month chart", f"{many.delta / 1000:.1f} KB")


def _portal(meters: int) -> Times:
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        serial = big_database.make(Path(directory), meters=meters)
        size = (Path(directory) / "portal.sqlite3").stat().st_size
        figure(
            f"database of {meters} meters", f"{size / 1e6:,.0f} MB, made in {time.monotonic() - began:.0f} s"
        )
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            return asyncio.run(_events(portal, serial))


async def _events(portal: RunningPortal, serial: str) -> Times:
    cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
    address = f"/readings?meter={serial}&energy=A_PLUS"
    year = big_database.YEAR
    grains = [("pick_grain", {"grain": grain}) for grain in ("day", "month")]
    noop = await timed(
        portal.url, cookie, [(f"{STATE}.{name}", payload, "/readings") for name, payload in grains]
    )
    charts, delta = {}, 0
    for kind, periods in (
        ("month", [f"{year}-05", f"{year}-06"]),
        ("year", [f"{year}", f"{year - 1}"]),
        ("day", [f"{year}-05-05", f"{year}-05-06"]),
    ):
        paths = [f"{address}&interval={kind}&period={period}" for period in periods]
        charts[kind] = await timed(portal.url, cookie, [(f"{STATE}.load", {}, path) for path in paths])
    async with raw_client(portal.url, cookie=cookie) as client:
        await client.send(f"{STATE}.load", path=f"{address}&interval=month&period={year}-05")
        delta = len((await client.settle()).encode())
    return Times(noop, charts["month"], charts["year"], charts["day"], delta)


async def _bare(url: str) -> list[float]:
    return await timed(url, "", [(COUNTER, {}, "/")])


async def timed(url: str, cookie: str, events: list[tuple[str, dict[str, str], str]]) -> list[float]:
    """Seconds of each event of all batches."""
    return [taken for _ in range(BATCHES) for taken in await batch(url, cookie, events)]


async def batch(url: str, cookie: str, events: list[tuple[str, dict[str, str], str]]) -> list[float]:
    """Seconds of each event but the first few of one connection, in turn."""
    async with raw_client(url, cookie=cookie) as client:
        taken = [await one_event(client, *events[number % len(events)]) for number in range(BATCH)]
    return taken[5:]


async def one_event(
    client: RawClient, name: str, payload: dict[str, str], path: str, *, until: tuple[str, ...] = ("",)
) -> float:
    """Seconds from sending an event to the first answer that has one of the texts `until` in it."""
    seen = len(client.received)
    began = time.perf_counter()
    await client.send(name, payload, path=path)
    while not any(text in message for message in client.received[seen:] for text in until):
        await client.arrived.wait()
        client.arrived.clear()
    taken = time.perf_counter() - began
    await asyncio.sleep(0.002)
    return taken
