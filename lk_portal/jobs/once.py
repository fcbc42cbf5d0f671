"""Polling by hand: `lk poll` and "Опросить сейчас" read now, without the queue."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from lk_portal.errors import N_, NotFoundError
from lk_portal.jobs.worker import reading_store
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.metering.types import GatewayTarget, PollOutcome
from lk_portal.models import Meter, MeterConnection
from lk_portal.services.context import Portal
from lk_portal.services.database import Database
from lk_portal.services.polling import due_gateways
from lk_portal.services.tables import table_of


async def poll_once(
    portal: Portal, *, serial: str | None = None
) -> tuple[tuple[GatewayTarget, ...], tuple[PollOutcome, ...]]:
    """Read all meters that are polled, or the one with `serial`, now; store and give what came of it.

    Raises:
        NotFoundError: No meter is polled, or not this one.
        StorageError: What was read could not be stored.
    """
    gateways = await due_gateways(
        portal.database,
        now=portal.clock(),
        default_interval_s=portal.settings.poll_interval_s,
        serials=[serial] if serial is not None else await _connected(portal.database),
    )
    if not gateways:
        raise NotFoundError(_nothing(serial), serial=serial)
    poller = Poller(
        reading_store(portal), limits=PollLimits(lines=portal.settings.poll_concurrency), clock=portal.clock
    )
    try:
        return gateways, await poller.poll(gateways)
    finally:
        await poller.close()


async def _connected(database: Database) -> Sequence[str]:
    """The serial numbers of all meters with a connection: polling by hand does not ask whether one is due."""
    meter, link = table_of(Meter), table_of(MeterConnection)
    query = select(meter.c.serial).join(link, link.c.meter_id == meter.c.id)
    async with database.reading() as connection:
        return (await connection.scalars(query)).all()


def _nothing(serial: str | None) -> str:
    if serial is None:
        return N_("No meter is connected.")
    return N_("No meter {serial} is connected.")
