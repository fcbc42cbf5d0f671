"""Fixtures that every test may use: empty, migrated databases of both kinds.

A test that asks for `database` runs twice, on SQLite and on PostgreSQL. `database_address` gives the URL
alone, for tests of commands and of whole applications.
"""

from __future__ import annotations

import itertools
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import pytest_asyncio

from lk_portal.services.database import Database
from lk_portal.services.migrations import migrate
from tests.postgres import PostgresMissingError, running_server

TEMPLATE = "lk_template"
MOST_OF_REASON = 3000
# A busy machine may take its time over an example. (On CI Hypothesis itself takes the same ones each time.)
hypothesis.settings.register_profile("patient", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("patient")

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those with a browser, which keep the processors busy, alternate with those that mostly wait.

    Files stay whole. What comes last is quick, so that no process is left without work at the end.
    """
    of_files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        of_files.setdefault(item.path, []).append(item)
    here = Path(__file__).parent
    busy = [path for path in of_files if path.is_relative_to(here / "e2e")]
    waiting = [path for path in of_files if path.is_relative_to(here / "integration")]
    pairs = itertools.zip_longest(busy, waiting)
    first = [path for pair in pairs for path in pair if path is not None]
    items[:] = [item for path in dict.fromkeys([*first, *of_files]) for item in of_files[path]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what failed and was run once more, with its reason."""
    reports = terminalreporter.stats.get("rerun", [])
    if reports:
        terminalreporter.section("failed once", yellow=True)
    for report in reports:
        terminalreporter.line(f"{report.nodeid}\n{report.longreprtext[-MOST_OF_REASON:]}\n")


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """A command that ran in the tests' process leaves no handler that writes to a stream long closed."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """`postgresql://user@host:port` of a server of this session's own."""
    try:
        with running_server() as address:
            yield address
    except PostgresMissingError as error:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"CI must test on PostgreSQL: {error}", pytrace=False)
        pytest.skip(f"PostgreSQL tests need its server: {error}")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The server, with a migrated, empty template database on it."""
    run_sql(postgres_server, f"CREATE DATABASE {TEMPLATE}")
    migrate(f"{postgres_server}/{TEMPLATE}")
    return postgres_server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "portal.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_address(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite database of this test's own."""
    path = tmp_path / "portal.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_address(postgres_template: str) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database of this test's own."""
    name = f"test_{next(_numbers)}"
    run_sql(postgres_template, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield f"{postgres_template}/{name}"
    run_sql(postgres_template, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_address(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database; the test runs once for each kind."""
    address: str = request.getfixturevalue(f"{request.param}_address")
    return address


@pytest_asyncio.fixture
async def database(database_address: str) -> AsyncIterator[Database]:
    """A migrated, empty `Database`; the test runs once for each kind."""
    opened = Database(database_address)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def sqlite_database(sqlite_address: str) -> AsyncIterator[Database]:
    """A migrated, empty `Database` on SQLite, for tests where the kind does not matter."""
    opened = Database(sqlite_address)
    yield opened
    await opened.close()


def run_sql(server: str, statement: str) -> None:
    """Run one statement on the server's own database, outside a transaction."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(statement.encode())
