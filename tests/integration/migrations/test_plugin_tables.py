"""Tables of installed packages: made and changed with data in them, kept apart, kept when it goes."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from lk_portal.errors import ConfigurationError
from lk_portal.services import plugins
from lk_portal.services.database import Database, sync_url
from lk_portal.services.migrations import is_current, left_behind, migrate, missing_of
from tests import factories
from tests.integration.migrations.test_migrations import differences
from tests.packages import Package, installed_sample
from tests.portal_process import ROOT

LOAD = "from lk_portal.services import plugins; plugins.load()"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that Python finds packages in, for this test only."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def acme(site: Path) -> Package:
    found = installed_sample(site)
    importlib.invalidate_caches()
    return found


def run(address: str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    engine = create_engine(sync_url(address))
    with engine.begin() as connection:
        found = connection.execute(text(statement), values)
        rows = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return rows


def tables(address: str) -> set[str]:
    engine = create_engine(sync_url(address))
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


async def advise(address: str) -> None:
    """A portal with an account, for which the package keeps a row."""
    database = Database(address)
    placed = await factories.a_metered_point(database)
    await database.close()
    at = "0" if address.startswith("sqlite") else "'2026-11-24 12:00:00+00'"
    run(
        address,
        f"INSERT INTO acme_advice (account_id, text, changed_at) VALUES (:account, 'Мойте ночью', {at})",
        account=placed.account_id,
    )


async def test_a_portal_with_data_gets_the_tables_of_a_package(
    database: Database, database_address: str, site: Path
) -> None:
    placed = await factories.a_metered_point(database)
    await database.close()
    assert is_current(database_address)
    before = tables(database_address)

    installed_sample(site)
    importlib.invalidate_caches()
    assert missing_of(database_address) == ["acme"]
    migrate(database_address)

    assert is_current(database_address)
    assert tables(database_address) - before == {"acme_advice", "plugin_version_acme"}
    assert run(database_address, "SELECT id FROM account") == [(placed.account_id,)]
    assert differences(database_address) == [], "they are no business of the portal's own migrations"


async def test_its_next_migration_keeps_what_is_there(empty_address: str, acme: Package) -> None:
    migrate(empty_address)
    await advise(empty_address)
    acme.add_migration(
        "0002",
        "0001",
        upgrade="with op.batch_alter_table('acme_advice') as advice: "
        "advice.alter_column('text', type_=sa.String(900))",
    )
    acme.add_migration(
        "0003",
        "0002",
        upgrade="op.add_column('acme_advice', sa.Column('lang', sa.String(2), server_default='ru'))",
    )
    assert missing_of(empty_address) == ["acme"]

    migrate(empty_address)
    migrate(empty_address)

    assert is_current(empty_address)
    assert run(empty_address, "SELECT text, lang FROM acme_advice") == [("Мойте ночью", "ru")]


async def test_the_migration_of_the_guide_keeps_what_is_there(empty_address: str, acme: Package) -> None:
    migrate(empty_address)
    await advise(empty_address)
    guide = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    said = re.search(r'```python\n("""say which advice.*?)```', guide, re.DOTALL)
    assert said
    (acme.folder / "migrations" / "urgent.py").write_text(said[1], encoding="utf-8")

    migrate(empty_address)

    assert run(empty_address, "SELECT text, is_urgent FROM acme_advice") == [("Мойте ночью", False)]


async def test_rows_go_with_what_they_belong_to(empty_address: str, acme: Package) -> None:
    migrate(empty_address)
    await advise(empty_address)
    database = Database(empty_address)
    async with database.writing() as connection:
        for table in ("installation", "metering_point", "account"):
            await connection.execute(text(f"DELETE FROM {table}"))
    await database.close()
    assert run(empty_address, "SELECT count(*) FROM acme_advice") == [(0,)]


@pytest.mark.parametrize(
    "wrong",
    [
        "op.create_table('gadget', sa.Column('id', sa.Integer(), primary_key=True))",
        "op.add_column('meter', sa.Column('colour', sa.String(9)))",
        "op.drop_table('seal')",
        "op.create_index('ix_acme', 'meter', ['model'])",
        "op.rename_table('acme_advice', 'advice')",
        "with op.batch_alter_table('meter') as meter: meter.drop_column('model')",
    ],
)
def test_a_migration_that_reaches_for_other_tables_is_refused(
    empty_address: str, acme: Package, wrong: str
) -> None:
    acme.add_migration("0002", "0001", upgrade=wrong)

    with pytest.raises(ConfigurationError, match=r"must be called acme_\.\.\."):
        migrate(empty_address)

    assert "acme_advice" in tables(empty_address)
    assert "gadget" not in tables(empty_address)
    assert differences(empty_address) == []
    assert missing_of(empty_address) == ["acme"]


async def test_a_package_that_is_gone_leaves_its_tables_and_a_portal_that_works(
    empty_address: str, acme: Package
) -> None:
    migrate(empty_address)
    await advise(empty_address)
    assert left_behind(empty_address) == {}

    acme.remove()
    importlib.invalidate_caches()

    assert is_current(empty_address)
    migrate(empty_address)
    assert left_behind(empty_address) == {"acme": ["acme_advice"]}
    assert run(empty_address, "SELECT count(*) FROM acme_advice") == [(1,)]


def test_an_older_package_than_its_tables_is_named(empty_address: str, acme: Package) -> None:
    acme.add_migration("0002", "0001", upgrade="pass")
    migrate(empty_address)
    (acme.folder / "migrations" / "0002.py").unlink()

    assert missing_of(empty_address) == ["acme"]
    with pytest.raises(ConfigurationError, match="'acme': its migrations do not fit"):
        migrate(empty_address)


@pytest.mark.parametrize("name", ["meter", "portal", "Acme", "acme-lk", "acme_lk", "sqlite", "1"])
def test_a_name_that_cannot_begin_names_of_tables_is_refused(site: Path, name: str) -> None:
    installed_sample(site, name=name)
    importlib.invalidate_caches()

    with pytest.raises(ConfigurationError, match=name):
        plugins.with_tables()


def loaded(site: Path) -> str:
    """What importing the packages in a process of its own complains of."""
    ran = subprocess.run(
        [sys.executable, "-c", LOAD],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{site}"},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stderr.strip().splitlines()[-1] if ran.returncode else ""


def test_a_package_whose_tables_nobody_can_make_is_refused(site: Path) -> None:
    package = installed_sample(site)
    (package.folder / "plugin.py").write_text("import acme_lk.models\n", encoding="utf-8")
    assert loaded(site) == ""

    models = package.folder / "models.py"
    models.write_text(
        models.read_text(encoding="utf-8").replace('"acme_advice"', '"advice"'), encoding="utf-8"
    )
    assert "its table 'advice' must be called acme_..." in loaded(site)

    (package.folder / "plugin.py").write_text("import acme_lk.modles\n", encoding="utf-8")
    assert "package 'acme' cannot be imported: ModuleNotFoundError" in loaded(site)


def test_migrations_that_were_not_installed_are_missed(site: Path) -> None:
    package = installed_sample(site)
    (package.folder / "plugin.py").write_text("import acme_lk.models\n", encoding="utf-8")
    (package.folder / "migrations").rename(package.folder / "migration")

    assert "package-data" in loaded(site)
