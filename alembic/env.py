"""Alembic's entry: runs the migrations on the connection it is given, or on LK_DATABASE_URL's database."""

from sqlalchemy import create_engine
from sqlmodel.sql.sqltypes import AutoString

from alembic import context
from lk_portal.models import Table, types
from lk_portal.services.database import sync_url
from lk_portal.services.migrations import is_modelled
from lk_portal.settings import load_settings


def render_item(kind, item, _autogen_context):
    """Write our column types so that a migration does not change when an enum or the library does."""
    if kind == "type":
        if isinstance(item, types.Coded):
            return "sa.SmallInteger()"
        if isinstance(item, types.Named):
            return "sa.String(length=32)"
        if isinstance(item, AutoString):
            return f"sa.String(length={item.length})" if item.length else "sa.Text()"
        if isinstance(item, types.UtcTime | types.Ratio):
            return f"types.{type(item).__name__}()"
    return False


def run(connection):
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        compare_type=True,
        render_item=render_item,
        include_name=is_modelled,
        render_as_batch=True,
        version_table=context.config.attributes.get("version_table", "alembic_version"),
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(sync_url(load_settings().database_address)).connect() as own:
        run(own)
