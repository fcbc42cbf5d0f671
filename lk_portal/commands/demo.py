"""`lk demo`: the whole portal on one machine, with people, a year of history and meters that answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import command, start, with_portal
from lk_portal.errors import N_

if TYPE_CHECKING:
    from lk_portal.services.context import Portal
    from lk_portal.settings import Settings

DEFAULTS = {
    "data_dir": "var/demo",
    "timezone": "Asia/Omsk",
    "utility_name": "ЭнергоМир",
    "poll_interval_s": 60,
}
START_S = 30
RESTART_AFTER_S = 2.0


@command(
    name="demo",
    help=N_("Show the portal: demo data, simulated meters, polling, and the pages on one port."),
    example="lk demo",
)
def demo() -> None:
    """Prepare what is missing, then serve until stopped."""
    settings = _settings()

    from lk_portal.i18n import _
    from lk_portal.services import migrations
    from lk_portal.serving.frontend import is_built
    from lk_portal.serving.server import serve

    migrations.migrate(settings.database_address)
    click.echo(_("Preparing the demo's data ..."))
    replaced_at = with_portal(settings, _seed)
    ports = {name: _free_port() for name in _line_names()}
    with _meters(list(ports.values()), replaced_at):
        with_portal(settings, lambda portal: _point_lines(portal, ports))
        if not is_built(settings):
            click.echo(_("Building the pages; this takes a minute the first time ..."))
        _tell_logins(settings)
        serve(settings)


def _settings() -> Settings:
    """What the environment says, and where it says nothing the demo's own."""
    given = {name: value for name, value in DEFAULTS.items() if f"LK_{name.upper()}" not in os.environ}
    host = {} if "LK_PUBLIC_URL" in os.environ else _own_address()
    return start(environment="demo", **given, **host)


def _own_address() -> dict[str, object]:
    return {"public_url": f"http://127.0.0.1:{os.environ['LK_PORT']}"} if "LK_PORT" in os.environ else {}


async def _seed(portal: Portal) -> datetime:
    from lk_portal.services import demo as services

    await services.seed(portal.database, portal.settings, now=portal.clock())
    return await services.replaced_when(portal.database)


async def _point_lines(portal: Portal, ports: dict[str, int]) -> None:
    from lk_portal.services import demo as services

    await services.point_lines(portal.database, ports)


def _line_names() -> list[str]:
    from lk_portal.services.demo_plan import LINES

    return [line.name for line in LINES]


def _tell_logins(settings: Settings) -> None:
    from lk_portal.i18n import _
    from lk_portal.services.demo_plan import USERS

    click.echo(_("The portal will answer on {address}", address=settings.public_url))
    for user in USERS:
        click.echo(f"  {user.email:<28} {user.password}")
    click.echo(_("Stop it with Ctrl+C."))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _meters(ports: list[int], replaced_at: datetime) -> Iterator[None]:
    """The simulated meters in a process of their own; begun again when it dies, ended with the block."""
    arguments = [sys.executable, "-m", "lk_portal.services.demo_meters", replaced_at.isoformat()]
    keeper = _Keeper([*arguments, *map(str, ports)])
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Keeps one child process running."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._is_stopping = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name="lk-demo-meters", daemon=True)

    def start(self) -> None:
        """Start the child and wait until its meters answer."""
        self._child = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """End the child by closing its input."""
        self._is_stopping.set()
        child = self._child
        if child is not None and child.stdin is not None:
            child.stdin.close()
            try:
                child.wait(START_S)
            except subprocess.TimeoutExpired:
                child.kill()

    def _spawn(self) -> subprocess.Popen[str]:
        child = subprocess.Popen(  # noqa: S603 - our own module
            self._arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl+C is the demo's: the meters end when it closes their input.
            start_new_session=True,
        )
        if child.stdout is not None:
            child.stdout.readline()
        return child

    def _keep(self) -> None:
        while not self._is_stopping.is_set():
            if self._child is not None:
                self._child.wait()
            if self._is_stopping.wait(RESTART_AFTER_S):
                return
            self._child = self._spawn()
