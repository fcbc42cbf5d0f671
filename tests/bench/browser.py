"""The browser that the measurements use: the one of the system."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, BrowserContext, async_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextlib.asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def give_session(context: BrowserContext, cookie: str, url: str) -> None:
    """Put a session, as `session_cookie` gives it, into a browser."""
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": url}])
