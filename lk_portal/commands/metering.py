"""`lk simulate` and `lk poll`: meters that are not there, and one look at those that are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from lk_portal.commands.base import command, run_until_stopped, start, with_portal
from lk_portal.errors import N_, PortalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lk_portal.jobs.once import PolledNow
    from lk_portal.metering.simulator import SimulatedGateway
    from lk_portal.metering.types import PollOutcome
    from lk_portal.services.context import Portal

PROTOCOLS = {"modbus": "modbus-tcp", "modbus-rtu": "modbus-rtu-over-tcp"}


@command(
    name="simulate",
    help=N_("Serve simulated meters over a real protocol until stopped."),
    example="lk simulate --protocol modbus --meters 50 --port 5020 --gateways 5",
)
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default="modbus",
    show_default=True,
    help=N_("What they speak."),
)
@click.option("--meters", type=click.IntRange(1, 10_000), required=True, help=N_("How many meters."))
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    required=True,
    help=N_("Port of the first gateway; 0: free ones."),
)
@click.option(
    "--gateways",
    type=click.IntRange(1, 10_000),
    default=None,
    help=N_("How many ports; one a meter when not given."),
)
@click.option("--model", default="eastron-sdm630", show_default=True, help=N_("Register map of the meters."))
@click.option("--host", default="127.0.0.1", show_default=True, help=N_("Address to listen on."))
@click.option(
    "--latency-ms", type=click.FloatRange(0, 60_000), default=0, help=N_("How long an answer takes.")
)
@click.option(
    "--speed", type=click.FloatRange(0.01, 1000), default=1, help=N_("Simulated seconds in a real one.")
)
def simulate(
    *,
    protocol: str,
    meters: int,
    port: int,
    gateways: int | None,
    model: str,
    host: str,
    latency_ms: float,
    speed: float,
) -> None:
    """Serve simulated meters."""
    settings = start()

    from lk_portal.jobs.protocols import load_protocols
    from lk_portal.metering.simulator import run_simulator

    load_protocols(settings)
    run_until_stopped(
        run_simulator(
            meters=meters,
            port=port,
            model=model,
            gateways=gateways,
            host=host,
            protocol=PROTOCOLS[protocol],
            latency_s=latency_ms / 1000,
            speed=speed,
            ready=_say_ready,
        )
    )


@command(
    name="poll",
    help=N_("Read every meter once, or one, store what it says and print it."),
    example="lk poll --meter 44103814060174",
)
@click.option("--meter", "serial", default=None, metavar="SERIAL", help=N_("Read this meter only."))
def poll(serial: str | None) -> None:
    """Poll once; fails when no meter could be read."""
    settings = start()
    # What it warns of stands in the table.
    logging.getLogger("lk_portal.metering.poller").setLevel(logging.ERROR)

    from lk_portal.jobs.once import poll_once
    from lk_portal.jobs.protocols import load_protocols

    load_protocols(settings)

    async def read(portal: Portal) -> None:
        polled = await poll_once(portal, serial=serial)
        click.echo(_table(polled, portal))
        if all(outcome.error is not None for outcome in polled.outcomes):
            raise PortalError(N_("No meter could be read."))

    with_portal(settings, read)


def _say_ready(gateways: Sequence[SimulatedGateway]) -> None:
    from lk_portal.i18n import _

    for gateway in gateways:
        serials = ", ".join(meter.serial for meter in gateway.meters.values())
        click.echo(f"{gateway.host}:{gateway.port}  {serials}")
    click.echo(_("The simulated meters answer; stop them with Ctrl+C."), err=True)


def _table(polled: PolledNow, portal: Portal) -> str:
    """Serial, result, A+ in kWh, time or reason; in the order of the serials."""
    from lk_portal.i18n import _

    serials = {meter.meter_id: meter.serial for gateway in polled.gateways for meter in gateway.meters}
    header = (_("Serial number"), _("Result"), _("A+, kWh"), _("Time or reason"))
    rows = sorted(
        (serials[outcome.meter_id], *_cells(outcome, polled.refused.get(outcome.meter_id, ""), portal))
        for outcome in polled.outcomes
    )
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(3)]
    return "\n".join(_line(row, widths) for row in [header, *rows])


def _cells(outcome: PollOutcome, refusal: str, portal: Portal) -> tuple[str, str, str]:
    from lk_portal.i18n import _, kwh, say
    from lk_portal.metering.types import Quantity

    if outcome.snapshot is None:
        return _("not read"), "", say(outcome.error) if outcome.error else ""
    values = [
        one.value_wh for one in outcome.snapshot.registers if (one.quantity, one.zone) == (Quantity.A_PLUS, 0)
    ]
    value = kwh(values[0], digits=3) if values else ""
    if refusal:
        return _("refused"), value, refusal
    taken_at = outcome.snapshot.taken_at.astimezone(portal.settings.zone)
    return _("read"), value, taken_at.strftime("%d.%m.%Y %H:%M:%S")


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    serial, result, value, rest = row
    return f"{serial:<{widths[0]}}  {result:<{widths[1]}}  {value:>{widths[2]}}  {rest}".rstrip()
