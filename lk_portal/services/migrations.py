"""Brings a database to the newest schema. For commands and start-up; blocking, so call it before the loop."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from alembic import command
from lk_portal.errors import ConfigurationError
from lk_portal.services.database import sync_url

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
_SEARCH_TABLE = "street_search"
_SEARCH_INDEX = "ix_street_words"
_OF_BEGINNINGS = "_begins"


def is_modelled(name: str | None, kind: str, _parents: object = None) -> bool:
    """Whether a table or index found in a database should be in the models: `include_name` of Alembic.

    The search of addresses is made by each database's own means, which models cannot say: a table of FTS5
    with those it keeps for itself, and an index over an expression. The indexes of beginnings are there on
    PostgreSQL only: SQLite finds beginnings by its ordinary ones (`services.resource.beginning`).
    """
    if kind == "table":
        return name is None or not (name == _SEARCH_TABLE or name.startswith(f"{_SEARCH_TABLE}_"))
    return not (kind == "index" and name and (name == _SEARCH_INDEX or name.endswith(_OF_BEGINNINGS)))


def migrate(address: str, *, revision: str = "head") -> None:
    """Apply all missing migrations, each in a transaction of its own; nothing to do is no error.

    Raises:
        ConfigurationError: The database cannot be opened.
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
        raise ConfigurationError(detail=f"LK_DATABASE_URL: {error.orig}") from error
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
