"""`lk import readings`: what registers showed, from a file. For commands and jobs.

Consumption follows from them as from polled ones: each is compared with the newest accepted one of its
register. So the order of the file does not matter, but a reading older than what is known already is kept and
counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_
from lk_portal.metering.types import Quantity, RegisterValue, Snapshot
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services import audit
from lk_portal.services.imports.cells import QUANTITIES, energy, moment, number, word
from lk_portal.services.imports.meters import Meters
from lk_portal.services.imports.source import MAX_NAMED, CellError, Complaints, Line, batches
from lk_portal.services.imports.spool import Numbers, SortedReadings
from lk_portal.services.imports.work import Conflict, ImportReport, Job, Phase
from lk_portal.services.read_context import MeterContext, load_context
from lk_portal.services.readings import store_snapshots
from lk_portal.services.staging import Row, fetch

COLUMNS = ("meter_serial", "quantity", "zone", "taken_at", "value_wh")
MAX_ZONE = 8
SNAPSHOTS_AT_ONCE = 5000
_METERS_AT_ONCE = 10_000


async def import_readings_file(job: Job) -> ImportReport:
    """Store the readings of a file and what follows from them, all or none.

    Raises:
        InputError: It is no such file.
        BadLinesError: Some lines cannot be taken; nothing was written.
        StorageError: The database could not keep them; nothing was written.
    """
    with SortedReadings() as readings:
        meters = Meters(job.database)
        rows = await _check(job, meters, readings)
        serials = {meter.meter_id: serial for serial, meter in meters.items()}
        return await _write(job, readings, serials, rows)


async def _check(job: Job, meters: Meters, readings: SortedReadings) -> int:
    complaints, rows = Complaints(), 0
    for batch in batches(job.path, COLUMNS, complaints):
        await meters.learn({cells[0] for _number, cells in batch})
        readings.add(_rows(batch, meters, complaints, to_milliseconds(job.now)))
        rows += len(batch)
        job.progress(Phase.CHECKED, rows)
    lines, count = readings.contradictory_lines(MAX_NAMED)
    for line in lines:
        complaints.add(line, (), CellError("value_wh", N_("another line has another value for that moment")))
    complaints.count += count - len(lines)
    complaints.refuse()
    return rows


def _rows(batch: Iterable[Line], meters: Meters, complaints: Complaints, now_ms: int) -> Iterator[Numbers]:
    for line, cells in batch:
        try:
            yield *_row(cells, meters, now_ms), line
        except CellError as error:
            complaints.add(line, cells, error)


def _row(cells: Sequence[str], meters: Meters, now_ms: int) -> Numbers:
    serial, quantity, zone, taken_at, value = cells
    meter = meters.named(serial)
    at_ms = moment(taken_at, "taken_at")
    row = (
        at_ms,
        meter.meter_id,
        word(QUANTITIES, quantity, "quantity"),
        number(zone, "zone", most=MAX_ZONE),
        energy(value, "value_wh"),
    )
    if at_ms > now_ms:
        raise CellError("taken_at", N_("lies in the future"))
    if meter.point_at(at_ms) is None:
        raise CellError("taken_at", N_("the meter stood at no metering point then"))
    return row


@dataclass(slots=True)
class _Tally:
    """What came of the readings so far."""

    rows: int = 0
    inserted: int = 0
    doubtful: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    conflict_count: int = 0

    def note_conflicts(self, found: Sequence[Row], serials: dict[int, str]) -> None:
        """Take rows of `_CONTRADICTED`; the first are named by their meters' serial numbers."""
        self.conflict_count += len(found)
        self.conflicts += [
            Conflict(serials[meter], Quantity(kind), from_milliseconds(at_ms), stored_wh, given_wh)
            for meter, kind, at_ms, stored_wh, given_wh in found[: max(0, MAX_NAMED - len(self.conflicts))]
        ]


async def _write(job: Job, readings: SortedReadings, serials: dict[int, str], rows: int) -> ImportReport:
    tally = _Tally()
    async with job.writing(audit.READINGS_IMPORTED) as connection:
        contexts = await _contexts(connection, readings.meters())
        snapshots = _snapshots(readings.rows())
        while some := list(islice(snapshots, SNAPSHOTS_AT_ONCE)):
            batch = await store_snapshots(connection, some, contexts, now=job.now)
            tally.rows += sum(len(snapshot.registers) for _meter, snapshot in some)
            tally.inserted += batch.inserted
            tally.doubtful += len(batch.doubts)
            tally.note_conflicts(await fetch(connection, _CONTRADICTED), serials)
            job.progress(Phase.WRITTEN, tally.rows)
    return ImportReport(
        rows,
        tally.inserted,
        conflicts=tuple(tally.conflicts),
        conflict_count=tally.conflict_count,
        doubtful=tally.doubtful,
    )


async def _contexts(connection: AsyncConnection, meters: Sequence[int]) -> dict[int, MeterContext]:
    """All meters of the file, locked in order; they are carried along, so each is read once."""
    found: dict[int, MeterContext] = {}
    for start in range(0, len(meters), _METERS_AT_ONCE):
        found |= await load_context(connection, meters[start : start + _METERS_AT_ONCE])
    return found


def _snapshots(rows: Iterable[Numbers]) -> Iterator[tuple[int, Snapshot]]:
    """Registers that were read together, oldest first."""
    for (at_ms, meter_id), group in groupby(rows, key=lambda row: row[:2]):
        registers = tuple(RegisterValue(Quantity(row[2]), row[3], row[4]) for row in group)
        yield meter_id, Snapshot(from_milliseconds(at_ms), registers)


# What was just staged is there still: `store_snapshots` stages the readings once.
_CONTRADICTED = """
SELECT s.meter_id, s.quantity, s.at_ms, r.value_wh, s.value_wh
FROM stage_reading s JOIN register_reading r ON r.meter_id = s.meter_id AND r.quantity = s.quantity
  AND r.zone = s.zone AND r.taken_at = MS(s.at_ms)
WHERE r.value_wh <> s.value_wh ORDER BY s.seq
"""
