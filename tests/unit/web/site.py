"""The plain HTTP routes on a real database, without a browser; see `site` in conftest.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from lk_portal.security.cookies import read_flash
from lk_portal.security.tokens import hash_of
from lk_portal.services import access
from lk_portal.services.access import Identity
from lk_portal.services.context import Portal

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EMAIL, PASSWORD = "ivanov@example.com", "Correct-horse-2026"


def cookie_header(cookies: Mapping[str, str]) -> str:
    """What a browser sends back."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@dataclass
class Site:
    """The routes, as a client sees them."""

    http: httpx.AsyncClient
    portal: Portal

    async def post(
        self, path: str, *, cookies: Mapping[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        """Send a form with these cookies and no others."""
        headers = {"cookie": cookie_header(cookies or {})}
        return await self.http.post(path, data=fields, headers=headers)

    async def sign_in(
        self,
        login: str = EMAIL,
        password: str = PASSWORD,
        *,
        cookies: Mapping[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send the form of /login."""
        return await self.post("/auth/login", cookies=cookies, login=login, password=password, **fields)

    def flash(self, answer: httpx.Response) -> dict[str, object]:
        """What the next page is told to say."""
        return read_flash(cookie_header(answer.cookies), self.portal.settings, now=NOW)

    async def identity(self, token: str) -> Identity | None:
        """Who is behind a session's cookie."""
        return await access.identity_of(
            self.portal.database, self.portal.settings, session_hash=hash_of(token), now=NOW
        )

    async def is_signed_in(self, token: str) -> bool:
        """Whether a session's cookie opens anything."""
        return await self.identity(token) is not None


@dataclass
class Browser:
    """A client that keeps the cookies it is given, like a browser does."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        answer = await self.site.post(path, cookies=self.cookies, **fields)
        self.cookies |= {name: value for name, value in answer.cookies.items() if value}
        return answer

    async def identity(self) -> Identity | None:
        """Who is signed in here."""
        return await self.site.identity(self.cookies.get("lk_session", ""))
