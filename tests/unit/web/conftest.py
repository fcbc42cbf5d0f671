"""The routes with one person who may sign in: an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from lk_portal.services import access, context
from lk_portal.services.access import Role
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from lk_portal.web.routes import make_routes
from tests.unit.web.site import EMAIL, NOW, PASSWORD, Site


@pytest_asyncio.fixture
async def site(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    settings = load_settings(
        data_dir=tmp_path, bcrypt_rounds=4, public_url="http://127.0.0.1:8000", trusted_proxy_hops=0
    )
    portal = Portal(settings, sqlite_database, clock=lambda: NOW)
    monkeypatch.setattr(context._Installed, "portal", portal)
    await access.create_user(
        sqlite_database,
        settings,
        email=EMAIL,
        phone=None,
        role=Role.OPERATOR,
        display_name="Иванов",
        password=PASSWORD,
        subscriber_id=None,
        now=NOW,
    )
    transport = httpx.ASGITransport(make_routes(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as http:
        yield Site(http, portal)
