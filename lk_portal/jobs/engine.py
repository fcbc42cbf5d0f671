"""Starts and stops DBOS, the durable queue under all jobs. For the worker; nothing else touches DBOS's life.

DBOS is one per process. It talks to nobody but its database: no conductor, no telemetry, and what it logs
goes through our logging. Arguments and results are JSON, never pickles, and hold ids only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from lk_portal.services.database import keep_log_ahead

APPLICATION = "lk-portal"
VERSION = "1"
"""Raise it when a job's arguments change their meaning: jobs of another version are not taken over."""
POOL_SIZE = 8
DRAIN_S = 10
MAX_KIND, MAX_KINDS = 80, 1000


async def launch(address: str, *, executor: str, queues: dict[str, int], queue_poll_s: float) -> None:
    """Open the jobs database, take over what `executor` left unfinished, and begin to take jobs.

    Must be called on the event loop the jobs shall run on. It blocks the loop for a moment: only so does
    DBOS run asynchronous jobs there.

    Args:
        address: SQLite file or PostgreSQL database; in the latter DBOS keeps to a schema of its own.
        executor: The worker's name, see `Seat`.
        queues: Queues and how many of their jobs this process runs at once.
        queue_poll_s: Seconds between two looks into a queue.

    Raises:
        Exception: Whatever DBOS raises when its database cannot be opened; nothing is left running.
    """
    _silence()
    await asyncio.to_thread(keep_log_ahead, address)  # DBOS does not choose it
    try:
        DBOS(config=_config(address, executor))
        DBOS.launch()
        for name, at_once in queues.items():
            await DBOS.register_queue_async(
                name,
                worker_concurrency=at_once,
                polling_interval_sec=queue_poll_s,
                on_conflict="always_update",
            )
    except BaseException:
        await shut_down(is_busy=False)
        raise


async def shut_down(*, is_busy: bool) -> None:
    """Stop taking jobs and close the database; when `is_busy`, running ones get up to `DRAIN_S` to finish."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="lk-jobs-stop") as threads:
        wait_s = DRAIN_S if is_busy else 0
        await loop.run_in_executor(threads, lambda: DBOS.destroy(workflow_completion_timeout_sec=wait_s))
    # DBOS puts its own thread pool under asyncio.to_thread and has just closed it.
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


def _config(address: str, executor: str) -> DBOSConfig:
    return DBOSConfig(
        name=APPLICATION,
        system_database_url=address,
        sys_db_pool_size=POOL_SIZE,
        application_version=VERSION,
        executor_id=executor,
        serializer=DBOSPortableJSONSerializer(),
        log_level="WARNING",
        enable_otlp=False,
    )


def _silence() -> None:
    """With a handler there already, DBOS adds none: its records go up to ours, each trouble once."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    if not any(isinstance(one, OncePerTrouble) for one in log.filters):
        log.addFilter(OncePerTrouble())
    log.propagate = True


class OncePerTrouble(logging.Filter):
    """Lets the first record of a kind through, and the next only after it has been quiet for `quiet_s`.

    While its database is away, DBOS repeats half a dozen warnings every second.
    """

    def __init__(self, *, quiet_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._quiet_s = quiet_s
        self._clock = clock
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """The kind of a record is its text before the reason."""
        kind, now = record.getMessage().partition(":")[0][:MAX_KIND], self._clock()
        before = self._last.get(kind)
        if len(self._last) >= MAX_KINDS:
            self._last.clear()
        self._last[kind] = now
        return before is None or now - before > self._quiet_s
