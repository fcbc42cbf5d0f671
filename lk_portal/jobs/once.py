"""Polling by hand: `lk poll` and "Опросить сейчас" read now, without the queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class PolledNow:
    """What came of polling by hand.

    Attributes:
        gateways: The lines that were asked, with their meters.
        outcomes: One for each meter.
        refused: Meters that answered with values that cannot be true, and which; nothing was counted.
    """

    gateways: tuple[GatewayTarget, ...]
    outcomes: tuple[PollOutcome, ...]
    refused: Mapping[int, str]


async def poll_once(portal: Portal, *, serial: str | None = None) -> PolledNow:
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
        outcomes = await poller.poll(gateways)
    finally:
        await poller.close()
    return PolledNow(gateways, outcomes, await _refused(portal.database, outcomes))


async def _refused(database: Database, outcomes: Iterable[PollOutcome]) -> dict[int, str]:
    """Why what was read of some meters was not taken: the store leaves it with their connections."""
    link = table_of(MeterConnection)
    read = [outcome.meter_id for outcome in outcomes if outcome.error is None]
    query = select(link.c.meter_id, link.c.last_error).where(
        link.c.meter_id.in_(read), link.c.last_error_at >= link.c.last_success_at
    )
    async with database.reading() as connection:
        return {row.meter_id: row.last_error for row in await connection.execute(query)}


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
