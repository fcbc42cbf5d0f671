"""Sessions of the running portal as a test wants them: in a browser, or under a duty."""

from __future__ import annotations

import sqlite3

from playwright.async_api import BrowserContext

from lk_portal.models import Duty
from lk_portal.security.tokens import hash_of
from tests.e2e.conftest import Site


async def give_cookie(context: BrowserContext, site: Site, cookie: str) -> None:
    """Put a session, as `session_cookie` gives it, into a browser; it takes the place of an earlier one."""
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": site.url, "httpOnly": True}])


def put_under(site: Site, cookie: str, duty: Duty) -> None:
    """Lay a duty on an open session, as if its password were temporary or a document were new."""
    token = cookie.partition("=")[2]
    with sqlite3.connect(site.portal.data_dir / "portal.sqlite3", timeout=10) as connection:
        changed = connection.execute(
            "UPDATE user_session SET duty = ? WHERE token_hash = ?", (duty.value, hash_of(token))
        )
        assert changed.rowcount == 1
