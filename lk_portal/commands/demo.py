"""`lk demo`: the whole portal on one machine, with people, a year of history and meters that answer."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import command, require_free_port, start, with_portal
from lk_portal.errors import N_

if TYPE_CHECKING:
    from pathlib import Path

    from lk_portal.services.context import Portal
    from lk_portal.settings import Settings

DEFAULTS = {"timezone": "Asia/Omsk", "utility_name": "ЭнергоМир", "poll_interval_s": 60}
"""Where the environment says nothing."""
OWN = {
    "environment": "demo",
    "database_url": "",
    "redis_url": "",
    "smtp_url": "",
    "secret_key": "",
    "is_worker_embedded": True,
}
"""Whatever the environment says: the demo keeps to itself, or its logins would be in a real portal."""
LOCK = "demo.lock"


@command(
    name="demo",
    help=N_("Show the portal: demo data, simulated meters, polling, and the pages on one port."),
    example="lk demo",
)
def demo() -> None:
    """Prepare what is missing, then serve until stopped."""
    settings = _settings()
    with _alone(settings.data_dir):
        require_free_port(settings)
        replaced_at = _prepare(settings)

        from lk_portal.services.demo_process import MeterProcess
        from lk_portal.serving.server import serve

        meters = MeterProcess(replaced_at=replaced_at)
        try:
            lines = meters.start()
            with_portal(settings, lambda portal: _point_lines(portal, lines))
            _tell_logins(settings)
            serve(settings)
        finally:
            meters.stop()


def _settings() -> Settings:
    """The demo's own settings; address, port, language and the like as the environment says."""
    from lk_portal.settings import DEMO_DATA_DIR, load_settings

    said = load_settings()
    given: dict[str, object] = {
        name: value for name, value in DEFAULTS.items() if name not in said.model_fields_set
    }
    # Not from .env, which describes a real portal: its data directory is not the place for demo logins.
    given["data_dir"] = os.environ.get("LK_DATA_DIR") or DEMO_DATA_DIR
    if "public_url" not in said.model_fields_set:
        given["public_url"] = f"http://127.0.0.1:{said.port}"
    return start(**given, **OWN)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Refuse a second demo on the same data: it would lead the meters' lines away from the first.

    Raises:
        PortalError: There is one already.
    """
    from lk_portal.errors import PortalError

    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PortalError(N_("A demo runs already on {folder}."), folder=data_dir) from None
        yield


def _prepare(settings: Settings) -> datetime:
    """Bring database and pages to where they should be; gives when the replaced meter was replaced."""
    from lk_portal.i18n import _
    from lk_portal.services import migrations
    from lk_portal.serving.frontend import ensure_built, is_built

    migrations.migrate(settings.database_address)
    click.echo(_("Preparing the demo's data ..."))
    replaced_at = with_portal(settings, _seed)
    if not is_built(settings):
        click.echo(_("Building the pages; this takes a minute the first time ..."))
        ensure_built(settings)
    return replaced_at


async def _seed(portal: Portal) -> datetime:
    from lk_portal.services import demo as services

    await services.seed(portal.database, portal.settings, now=portal.clock())
    return await services.replaced_when(portal.database)


async def _point_lines(portal: Portal, ports: dict[str, int]) -> None:
    from lk_portal.services import demo as services

    await services.point_lines(portal.database, ports)


def _tell_logins(settings: Settings) -> None:
    from lk_portal.i18n import _
    from lk_portal.services.demo_plan import USERS

    click.echo(_("The portal will answer on {address}", address=settings.public_url))
    click.echo(_("Sign in with one of these logins:"))
    for user in USERS:
        click.echo(f"  {user.email:<28} {user.password}")
    click.echo(_("Stop it with Ctrl+C."))
