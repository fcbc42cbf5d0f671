"""`lk import registry`: what it says, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from lk_portal.metering.maps import PACKAGE_MAPS
from lk_portal.services.database import Database
from tests.integration.cli.command import Command
from tests.integration.services.imports.files import count
from tests.integration.services.imports.registry_files import cells, csv_file, row, workbook


@pytest.fixture
def lk(database_address: str, tmp_path: Path) -> Command:
    """`lk` on a migrated database of either kind."""
    return Command(database_address, tmp_path / "data")


async def test_a_map_of_the_utilitys_own_can_be_named(
    lk: Command, database: Database, tmp_path: Path
) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    ours = (PACKAGE_MAPS / "eastron-sdm120.toml").read_text(encoding="utf-8")
    (maps / "acme-one.toml").write_text(ours.replace('"eastron-sdm120"', '"acme-one"'), encoding="utf-8")
    file = csv_file(tmp_path / "acme.csv", [row(1, map="acme-one")])
    refused = await lk("import", "registry", str(file))
    assert (refused.code, "eastron-sdm120" in refused.err) == (1, True)

    done = await lk("import", "registry", str(file), LK_MAPS_DIR=str(maps))

    assert (done.code, done.err) == (0, "")
    assert await count(database, "meter") == 1


async def test_bad_rows_are_named_and_corrected_they_apply(
    lk: Command, database: Database, tmp_path: Path
) -> None:
    bad = csv_file(tmp_path / "bad.csv", [row(1, model=""), row(2), row(3, account="")])
    refused = await lk("import", "registry", str(bad))
    assert refused.code == 1
    assert len(refused.err.splitlines()) == 3
    assert ["2" in refused.err, "model" in refused.err, "account" in refused.err] == [True] * 3
    assert await count(database, "meter") == 0

    good = workbook(tmp_path / "good.xlsx", [cells(row(number)) for number in (1, 2, 3)])
    dry = await lk("import", "registry", str(good), "--dry-run")
    assert dry.code == 0
    assert await count(database, "meter") == 0
    done = await lk("import", "registry", str(good))
    assert done.code == 0
    assert "3" in done.out
    assert await count(database, "meter") == 3
    again = await lk("import", "registry", str(good))
    assert again.code == 0
    assert await count(database, "meter") == 3
