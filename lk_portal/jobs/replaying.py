"""Fills holes from the archives of meters that were just polled. For `jobs.polling`; no queue of its own.

A wish (`services.replays`) is done in the batch in which its meter was read, by the link that this used: then
the register's value after the hole is known, and the gateway is known to answer. How many are done in a batch
is bounded; the others wait for the next poll of their meters.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace

from lk_portal.errors import (
    N_,
    ConfigurationError,
    MeterError,
    MeterTimeoutError,
    StorageError,
    UnsupportedError,
)
from lk_portal.metering.base import profile_of
from lk_portal.metering.poller import Poller
from lk_portal.metering.profile_decode import TIMEZONE_OPTION
from lk_portal.metering.types import GatewayTarget, LoadProfile, MeterTarget, PollOutcome, ProfileRecord
from lk_portal.services.context import Portal
from lk_portal.services.replay_store import Plan, keep, plan_of
from lk_portal.services.replays import Replay, due_replays, note_failure, wish_after_gaps

MOST_AT_ONCE = 20
DEADLINE_S = 300.0
"""For reading one meter's archive."""

log = logging.getLogger(__name__)

Target = tuple[GatewayTarget, MeterTarget]


class Replaying:
    """Fills holes as the polling goes.

    Args:
        portal: Settings, database, clock.
        poller: Whose links are used.
    """

    def __init__(self, portal: Portal, poller: Poller) -> None:
        self._portal = portal
        self._poller = poller

    async def after_poll(self, gateways: Sequence[GatewayTarget], outcomes: Collection[PollOutcome]) -> None:
        """Do what is wished for of the meters that were read; wish for more where they were long silent.

        Raises:
            StorageError: The database failed; wishes stay open.
        """
        read = {outcome.meter_id for outcome in outcomes if outcome.error is None}
        targets = {
            meter.meter_id: (gateway, meter)
            for gateway in gateways
            for meter in gateway.meters
            if meter.meter_id in read
        }
        if self._portal.settings.is_archive_replayed:
            await self._wish(targets, outcomes)
        wishes = await due_replays(
            self._portal.database, targets, now=self._portal.clock(), most=MOST_AT_ONCE
        )
        async with asyncio.TaskGroup() as group:
            for wish in wishes:
                group.create_task(self._replay(wish, *targets[wish.meter_id]))

    async def _wish(self, targets: dict[int, Target], outcomes: Collection[PollOutcome]) -> None:
        keeping = [meter_id for meter_id, target in targets.items() if _profile(*target) is not None]
        if keeping:
            began = min(outcome.started_at for outcome in outcomes)
            now = self._portal.clock()
            await wish_after_gaps(self._portal.database, keeping, polled_from=began, now=now)

    async def _replay(self, wish: Replay, gateway: GatewayTarget, meter: MeterTarget) -> None:
        """One wish; what goes wrong with a meter is told with it and stops no other."""
        database, now = self._portal.database, self._portal.clock()
        try:
            profile = _profile(gateway, meter)
            if profile is None:
                raise UnsupportedError(N_("Not supported: the meter keeps no load profile"))
            plan = await plan_of(database, wish, profile, now=now)
            records = await self._read(gateway, meter, plan)
            parts = await keep(database, wish, profile, records, now=now)
        except MeterError as error:
            log.warning("jobs.replay.failed", extra={"meter_id": wish.meter_id, "error": str(error)})
            await note_failure(database, wish, error, now=self._portal.clock())
        except StorageError as error:
            log.warning("jobs.replay.not_stored", extra={"meter_id": wish.meter_id, "error": str(error)})
        else:
            extra = {"meter_id": wish.meter_id, "slots": sum(part.slots for part in parts)}
            log.info("jobs.replay.done", extra=extra)

    async def _read(self, gateway: GatewayTarget, meter: MeterTarget, plan: Plan) -> list[ProfileRecord]:
        options = {TIMEZONE_OPTION: plan.timezone, **meter.options}
        placed = replace(meter, options=options)
        found: list[ProfileRecord] = []
        try:
            async with asyncio.timeout(DEADLINE_S):
                for start, end in plan.spans:
                    found += await self._poller.read_profile(gateway, placed, start, end)
        except TimeoutError as error:
            raise MeterTimeoutError(seconds=f"{DEADLINE_S:g}") from error
        return found


def _profile(gateway: GatewayTarget, meter: MeterTarget) -> LoadProfile | None:
    try:
        return profile_of(gateway, meter)
    except ConfigurationError:
        return None
