"""The worker: what runs in the background of a portal. The lifespan and `lk worker` start one per process.

On one machine it lives inside the portal's process, on its event loop. On several, `lk worker` runs on each
and PostgreSQL stands behind them: whoever is free takes the next batch.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from dbos import DBOS

from lk_portal.errors import N_, StorageError
from lk_portal.jobs import engine, importing, mail, push
from lk_portal.jobs.batches import ATTENDANCE_S
from lk_portal.jobs.importing import Importing
from lk_portal.jobs.mail import Mailing
from lk_portal.jobs.polling import BATCHES_AT_ONCE, JOB, QUEUE, Polling, activate
from lk_portal.jobs.post import PostLimits
from lk_portal.jobs.push import MakeSender, Pushing
from lk_portal.jobs.push_post import WebSender
from lk_portal.jobs.seat import Seat
from lk_portal.jobs.supervision import SupervisedLoop
from lk_portal.logs import report
from lk_portal.metering.poller import Poller, PollLimits
from lk_portal.services import captcha, email_change, notifications, poll_batches, unfinished, viewing
from lk_portal.services.access import forget_expired
from lk_portal.services.context import Portal
from lk_portal.services.readings import ReadingStore

RETENTION = timedelta(days=1)
RETENTION_EVERY_S = 600
RETENTION_CHUNK = 500
LONGEST_TICK_S = 5
QUEUE_POLL_S = 1.0
MAIL_TICK_S = 1.0
PUSH_TICK_S = 2.0
IMPORT_TICK_S = 1.0
EVENTS_EVERY_S = 60.0
LIMITS_EVERY_S = 600.0
PATIENCE = timedelta(minutes=3)
"""After a failure a loop pauses for up to 90 seconds."""
MISSED_CYCLES = 24
"""So many looks for due meters may fail or be late before the worker is said to be dead."""
FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

log = logging.getLogger(__name__)


class Worker:
    """Plans and runs the jobs of one process. Use `start` and `stop` on one event loop.

    Args:
        portal: Settings, database, clock.
        queue_poll_s: Seconds between two looks into the queue.
        post_limits: How long a mail server may take.
        make_sender: What speaks to push services.
    """

    def __init__(
        self,
        portal: Portal,
        *,
        queue_poll_s: float = QUEUE_POLL_S,
        post_limits: PostLimits | None = None,
        make_sender: MakeSender = WebSender,
    ) -> None:
        self._portal = portal
        self._queue_poll_s = queue_poll_s
        self.tick_s = tick_s(portal.settings.poll_interval_s)
        limits = PollLimits(lines=portal.settings.poll_concurrency)
        self._poller = Poller(reading_store(portal), limits=limits, clock=portal.clock)
        self._polling = Polling(portal, self._poller, tick_s=self.tick_s)
        self._mailing = Mailing(portal, limits=post_limits)
        self._pushing = Pushing(portal, make_sender=make_sender)
        self._importing = Importing(portal)
        self._queues = {
            "mail": self._mailing.queue,
            "push": self._pushing.queue,
            "imports": self._importing.queue,
        }
        self._loops = {
            "polling": self._loop("polling", self._plan, pause_s=self._until_next_slot_s),
            "mail": self._loop("mail", self._plan_letters, pause_s=lambda: MAIL_TICK_S),
            "push": self._loop("push", self._plan_pushes, pause_s=lambda: PUSH_TICK_S),
            "imports": self._loop("imports", self._plan_imports, pause_s=lambda: IMPORT_TICK_S),
            "events": self._loop("events", self._tell_events, pause_s=lambda: EVENTS_EVERY_S),
            "limits": self._loop("limits", self._tell_limits, pause_s=lambda: LIMITS_EVERY_S),
            "attendance": self._loop("attendance", self._attend, pause_s=lambda: ATTENDANCE_S),
            "retention": self._loop("retention", self._forget_finished, pause_s=lambda: RETENTION_EVERY_S),
            "letters": self._loop("letters", self._mailing.forget_old, pause_s=lambda: RETENTION_EVERY_S),
            "sessions": self._loop("sessions", self._forget_sessions, pause_s=lambda: RETENTION_EVERY_S),
        }
        self._seat: Seat | None = None
        self._started_at: datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def _parts(self) -> tuple[Polling, Mailing, Pushing, Importing]:
        return self._polling, self._mailing, self._pushing, self._importing

    @property
    def last_cycle_at(self) -> datetime | None:
        """When this process last looked for due meters without an error (aware UTC); the heartbeat."""
        return self._loops["polling"].last_success_at

    def is_alive(self) -> bool:
        """Whether it looked for due meters lately and takes batches; a fresh one is given time to."""
        last = self.last_cycle_at or self._started_at
        patience = timedelta(seconds=MISSED_CYCLES * self.tick_s)
        is_looking = last is not None and self._portal.clock() - last < patience
        return is_looking and not self._polling.queue.is_stuck

    def is_planning(self, name: str) -> bool:
        """Whether it looked lately for what is due of "mail", "push" or "imports", and takes it.

        Servers that take neither letters nor messages do not matter: what they refuse is tried again.
        """
        last = self._loops[name].last_success_at or self._started_at
        is_looking = last is not None and self._portal.clock() - last < PATIENCE
        return is_looking and not self._queues[name].is_stuck

    def signs_of_life(self) -> dict[str, Callable[[], bool]]:
        """By its name, what tells whether a part of the worker is alive."""
        return {
            "polling": self.is_alive,
            **{name: partial(self.is_planning, name) for name in self._queues},
        }

    @property
    def name(self) -> str:
        """Under which the worker takes jobs; empty while it does not run."""
        return self._seat.name if self._seat else ""

    async def start(self) -> None:
        """Take over what a dead process of this machine left, then plan and run until `stop`.

        Raises:
            StorageError: The jobs database cannot be opened; the log has the reason.
            OSError: The data directory cannot be written.
            RuntimeError: A worker runs in this process already.
        """
        if _InProcess.worker is not None:
            raise RuntimeError("a worker runs in this process already")
        _InProcess.worker = self
        try:
            self._seat = Seat.take(self._portal.settings.data_dir)
            activate(self._polling)
            mail.activate(self._mailing)
            push.activate(self._pushing)
            self._importing.seat = self._seat.name
            importing.activate(self._importing)
            await self._launch(self._seat.name)
        except BaseException:
            self._leave()
            raise
        self._tasks = [
            asyncio.create_task(loop.run(), name=f"lk-{name}") for name, loop in self._loops.items()
        ]
        self._started_at = self._portal.clock()
        log.info("jobs.worker.started", extra={"worker": self.name, "tick_s": self.tick_s})

    async def stop(self) -> None:
        """Finish what is being read or sent, within `engine.DRAIN_S` seconds, and close; may be called twice.

        A file that is being imported is given back at its next batch of rows.

        What is not finished stays in the queue and is done by the next worker.
        """
        if _InProcess.worker is not self:
            return
        for part in self._parts:
            part.is_stopping = True
        await _cancel(self._tasks)
        was_busy = await self._drain()
        await engine.shut_down(is_busy=was_busy)
        await self._poller.close()
        log.info("jobs.worker.stopped", extra={"worker": self.name})
        self._leave()

    def _loop(
        self, name: str, turn: Callable[[], Awaitable[None]], *, pause_s: Callable[[], float]
    ) -> SupervisedLoop:
        return SupervisedLoop(name, turn, pause_s=pause_s, clock=self._portal.clock)

    async def _launch(self, name: str) -> None:
        try:
            await engine.launch(
                self._portal.settings.jobs_address,
                executor=name,
                queues={
                    QUEUE: BATCHES_AT_ONCE,
                    mail.QUEUE: mail.BATCHES_AT_ONCE,
                    push.QUEUE: push.BATCHES_AT_ONCE,
                    importing.QUEUE: importing.BATCHES_AT_ONCE,
                },
                queue_poll_s=self._queue_poll_s,
            )
        except Exception as error:
            number = report(error)
            raise StorageError(
                N_("The jobs database cannot be opened (error {number})."), number=number
            ) from error

    async def _plan(self) -> None:
        await self._polling.plan()

    async def _plan_letters(self) -> None:
        await self._mailing.plan()

    async def _plan_pushes(self) -> None:
        await self._pushing.plan()

    async def _plan_imports(self) -> None:
        await self._importing.plan()

    async def _tell_events(self) -> None:
        portal = self._portal
        await notifications.tell_events(portal.database, portal.settings, now=portal.clock())

    async def _tell_limits(self) -> None:
        portal = self._portal
        await notifications.tell_limits(portal.database, portal.settings, now=portal.clock())

    async def _attend(self) -> None:
        for part in self._parts:
            await part.queue.attend()

    def _until_next_slot_s(self) -> float:
        """Slots begin at the same moments on all machines, so that workers meet in them."""
        return self.tick_s - time.time() % self.tick_s + 0.01

    async def _forget_finished(self) -> None:
        """Keep the jobs database small: finished jobs are of interest for a day."""
        before = (datetime.now(UTC) - RETENTION).isoformat()
        while True:
            old = await DBOS.list_workflows_async(
                name=[JOB, mail.JOB, push.JOB, importing.JOB],
                status=FINISHED,
                completed_before=before,
                limit=RETENTION_CHUNK,
                load_input=False,
                load_output=False,
            )
            if old:
                await DBOS.delete_workflows_async([job.workflow_id for job in old])
            if len(old) < RETENTION_CHUNK:
                return

    async def _forget_sessions(self) -> None:
        await forget_expired(self._portal.database, now=self._portal.clock())
        await captcha.forget_expired(self._portal.database, now=self._portal.clock())
        await email_change.forget_expired(self._portal.database, now=self._portal.clock())
        await notifications.forget_old(self._portal.database, now=self._portal.clock())
        await viewing.end_overdue(self._portal.database, now=self._portal.clock())
        await unfinished.forget_unfinished(self._portal.database, now=self._portal.clock())
        await poll_batches.forget_old(self._portal.database, now=self._portal.clock())

    async def _drain(self) -> bool:
        """Wait for the running batches, then cut them off; gives whether there were any."""
        running = [task for part in self._parts for task in part.queue.running.values()]
        if not running:
            return False
        _, late = await asyncio.wait(running, timeout=engine.DRAIN_S)
        await _cancel(late)
        return True

    def _leave(self) -> None:
        activate(None)
        mail.activate(None)
        push.activate(None)
        importing.activate(None)
        if self._seat is not None:
            self._seat.release()
        self._seat = None
        _InProcess.worker = None


class _InProcess:
    """DBOS is one per process, and so is the worker."""

    worker: Worker | None = None


def tick_s(interval_s: int) -> int:
    """Seconds between two looks for due meters: a fifth of the poll interval, from 1 to 5."""
    return max(1, min(LONGEST_TICK_S, interval_s // 5))


def reading_store(portal: Portal) -> ReadingStore:
    """Where polled values go."""
    return ReadingStore(
        portal.database, clock=portal.clock, default_interval_s=portal.settings.poll_interval_s
    )


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
