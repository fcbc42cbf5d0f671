"""The copy of the polling queue, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lk_portal.services import poll_batches
from lk_portal.services.database import Database
from lk_portal.services.poll_batches import queue_at

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


async def test_a_batch_waits_runs_and_is_done(database: Database) -> None:
    assert (await queue_at(database, now=NOW)).mean_s is None
    await poll_batches.note_enqueued(database, "one", meters=250, now=NOW)
    await poll_batches.note_enqueued(database, "two", meters=10, now=NOW)
    await poll_batches.note_started(database, "two", now=NOW + SECOND)

    found = await queue_at(database, now=NOW + SECOND)
    assert (found.waiting, found.waiting_meters, found.running, found.running_meters) == (1, 250, 1, 10)

    done_at = NOW + 3 * SECOND
    await poll_batches.note_finished(database, "two", read=9, failed=1, now=done_at)
    found = await queue_at(database, now=done_at)
    assert (found.running, found.done, found.read, found.failed) == (0, 1, 9, 1)
    assert (found.mean_s, found.longest_s, found.last_at) == (3.0, 3.0, done_at)


async def test_one_that_was_begun_before_it_was_noted_is_kept_once(database: Database) -> None:
    await poll_batches.note_started(database, "one", now=NOW)
    await poll_batches.note_enqueued(database, "one", meters=7, now=NOW)

    found = await queue_at(database, now=NOW)
    assert (found.waiting, found.running, found.running_meters) == (0, 1, 7)


async def test_a_lost_batch_does_not_wait_for_ever_and_old_ones_are_forgotten(database: Database) -> None:
    await poll_batches.note_enqueued(database, "lost", meters=7, now=NOW)
    assert (await queue_at(database, now=NOW)).waiting == 1
    assert (await queue_at(database, now=NOW + HOUR)).waiting == 0

    await poll_batches.note_finished(database, "lost", read=7, failed=0, now=NOW)
    assert (await queue_at(database, now=NOW)).done == 1
    await poll_batches.forget_old(database, now=NOW + 25 * HOUR)
    assert (await queue_at(database, now=NOW)).done == 0
