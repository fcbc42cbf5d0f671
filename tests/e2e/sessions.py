"""The running portal's database as a test wants it: sessions under a duty, no waiting after many failures."""

from __future__ import annotations

import sqlite3
from contextlib import closing

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
    in_database(site, "UPDATE user_session SET duty = ? WHERE token_hash = ?", duty.value, hash_of(token))
    found = in_database(site, "SELECT duty FROM user_session WHERE token_hash = ?", hash_of(token))
    assert found == [(duty.value,)]


def forget_attempts(site: Site) -> None:
    """All tests come from one address; what others tried must not keep this one waiting."""
    in_database(site, "DELETE FROM attempt")


def in_database(site: Site, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Run one statement in the portal's database, beside the portal; gives the rows."""
    path = site.portal.data_dir / "portal.sqlite3"
    with closing(sqlite3.connect(path, timeout=10)) as connection, connection:
        return connection.execute(statement, values).fetchall()
