"""Opening a section, beside a no-op in turn with it: by the clock of a client and by the server's processor.

A subscriber of three meters with a year of hours goes to a page again and again, and each time all its events
are waited for: the framework's two and the one of the frame, in which the page's own load runs. The no-op is
a handler of the portal that changes one word, with the guard and the session's look-up that every event has.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.bench import big_database
from tests.bench.big_database import History
from tests.bench.events import BATCH, STATE, one_event
from tests.bench.options import Options
from tests.bench.report import ratio, spread
from tests.e2e.raw_client import RawClient, raw_client, session_cookie
from tests.portal_process import RunningPortal, running_portal

OPEN = "reflex___state____state.reflex___state____on_load_internal_state.on_load_internal"
OPENED = ('"is_hydrated_rx_state_": true', '"is_hydrated_rx_state_":true')
SECTIONS = ("/", "/accounts", "/readings", "/diagnostics", "/support", "/info")
NOOP = "a no-op"
ROUNDS = 10
WARM_UP = 5
METERS = 3
AT_MOST = 3.0


def run(_options: Options) -> None:
    """Measure all sections in turn, several rounds."""
    with tempfile.TemporaryDirectory() as directory:
        big_database.make(Path(directory), meters=METERS, history=History(own=METERS))
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            times, processor = asyncio.run(_measure(portal))
    for path in SECTIONS:
        ratio(
            f"opening {path} / no-op, on the clock",
            statistics.median(times[path]) / statistics.median(times[NOOP]),
            f"{spread(times[path])}; no-op {spread(times[NOOP])}",
            at_most=AT_MOST,
        )
        ratio(f"opening {path} / no-op, the server's processor", processor[path] / processor[NOOP], "")


async def _measure(portal: RunningPortal) -> tuple[dict[str, list[float]], dict[str, float]]:
    times: dict[str, list[float]] = defaultdict(list)
    processor: dict[str, float] = defaultdict(float)
    cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
    for _ in range(ROUNDS):
        for name in (NOOP, *SECTIONS):
            async with raw_client(portal.url, cookie=cookie) as client:
                event = _noop(client) if name == NOOP else _opening(client, name)
                for number in range(WARM_UP):
                    await event(number)
                began = processor_s(portal.process.pid)
                times[name] += [await event(number) for number in range(BATCH - WARM_UP)]
                processor[name] += processor_s(portal.process.pid) - began
    return times, processor


def _noop(client: RawClient) -> Callable[[int], Awaitable[float]]:
    return lambda number: one_event(
        client, f"{STATE}.pick_grain", {"grain": ("day", "month")[number % 2]}, "/readings"
    )


def _opening(client: RawClient, path: str) -> Callable[[int], Awaitable[float]]:
    return lambda _number: one_event(client, OPEN, {}, path, until=OPENED)


def processor_s(pid: int) -> float:
    """Seconds of processor time, user and system, that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
