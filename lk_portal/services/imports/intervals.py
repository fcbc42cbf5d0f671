"""`lk import intervals`: the energy of hours or shorter times, from a file. For commands and jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_
from lk_portal.metering.types import Quality
from lk_portal.models.types import to_milliseconds
from lk_portal.services import audit
from lk_portal.services.imports.cells import QUALITIES, QUANTITIES, Energies, Moments, energy, moment, word
from lk_portal.services.imports.meters import KnownMeter, Meters
from lk_portal.services.imports.source import CellError, Complaints, Line, batches
from lk_portal.services.imports.spool import Numbers, Spool
from lk_portal.services.imports.work import Conflict, ImportReport, Job, Phase
from lk_portal.services.intervals import (
    CHUNK_ROWS,
    MAX_DURATION_S,
    Contradiction,
    StoreReport,
    store_intervals,
)
from lk_portal.services.point_clocks import lock_clocks

COLUMNS = ("meter_serial", "quantity", "start", "end", "value_wh", "quality")
_MISSING = int(Quality.MISSING)
_WIDTH, _OF_INTERVAL = 9, 8
_LOCKED_AT_ONCE = 10_000
Key = tuple[int, int]


async def import_intervals_file(job: Job) -> ImportReport:
    """Store the intervals of a file, all or none.

    Raises:
        InputError: It is no such file.
        BadLinesError: Some lines cannot be taken; nothing was written.
        StorageError: The database could not keep them; nothing was written.
    """
    with Spool(_WIDTH) as spool:
        check = _Check(job, spool)
        await check.run()
        return await _write(job, spool, check)


class _Check:
    """The first pass: every line is understood, or named."""

    def __init__(self, job: Job, spool: Spool) -> None:
        self.meters = Meters(job.database)
        self.complaints = Complaints()
        self.points: set[int] = set()
        self.rows = 0
        self._job, self._spool = job, spool
        self._now_ms = to_milliseconds(job.now)
        self._moments, self._energies = Moments(), Energies()
        self._grids: dict[Key, tuple[int, int]] = {}
        self._mixed: set[Key] = set()

    async def run(self) -> None:
        """Check all lines.

        Raises:
            InputError: It is no such file.
            BadLinesError: Some cannot be taken.
        """
        for batch in batches(self._job.path, COLUMNS, self.complaints):
            await self.meters.learn({cells[0] for _number, cells in batch})
            rows = list(self._rows(batch))
            self._spool.add(rows)
            self._note_grids(rows)
            self.rows += len(batch)
            self._job.progress(Phase.CHECKED, self.rows)
        self.complaints.refuse()
        self._refuse_crossing()

    def _rows(self, batch: Iterable[Line]) -> Iterator[Numbers]:
        """The plain lines at the interpreter's best speed; `_row` understands the others, or says why not."""
        meters, moments, energies = self.meters, self._moments, self._energies
        quantities, qualities = QUANTITIES, QUALITIES
        now_ms, serial, since_ms, until_ms, point = self._now_ms, "", 0, 0, 0
        for number, cells in batch:
            try:
                name, quantity, start, end, value, quality = cells
                start_ms, end_ms, code = moments[start], moments[end], qualities[quality]
                if name != serial:
                    serial = name
                    since_ms, until_ms, point = meters[name].places[-1]
                length_ms = end_ms - start_ms
                if (
                    since_ms <= start_ms < until_ms
                    and 1000 <= length_ms <= MAX_DURATION_S * 1000
                    and end_ms <= now_ms
                    and code != _MISSING
                ):
                    length_s, value_wh = length_ms // 1000, energies[value]
                    kind = quantities[quantity]
                    yield point, kind, start_ms, length_s, value_wh, length_s, code, 0, number
                    continue
            except (KeyError, IndexError, ValueError, OverflowError):
                serial = ""
            try:
                yield *self._row(cells), number
            except CellError as error:
                self.complaints.add(number, cells, error)

    def _row(self, cells: Sequence[str]) -> Numbers:
        """One line, with the reason if it cannot be taken."""
        serial, quantity, start, end, value, quality = cells
        meter = self.meters.named(serial)
        kind = word(QUANTITIES, quantity, "quantity")
        start_ms, end_ms = moment(start, "start"), moment(end, "end")
        code = word(QUALITIES, quality, "quality")
        value_wh = 0 if code == _MISSING and not value else energy(value, "value_wh")
        seconds = (end_ms - start_ms) // 1000
        if not 1 <= seconds <= MAX_DURATION_S:
            raise CellError("end", N_("an interval lasts from one second to one hour"))
        if end_ms > self._now_ms:
            raise CellError("end", N_("lies in the future"))
        point = _point(meter, start_ms, end_ms)
        if code == _MISSING:
            return point, kind, start_ms, seconds, 0, 0, code, 0
        return point, kind, start_ms, seconds, value_wh, seconds, code, 0

    def _note_grids(self, rows: Sequence[Numbers]) -> None:
        """Intervals of one length that begin in step cannot overlap; others are looked at more closely."""
        point, kind, due_ms, length_s = 0, 0, 0, 0
        for row in rows:
            if row[2] != due_ms or row[0] != point or row[1] != kind or row[3] != length_s:
                point, kind, _start, length_s, *_rest = row
                self.points.add(point)
                grid = (length_s, row[2] % (length_s * 1000))
                if self._grids.setdefault((point, kind), grid) != grid:
                    self._mixed.add((point, kind))
            due_ms = row[2] + length_s * 1000

    def _refuse_crossing(self) -> None:
        """Name the lines whose time another line has in part.

        Raises:
            BadLinesError: There are such.
        """
        if not self._mixed:
            return
        found: dict[Key, list[int]] = defaultdict(list)
        for rows in self._spool.batches(CHUNK_ROWS):
            for row in rows:
                if (row[0], row[1]) in self._mixed:
                    found[row[0], row[1]].append(_packed(row))
        for packed in found.values():
            for line in _crossing(packed):
                self.complaints.add(line, (), CellError("start", N_("another line has a part of this time")))
        self.complaints.refuse()


def _point(meter: KnownMeter, start_ms: int, end_ms: int) -> int:
    """Where the meter stood: when the interval began; in the hour of its installation, when it ended."""
    found = meter.point_at(start_ms)
    if found is None:
        found = meter.point_at(end_ms - 1)
    if found is None:
        raise CellError("start", N_("the meter stood at no metering point then"))
    return found


_LINE_BITS, _LENGTH_BITS = 40, 12


def _packed(row: Numbers) -> int:
    """Start, length and line in one number: a third of the memory of a tuple, and sorted as fast."""
    return (row[2] // 1000 << _LENGTH_BITS | row[3]) << _LINE_BITS | row[8]


def _crossing(packed: list[int]) -> Iterator[int]:
    """The lines, of one point and quantity, that begin in another's interval but not with it."""
    packed.sort()
    end_s = 0
    for before, number in pairwise([0, *packed]):
        start_s, length_s = _times(number)
        if start_s < end_s and start_s != _times(before)[0]:
            yield number & ((1 << _LINE_BITS) - 1)
        end_s = max(end_s, start_s + length_s)


def _times(number: int) -> tuple[int, int]:
    start_and_length = number >> _LINE_BITS
    return start_and_length >> _LENGTH_BITS, start_and_length & ((1 << _LENGTH_BITS) - 1)


async def _write(job: Job, spool: Spool, check: _Check) -> ImportReport:
    report = StoreReport()
    async with job.writing(audit.INTERVALS_IMPORTED) as connection:
        await _lock(connection, sorted(check.points))
        for rows in spool.batches(CHUNK_ROWS, width=_OF_INTERVAL):
            report += await store_intervals(connection, rows, now=job.now)
            job.progress(Phase.WRITTEN, report.rows)
    serials = _Serials(check.meters)
    return ImportReport(
        report.rows,
        report.inserted,
        report.replaced,
        tuple(serials.conflict(one) for one in report.contradictions),
        report.contradiction_count,
    )


async def _lock(connection: AsyncConnection, points: Sequence[int]) -> None:
    """All points at once and in order: two imports that lock them bit by bit would wait for each other."""
    for start in range(0, len(points), _LOCKED_AT_ONCE):
        await lock_clocks(connection, points[start : start + _LOCKED_AT_ONCE])


class _Serials:
    """Which meter stood at a point: contradictions are told by the names the file uses."""

    def __init__(self, meters: Meters) -> None:
        self._by_point: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for serial, meter in meters.items():
            for place in meter.places:
                self._by_point[place.point_id].append((place.since_ms, serial))

    def conflict(self, found: Contradiction) -> Conflict:
        """The contradiction with the meter's serial number."""
        at_ms = to_milliseconds(found.start)
        there = sorted(self._by_point[found.point_id])
        serial = next((name for since_ms, name in reversed(there) if since_ms <= at_ms), there[0][1])
        return Conflict(serial, found.quantity, found.start, found.stored_wh, found.given_wh)
