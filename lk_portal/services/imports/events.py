"""`lk import events`: the entries of meters' journals, from a file. For commands and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lk_portal.errors import N_
from lk_portal.metering.events import lookup
from lk_portal.models.types import to_milliseconds
from lk_portal.services import audit
from lk_portal.services.imports.cells import moment, number
from lk_portal.services.imports.meters import Meters
from lk_portal.services.imports.source import CellError, Complaints, Line, batches
from lk_portal.services.imports.spool import Numbers, Spool
from lk_portal.services.imports.work import ImportReport, Job, Phase
from lk_portal.services.staging import Row, StageTable, run, stage

COLUMNS = ("meter_serial", "occurred_at", "journal", "code")
MAX_JOURNAL, MAX_CODE = 255, 65_535
_WIDTH, _ROWS_AT_ONCE = 4, 20_000


async def import_events_file(job: Job) -> ImportReport:
    """Store the events of a file, all or none; those that are known already change nothing.

    How serious one is stands in the dictionary (`metering.events`); a code that it does not have is
    informational.

    Raises:
        InputError: It is no such file.
        BadLinesError: Some lines cannot be taken; nothing was written.
        StorageError: The database could not keep them; nothing was written.
    """
    with Spool(_WIDTH) as spool:
        rows = await _check(job, spool)
        return ImportReport(rows, await _write(job, spool))


async def _check(job: Job, spool: Spool) -> int:
    complaints, meters, rows = Complaints(), Meters(job.database), 0
    for batch in batches(job.path, COLUMNS, complaints):
        await meters.learn({cells[0] for _number, cells in batch})
        spool.add(_rows(batch, meters, complaints, to_milliseconds(job.now)))
        rows += len(batch)
        job.progress(Phase.CHECKED, rows)
    complaints.refuse()
    return rows


def _rows(batch: Iterable[Line], meters: Meters, complaints: Complaints, now_ms: int) -> Iterator[Numbers]:
    for line, cells in batch:
        try:
            yield _row(cells, meters, now_ms)
        except CellError as error:
            complaints.add(line, cells, error)


def _row(cells: Sequence[str], meters: Meters, now_ms: int) -> Numbers:
    serial, occurred_at, journal, code = cells
    meter_id = meters.named(serial).meter_id
    at_ms = moment(occurred_at, "occurred_at")
    if at_ms > now_ms:
        raise CellError("occurred_at", N_("lies in the future"))
    of, what = number(journal, "journal", most=MAX_JOURNAL), number(code, "code", most=MAX_CODE)
    return meter_id, at_ms, of, what


async def _write(job: Job, spool: Spool) -> int:
    inserted = written = 0
    now_ms = to_milliseconds(job.now)
    async with job.writing(audit.EVENTS_IMPORTED) as connection:
        for rows in spool.batches(_ROWS_AT_ONCE):
            await stage(connection, _STAGE_EVENT, [_staged(row, now_ms) for row in rows])
            inserted += await run(connection, _INSERT_EVENTS)
            written += len(rows)
            job.progress(Phase.WRITTEN, written)
    return inserted


def _staged(row: Numbers, now_ms: int) -> Row:
    return *row, lookup(row[2], row[3]).severity.value, now_ms


_STAGE_EVENT = StageTable(
    "stage_event",
    (
        ("meter_id", "INTEGER NOT NULL"),
        ("at_ms", "BIGINT NOT NULL"),
        ("journal", "INTEGER NOT NULL"),
        ("code", "INTEGER NOT NULL"),
        ("severity", "VARCHAR(32) NOT NULL"),
        ("received_ms", "BIGINT NOT NULL"),
    ),
    is_plain=False,
)
_INSERT_EVENTS = """
INSERT INTO meter_event (meter_id, occurred_at, journal, code, severity, received_at)
SELECT meter_id, MS(at_ms), journal, code, severity, MS(received_ms) FROM stage_event WHERE true
ORDER BY seq ON CONFLICT (meter_id, occurred_at, journal, code) DO NOTHING
"""
