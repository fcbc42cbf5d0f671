"""The application in this process, on a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import reflex as rx

from lk_portal.lk_portal import app
from lk_portal.services import context
from lk_portal.services.database import Database
from tests.unit.state.people import People


@pytest.fixture
def application() -> Iterator[rx.App]:
    """The portal's Reflex application, with its registry in force."""
    with app._registration_context:
        yield app


@pytest.fixture
def people(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> People:
    """The installed portal, where nobody is signed in yet."""
    made = People(sqlite_database, tmp_path)
    monkeypatch.setattr(context._Installed, "portal", made.portal)
    return made
