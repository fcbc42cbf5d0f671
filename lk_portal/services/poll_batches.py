"""The polling queue as other processes may see it: `jobs.polling` notes each batch, the staff's page asks.

The queue is kept by the jobs; this is a copy of what happens in it, so nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, insert, select, update

from lk_portal.models import PollBatch
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

LOST_AFTER = timedelta(minutes=20)
"""A batch that is not done by then was planned anew: its process has died."""
LOOKED_BACK = timedelta(hours=1)
KEPT_FOR = timedelta(days=1)

_batch = table_of(PollBatch)
_c = _batch.c


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue now, and the last hour of it.

    Attributes:
        waiting: Batches nobody has begun.
        waiting_meters: Meters in them.
        running: Batches that are being read.
        running_meters: Meters in them.
        done: Batches of the last hour.
        read: Meters read in them.
        failed: Meters that could not be read in them.
        mean_s: From being due to being stored, seconds on the average; None: no batch was done.
        longest_s: The same of the slowest batch.
        last_at: When the last one was done, aware UTC.
    """

    waiting: int
    waiting_meters: int
    running: int
    running_meters: int
    done: int
    read: int
    failed: int
    mean_s: float | None
    longest_s: float | None
    last_at: datetime | None


async def note_enqueued(database: Database, job_id: str, *, meters: int, now: datetime) -> None:
    """A batch of so many meters was put into the queue; perhaps somebody is at it already.

    Raises:
        StorageError: It could not be written.
    """
    row = {"job_id": job_id, "meters": meters, "enqueued_at": now, "read": 0, "failed": 0}
    async with database.writing() as connection:
        changed = await connection.execute(
            update(_batch).where(_c.job_id == job_id).values(meters=meters, enqueued_at=now)
        )
        if not changed.rowcount:
            await connection.execute(insert(_batch).values(row))


async def note_started(database: Database, job_id: str, *, now: datetime) -> None:
    """Somebody reads a batch; perhaps again, after another process died of it.

    Raises:
        StorageError: It could not be written.
    """
    row = {"job_id": job_id, "meters": 0, "enqueued_at": now, "started_at": now, "read": 0, "failed": 0}
    async with database.writing() as connection:
        changed = await connection.execute(update(_batch).where(_c.job_id == job_id).values(started_at=now))
        if not changed.rowcount:
            await connection.execute(insert(_batch).values(row))


async def note_finished(database: Database, job_id: str, *, read: int, failed: int, now: datetime) -> None:
    """A batch was read, and is stored.

    Raises:
        StorageError: It could not be written.
    """
    values = {"finished_at": now, "read": read, "failed": failed}
    async with database.writing() as connection:
        await connection.execute(update(_batch).where(_c.job_id == job_id).values(values))


async def forget_old(database: Database, *, now: datetime) -> None:
    """Delete what is of no interest any more."""
    async with database.writing() as connection:
        await connection.execute(delete(_batch).where(_c.enqueued_at < now - KEPT_FOR))


async def queue_at(database: Database, *, now: datetime) -> Queue:
    """The queue at `now` (aware UTC): one look at an hour of batches, by an index."""
    is_open = _c.finished_at.is_(None) & (_c.enqueued_at > now - LOST_AFTER)
    is_waiting, is_running = is_open & _c.started_at.is_(None), is_open & _c.started_at.is_not(None)
    query = select(
        func.count(case((is_waiting, 1))),
        func.sum(case((is_waiting, _c.meters), else_=0)),
        func.count(case((is_running, 1))),
        func.sum(case((is_running, _c.meters), else_=0)),
    ).where(_c.enqueued_at > now - LOST_AFTER)
    done = select(_c.enqueued_at, _c.finished_at, _c.read, _c.failed).where(
        _c.enqueued_at > now - LOOKED_BACK, _c.finished_at.is_not(None)
    )
    async with database.reading() as connection:
        waiting = (await connection.execute(query)).one()
        rows = (await connection.execute(done)).all()
    took = [(row.finished_at - row.enqueued_at).total_seconds() for row in rows]
    return Queue(
        waiting[0],
        int(waiting[1] or 0),
        waiting[2],
        int(waiting[3] or 0),
        len(rows),
        sum(row.read for row in rows),
        sum(row.failed for row in rows),
        sum(took) / len(took) if took else None,
        max(took, default=None),
        max((row.finished_at for row in rows), default=None),
    )
