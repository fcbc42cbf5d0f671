"""Brings a database to the newest schema. For commands and start-up; blocking, so call it before the loop.

Installed packages may have tables of their own. Each of them has its own line of migrations and its own
version table, so that the portal's go on working when a package is taken away and its tables stay.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.ddl.base import AlterTable
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ExecutableDDLElement

from alembic import command
from lk_portal.errors import N_, ConfigurationError, PortalError
from lk_portal.models import Table
from lk_portal.services import personal
from lk_portal.services.database import keep_log_ahead, sync_url
from lk_portal.services.plugins import VERSIONS, Plugin, with_tables

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
BATCH = "_alembic_tmp_"
"""Under such a name a table is made anew where SQLite cannot change it."""
_SEARCH_TABLE = "street_search"
_BEGINNINGS = "_begins"
_SEARCH_INDEX = "ix_street_words"


def is_modelled(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether a table or index found in a database should be in the models: `include_name` of Alembic.

    Searches are made by each database's own means, which models cannot say. For addresses: a table of FTS5
    with those it keeps for itself, and an index over an expression. For the beginnings of names and numbers:
    indexes that only PostgreSQL needs. Tables of installed packages are in models of theirs.
    """
    if kind == "table":
        others = (f"{_SEARCH_TABLE}_", VERSIONS, *(plugin.prefix for plugin in with_tables()))
        return name is None or not (name == _SEARCH_TABLE or name.startswith(others))
    return not (kind == "index" and name is not None and _is_of_a_search(name))


def _is_of_a_search(index: str) -> bool:
    return index == _SEARCH_INDEX or index.endswith(_BEGINNINGS)


@dataclass(frozen=True, slots=True)
class History:
    """A line of migrations: the portal's own, or that of an installed package with tables of its own.

    Attributes:
        folder: Where its migrations lie.
        version_table: Where the database keeps how far they have come.
        prefix: What the names of all its tables begin with; "" for the portal's own.
    """

    folder: Path
    version_table: str = "alembic_version"
    prefix: str = ""

    def config(self, connection: Connection | None = None) -> Config:
        """For Alembic's commands; they run on `connection`."""
        config = Config()
        for option, folder in (("script_location", SCRIPTS), ("version_locations", self.folder)):
            config.set_main_option(option, str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(connection=connection, version_table=self.version_table)
        return config

    def is_current(self, connection: Connection) -> bool:
        """Whether the database has all of it."""
        options = {"version_table": self.version_table}
        there = MigrationContext.configure(connection, opts=options).get_current_revision()
        return there == ScriptDirectory.from_config(self.config()).get_current_head()


OWN = History(SCRIPTS / "versions")


def migrate(address: str, *, revision: str = "head") -> None:
    """Apply all missing migrations, each in a transaction of its own; nothing to do is no error.

    The portal's own come first, so that tables of installed packages can refer to its; to a certain
    `revision` the portal's own only.

    Raises:
        PortalError: The database cannot be opened.
        ConfigurationError: A package's migrations do not fit the database, or reach for foreign tables.
    """
    engine = create_engine(sync_url(address))
    try:
        keep_log_ahead(address)
        with engine.connect() as connection:
            command.upgrade(OWN.config(connection), revision)
        for plugin in with_tables() if revision == "head" else ():
            _migrate(engine, plugin)
    except (DBAPIError, sqlite3.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise PortalError(N_("The database of LK_DATABASE_URL failed: {reason}"), reason=reason) from error
    finally:
        engine.dispose()


def _migrate(engine: Engine, plugin: Plugin) -> None:
    history = _history(plugin)
    with engine.connect() as connection:
        keep_to(connection, history)
        try:
            command.upgrade(history.config(connection), "head")
        except CommandError as error:
            raise ConfigurationError(
                detail=f"package {plugin.name!r}: its migrations do not fit this database: {error}"
            ) from error


def keep_to(connection: Connection, history: History) -> None:
    """Let statements that make or change tables on `connection` reach only those of `history`.

    A guard against mistakes: what a migration writes in SQL of its own is not read.
    """

    @event.listens_for(connection, "before_execute")
    def refuse_others(_connection: Connection, statement: Any, *_more: Any) -> None:
        if not isinstance(statement, ExecutableDDLElement):
            return
        for name in _tables_of_ddl(statement):
            table = name.removeprefix(BATCH)
            if table != history.version_table and not table.startswith(history.prefix):
                raise ConfigurationError(
                    detail=f"{history.folder}: the table {table!r} must be called {history.prefix}..."
                )


def _tables_of_ddl(statement: Any) -> list[str]:
    """The names of the tables that a statement makes, changes or takes away; of an index, its table's."""
    if isinstance(statement, AlterTable):
        return [str(statement.table_name), *filter(None, [getattr(statement, "new_table_name", None)])]
    element = getattr(statement, "element", None)
    return [str(getattr(getattr(element, "table", element), "name", ""))]


def _history(plugin: Plugin) -> History:
    assert plugin.migrations is not None  # noqa: S101 - narrows what with_tables() promises
    return History(plugin.migrations, plugin.version_table, plugin.prefix)


def is_current(address: str) -> bool:
    """Whether the database has every migration that this code and the installed packages know."""
    return not missing_of(address)


def missing_of(address: str) -> list[str]:
    """The packages that need `lk migrate`; the portal itself is "". All when the database is not there."""
    histories = {"": OWN, **{plugin.name: _history(plugin) for plugin in with_tables()}}
    engine = create_engine(sync_url(address))
    try:
        with engine.connect() as connection:
            return [name for name, history in histories.items() if not history.is_current(connection)]
    except DBAPIError:
        return list(histories)
    finally:
        engine.dispose()


def left_behind(address: str) -> dict[str, list[str]]:
    """The tables of packages that are not installed any more, by the package's name.

    Raises:
        DBAPIError: The database cannot be opened.
    """
    tables = _tables_in(address)
    here = {plugin.version_table for plugin in with_tables()}
    gone = [
        table.removeprefix(VERSIONS) for table in tables if table.startswith(VERSIONS) and table not in here
    ]
    return {name: sorted(one for one in tables if one.startswith(f"{name}_")) for name in sorted(gone)}


def undeclared(address: str) -> list[str]:
    """The tables of installed packages, in models or in the database, of which none said whose they are.

    Raises:
        DBAPIError: The database cannot be opened.
    """
    prefixes = tuple(plugin.prefix for plugin in with_tables())
    known = {*_tables_in(address), *Table.metadata.tables} - personal.declared()
    return sorted(table for table in known if table.startswith(prefixes))


def _tables_in(address: str) -> list[str]:
    engine = create_engine(sync_url(address))
    try:
        with engine.connect() as connection:
            return inspect(connection).get_table_names()
    finally:
        engine.dispose()
