"""The commands on real databases: what they do, print, and exit with."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lk_portal.errors import BadCredentialsError
from lk_portal.metering.simulator.meter import JUMP_BACK, JUMP_TWH, Faults
from lk_portal.services import access
from lk_portal.services.access import Visit
from lk_portal.services.database import Database
from lk_portal.services.migrations import is_current
from lk_portal.settings import load_settings
from tests import factories
from tests.integration.cli.command import Command
from tests.integration.jobs.polled_lines import connect, scalar, simulated_line

PASSWORD = "correct horse battery"
VISIT = Visit(address="127.0.0.1", agent="test", at=datetime.now(UTC))


@pytest.fixture
def lk(sqlite_address: str, tmp_path: Path) -> Command:
    """`lk` on a migrated SQLite database."""
    return Command(sqlite_address, tmp_path / "data")


async def sign_in(database: Database, lk: Command, login: str, password: str) -> str:
    settings = load_settings(database_url=lk.address, data_dir=lk.data_dir, bcrypt_rounds=4)
    signed_in = await access.sign_in(database, settings, login=login, password=password, visit=VISIT)
    return signed_in.token


async def test_poll_prints_a_table_and_stores(lk: Command, sqlite_database: Database) -> None:
    async with simulated_line(2) as line:
        points = await connect(sqlite_database, line)
        ran = await lk("poll")

    assert (ran.code, ran.err) == (0, "")
    header, *rows = ran.out.splitlines()
    assert header.split()[:2] == ["Serial", "number"]
    assert [row.split()[:2] for row in rows] == [[point.serial, "read"] for point in points]
    assert await scalar(sqlite_database, "SELECT count(DISTINCT meter_id) FROM register_reading") == 2


async def test_poll_reads_the_one_meter_that_was_named(lk: Command, sqlite_database: Database) -> None:
    async with simulated_line(2) as line:
        _first, second = await connect(sqlite_database, line)
        ran = await lk("poll", "--meter", second.serial)

    assert ran.code == 0
    assert [row.split()[0] for row in ran.out.splitlines()[1:]] == [second.serial]


async def test_poll_tells_why_a_meter_was_not_read(lk: Command, sqlite_database: Database) -> None:
    async with simulated_line(1) as line, simulated_line(1, first=5) as dead:
        (well,) = await connect(sqlite_database, line)
        (silent,) = await connect(sqlite_database, dead)
        await dead.stop()
        both = await lk("poll")
        alone = await lk("poll", "--meter", silent.serial)

    assert (both.code, both.err) == (0, "")
    assert re.search(rf"^{well.serial} +read ", both.out, re.MULTILINE)
    assert "No connection to 127.0.0.1" in both.out
    assert alone.code == 1
    assert "not read" in alone.out
    assert alone.err == "lk: No meter could be read.\n"


@pytest.mark.parametrize("fault", [JUMP_TWH, JUMP_BACK])
async def test_poll_tells_why_a_reading_was_refused(
    lk: Command, sqlite_database: Database, fault: Faults
) -> None:
    async with simulated_line(2) as line:
        well, odd = await connect(sqlite_database, line)
        await lk("poll")
        list(line.meters.values())[1].faults = fault
        ran = await lk("poll")
        counted = await scalar(sqlite_database, "SELECT coalesce(max(value_wh), 0) FROM interval")

    assert ran.code == 0
    assert re.search(rf"^{well.serial} +read ", ran.out, re.MULTILINE)
    assert re.search(rf"^{odd.serial} +refused .*(grew|fell) from", ran.out, re.MULTILINE)
    assert int(counted) < 10_000, "nothing of the jump is counted"


async def test_poll_of_an_unknown_meter_fails(lk: Command) -> None:
    ran = await lk("poll", "--meter", "404")

    assert (ran.code, ran.err) == (1, "lk: No meter 404 is connected.\n")


async def test_a_person_is_created_reset_and_disabled(lk: Command, sqlite_database: Database) -> None:
    created = await lk(
        "user", "create", "--email", "Anna@utility.example", "--name", "Анна", "--password-stdin",
        typed=PASSWORD + "\n",
    )  # fmt: skip
    assert (created.code, created.err) == (0, "")
    assert await sign_in(sqlite_database, lk, "anna@utility.example", PASSWORD)

    other = "another long password"
    reset = await lk("user", "reset", "anna@utility.example", "--password-stdin", typed=other + "\n")
    assert reset.code == 0
    with pytest.raises(BadCredentialsError):
        await sign_in(sqlite_database, lk, "anna@utility.example", PASSWORD)
    assert await sign_in(sqlite_database, lk, "anna@utility.example", other)

    disabled = await lk("user", "disable", "anna@utility.example")
    assert disabled.code == 0
    with pytest.raises(BadCredentialsError):
        await sign_in(sqlite_database, lk, "anna@utility.example", other)


async def test_a_subscriber_is_found_by_account(lk: Command, sqlite_database: Database) -> None:
    owner = await factories.subscriber(sqlite_database)
    address = await factories.premises(sqlite_database)
    await factories.account(sqlite_database, premises_id=address, subscriber_id=owner, number="123")
    arguments = ("user", "create", "--email", "s@home.example", "--role", "subscriber", "--password-stdin")

    unknown = await lk(*arguments, "--account", "999", typed=PASSWORD)
    created = await lk(*arguments, "--account", "123", typed=PASSWORD)

    assert (unknown.code, len(unknown.err.splitlines())) == (1, 1)
    assert created.code == 0
    assert await scalar(sqlite_database, "SELECT subscriber_id FROM portal_user") == owner


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("user", "create", "--email", "a@b.example", "--password-stdin"), "short\n"),
        (("user", "create", "--email", "nonsense", "--password-stdin"), PASSWORD),
        (("user", "disable", "nobody@b.example"), ""),
    ],
)
async def test_a_refused_person_is_one_line(lk: Command, arguments: tuple[str, ...], typed: str) -> None:
    ran = await lk(*arguments, typed=typed)

    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)


async def test_migrate_makes_the_database_and_then_does_nothing(tmp_path: Path) -> None:
    lk = Command(f"sqlite:///{tmp_path / 'new' / 'portal.sqlite3'}", tmp_path / "data")

    first, second = await lk("migrate"), await lk("migrate")

    assert (first.code, second.code) == (0, 0)
    assert first.out != second.out
    assert is_current(lk.address)


async def test_a_taken_port_is_said_at_once(lk: Command) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        ran = await lk("serve", LK_PORT=str(taken.getsockname()[1]))

    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "LK_PORT" in ran.err


async def test_doctor_is_content_with_a_working_portal(lk: Command) -> None:
    ran = await lk("doctor")

    assert (ran.code, ran.err) == (0, "")
    assert ".eml" in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("!")]


async def test_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    lk = Command(f"sqlite:///{tmp_path / 'none.sqlite3'}", tmp_path / "data")

    ran = await lk("doctor", LK_PUBLIC_URL="http://lk.example")

    faults = [line.split(":")[0] for line in ran.out.splitlines() if line.startswith("!")]
    assert ran.code == 1
    assert faults == ["! database", "! address"]
    assert len(ran.err.splitlines()) == 1


async def test_simulated_meters_answer_until_stopped(lk: Command) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lk_portal", "simulate", "--meters", "4", "--gateways", "2", "--port", "0",
        env=lk.environment(), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [(await asyncio.wait_for(process.stdout.readline(), 20)).decode() for _line in range(2)]
    for line in lines:
        host, port = line.split()[0].split(":")
        _reader, writer = await asyncio.open_connection(host, int(port))
        writer.close()
    process.send_signal(signal.SIGTERM)

    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert all(line.count(",") == 1 for line in lines)
