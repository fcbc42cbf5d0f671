"""Migrations against the models, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from lk_portal.errors import PortalError
from lk_portal.metering.types import Quantity
from lk_portal.models import Table
from lk_portal.models.types import to_milliseconds
from lk_portal.services.consumption import points_of
from lk_portal.services.database import Database, sync_url
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.migrations import is_current, is_modelled, migrate
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPTIONS = {"compare_type": True, "include_name": is_modelled}


def differences(address: str) -> list[Any]:
    engine = create_engine(sync_url(address))
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=OPTIONS)
            return list(compare_metadata(context, Table.metadata))
    finally:
        engine.dispose()


def tables(address: str) -> set[str]:
    engine = create_engine(sync_url(address))
    try:
        return {name for name in inspect(engine).get_table_names() if is_modelled(name, "table")}
    finally:
        engine.dispose()


def test_from_empty_to_the_models_in_one_go(empty_address: str):
    assert not is_current(empty_address)
    migrate(empty_address)
    assert is_current(empty_address)
    assert tables(empty_address) == {*Table.metadata.tables, "alembic_version"}
    assert differences(empty_address) == []


def test_differences_would_be_seen(empty_address: str):
    migrate(empty_address)
    engine = create_engine(sync_url(empty_address))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE seal")
        connection.exec_driver_sql("ALTER TABLE meter ADD COLUMN colour VARCHAR(9)")
    engine.dispose()
    assert {change[0] for change in differences(empty_address)} >= {"add_table", "remove_column"}


async def test_migrating_again_keeps_the_data(database: Database, database_address: str):
    placed = await factories.a_metered_point(database)
    row = IntervalRow(placed.point_id, Quantity.A_PLUS, to_milliseconds(NOW), 3600, 5, 3600, 1, 0)
    await import_intervals(database, [row], clock=lambda: NOW)
    before = await points_of(database, subscriber_id=placed.subscriber_id)
    await database.close()
    migrate(database_address)
    again = Database(database_address)
    assert await points_of(again, subscriber_id=placed.subscriber_id) == before
    assert before[0].data_until is not None
    report = await import_intervals(again, [row], clock=lambda: NOW)
    assert report.inserted == 0
    await again.close()


def test_back_to_nothing_and_up_again(empty_address: str):
    from alembic import command
    from lk_portal.services import migrations

    migrate(empty_address)
    engine = create_engine(sync_url(empty_address))
    with engine.connect() as connection:
        config = migrations.OWN.config(connection)
        command.downgrade(config, "base")
    engine.dispose()
    assert tables(empty_address) == {"alembic_version"}
    migrate(empty_address)
    assert differences(empty_address) == []


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path):
    with pytest.raises(PortalError, match="LK_DATABASE_URL"):
        migrate(f"sqlite:///{tmp_path}")
    with pytest.raises(PortalError, match="LK_DATABASE_URL"):
        migrate("postgresql://nobody@127.0.0.1:1/none")
