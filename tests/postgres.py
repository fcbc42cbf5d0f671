"""A real PostgreSQL server for one test session. Used by conftest only.

It listens on loopback at a free port and keeps its files in memory where there is room for them: every test
gets a database of its own, and to write one to a disk takes ten times as long as most tests. When the tests
run as root the server runs as the user `postgres`, for it refuses root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

START_SECONDS = 30
LEFT_BEHIND_S = 600
PREFIX = "lk-postgres-"
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory; the directory there is made by mkdtemp
ROOM_BYTES = 2 * 1024**3
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "autovacuum": "off",
}


class PostgresMissingError(Exception):
    """The server's programs are not on this machine."""


def find_programs() -> Path:
    """The newest directory that has both `initdb` and `postgres`."""
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which("initdb")
    places += [Path(found).parent] if found else []
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise PostgresMissingError("PostgreSQL's initdb and postgres are not installed")


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server, give `postgresql://user@host:port` (no database), stop it at the end."""
    programs = find_programs()
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_memory()))
    identity = _unprivileged(directory)
    try:
        _initialise(programs, directory / "data", identity)
        port = _free_port()
        with (directory / "log").open("wb") as log:
            command = [programs / "postgres", "-D", directory / "data", "-p", str(port)]
            command += [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
            server = subprocess.Popen(command, stdout=log, stderr=log, **identity)
        try:
            address = f"postgresql://tester@127.0.0.1:{port}"
            _wait(server, address, directory / "log")
            yield address
        finally:
            # "Fast" shutdown: SIGTERM would wait for clients that forgot to disconnect.
            server.send_signal(signal.SIGINT)
            server.wait(START_SECONDS)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _memory() -> Path | None:
    """Where files are kept in memory; None where that is small, as in many containers, or not there."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    for left_behind in MEMORY.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if not _is_running(left_behind):
                shutil.rmtree(left_behind, ignore_errors=True)
    return MEMORY if shutil.disk_usage(MEMORY).free >= ROOM_BYTES else None


def _is_running(directory: Path) -> bool:
    """Whether the server lives, or may: `initdb` has servers of its own, whose numbers come and go."""
    if time.time() - directory.stat().st_mtime < LEFT_BEHIND_S:
        return True
    pid_file = directory / "data" / "postmaster.pid"
    return pid_file.exists() and Path("/proc", pid_file.read_text().split("\n")[0]).exists()


def _unprivileged(directory: Path) -> dict[str, Any]:
    """How to start the programs: as ourselves, or as `postgres` when we are root."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(directory, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": directory}


def _initialise(programs: Path, data: Path, identity: dict[str, Any]) -> None:
    command = [programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run([*command, "--no-sync"], check=True, capture_output=True, **identity)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"{address}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.05)
        else:
            return
