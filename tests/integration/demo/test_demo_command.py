"""`lk demo` from nothing to a portal that polls; killed, begun again, stopped."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lk_portal.services.demo_plan import USERS

PATIENCE_S = 180
"""The first start of a checkout builds the pages."""


def until(condition: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of a real portal, which the demo must not touch, and a port and folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
    return {
        **kept,
        "LK_DATA_DIR": str(tmp_path / "demo"),
        "LK_PORT": str(port),
        "LK_POLL_INTERVAL_S": "5",
        "LK_BCRYPT_ROUNDS": "4",
        "LK_DATABASE_URL": f"sqlite:///{tmp_path / 'real.sqlite3'}",
        "LK_SECRET_KEY": "of-a-real-portal-0123456789-abcdefghijk",
    }


@contextmanager
def demo(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "lk_portal", "demo"], env=environment, stdout=written, stderr=written
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def is_well(environment: dict[str, str]) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{environment['LK_PORT']}/healthz", timeout=2
        ) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def fewest_successes(environment: dict[str, str]) -> int:
    with closing(sqlite3.connect(Path(environment["LK_DATA_DIR"]) / "portal.sqlite3")) as connection:
        return int(connection.execute("SELECT min(successes) FROM meter_connection").fetchone()[0])


def test_the_demo_polls_survives_a_kill_and_stops(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with demo(environment, log) as first:
        until(lambda: is_well(environment))
        until(lambda: fewest_successes(environment) >= 1)
        second = subprocess.run(
            [sys.executable, "-m", "lk_portal", "demo"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        first.send_signal(signal.SIGKILL)
        first.wait()
    told = log.read_text()
    before = fewest_successes(environment)
    with demo(environment, log) as again:
        until(lambda: is_well(environment))
        until(lambda: fewest_successes(environment) >= before + 2)
        again.send_signal(signal.SIGTERM)
        assert again.wait(30) == 0

    assert (second.returncode, len(second.stderr.splitlines())) == (1, 1)
    assert all(f"{user.email} " in told and user.password in told for user in USERS)
    assert f"http://127.0.0.1:{environment['LK_PORT']}" in told
    assert not (tmp_path / "real.sqlite3").exists()
    assert "Traceback" not in told + log.read_text()
