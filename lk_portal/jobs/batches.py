"""A durable queue of batches, as one process sees it: what runs here, and which ids are on their way already.

For `polling`, `mail`, `push` and `importing`. A batch's only argument is a list of ids; the work itself must
bear being repeated.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbos import DBOS, WorkflowStatus

LEASE_S = 120
"""A running batch that nobody has attended to for so long belongs to a dead process."""
ATTENDANCE_S = 30
STUCK_S = 120
"""A process that has nothing to do does not let a batch wait for so long."""

log = logging.getLogger(__name__)


class BatchQueue:
    """One process's view of one queue.

    Args:
        queue: The queue's name.
        job: The name its jobs are registered under.
        longest_wait_s: A batch nobody has taken out of the queue for so long is planned anew.
    """

    def __init__(self, queue: str, *, job: str, longest_wait_s: float) -> None:
        self._queue = queue
        self._job = job
        self._longest_wait_s = longest_wait_s
        self._running: dict[str, asyncio.Task[object]] = {}
        self._waited_s = 0.0

    @property
    def running(self) -> dict[str, asyncio.Task[object]]:
        """The batches that this process is at, by job id."""
        return dict(self._running)

    @property
    def is_stuck(self) -> bool:
        """Whether batches wait although this process is free: then it does not take them any more."""
        return not self._running and self._waited_s > STUCK_S

    @contextmanager
    def noted(self, job_id: str, task: asyncio.Task[object]) -> Iterator[None]:
        """While the block lasts, this process is at the batch."""
        self._running[job_id] = task
        try:
            yield
        finally:
            self._running.pop(job_id, None)

    async def attend(self) -> None:
        """Tell the other workers that this one's batches are not forgotten."""
        for job_id in self.running:
            await DBOS.update_workflow_attributes_async(job_id, {"attended_at": int(time.time())})

    def note_empty(self) -> None:
        """Nothing is due, so nothing waits."""
        self._waited_s = 0.0

    async def in_flight(self) -> set[int]:
        """Ids in batches that wait or run anywhere; batches of dead processes are taken out of the way."""
        jobs = await DBOS.list_workflows_async(
            queue_name=self._queue, name=self._job, status=["ENQUEUED", "PENDING"], load_output=False
        )
        now_s = time.time()
        waits_s = [now_s - (job.created_at or 0) / 1000 for job in jobs if job.status == "ENQUEUED"]
        self._waited_s = max(waits_s, default=0.0)
        lost = [
            job.workflow_id
            for job in jobs
            if job.workflow_id not in self._running
            and is_lost(job, longest_wait_s=self._longest_wait_s, now_s=now_s)
        ]
        if lost:
            log.warning("jobs.lost_batches", extra={"queue": self._queue, "jobs": lost})
            await DBOS.cancel_workflows_async(lost)
        return {one for job in jobs if job.workflow_id not in lost for one in ids_of(job)}


def is_lost(job: WorkflowStatus, *, longest_wait_s: float, now_s: float) -> bool:
    """Whether nobody is at `job` any more.

    Args:
        job: A waiting or running batch.
        longest_wait_s: How long it may wait in the queue.
        now_s: Seconds since 1970.
    """
    quiet_s = now_s - (job.updated_at or job.created_at or 0) / 1000
    return quiet_s > (LEASE_S if job.status == "PENDING" else longest_wait_s)


def ids_of(job: WorkflowStatus) -> list[int]:
    """The ids a batch was given."""
    arguments = job.input["args"] if job.input else ()
    return list(arguments[0]) if arguments else []
