"""Bytes of a first visit and the time to start, beside a bare Reflex page built with the same plugins."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench import big_database
from tests.bench.bare_app import running_bare_app
from tests.bench.browser import give_session, running_browser
from tests.bench.options import Options
from tests.bench.report import figure, ratio
from tests.e2e.raw_client import session_cookie
from tests.page_weight import Weight, weigh
from tests.portal_process import running_portal

LOGIN_KB, REGISTER_KB, READINGS_KB = 190, 200, 560
RESTARTS = 3


def run(_options: Options) -> None:
    """Weigh the bare page, /login, /register and /readings, then restart a few times."""
    with tempfile.TemporaryDirectory() as directory, running_bare_app(Path(directory)) as url:
        bare = asyncio.run(_weigh(url, wait_for="#add"))
    with tempfile.TemporaryDirectory() as directory:
        big_database.make(Path(directory), meters=20)
        with running_portal(Path(directory), LK_IS_WORKER_EMBEDDED="false") as portal:
            cookie = session_cookie(portal.url, big_database.LOGIN, big_database.PASSWORD)
            login = asyncio.run(_weigh(f"{portal.url}/login", wait_for="#login"))
            register = asyncio.run(_weigh(f"{portal.url}/register", wait_for="img[src^='data:']"))
            readings = asyncio.run(
                _weigh(
                    f"{portal.url}/readings?interval=year&period={big_database.YEAR}",
                    wait_for=".barlayer .point path:visible",
                    cookie=cookie,
                )
            )
        _restart(Path(directory))
    figure("bytes: bare Reflex page", f"{bare.kilobytes:.0f} KB")
    for name, weight, most in (
        ("/login", login, LOGIN_KB),
        ("/register", register, REGISTER_KB),
        ("/readings", readings, READINGS_KB),
    ):
        figure(
            f"bytes: {name}",
            f"{weight.kilobytes:.0f} KB",
            target=f"<= {most}",
            is_met=weight.kilobytes <= most,
        )
        ratio(f"bytes: {name} / bare page", weight.kilobytes / bare.kilobytes, f"{len(weight.bodies)} files")


def _restart(directory: Path) -> None:
    times = []
    for _ in range(RESTARTS):
        began = time.perf_counter()
        with running_portal(directory):
            times.append(time.perf_counter() - began)
    figure(
        "restart to the first answered page", f"{statistics.median(times):.1f} s (build and database there)"
    )


async def _weigh(address: str, *, wait_for: str, cookie: str = "") -> Weight:
    async with running_browser() as browser:
        context = await browser.new_context()
        if cookie:
            await give_session(context, cookie, address)
        return await weigh(await context.new_page(), address, wait_for=wait_for)
