"""What a cheap telephone on a slow network sees of every section, beside the bare Reflex page seen so.

Network and processor are slowed down as by Lighthouse's mobile profile, through the browser's own debugger,
and the figures are Lighthouse's: first and largest contentful paint, layout shift, blocking time. They come
from the browser's PerformanceObserver. Every visit has a browser context of its own, so nothing is cached;
pages are visited in turn, so that none has the quieter time. What is "good" says
https://web.dev/articles/vitals; it is named beside the figures and not required.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import select

from lk_portal.metering.types import Severity
from lk_portal.models import Account, Meter, User
from lk_portal.services import tickets
from lk_portal.services.access import Visit as Deed
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from tests import factories
from tests.bench import big_database
from tests.bench.bare_app import running_bare_app
from tests.bench.big_database import History
from tests.bench.browser import give_session, running_browser
from tests.bench.options import Options
from tests.bench.report import figure, ratio
from tests.e2e.raw_client import session_cookie
from tests.page_weight import weighing
from tests.portal_process import running_portal

VISITS = 3
ROUND_TRIP_MS = 150
DOWN_BITS, UP_BITS = 1_600_000, 750_000
"""A second."""
SLOWER = 4
"""Times, the processor."""
SCREEN = {"width": 390, "height": 844}
QUIET_MS = 2000
"""Without a long task, then blocking is over; Lighthouse waits for five seconds."""
LONG_MS = 50
"""What a task may take before it blocks."""
WINDOW_MS, GAP_MS = 5000, 1000
"""Shifts belong together that are so near each other: https://web.dev/articles/cls."""
PATIENCE_MS = 60_000
BARE = "bare"

OBSERVE = """
const seen = window.lkSeen = {fcp: 0, lcp: 0, largest: '', shifts: [], tasks: []};
const name = node => {
  const element = node && (node.nodeType === 1 ? node : node.parentElement);
  if (!element) return '';
  return (element.tagName + '.' + (element.id || element.getAttribute('class') || '')).slice(0, 60);
};
const watch = (type, take) => new PerformanceObserver(list => list.getEntries().forEach(take))
  .observe({type, buffered: true});
watch('paint', one => { if (one.name === 'first-contentful-paint') seen.fcp = one.startTime; });
watch('largest-contentful-paint', one => { seen.lcp = one.startTime; seen.largest = name(one.element); });
watch('layout-shift', one => {
  seen.shifts.push([one.startTime, one.value, one.sources.map(it => name(it.node))]);
});
watch('longtask', one => seen.tasks.push([one.startTime, one.duration]));
"""
IS_SHOWN = """selector => {
  const found = [...document.querySelectorAll(selector)].some(one => one.checkVisibility());
  return found && performance.now();
}"""
IS_QUIET = """quiet => {
  const ends = lkSeen.tasks.map(([start, taken]) => start + taken);
  return lkSeen.lcp > 0 && performance.now() - Math.max(lkSeen.lcp, ...ends) > quiet;
}"""


@dataclass(frozen=True)
class Place:
    """A page, what of it is its own data (a selector), and whether one must be signed in."""

    path: str
    shows: str
    is_own: bool = True


@dataclass(frozen=True)
class Visited:
    """Figures of one visit; milliseconds since it began."""

    first_paint: float
    largest_paint: float
    shift: float
    blocked: float
    shown: float
    kilobytes: float
    notes: str
    """What was the largest, and what moved."""


def run(_options: Options) -> None:
    """Visit the bare page and every section in turn, a few times."""
    with (
        tempfile.TemporaryDirectory() as bare,
        tempfile.TemporaryDirectory() as own,
        running_bare_app(Path(bare)) as floor,
        _portal(Path(own)) as url,
    ):
        found = asyncio.run(_visit_all(floor, url))
    floors = found.pop(BARE)
    _tell_bare(floors)
    for path, visits in found.items():
        _tell(path, visits, floors)


def places(today: date) -> tuple[Place, ...]:
    """Every section and one article."""
    month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    return (
        Place("/login", "#login", is_own=False),
        Place("/register", "img[src^='data:']", is_own=False),
        Place("/", ".spark"),
        Place("/accounts", "main h3 a"),
        Place(f"/readings?interval=month&period={month}", ".barlayer .point path"),
        Place("/diagnostics", "main .event"),
        Place("/support", "main li a[href^='/support/']"),
        Place("/info", "main a[href^='/info/help-']"),
        Place("/info/help-chart", ".written"),
    )


@contextmanager
def _portal(directory: Path) -> Iterator[str]:
    """A portal for a subscriber with three meters over a year, some events, and a ticket."""
    today = datetime.now(UTC).date()
    big_database.make(directory, meters=3, history=History(today - timedelta(days=365), 365, own=3))
    asyncio.run(_happen(f"sqlite:///{directory / 'portal.sqlite3'}"))
    with running_portal(directory, LK_IS_WORKER_EMBEDDED="false") as portal:
        yield portal.url


async def _happen(address: str) -> None:
    database = Database(address)
    now = datetime.now(UTC)
    meter, user, account = table_of(Meter), table_of(User), table_of(Account)
    async with database.reading() as connection:
        meters = (await connection.scalars(select(meter.c.id))).all()
        owner = (await connection.execute(select(user.c.id, user.c.subscriber_id))).one()
        number = (
            await connection.scalars(select(account.c.number).where(account.c.subscriber_id.is_not(None)))
        ).first()
    for meter_id in meters:
        for hours, severity in enumerate(Severity, start=1):
            await factories.meter_event(
                database, meter_id=meter_id, occurred_at=now - timedelta(hours=hours), severity=severity
            )
    await tickets.create(
        database,
        author=tickets.Author(owner.id, owner.subscriber_id),
        ticket=tickets.NewTicket("Вопрос о счете", "other", str(number), "Как читать счет?"),
        send_key="the-key-of-the-bench",
        visit=Deed(address="", agent="", at=now),
    )
    await database.close()


async def _visit_all(floor: str, url: str) -> dict[str, list[Visited]]:
    cookie = session_cookie(url, big_database.LOGIN, big_database.PASSWORD)
    found: dict[str, list[Visited]] = defaultdict(list)
    async with running_browser() as browser:
        for _ in range(VISITS):
            found[BARE].append(await _visit(browser, floor, Place("/", "#add", is_own=False), ""))
            for place in places(datetime.now(UTC).date()):
                visited = await _visit(browser, url, place, cookie)
                found[place.path.partition("?")[0]].append(visited)
    return found


async def _visit(browser: Browser, url: str, place: Place, cookie: str) -> Visited:
    context = await browser.new_context(
        viewport=SCREEN,  # type: ignore[arg-type]
        is_mobile=True,
        has_touch=True,
        device_scale_factor=2,
        locale="ru-RU",
    )
    if place.is_own:
        await give_session(context, cookie, url)
    page = await context.new_page()
    await _slow_down(context, page)
    await page.add_init_script(OBSERVE)
    weight = weighing(page)
    await page.goto(f"{url}{place.path}", wait_until="commit", timeout=PATIENCE_MS)
    shown = await page.wait_for_function(IS_SHOWN, arg=place.shows, timeout=PATIENCE_MS)
    await page.wait_for_load_state("networkidle", timeout=PATIENCE_MS)
    await page.wait_for_function(IS_QUIET, arg=QUIET_MS, timeout=PATIENCE_MS, polling=100)
    seen = await page.evaluate("lkSeen")
    at = await shown.json_value()
    await context.close()
    moved = {name for _at, size, names in seen["shifts"] if size > 0.01 for name in names}
    return Visited(
        first_paint=seen["fcp"],
        largest_paint=seen["lcp"],
        shift=layout_shift([(at, size) for at, size, _names in seen["shifts"]]),
        blocked=blocked(seen["tasks"], since=seen["fcp"]),
        shown=at,
        kilobytes=weight.kilobytes,
        notes=f"largest: {seen['largest']}; moved: {', '.join(sorted(moved)) or 'nothing'}",
    )


async def _slow_down(context: BrowserContext, page: Page) -> None:
    debugger = await context.new_cdp_session(page)
    await debugger.send("Network.enable")
    await debugger.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS,
            "downloadThroughput": DOWN_BITS / 8,
            "uploadThroughput": UP_BITS / 8,
        },
    )
    await debugger.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def layout_shift(shifts: Sequence[tuple[float, float]]) -> float:
    """The largest sum of shifts (time in ms, value) that belong together."""
    sums = [0.0]
    began = 0.0
    for (before, _value), (at, value) in pairwise([(-PATIENCE_MS, 0.0), *shifts]):
        if at - before > GAP_MS or at - began > WINDOW_MS:
            sums.append(0.0)
            began = at
        sums[-1] += value
    return max(sums)


def blocked(tasks: Sequence[tuple[float, float]], *, since: float) -> float:
    """How long tasks (start and duration in ms) kept a finger waiting after the first paint, in ms."""
    parts = (start + taken - max(start, since) for start, taken in tasks)
    return sum(max(0.0, part - LONG_MS) for part in parts)


def _middle(visits: list[Visited], of: Callable[[Visited], float]) -> float:
    return statistics.median(of(one) for one in visits)


def _tell_bare(floors: list[Visited]) -> None:
    figure("phone: bare page, first contentful paint", f"{_middle(floors, _first):.0f} ms")
    figure("phone: bare page, largest contentful paint", f"{_middle(floors, _largest):.0f} ms")
    figure("phone: bare page, blocked", f"{_middle(floors, _blocked):.0f} ms")
    figure("phone: bare page, bytes", f"{_middle(floors, _kilobytes):.0f} KB")


def _tell(path: str, visits: list[Visited], floors: list[Visited]) -> None:
    for name, of, unit, good in (
        ("first contentful paint", _first, "ms", 1800),
        ("largest contentful paint", _largest, "ms", 2500),
        ("its own data", _shown, "ms", None),
        ("bytes", _kilobytes, "KB", None),
    ):
        value, floor = _middle(visits, of), _middle(floors, of)
        detail = f"{value:.0f} {unit} against {floor:.0f}" + (f", good is {good}" if good else "")
        ratio(f"phone: {path}, {name} / bare", value / floor, detail)
    waiting = _middle(visits, _blocked)
    figure(f"phone: {path}, blocked", f"{waiting:.0f} ms", target="<= 200 ms", is_met=waiting <= 200)
    shift = _middle(visits, _shift)
    figure(
        f"phone: {path}, layout shift",
        f"{shift:.3f}  ({visits[-1].notes})",
        target="<= 0.1",
        is_met=shift <= 0.1,
    )


def _first(one: Visited) -> float:
    return one.first_paint


def _largest(one: Visited) -> float:
    return one.largest_paint


def _shown(one: Visited) -> float:
    return one.shown


def _kilobytes(one: Visited) -> float:
    return one.kilobytes


def _blocked(one: Visited) -> float:
    return one.blocked


def _shift(one: Visited) -> float:
    return one.shift
