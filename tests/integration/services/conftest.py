"""A portal that persons can sign in to, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests.integration.services.people import Portal

SECRET_KEY = "0123456789abcdef" * 3


@pytest.fixture
def portal(database: Database, tmp_path: Path) -> Portal:
    return Portal(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4, secret_key=SECRET_KEY))
