"""The sending of letters as durable jobs: what is due becomes batches, a batch goes over one connection.

Only the worker uses it. A batch may be run twice, and by two workers: each letter is claimed in a committed
transaction before anything goes over the network, so it is sent by one of them. A process that is killed
between the server's "250" and our mark leaves a letter that is sent once more; nothing is lost.

Temporary passwords and codes are made here, after the connection stands and right before the letter goes, so
that they are nowhere in clear but in the letter. Another attempt makes another one. Such letters are
different letters, with a Message-ID for each attempt: a mail server that takes the second for a copy of the
first would throw the valid password away. All others keep theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from dbos import DBOS

from lk_portal.errors import StorageError
from lk_portal.jobs.batches import BatchQueue
from lk_portal.jobs.post import NotTakenError, Outgoing, Post, PostLimits, RefusedError, open_post
from lk_portal.letters.message import Draft, compose
from lk_portal.logs import report
from lk_portal.models import LetterStatus
from lk_portal.services import email_change, letters, temporary_passwords
from lk_portal.services.context import Portal
from lk_portal.services.letters import WITH_CODE, WITH_SECRET, ClaimedLetter

QUEUE = "mail"
JOB = "send_letters"
BATCH_SIZE = 20
BATCHES_AT_ONCE = 2
PLANNED_AT_ONCE = 200
LONGEST_WAIT_S = 300
MAX_TROUBLES = 2
"""So often may one batch lose its connection before it leaves the rest to the next."""
MARK_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)

log = logging.getLogger(__name__)


class Result(StrEnum):
    """What a batch did with a letter."""

    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"
    DROPPED = "dropped"
    SKIPPED = "skipped"


class Mailing:
    """This process's part in the sending.

    Args:
        portal: Settings, database, clock.
        limits: How long a mail server may take.

    Attributes:
        queue: The batches on their way.
        is_stopping: Set when no more letters shall be begun.
    """

    def __init__(self, portal: Portal, *, limits: PostLimits | None = None) -> None:
        self._portal = portal
        self._limits = limits or PostLimits()
        self._is_server_there = True
        self.queue = BatchQueue(QUEUE, job=JOB, longest_wait_s=LONGEST_WAIT_S)
        self.is_stopping = False

    async def plan(self) -> int:
        """Put due letters that are not on their way into the queue; gives the number of batches.

        Two workers may plan the same letters at the same time: the second batch finds them claimed.
        """
        database, now = self._portal.database, self._portal.clock()
        if not await letters.due(database, now=now, limit=1):
            self.queue.note_empty()
            return 0
        busy = await self.queue.in_flight()
        waiting = await letters.due(database, now=now, limit=PLANNED_AT_ONCE, without=busy)
        batches = [list(waiting[at : at + BATCH_SIZE]) for at in range(0, len(waiting), BATCH_SIZE)]
        for batch in batches:
            await DBOS.enqueue_workflow_async(QUEUE, send_letters, batch)
        return len(batches)

    async def run_batch(self, job_id: str, ids: Sequence[int]) -> Counter[Result]:
        """Send those of `ids` that are still due."""
        task = asyncio.current_task()
        if self.is_stopping or task is None:
            return Counter()
        with self.queue.noted(job_id, task):
            post = open_post(self._portal.settings, self._limits)
            try:
                return await self._send_all(post, ids)
            except StorageError:
                # What was claimed is due again when the claim is over; the planner tells of the database.
                log.error("mail.not_stored")
                return Counter()
            finally:
                await post.close()

    async def forget_old(self) -> None:
        """Delete letters and files older than `letters_keep_days`: they hold personal data."""
        settings, now = self._portal.settings, self._portal.clock()
        before = now - timedelta(days=settings.letters_keep_days)
        await letters.forget_old(self._portal.database, before=before)
        for path in settings.letters_dir.glob("*.eml"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    async def _send_all(self, post: Post, ids: Sequence[int]) -> Counter[Result]:
        results: Counter[Result] = Counter()
        troubles = 0
        for position, letter_id in enumerate(ids):
            if self.is_stopping or troubles >= MAX_TROUBLES:
                break
            is_ready = post.is_open and position > 0
            if not is_ready and not await self._open(post, ids[position:]):
                results[Result.FAILED] += len(ids) - position
                break
            results[await self._send(post, letter_id)] += 1
            troubles += not post.is_open
        return results

    async def _open(self, post: Post, ids: Sequence[int]) -> bool:
        """Open the post; when that fails, all of `ids` have failed once more."""
        try:
            await post.open()
        except NotTakenError as error:
            self._note_server(str(error))
            dead = await letters.postpone(
                self._portal.database, ids, now=self._portal.clock(), reason=str(error)
            )
            if dead:
                log.error("mail.given_up", extra={"letters": dead})
            return False
        self._note_server("")
        return True

    async def _send(self, post: Post, letter_id: int) -> Result:
        """Claim one letter, make it, hand it in, and write down what came of it."""
        database = self._portal.database
        letter = await letters.claim(database, letter_id, now=self._portal.clock())
        if letter is None:
            return Result.SKIPPED
        try:
            outgoing = await self._make(letter)
            if outgoing is None:
                await letters.mark_dropped(database, letter)
                return Result.DROPPED
            await post.hand_in(outgoing)
        except RefusedError as error:
            return await self._give_up(letter, str(error))
        except NotTakenError as error:
            return await self._put_off(letter, str(error))
        except StorageError:
            raise
        except Exception as error:  # one letter that cannot be made must not hold the others up
            return await self._give_up(letter, f"error {report(error)}")
        await self._mark_sent(letter)
        log.info("mail.sent", extra={"letter": letter.id, "kind": letter.kind, "attempts": letter.attempts})
        return Result.SENT

    async def _make(self, letter: ClaimedLetter) -> Outgoing | None:
        """Compose the letter; None when it is not wanted any more."""
        settings = self._portal.settings
        secret = await self._secret(letter) if letter.kind in WITH_SECRET else None
        if letter.kind in WITH_SECRET and secret is None:
            return None
        draft = Draft(
            kind=letter.kind,
            locale=letter.locale,
            data=letter.data,
            to_address=letter.to_address,
            message_id=letter.message_id if secret is None else f"{letter.message_id}.{letter.attempts}",
            secret=secret,
        )
        return Outgoing(
            message=compose(settings, draft, now=self._portal.clock()),
            sender=settings.mail_sender[1],
            recipient=letter.to_address,
            name=f"{letter.created_at:%Y%m%dT%H%M%SZ}-{letter.id:06}-{letter.kind}",
        )

    async def _secret(self, letter: ClaimedLetter) -> str | None:
        """Make the letter's password or code; None when nobody wants it, or not at this address any more."""
        database, settings, now = self._portal.database, self._portal.settings, self._portal.clock()
        if letter.user_id is None:
            return None
        if letter.kind in WITH_CODE:
            return await email_change.renew_code(
                database, settings, user_id=letter.user_id, to_address=letter.to_address, now=now
            )
        # Asked before, so as not to make a valid password void for nothing, and after: the person may have
        # chosen another e-mail in between, and whoever reads the old one's mail must not get it.
        if not await letters.is_persons_address(database, letter):
            return None
        password = await temporary_passwords.renew(database, settings, user_id=letter.user_id, now=now)
        return password if await letters.is_persons_address(database, letter) else None

    async def _give_up(self, letter: ClaimedLetter, reason: str) -> Result:
        await letters.mark_dead(self._portal.database, letter, reason=reason)
        log.error("mail.given_up", extra={"letter": letter.id, "kind": letter.kind})
        return Result.DEAD

    async def _put_off(self, letter: ClaimedLetter, reason: str) -> Result:
        status = await letters.mark_failed(
            self._portal.database, letter, now=self._portal.clock(), reason=reason
        )
        extra = {"letter": letter.id, "kind": letter.kind, "attempts": letter.attempts}
        if status is LetterStatus.DEAD:
            log.error("mail.given_up", extra=extra)
            return Result.DEAD
        log.warning("mail.not_taken", extra=extra)
        return Result.FAILED

    async def _mark_sent(self, letter: ClaimedLetter) -> None:
        """Write down that it is sent; a database that is away for a moment must not make it go twice."""
        for pause_s in MARK_PAUSES_S:
            try:
                await letters.mark_sent(self._portal.database, letter, now=self._portal.clock())
            except StorageError:
                await asyncio.sleep(pause_s)
            else:
                return
        await letters.mark_sent(self._portal.database, letter, now=self._portal.clock())

    def _note_server(self, trouble: str) -> None:
        """Only the beginning and the end of an outage are worth a line."""
        if trouble and self._is_server_there:
            log.error("mail.server.away", extra={"reason": trouble})
        elif not trouble and not self._is_server_there:
            log.warning("mail.server.back")
        self._is_server_there = not trouble


class _Active:
    mailing: Mailing | None = None


def activate(mailing: Mailing | None) -> None:
    """Say who runs the batches that DBOS takes out of the queue in this process."""
    _Active.mailing = mailing


@DBOS.workflow(name=JOB)
async def send_letters(ids: list[int]) -> dict[str, int]:
    """One job of the queue: see `Mailing.run_batch`."""
    mailing, job_id = _Active.mailing, DBOS.workflow_id
    if mailing is None or job_id is None:
        return {}
    return {str(result): count for result, count in (await mailing.run_batch(job_id, ids)).items()}
