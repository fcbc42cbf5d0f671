"""The import of files that staff sent in, as durable jobs: one file is one job. Only the worker uses it.

A job may be run twice, and by two workers: a file is claimed in a committed transaction before anything is
done with it, and what comes of it is kept only by whoever has the claim (`services.imports.run_work`). A
worker that takes the seat of a dead one takes its claims over at once; others wait until they have run out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from dbos import DBOS

from lk_portal.errors import StorageError
from lk_portal.jobs.batches import BatchQueue
from lk_portal.services.context import Portal
from lk_portal.services.imports import run_work

QUEUE = "imports"
JOB = "import_files"
BATCHES_AT_ONCE = 1
LONGEST_WAIT_S = 300

log = logging.getLogger(__name__)


class Importing:
    """This process's part in the imports.

    Args:
        portal: Settings, database, clock.

    Attributes:
        seat: Under which name files are claimed; set before anything else.
        queue: The files on their way.
        is_stopping: Set when no more files shall be begun, and the one that is shall be given back.
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._freed = ""
        self._freeing = asyncio.Lock()
        self.seat = ""
        self.queue = BatchQueue(QUEUE, job=JOB, longest_wait_s=LONGEST_WAIT_S)
        self.is_stopping = False

    async def plan(self) -> int:
        """Put files that wait and are not on their way into the queue; gives how many.

        Two workers may plan the same one at the same time: the second finds it claimed.
        """
        await self._free_once()
        waiting = await run_work.due(self._portal.database, now=self._portal.clock())
        if not waiting:
            self.queue.note_empty()
            return 0
        busy = await self.queue.in_flight()
        fresh = [run_id for run_id in waiting if run_id not in busy]
        for run_id in fresh:
            await DBOS.enqueue_workflow_async(QUEUE, import_files, [run_id])
        return len(fresh)

    async def run_batch(self, job_id: str, ids: Sequence[int]) -> Counter[str]:
        """Do those of `ids` that nobody is at, one after another."""
        task = asyncio.current_task()
        if self.is_stopping or task is None:
            return Counter()
        with self.queue.noted(job_id, task):
            return Counter([await self._do(run_id) for run_id in ids])

    async def _do(self, run_id: int) -> str:
        database = self._portal.database
        try:
            await self._free_once()
            claim = await run_work.claim(database, run_id, worker=self.seat, now=self._portal.clock())
            if claim is None:
                return "skipped"
            log.info("import.begun", extra={"run": run_id, "attempt": claim.attempt})
            fate = await run_work.work_on(self._portal, claim, is_stopping=lambda: self.is_stopping)
        except StorageError:
            # It is free again when the claim is over; the planner tells of the database.
            log.error("import.not_stored", extra={"run": run_id})
            return "skipped"
        log.info("import.ended", extra={"run": run_id, "fate": fate.value})
        return fate.value

    async def _free_once(self) -> None:
        """What a dead process of the same seat was at is free; before this one has claimed anything."""
        async with self._freeing:
            if self._freed != self.seat:
                await run_work.free(self._portal.database, self.seat)
                self._freed = self.seat


class _Active:
    importing: Importing | None = None


def activate(importing: Importing | None) -> None:
    """Say who does the files that DBOS takes out of the queue in this process."""
    _Active.importing = importing


@DBOS.workflow(name=JOB)
async def import_files(ids: list[int]) -> dict[str, int]:
    """One job of the queue: see `Importing.run_batch`."""
    importing, job_id = _Active.importing, DBOS.workflow_id
    if importing is None or job_id is None:
        return {}
    return dict(await importing.run_batch(job_id, ids))
