"""`lk serve`, `lk worker`, `lk migrate`: the portal in earnest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import command, require_current, require_free_port, run_until_stopped, start
from lk_portal.errors import N_

if TYPE_CHECKING:
    from lk_portal.settings import Settings


@command(
    name="serve",
    help=N_("Serve the portal; reads meters too unless LK_IS_WORKER_EMBEDDED=false."),
    example="LK_PUBLIC_URL=https://lk.example lk serve",
)
def serve() -> None:
    """Check the database, then serve until stopped."""
    settings = start()
    require_current(settings)
    require_free_port(settings)

    from lk_portal.serving.server import serve as serve_portal

    serve_portal(settings)


@command(
    name="worker",
    help=N_("Read meters and do other background work without serving pages; may run on several machines."),
    example="LK_DATABASE_URL=postgresql://lk@db/lk lk worker",
)
def worker() -> None:
    """Work until stopped."""
    settings = start()
    require_current(settings)

    from lk_portal.jobs.protocols import load_protocols

    load_protocols(settings)
    run_until_stopped(_work(settings))


@command(
    name="migrate",
    help=N_("Create the database or bring it up to date; does nothing when it is."),
    example="lk migrate",
)
def migrate() -> None:
    """Apply what is missing."""
    settings = start()

    from lk_portal.i18n import _
    from lk_portal.services import migrations

    if migrations.is_current(settings.database_address):
        click.echo(_("The database is up to date."))
        return
    migrations.migrate(settings.database_address)
    click.echo(_("The database was brought up to date."))


async def _work(settings: Settings) -> None:
    import asyncio

    from lk_portal.i18n import _
    from lk_portal.jobs import Worker
    from lk_portal.services.context import Portal, install

    portal = install(Portal.from_settings(settings))
    worker = Worker(portal)
    try:
        await worker.start()
        click.echo(_("The worker {name} runs; stop it with Ctrl+C.", name=worker.name), err=True)
        await asyncio.Event().wait()
    finally:
        await worker.stop()
        await portal.close()
