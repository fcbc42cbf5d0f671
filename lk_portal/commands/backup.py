"""`lk backup` and `lk restore`: the whole portal in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from lk_portal.commands.base import command, start
from lk_portal.errors import N_


@command(
    name="backup",
    help=N_("Write the database and the portal's secret to one file; the portal may go on working."),
    example="lk backup /var/backups/lk-$(date +%F).tar.gz",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write a backup."""
    settings = start()

    from lk_portal.commands.archive import write_backup
    from lk_portal.i18n import _

    click.echo(_("Copying the database ..."), err=True)
    write_backup(settings, file.absolute())
    click.echo(_("The backup is in {file} ({size} KB). Keep it safe: it has the portal's secret.",
                 file=file, size=-(-file.stat().st_size // 1024)))  # fmt: skip


@command(
    name="restore",
    help=N_("Fill an empty database from a backup file, and bring it up to date."),
    example="LK_DATA_DIR=/srv/lk lk restore /var/backups/lk-2026-11-24.tar.gz",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Read a backup."""
    settings = start()

    from lk_portal.commands.archive import read_backup
    from lk_portal.i18n import _

    click.echo(_("Restoring the database ..."), err=True)
    meta = read_backup(settings, file.absolute())
    click.echo(_("The portal is as it was on {moment}.", moment=meta.made_at))
