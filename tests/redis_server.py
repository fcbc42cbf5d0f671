"""A Redis server of a test's own, on loopback and a free port, with nothing kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.portal_process import free_port, stop

START_S = 10


@contextmanager
def running_redis() -> Iterator[str]:
    """Its URL. Without the program the test fails on CI and is skipped elsewhere."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("CI must test with Redis: redis-server is missing", pytrace=False)
        pytest.skip("tests with Redis need redis-server: apt-get install redis-server")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_S
    client = redis.Redis(port=port)
    while time.monotonic() < deadline:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)
    raise RuntimeError("redis-server did not start")
