"""The polling of meters as durable jobs: what is due becomes batches, a batch is read and stored.

Only the worker uses it. A batch is one job: its argument is a list of meter ids, it first asks what of them
is still due, and what it stores twice counts once. So a job may be repeated after a crash, wait in the queue
through an outage, or even run in two processes, and each meter is still read once and nothing is doubled.
That is also why a batch is a workflow without steps: there is no half of it that must not be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dbos import DBOS, SetWorkflowID
from dbos import error as dbos_error

from lk_portal.errors import StorageError
from lk_portal.jobs.batches import BatchQueue
from lk_portal.jobs.replaying import Replaying
from lk_portal.metering.poller import Poller
from lk_portal.metering.types import GatewayTarget, PollOutcome
from lk_portal.services import poll_batches
from lk_portal.services.context import Portal
from lk_portal.services.polling import due_gateways

QUEUE = "polling"
JOB = "poll_batch"
BATCH_SIZE = 250
BATCHES_AT_ONCE = 4
LONGEST_WAIT_S = 900
"""A batch nobody has taken out of the queue for so long is planned anew."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What came of a batch; kept as the job's result.

    Attributes:
        read: Meters that were read.
        failed: Meters that were not.
        is_stored: Whether the outcomes are in the database; if not, the meters stay due.
    """

    read: int = 0
    failed: int = 0
    is_stored: bool = True


class Polling:
    """This process's part in the polling.

    Args:
        portal: Settings, database, clock.
        poller: Reads and stores.
        tick_s: Length of a slot; in one slot one process plans, however many there are.

    Attributes:
        queue: The batches on their way.
        is_stopping: Set when no more batches shall be begun.
    """

    def __init__(self, portal: Portal, poller: Poller, *, tick_s: int) -> None:
        self._portal = portal
        self._poller = poller
        self._tick_s = tick_s
        longest_wait_s = max(LONGEST_WAIT_S, portal.settings.poll_interval_s)
        self.queue = BatchQueue(QUEUE, job=JOB, longest_wait_s=longest_wait_s)
        self._replaying = Replaying(portal, poller)
        self._troubled: frozenset[int] = frozenset()
        self._is_storing = True
        self.is_stopping = False

    async def plan(self) -> int:
        """Put everything that is due and not yet on its way into the queue; gives the number of batches."""
        # Named before looking: who looked in another slot than it enqueues in may not see what went between.
        slot = self._slot()
        due = await self._due()
        if not due:
            self.queue.note_empty()
            return 0
        busy = await self.queue.in_flight()
        waiting = [gateway for gateway in due if not busy.intersection(_meter_ids(gateway))]
        batches = [
            *batches_of(gateway for gateway in waiting if gateway.gateway_id not in self._troubled),
            *batches_of(gateway for gateway in waiting if gateway.gateway_id in self._troubled),
        ]
        return await self._enqueue(slot, batches)

    async def run_batch(self, job_id: str, meter_ids: Sequence[int]) -> BatchResult:
        """Read those of `meter_ids` that are still due, and store what came of it."""
        task = asyncio.current_task()
        if self.is_stopping or task is None:
            return BatchResult()
        with self.queue.noted(job_id, task):
            await _told(poll_batches.note_started(self._portal.database, job_id, now=self._portal.clock()))
            due = only(await self._due(), meter_ids)
            outcomes = await self._read(due)
            result = _result(outcomes)
            await self._note_finished(job_id, result)
            with contextlib.suppress(StorageError):  # what was wished for stays so
                await self._replaying.after_poll(due, outcomes or ())
            return result

    async def _note_finished(self, job_id: str, result: BatchResult) -> None:
        noting = poll_batches.note_finished(
            self._portal.database,
            job_id,
            read=result.read,
            failed=result.failed,
            now=self._portal.clock(),
        )
        await _told(noting)

    def _slot(self) -> str:
        return slot_name(self._portal.clock(), self._tick_s)

    async def _due(self) -> tuple[GatewayTarget, ...]:
        """What is due in about this slot; else each cycle would take a slot longer than its interval."""
        return await due_gateways(
            self._portal.database,
            now=self._portal.clock() + timedelta(seconds=self._tick_s / 2),
            default_interval_s=self._portal.settings.poll_interval_s,
        )

    async def _read(self, gateways: Sequence[GatewayTarget]) -> tuple[PollOutcome, ...] | None:
        """What came of the meters, which is stored; None where it could not be."""
        if not gateways:
            return ()
        try:
            outcomes = await self._poller.poll(gateways)
        except StorageError:
            self._note_storing(is_storing=False)
            return None
        self._note_storing(is_storing=True)
        self._note_troubled(gateways, outcomes)
        return outcomes

    def _note_storing(self, *, is_storing: bool) -> None:
        """The poller has told of each attempt; here only the beginning and the end are worth a line."""
        if is_storing and not self._is_storing:
            log.warning("jobs.polling.stores_again")
        elif self._is_storing and not is_storing:
            log.error("jobs.polling.cannot_store")
        self._is_storing = is_storing

    def _note_troubled(self, gateways: Iterable[GatewayTarget], outcomes: Iterable[PollOutcome]) -> None:
        """Lines with silent meters go into batches of their own: their time-outs hold nobody else up."""
        silent = {
            outcome.meter_id
            for outcome in outcomes
            if outcome.error is not None and outcome.error.is_transient
        }
        seen = {gateway.gateway_id for gateway in gateways}
        troubled = {gateway.gateway_id for gateway in gateways if silent.intersection(_meter_ids(gateway))}
        self._troubled = self._troubled - seen | troubled

    async def _enqueue(self, slot: str, batches: Sequence[list[int]]) -> int:
        """Enqueue under ids that follow from the slot: who is second in a slot finds it taken and leaves.

        So does who comes too late: the next slot's planner has looked already and would enqueue the same.
        """
        for number, meter_ids in enumerate(batches):
            if self._slot() != slot:
                return number
            job_id = f"poll-{slot}-{number}"
            try:
                with SetWorkflowID(job_id, workflow_id_reuse_policy="reject"):
                    await DBOS.enqueue_workflow_async(QUEUE, poll_batch, meter_ids)
            except dbos_error.DBOSWorkflowIDInUseError:
                return number
            await self._note_enqueued(job_id, len(meter_ids))
        return len(batches)

    async def _note_enqueued(self, job_id: str, meters: int) -> None:
        now = self._portal.clock()
        await _told(poll_batches.note_enqueued(self._portal.database, job_id, meters=meters, now=now))


class _Active:
    polling: Polling | None = None


def activate(polling: Polling | None) -> None:
    """Say who runs the batches that DBOS takes out of the queue in this process."""
    _Active.polling = polling


@DBOS.workflow(name=JOB)
async def poll_batch(meter_ids: list[int]) -> dict[str, int | bool]:
    """One job of the queue: see `Polling.run_batch`."""
    polling, job_id = _Active.polling, DBOS.workflow_id
    if polling is None or job_id is None:
        return {}
    result = await polling.run_batch(job_id, meter_ids)
    return {"read": result.read, "failed": result.failed, "is_stored": result.is_stored}


def _result(outcomes: Sequence[PollOutcome] | None) -> BatchResult:
    if outcomes is None:
        return BatchResult(is_stored=False)
    failed = sum(outcome.error is not None for outcome in outcomes)
    return BatchResult(read=len(outcomes) - failed, failed=failed)


def batches_of(gateways: Iterable[GatewayTarget], *, size: int = BATCH_SIZE) -> list[list[int]]:
    """Meter ids in batches of up to `size`; a line's meters stay together, even when they are more."""
    batches: list[list[int]] = []
    for gateway in gateways:
        ids = _meter_ids(gateway)
        if not ids:
            continue
        if not batches or len(batches[-1]) + len(ids) > size:
            batches.append([])
        batches[-1].extend(ids)
    return batches


def only(gateways: Iterable[GatewayTarget], meter_ids: Iterable[int]) -> tuple[GatewayTarget, ...]:
    """`gateways` with those of their meters that are in `meter_ids`, and no gateway without any."""
    wanted = frozenset(meter_ids)
    kept = (
        replace(gateway, meters=tuple(meter for meter in gateway.meters if meter.meter_id in wanted))
        for gateway in gateways
    )
    return tuple(gateway for gateway in kept if gateway.meters)


def slot_name(now: datetime, tick_s: int) -> str:
    """The slot of `tick_s` seconds that `now` (aware) lies in, e.g. `20261124T153005`."""
    start = int(now.timestamp()) // tick_s * tick_s
    return datetime.fromtimestamp(start, UTC).strftime("%Y%m%dT%H%M%S")


async def _told(noting: Awaitable[None]) -> None:
    """Let other processes know how far the queue is; where that cannot be written, reading goes on."""
    with contextlib.suppress(StorageError):
        await noting


def _meter_ids(gateway: GatewayTarget) -> list[int]:
    return [meter.meter_id for meter in gateway.meters]
