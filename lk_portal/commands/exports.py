"""`lk export`: the portal's data as files."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import LocalGroup, command, speak, start, translated, with_portal
from lk_portal.errors import N_

if TYPE_CHECKING:
    from lk_portal.services.context import Portal
    from lk_portal.services.exports.rows import Wish

FORMATS = ("csv", "xlsx", "xml")
STEPS = ("hour", "day", "month", "year")
QUANTITIES = ("A_PLUS", "A_MINUS", "R_PLUS", "R_MINUS")
BASES = ("calendar", "billing")
EXAMPLE = "lk export consumption --meter 44103814060174 --from 2026-01-01 --to 2026-01-31 --interval day"
_date = click.DateTime(["%Y-%m-%d"])


@click.group(
    cls=LocalGroup, name="export", help=N_("Write data to files."), epilog=f"{EXAMPLE} > january.csv"
)
def export() -> None:
    """The group itself does nothing."""


@command(
    name="consumption",
    help=N_(
        "Print the consumption of a meter's metering point, both days included. Each interval has one row of "
        "zone 0, the sum; where the tariff has zones, a row for each follows, which the sum contains. Hours "
        "without data have no value. Nothing is printed before the first meter and after now."
    ),
    example=f"{EXAMPLE} > january.csv",
)
@click.option(
    "--meter", "serial", required=True, metavar="SERIAL", help=N_("The present meter or an earlier one.")
)
@click.option("--from", "first", type=_date, required=True, metavar="YYYY-MM-DD", help=N_("The first day."))
@click.option("--to", "last", type=_date, required=True, metavar="YYYY-MM-DD", help=N_("The last day."))
@click.option(
    "--interval", type=click.Choice(STEPS), default="hour", show_default=True, help=N_("The time of one row.")
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help=N_("xml is Green Button (ESPI 4.0)."),
)
@click.option(
    "--quantity",
    type=click.Choice(QUANTITIES),
    default="A_PLUS",
    show_default=True,
    help=N_("Which energy; + is taken from the grid."),
)
@click.option(
    "--period",
    type=click.Choice(BASES),
    default="calendar",
    show_default=True,
    help=N_("Whose months and years; billing ones begin on the days the utility takes its readings."),
)
def consumption(
    *, serial: str, first: datetime, last: datetime, interval: str, form: str, quantity: str, period: str
) -> None:
    """Export consumption."""
    if form == "xlsx" and sys.stdout.isatty():
        raise click.UsageError(translated(N_("A workbook is no text: send it to a file with `> FILE`.")))
    settings = start()

    from lk_portal.errors import InputError
    from lk_portal.metering.types import Quantity
    from lk_portal.services.exports.rows import Step, Wish
    from lk_portal.services.periods import Basis

    try:
        wish = Wish(
            serial=serial,
            quantity=Quantity[quantity],
            first=first.date(),
            after=min(last.date(), date.max - timedelta(days=1)) + timedelta(days=1),
            step=Step(interval),
            basis=Basis(period),
        )
    except InputError as error:
        raise click.UsageError(speak(error)[0]) from None
    with_portal(settings, lambda portal: _print(portal, wish, form))


export.add_command(consumption)


async def _print(portal: Portal, wish: Wish, form: str) -> None:
    from lk_portal.errors import NotFoundError
    from lk_portal.services.exports.files import ExportFile, FileFormat
    from lk_portal.services.exports.source import find_point
    from lk_portal.services.reading_days import reading_days

    days = await reading_days(portal.database, portal.settings)
    wish = replace(wish, reading_days=days)
    try:
        point = await find_point(portal.database, serial=wish.serial)
    except NotFoundError:
        raise NotFoundError(
            N_("There is no meter {serial} at a metering point."), serial=wish.serial
        ) from None
    author = portal.settings.utility_name
    file = ExportFile(portal.database, point, wish, FileFormat(form), author, portal.clock())
    out = sys.stdout.buffer
    async for chunk in file.chunks():
        out.write(chunk)
    out.flush()
