"""`make pictures`: takes the pictures of help and README anew, all or those named, from a demo of its own.

    make pictures ARGS="home-telephone settings"

It takes a few minutes. A page that does not come is named, and the others are taken all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Error, async_playwright

from lk_portal.services import demo_plan
from lk_portal.services.demo_plan import DemoUser
from tests.docs.shots import MAIN, ROOT, SHOTS, TALLEST, Shot, periods
from tests.portal_process import free_port, stop

MAX_BYTES = 60_000
QUALITIES = (82, 70, 58, 46)
COLOURS = (256, 128, 64, 32)
START_S = 600
WAIT_MS = 20_000
REST_MS = 700
STAFF = (demo_plan.OPERATOR, demo_plan.ADMIN)
HEIGHT = """() => {
    const end = document.querySelector("#main")?.lastElementChild.getBoundingClientRect().bottom;
    if (!end || document.querySelector("dialog[open]")) return document.body.scrollHeight;
    return Math.max(390, Math.ceil(end + 24));
}"""
"""Of the staff's page without the emptiness below it; a dialog stands in the middle of the window."""
Sessions = dict[DemoUser, list[Any]]
"""Cookies of who has signed in already."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def main() -> int:
    """Take them; 1 when one could not be taken."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__)
    parser.add_argument("names", nargs="*", help="Which pictures; all when not given.")
    names = set(parser.parse_args().names)
    shots = [shot for shot in SHOTS if not names or shot.name in names]
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as address:
        failed = asyncio.run(take(shots, address))
    return 1 if failed else 0


@contextlib.contextmanager
def running_demo(folder: Path) -> Iterator[str]:
    """`lk demo` with data of its own on a free port; gives its address."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lk_portal", "demo"],
            cwd=ROOT,
            env={**environment, "LK_DATA_DIR": str(folder / "demo"), "LK_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}", process, folder / "demo.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/healthz", timeout=2).status_code == httpx.codes.OK:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the demo did not start:\n{log.read_text(errors='replace')[-2000:]}")


async def take(shots: list[Shot], address: str) -> list[str]:
    """Take the pictures and write them; gives the names of those that could not be taken."""
    failed = []
    async with async_playwright() as tools:
        path = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = await tools.chromium.launch(executable_path=path, args=list(FLAGS))
        sessions: Sessions = {}
        for shot in shots:
            for locale, file in shot.files().items():
                try:
                    picture = await _photograph(browser, shot, address, locale, sessions)
                    sys.stdout.write(f"{file.relative_to(ROOT)}  {write(picture, file):,} bytes\n")
                except Error as error:
                    failed.append(shot.name)
                    sys.stdout.write(f"{shot.name} ({locale}): {error.message.splitlines()[0]}\n")
        await browser.close()
    return failed


async def _photograph(browser: Browser, shot: Shot, address: str, locale: str, sessions: Sessions) -> bytes:
    """The page's top, or the part that is asked for, as a PNG, in a browser of its own."""
    context = await browser.new_context(
        viewport={"width": shot.width, "height": 844},
        color_scheme=shot.scheme,  # type: ignore[arg-type]
        locale={"ru": "ru-RU", "en": "en-GB"}[locale],
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_MS)
    try:
        if shot.user is not None:
            await _sign_in(context, address, shot.user, {} if shot.is_apart else sessions)
        await context.add_cookies([{"name": "lk_locale", "value": locale, "url": address}])
        page = await context.new_page()
        today = datetime.now(demo_plan.ZONE).date()
        await page.goto(address + shot.route.format(**periods(today)))
        if shot.do is not None:
            await page.wait_for_selector(MAIN)
            await shot.do(page)
        await page.wait_for_selector(shot.wait_for)
        await page.wait_for_load_state("networkidle")
        await page.wait_for_timeout(REST_MS)
        if shot.part:
            return await page.locator(shot.part).screenshot()
        height = await page.evaluate(HEIGHT if shot.user in STAFF else "document.body.scrollHeight")
        clip = {"x": 0, "y": 0, "width": shot.width, "height": min(height, TALLEST[shot.width])}
        return await page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
    finally:
        await context.close()


async def _sign_in(context: BrowserContext, address: str, user: DemoUser, sessions: Sessions) -> None:
    """Once for each person: sign-ins stand in the audit and among the letters, which are pictured too."""
    if user in sessions:
        await context.add_cookies(sessions[user])
        return
    page = await context.new_page()
    await page.goto(f"{address}/login")
    await page.fill("#login", user.email)
    await page.fill("#password", user.password)
    await page.press("#password", "Enter")
    await page.wait_for_url(f"{address}/admin" if user in STAFF else f"{address}/")
    sessions[user] = await context.cookies()
    await page.close()


def write(picture: bytes, file: Path) -> int:
    """Write a PNG as the file's format, as good as fits into `MAX_BYTES`; gives its size."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    encoded = b""
    for quality, colours in zip(QUALITIES, COLOURS, strict=True):
        encoded = _webp(image, quality) if file.suffix == ".webp" else _png(image, colours)
        if len(encoded) <= MAX_BYTES:
            break
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encoded)
    return len(encoded)


def _webp(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=6)
    return out.getvalue()


def _png(image: Image.Image, colours: int) -> bytes:
    out = io.BytesIO()
    image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
