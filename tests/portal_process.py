"""A whole portal as a process of its own, on loopback: for browser tests, socket tests and measurements."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
START_S = 300
STOP_S = 20


@dataclass(frozen=True)
class RunningPortal:
    """A portal that answers; `log` has what it wrote."""

    url: str
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def database_address(self) -> str:
        return f"sqlite:///{self.data_dir / 'portal.sqlite3'}"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def portal_environment(data_dir: Path, port: int, **settings: str) -> dict[str, str]:
    """The environment of a portal with its own data; nothing of the caller's LK_* gets in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LK_")}
    return {
        **environment,
        "LK_ENVIRONMENT": "demo",
        "LK_DATA_DIR": str(data_dir),
        "LK_PORT": str(port),
        "LK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LK_TIMEZONE": "Asia/Omsk",
        "LK_BCRYPT_ROUNDS": "4",
        **settings,
    }


@contextlib.contextmanager
def running_portal(
    data_dir: Path, *, root: Path = ROOT, port: int = 0, **settings: str
) -> Iterator[RunningPortal]:
    """`lk serve` of the tree at `root` over a migrated data directory; on a free port unless told."""
    port = port or free_port()
    log = data_dir / "portal.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "lk_portal", "serve"],
            cwd=root,
            env=portal_environment(data_dir, port, **settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    portal = RunningPortal(f"http://127.0.0.1:{port}", data_dir, log, process)
    try:
        _wait_until_it_answers(portal)
        yield portal
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and make it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(portal: RunningPortal) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if portal.process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
            # While the portal builds its pages, somebody else may be at its port, who answers everything.
            if httpx.get(f"{portal.url}/healthz", timeout=2).json()["status"] == "ok":
                return
        time.sleep(0.1)
    raise RuntimeError(f"the portal did not start:\n{portal.log.read_text(errors='replace')[-4000:]}")
