"""`lk import`: files of the registry, intervals, readings and events. All of a file is written, or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lk_portal.commands.base import LocalGroup, command, start, with_portal
from lk_portal.errors import N_

if TYPE_CHECKING:
    from lk_portal.services.context import Portal
    from lk_portal.services.imports.registry import RegistryReport
    from lk_portal.services.imports.source import BadLine
    from lk_portal.services.imports.work import Conflict, ImportReport, Job, Phase

TOLD_EVERY = 100_000
MAX_CONFLICTS_NAMED = 100
_Report = TypeVar("_Report")

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_dry_run = click.option("--dry-run", is_flag=True, help=N_("Check the file and say what would change."))


@click.group(
    cls=LocalGroup,
    name="import",
    help=N_("Read data from files: all of a file, or nothing of it."),
    epilog="lk import intervals hours.csv --dry-run",
)
def import_() -> None:
    """The group itself does nothing."""


@command(
    name="intervals",
    help=N_(
        "Import energies of hours or shorter times: meter_serial,quantity,start,end,value_wh,quality. Times "
        "are ISO 8601 with an offset; the quality is measured, estimated, edited or missing. A better value "
        "takes the place of a worse one; one that contradicts a measured value is reported and left out."
    ),
    example="lk import intervals hours.csv --dry-run",
)
@_file
@_dry_run
def intervals(file: Path, *, dry_run: bool) -> None:
    """Import intervals."""
    from lk_portal.services.imports.intervals import import_intervals_file

    _import(file, import_intervals_file, is_dry_run=dry_run)


@command(
    name="readings",
    help=N_(
        "Import what registers showed: meter_serial,quantity,zone,taken_at,value_wh. Zone 0 is the sum. "
        "Consumption is worked out from them as from polled ones; one older than the newest known is kept "
        "but counts nothing."
    ),
    example="lk import readings registers.csv --dry-run",
)
@_file
@_dry_run
def readings(file: Path, *, dry_run: bool) -> None:
    """Import readings."""
    from lk_portal.services.imports.readings import import_readings_file

    _import(file, import_readings_file, is_dry_run=dry_run)


@command(
    name="events",
    help=N_("Import entries of meters' journals: meter_serial,occurred_at,journal,code."),
    example="lk import events journal.csv --dry-run",
)
@_file
@_dry_run
def events(file: Path, *, dry_run: bool) -> None:
    """Import events."""
    from lk_portal.services.imports.events import import_events_file

    _import(file, import_events_file, is_dry_run=dry_run)


@command(
    name="registry",
    help=N_(
        "Import subscribers, accounts, metering points and meters from CSV or XLSX. What the registry has "
        "already is not changed; a row that says something else is named, and nothing is written. An empty "
        "file with all columns is on the page /admin/import."
    ),
    example="lk import registry subscribers.xlsx --dry-run",
)
@_file
@_dry_run
def registry(file: Path, *, dry_run: bool) -> None:
    """Import the registry."""
    from lk_portal.services.imports.registry import import_registry_file

    report = _do(file, import_registry_file, is_dry_run=dry_run)
    _tell_registry(report)
    _tell_dry_run(is_dry_run=dry_run)


for _command in (registry, intervals, readings, events):
    import_.add_command(_command)


def _import(file: Path, do: Callable[[Job], Awaitable[ImportReport]], *, is_dry_run: bool) -> None:
    _tell(_do(file, do, is_dry_run=is_dry_run))
    _tell_dry_run(is_dry_run=is_dry_run)


def _do(file: Path, do: Callable[[Job], Awaitable[_Report]], *, is_dry_run: bool) -> _Report:
    settings = start()

    from lk_portal.jobs.protocols import load_protocols
    from lk_portal.services.imports.source import MAX_NAMED, BadLinesError
    from lk_portal.services.imports.work import Job

    # A row may name a map of the utility's own, or of a package.
    load_protocols(settings)

    async def work(portal: Portal) -> _Report:
        return await do(Job(portal.database, file, portal.clock(), is_dry_run, _Told(), portal.clock))

    try:
        return with_portal(settings, work)
    except BadLinesError as error:
        for bad in error.lines[:MAX_NAMED]:
            click.echo(_bad_line(bad), err=True)
        raise


def _tell_dry_run(*, is_dry_run: bool) -> None:
    from lk_portal.i18n import _

    if is_dry_run:
        click.echo(_("Nothing was written: this was a dry run."))


def _tell_registry(report: RegistryReport) -> None:
    from lk_portal.services.imports.registry import report_text

    click.echo(report_text(report))


class _Told:
    """Says how far it is, every so many rows."""

    def __init__(self) -> None:
        self._at: dict[Phase, int] = {}

    def __call__(self, phase: Phase, rows: int) -> None:
        from lk_portal.i18n import _
        from lk_portal.services.imports.work import Phase

        if rows // TOLD_EVERY != self._at.get(phase, 0):
            self._at[phase] = rows // TOLD_EVERY
            is_checked = phase is Phase.CHECKED
            text = (
                _("Rows checked: {rows}", rows=rows) if is_checked else _("Rows written: {rows}", rows=rows)
            )
            click.echo(text, err=True)


def _tell(report: ImportReport) -> None:
    from lk_portal.i18n import _

    for conflict in report.conflicts[:MAX_CONFLICTS_NAMED]:
        click.echo(_conflict(conflict), err=True)
    if report.conflict_count:
        text = _("Rows that contradict stored values, left out: {count}", count=report.conflict_count)
        click.echo(text, err=True)
    if report.doubtful:
        click.echo(
            _("Readings that cannot be true, to be looked at: {count}", count=report.doubtful), err=True
        )
    unchanged = report.rows - report.inserted - report.replaced - report.conflict_count
    click.echo(
        _(
            "Rows: {rows}, new: {inserted}, replaced: {replaced}, unchanged: {unchanged}.",
            rows=report.rows,
            inserted=report.inserted,
            replaced=report.replaced,
            unchanged=max(0, unchanged),
        )
    )


def _bad_line(bad: BadLine) -> str:
    from lk_portal.i18n import _

    reason = _(bad.reason, **dict(bad.data))
    if not bad.column:
        return _("line {line}: {reason}", line=bad.line, reason=reason)
    return _("line {line}, {column}: {reason}", line=bad.line, column=bad.column, reason=reason)


def _conflict(found: Conflict) -> str:
    from lk_portal.i18n import _

    return _(
        "meter {serial}, {quantity}, {at}: {stored} Wh are stored, the file has {given} Wh",
        serial=found.serial,
        quantity=found.quantity.name,
        at=found.at.isoformat(),
        stored=found.stored_wh,
        given=found.given_wh,
    )
