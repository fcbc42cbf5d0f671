"""Brings a database to the newest schema. For commands and start-up; blocking, so call it before the loop."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic import command
from lk_portal.errors import N_, PortalError
from lk_portal.services.database import sync_url

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
_SEARCH_TABLE = "street_search"
_BEGINNINGS = "_begins"
_SEARCH_INDEX = "ix_street_words"


def is_modelled(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether a table or index found in a database should be in the models: `include_name` of Alembic.

    Searches are made by each database's own means, which models cannot say. For addresses: a table of FTS5
    with those it keeps for itself, and an index over an expression. For the beginnings of names and numbers:
    indexes that only PostgreSQL needs.
    """
    if kind == "table":
        return name is None or not (name == _SEARCH_TABLE or name.startswith(f"{_SEARCH_TABLE}_"))
    return not (kind == "index" and name is not None and _is_of_a_search(name))


def _is_of_a_search(index: str) -> bool:
    return index == _SEARCH_INDEX or index.endswith(_BEGINNINGS)


def migrate(address: str, *, revision: str = "head") -> None:
    """Apply all missing migrations, each in a transaction of its own; nothing to do is no error.

    Raises:
        PortalError: The database cannot be opened.
    """
    url = sync_url(address)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except DBAPIError as error:
        raise PortalError(
            N_("The database of LK_DATABASE_URL failed: {reason}"), reason=error.orig
        ) from error
    finally:
        engine.dispose()


def is_current(address: str) -> bool:
    """Whether the database has every migration this code knows."""
    engine = create_engine(sync_url(address))
    try:
        with engine.connect() as connection:
            there = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return there == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
