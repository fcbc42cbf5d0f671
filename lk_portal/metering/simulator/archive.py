"""The load profile of a simulated meter: what its registers grew by, kept in a ring as its map describes it.

It follows from the meter's curve and the time alone, like the registers themselves, so both always agree -
save for the faults that the meter is told to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lk_portal.metering.modbus_profile import NO_RECORD
from lk_portal.metering.profile_decode import encode_record, encode_stamp
from lk_portal.metering.profile_maps import ClockKind, ProfileMap, StampEdge

if TYPE_CHECKING:
    from lk_portal.metering.simulator.meter import SimulatedMeter

EMPTY = 0xFFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFaults:
    """What is wrong with a meter's load profile; the default is nothing. Times are aware.

    Attributes:
        unpowered: Spans of which there are no records.
        marked: Spans of records with this status: (start, end, status).
        percent: Its records say so much of what the registers counted.
        clock_off: How far its clock is ahead.
        is_silent: It does not answer questions for its records, while its registers are read.
        began: Its first interval; from the oldest that the ring can hold when not given.
    """

    unpowered: tuple[tuple[datetime, datetime], ...] = ()
    marked: tuple[tuple[datetime, datetime, int], ...] = ()
    percent: int = 100
    clock_off: timedelta = timedelta(0)
    is_silent: bool = False
    began: datetime | None = None


class SimulatedArchive:
    """The ring of one meter.

    Args:
        meter: Whose.
        ring: Where its map says that it lies.
        zone: What its clock shows where the map says "local".
    """

    def __init__(self, meter: SimulatedMeter, ring: ProfileMap, *, zone: str = "UTC") -> None:
        self.faults = ArchiveFaults()
        self.ring = ring
        self.zone = zone
        self._meter = meter

    def clock_words(self, at: datetime) -> tuple[int, ...]:
        """What the clock's registers hold at `at` (aware)."""
        wall = self._wall(at + self.faults.clock_off)
        return encode_stamp(self.ring, self._meter.register_map.word_order, wall)

    def newest_word(self, at: datetime) -> int:
        """The number of the newest record."""
        newest = self._count(self._interval_at(at) - 1)
        return (newest - 1) % self.ring.records if newest else NO_RECORD

    def file_words(self, at: datetime, file: int, first: int, count: int) -> tuple[int, ...] | None:
        """Words of a file; None where the meter has none."""
        number = file - self.ring.first
        per_file = self.ring.records_per_file
        if number < 0 or first + count > per_file * self.ring.record_words:
            return None
        begin = number * per_file * self.ring.record_words + first
        if begin + count > self.ring.records * self.ring.record_words:
            return None
        return self.words(at, begin, count)

    def words(self, at: datetime, first: int, count: int) -> tuple[int, ...]:
        """Words of the ring from word `first` on, at `at` (aware)."""
        size = self.ring.record_words
        positions = range(first // size, -(-(first + count) // size))
        found = [word for position in positions for word in self._record(at, position)]
        return tuple(found[first % size : first % size + count])

    def _record(self, at: datetime, position: int) -> Sequence[int]:
        newest = self._count(self._interval_at(at) - 1)
        number = newest - (newest - 1 - position) % self.ring.records
        if number < 1:
            return [EMPTY] * self.ring.record_words
        start = self._start(self._numbered(number, at))
        end = start + self.ring.interval
        energies = {value.quantity: self._energy(value.quantity, start, end) for value in self.ring.values}
        stamp = self._wall(end if self.ring.stamp_edge is StampEdge.END else start)
        order = self._meter.register_map.word_order
        return encode_record(self.ring, order, stamp, energies, self._status(start))

    def _energy(self, quantity: object, start: datetime, end: datetime) -> int:
        value_wh = self._meter.curve.value_wh
        grown = value_wh(end, quantity) - value_wh(start, quantity)  # type: ignore[arg-type]
        return grown * self.faults.percent // 100

    def _status(self, start: datetime) -> int:
        return next((status for a, b, status in self.faults.marked if a <= start < b), 0)

    def _wall(self, at: datetime) -> datetime:
        zone = ZoneInfo("UTC" if self.ring.clock is ClockKind.UTC else self.zone)
        return at.astimezone(zone).replace(tzinfo=None, microsecond=0)

    def _interval_at(self, at: datetime) -> int:
        """The number of the interval that has `at`, since 1970."""
        return (at - _EPOCH) // self.ring.interval

    def _start(self, interval: int) -> datetime:
        return _EPOCH + interval * self.ring.interval

    @property
    def _first(self) -> int:
        return self._interval_at(self.faults.began) if self.faults.began else 0

    def _count(self, interval: int) -> int:
        """How many records there are of intervals up to this one."""
        return max(0, interval - self._first + 1 - sum(self._lost(span, interval) for span in self._dark()))

    def _dark(self) -> list[range]:
        return [range(self._interval_at(a), self._interval_at(b)) for a, b in self.faults.unpowered]

    @staticmethod
    def _lost(span: range, until: int) -> int:
        return max(0, min(span.stop, until + 1) - span.start)

    def _numbered(self, number: int, at: datetime) -> int:
        """The interval of the record with this number, from 1."""
        low, high = self._first - 1, self._interval_at(at) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._count(middle) >= number:
                high = middle
            else:
                low = middle
        return high
