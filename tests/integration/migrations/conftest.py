"""Databases without any table, for the tests of migrations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import run_sql


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    run_sql(postgres_server, "CREATE DATABASE unmigrated")
    yield f"{postgres_server}/unmigrated"
    run_sql(postgres_server, "DROP DATABASE unmigrated WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table (on SQLite not even a file, nor its directory)."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'portal.sqlite3'}"
    address: str = request.getfixturevalue("empty_postgres")
    return address
