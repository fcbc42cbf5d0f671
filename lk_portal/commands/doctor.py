"""`lk doctor`: what an administrator asks first when something does not work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import EXIT_FAILED, command, start
from lk_portal.errors import N_, PortalError

if TYPE_CHECKING:
    from lk_portal.settings import Settings

N_OK = N_("ok")
Check = Callable[["Settings"], str]
"""Gives "" when all is well, else what is wrong (an English message id)."""


@command(
    name="doctor",
    help=N_(
        "Check the settings, the databases, the register maps and the pages; exit 1 when something is wrong."
    ),
    example="lk doctor",
)
def doctor() -> None:
    """Run every check and print a line for each."""
    settings = start()

    from lk_portal.i18n import _

    is_well = True
    for name, check in CHECKS.items():
        problem = check(settings)
        is_well = is_well and not problem
        click.echo(f"{_(name)}: {_(problem or N_OK)}")
    for name, remark in _remarks(settings):
        click.echo(f"{_(name)}: {_(remark)}")
    if not is_well:
        raise click.exceptions.Exit(EXIT_FAILED)


def _database(settings: Settings) -> str:
    from lk_portal.services.migrations import is_current

    is_ready = is_current(settings.database_address)
    return "" if is_ready else N_("cannot be reached or is not up to date; run `lk migrate`")


def _maps(settings: Settings) -> str:
    from lk_portal.jobs.protocols import load_protocols

    try:
        load_protocols(settings)
    except PortalError as error:
        return str(error)
    return ""


def _bun(_settings: Settings) -> str:
    import sys

    beside = Path(sys.executable).with_name("bun")
    is_there = beside.exists() or shutil.which("bun") is not None
    return "" if is_there else N_("not found; it comes with the Python packages")


def _remarks(settings: Settings) -> list[tuple[str, str]]:
    """What is no fault, but good to know."""
    from lk_portal.serving.frontend import is_built

    found = []
    if not is_built(settings):
        found.append((N_("pages"), N_("not built; `lk serve` builds them")))
    if not settings.smtp_url:
        found.append(
            (
                N_("letters"),
                N_("no LK_SMTP_URL: letters are written as .eml files under the data directory"),
            )
        )
    return found


CHECKS: dict[str, Check] = {N_("database"): _database, N_("register maps"): _maps, N_("bun"): _bun}
