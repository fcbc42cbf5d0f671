"""Polling by hand: `lk poll` and "Опросить сейчас" read now, without the queue."""

from __future__ import annotations

from datetime import timedelta

from lk_portal.errors import N_, NotFoundError
from lk_portal.jobs.worker import reading_store
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.metering.types import GatewayTarget, PollOutcome
from lk_portal.services.context import Portal
from lk_portal.services.polling import due_gateways

FAR_AHEAD = timedelta(days=3660)
"""Polling by hand does not ask whether a meter is due."""


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
        now=portal.clock() + FAR_AHEAD,
        default_interval_s=portal.settings.poll_interval_s,
        serials=None if serial is None else [serial],
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


def _nothing(serial: str | None) -> str:
    if serial is None:
        return N_("No meter is connected.")
    return N_("No meter {serial} is connected.")
