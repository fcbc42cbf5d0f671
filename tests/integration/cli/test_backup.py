"""A backup under load, and a portal that is whole again from it."""

from __future__ import annotations

import asyncio
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from lk_portal.models import Table
from lk_portal.services import access
from lk_portal.services.access import Role, Visit
from lk_portal.services.database import Database
from lk_portal.settings import load_settings
from tests import factories
from tests.conftest import run_sql
from tests.integration.cli.command import Command

PASSWORD = "correct horse battery"
NOW = datetime.now(UTC)


async def contents(address: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    database = Database(address)
    async with database.reading() as connection:
        found = {
            name: sorted(map(tuple, (await connection.execute(text(f"SELECT * FROM {name}"))).all()), key=str)
            for name in Table.metadata.tables
        }
    await database.close()
    return found


async def add_user(address: str, data_dir: Path) -> None:
    settings = load_settings(database_url=address, data_dir=data_dir, bcrypt_rounds=4)
    database = Database(address)
    await access.create_user(
        database,
        settings,
        email="anna@utility.example",
        phone=None,
        role=Role.OPERATOR,
        display_name="Анна",
        password=PASSWORD,
        subscriber_id=None,
        now=NOW,
    )
    await factories.a_metered_point(database)
    await database.close()


async def sign_in(address: str, data_dir: Path) -> str:
    settings = load_settings(database_url=address, data_dir=data_dir, bcrypt_rounds=4)
    database = Database(address)
    visit = Visit(address="127.0.0.1", agent="test", at=datetime.now(UTC))
    signed_in = await access.sign_in(
        database, settings, login="anna@utility.example", password=PASSWORD, visit=visit
    )
    await database.close()
    return signed_in.token


@pytest.fixture
def empty_address(request: pytest.FixtureRequest, database_address: str, tmp_path: Path) -> str:
    """An empty database of the same kind, without tables."""
    if database_address.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'restored' / 'portal.sqlite3'}"
    server, name = database_address.rsplit("/", 1)
    run_sql(server, f"CREATE DATABASE {name}_restored")
    request.addfinalizer(lambda: run_sql(server, f"DROP DATABASE {name}_restored WITH (FORCE)"))
    return f"{database_address}_restored"


async def test_a_restored_portal_is_equal_and_lets_people_in(
    database_address: str, empty_address: str, tmp_path: Path
) -> None:
    source, target = (
        Command(database_address, tmp_path / "source"),
        Command(empty_address, tmp_path / "restored"),
    )
    await add_user(database_address, source.data_dir)
    file = tmp_path / "backup.tar.gz"

    made = await source("backup", str(file))
    restored = await target("restore", str(file))

    assert (made.code, restored.code) == (0, 0), made.err + restored.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await contents(empty_address) == await contents(database_address)
    assert await sign_in(empty_address, target.data_dir)


async def test_a_backup_under_write_load_is_one_moments_state(
    database_address: str, empty_address: str, tmp_path: Path
) -> None:
    source, target = (
        Command(database_address, tmp_path / "source"),
        Command(empty_address, tmp_path / "restored"),
    )
    database = Database(database_address)

    async def write() -> None:
        while True:
            async with database.writing() as connection:  # two rows or none
                for number in (1, 2):
                    await connection.execute(
                        text("INSERT INTO attempt (key, at) SELECT :key, at FROM (SELECT :at AS at) x")
                        if database.is_sqlite
                        else text("INSERT INTO attempt (key, at) VALUES (:key, to_timestamp(:at))"),
                        {"key": f"k{number}", "at": 1_800_000_000},
                    )

    writer = asyncio.create_task(write())
    made = await source("backup", str(tmp_path / "file"))
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await database.close()
    restored = await target("restore", str(tmp_path / "file"))

    assert (made.code, restored.code) == (0, 0), made.err + restored.err
    rows = (await contents(empty_address))["attempt"]
    keys = [row[1] for row in rows]
    assert keys.count("k1") == keys.count("k2") > 0


async def test_nothing_is_overwritten(sqlite_address: str, tmp_path: Path) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    file = tmp_path / "file"
    await lk("backup", str(file))
    before = file.read_bytes()

    again, onto_itself = await lk("backup", str(file)), await lk("restore", str(file))

    assert (again.code, onto_itself.code) == (1, 1)
    assert "not empty" in onto_itself.err
    assert file.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "text", "other members"])
async def test_a_damaged_file_is_refused_and_leaves_nothing(
    damage: str, sqlite_address: str, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    await Command(sqlite_address, tmp_path / "data")("backup", str(file))
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:2000])
    elif damage == "text":
        file.write_text("no backup")
    else:
        with tarfile.open(file, "w:gz") as tar:
            tar.add(__file__, arcname="../evil")
    target = Command(f"sqlite:///{tmp_path / 'new' / 'portal.sqlite3'}", tmp_path / "new")

    ran = await target("restore", str(file))

    assert (ran.code, ran.out) == (1, "")
    assert "whole backup" in ran.err
    assert list((tmp_path / "new").iterdir()) == []


async def test_another_secret_is_refused(sqlite_address: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    await Command(sqlite_address, tmp_path / "data")("backup", str(file))
    target = Command(f"sqlite:///{tmp_path / 'new' / 'portal.sqlite3'}", tmp_path / "new")

    ran = await target("restore", str(file), LK_SECRET_KEY="another-secret-of-40-characters-0123456789")

    assert ran.code == 2
    assert "LK_SECRET_KEY" in ran.err
    assert not (tmp_path / "new" / "portal.sqlite3").exists()


async def test_the_other_kind_of_database_is_refused(sqlite_address: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    await Command(sqlite_address, tmp_path / "data")("backup", str(file))
    target = Command("postgresql://nobody@127.0.0.1:1/none", tmp_path / "new")

    ran = await target("restore", str(file))

    assert (ran.code, "sqlite" in ran.err) == (2, True)
