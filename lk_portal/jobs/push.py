"""The sending of pushes as durable jobs: what is due becomes batches, a batch is sent side by side.

Only the worker uses it. Like letters, each message is claimed in a committed transaction before anything goes
over the network, so one worker sends it; a process that is killed meanwhile leaves it to be sent again, and
the telephone shows it once, for its tag is the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from dbos import DBOS

from lk_portal.errors import N_, StorageError
from lk_portal.i18n import _, using_locale
from lk_portal.jobs.batches import BatchQueue
from lk_portal.jobs.push_post import AT_ONCE, Answer, OutgoingPush, PushSender, Verdict, WebSender
from lk_portal.logs import report
from lk_portal.models import NotificationKind
from lk_portal.services import push
from lk_portal.services.context import Portal
from lk_portal.services.push import ClaimedPush
from lk_portal.settings import KNOWN_LOCALES, Settings

QUEUE = "push"
JOB = "send_pushes"
BATCH_SIZE = 50
BATCHES_AT_ONCE = 2
PLANNED_AT_ONCE = 500
LONGEST_WAIT_S = 300

TEXTS = {
    NotificationKind.ANSWER: N_("A new answer to your request"),
    NotificationKind.CRITICAL_EVENT: N_("A critical event of a meter"),
    NotificationKind.WARNING_EVENT: N_("A warning of a meter"),
    NotificationKind.UNUSUAL_CONSUMPTION: N_("Consumption above your threshold"),
    NotificationKind.VERIFICATION_DUE: N_("A meter is due for verification"),
}
"""Fit for a locked screen that anybody may look at: no name, no address, no figure."""

log = logging.getLogger(__name__)

MakeSender = Callable[[Settings], PushSender]


class Pushing:
    """This process's part in the sending.

    Args:
        portal: Settings, database, clock.
        make_sender: What speaks to push services, made anew for each batch.

    Attributes:
        queue: The batches on their way.
        is_stopping: Set when no more messages shall be begun.
    """

    def __init__(self, portal: Portal, *, make_sender: MakeSender = WebSender) -> None:
        self._portal = portal
        self._make_sender = make_sender
        self.queue = BatchQueue(QUEUE, job=JOB, longest_wait_s=LONGEST_WAIT_S)
        self.is_stopping = False

    async def plan(self) -> int:
        """Put due messages that are not on their way into the queue; gives the number of batches."""
        database, now = self._portal.database, self._portal.clock()
        if not await push.due(database, now=now, limit=1):
            self.queue.note_empty()
            return 0
        busy = await self.queue.in_flight()
        waiting = await push.due(database, now=now, limit=PLANNED_AT_ONCE, without=busy)
        batches = [list(waiting[at : at + BATCH_SIZE]) for at in range(0, len(waiting), BATCH_SIZE)]
        for batch in batches:
            await DBOS.enqueue_workflow_async(QUEUE, send_pushes, batch)
        return len(batches)

    async def run_batch(self, job_id: str, ids: Sequence[int]) -> Counter[str]:
        """Send those of `ids` that are still due, some at a time."""
        task = asyncio.current_task()
        if self.is_stopping or task is None:
            return Counter()
        with self.queue.noted(job_id, task):
            sender, places = self._make_sender(self._portal.settings), asyncio.Semaphore(AT_ONCE)
            try:
                return Counter(await asyncio.gather(*(self._send(sender, places, one) for one in ids)))
            finally:
                await sender.close()

    async def _send(self, sender: PushSender, places: asyncio.Semaphore, message_id: int) -> str:
        async with places:
            if self.is_stopping:
                return "skipped"
            try:
                return await self._send_one(sender, message_id)
            except StorageError:
                # What was claimed is due again when the claim is over; the planner tells of the database.
                log.error("push.not_stored")
                return "skipped"

    async def _send_one(self, sender: PushSender, message_id: int) -> str:
        database, now = self._portal.database, self._portal.clock()
        claimed = await push.claim(database, message_id, now=now)
        if claimed is None:
            return "skipped"
        answer = await self._hand_in(sender, claimed)
        extra = {"push": claimed.id, "kind": claimed.kind, "reason": answer.reason}
        if answer.verdict is Verdict.GONE:
            await push.forget_subscription(database, claimed)
            log.info("push.device.gone", extra=extra)
        elif answer.verdict is Verdict.NOT_NOW:
            await push.put_off(database, claimed, now=self._portal.clock(), at_least=answer.wait)
            log.warning("push.not_taken", extra=extra)
        else:
            await push.forget(database, claimed)
            level = logging.INFO if answer.verdict is Verdict.TAKEN else logging.ERROR
            log.log(level, f"push.{answer.verdict.name.lower()}", extra=extra)
        return answer.verdict.name.lower()

    async def _hand_in(self, sender: PushSender, claimed: ClaimedPush) -> Answer:
        try:
            message = outgoing(claimed, self._portal.settings)
            return await sender.send(message, now=self._portal.clock())
        except Exception as error:  # one message with something wrong must not hold the others up
            return Answer(Verdict.REFUSED, f"error {report(error)}")


def outgoing(claimed: ClaimedPush, settings: Settings) -> OutgoingPush:
    """The message in the language the browser's page had when it was subscribed."""
    locale = claimed.locale if claimed.locale in KNOWN_LOCALES else settings.locale
    with using_locale(locale):
        body = _(TEXTS[claimed.kind])
    shown = {
        "title": settings.utility_name,
        "body": body,
        "page": claimed.page,
        "tag": claimed.kind.value,
        "lang": locale,
    }
    return OutgoingPush(
        endpoint=claimed.endpoint,
        p256dh=claimed.p256dh,
        auth=claimed.auth,
        topic=claimed.kind.value,
        payload=json.dumps(shown, ensure_ascii=False).encode(),
    )


class _Active:
    pushing: Pushing | None = None


def activate(pushing: Pushing | None) -> None:
    """Say who runs the batches that DBOS takes out of the queue in this process."""
    _Active.pushing = pushing


@DBOS.workflow(name=JOB)
async def send_pushes(ids: list[int]) -> dict[str, int]:
    """One job of the queue: see `Pushing.run_batch`."""
    pushing, job_id = _Active.pushing, DBOS.workflow_id
    if pushing is None or job_id is None:
        return {}
    return dict(await pushing.run_batch(job_id, ids))
