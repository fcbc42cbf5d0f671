"""Reads a load profile that lies as a ring of records in a Modbus meter. For `metering.modbus`.

Records are found by their stamps, not by counting: a time without power has no records, so those before it
stand closer than the clock would tell. They get older with their distance from the newest one, and an hour
takes its place among four months of half hours in a dozen questions. What is read lies side by side and comes
in as few answers as the protocol allows. Positions do not move while new records come, so nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lk_portal.errors import N_, ClockWrongError, DataInvalidError, UnsupportedError
from lk_portal.metering.maps import RegisterMap
from lk_portal.metering.profile_decode import (
    moments_of,
    records_of,
    stamped,
    wall_time,
    without_doubles,
    zone_of,
)
from lk_portal.metering.types import LoadProfile, ProfileRecord

NO_RECORD = 0xFFFF
"""The number of the newest record of an empty ring."""
CLOCK_LEEWAY = 10
"""A clock may be wrong by so small a part of an interval: more would move energy between intervals."""


@dataclass(frozen=True, slots=True)
class Question:
    """Words to ask a meter for.

    Attributes:
        function: Modbus function: 3, 4, or 20 for a file.
        address: The first word, as sent; in a file the number of the record.
        count: How many.
        file: Number of the file.
    """

    function: int
    address: int
    count: int
    file: int = 0


Ask = Callable[[Question], Awaitable[Sequence[int]]]


def profile_in(register_map: RegisterMap) -> LoadProfile | None:
    """What the meters of a model keep of the past, by their map."""
    ring = register_map.profile
    if ring is None:
        return None
    return LoadProfile(
        interval=ring.interval,
        depth=ring.interval * ring.records,
        quantities=frozenset(value.quantity for value in ring.values),
        resolution_wh=max(value.resolution_wh(0) for value in ring.values),
    )


class RingReader:
    """Reads one span of one meter's ring.

    Args:
        register_map: Of its model.
        options: Of its connection.
        ask: Puts a question to the meter.
        clock: Aware UTC now.

    Raises:
        UnsupportedError: The model has no profile, or its clock's time zone is not known.
    """

    def __init__(
        self,
        register_map: RegisterMap,
        options: Mapping[str, str],
        *,
        ask: Ask,
        clock: Callable[[], datetime],
    ) -> None:
        if register_map.profile is None:
            raise UnsupportedError(N_("Not supported: the meter keeps no load profile"))
        self._ring = register_map.profile
        self._function = int(register_map.function)
        self._order = register_map.word_order
        self._zone = zone_of(self._ring, options)
        self._ask = ask
        self._clock = clock
        self._newest = 0

    async def read(self, start: datetime, end: datetime) -> tuple[ProfileRecord, ...]:
        """The records of intervals in [start, end), aware UTC, oldest first.

        Raises:
            ClockWrongError: By the meter's clock, records would belong to other times.
            DataInvalidError: The meter names a record that the ring has not.
            MeterError: It could not be asked.
        """
        await self._check_clock()
        end = min(end, self._clock() + self._ring.interval / CLOCK_LEEWAY)
        age = await self._oldest_since(start)
        found: list[ProfileRecord] = []
        # A ring out of order, after its clock was set, must not be read from end to end.
        least = (age or 0) - 2 * ((end - start) // self._ring.interval + 1)
        while age is not None and age >= max(0, least):
            run = await self._run(age)
            for record in run:
                when = stamped(self._ring, self._order, record, self._zone)
                if when is not None and start <= when.start and when.end <= end:
                    found += records_of(self._ring, self._order, record, self._zone)
            last = stamped(self._ring, self._order, run[-1], self._zone)
            age = None if last is not None and last.end >= end else age - len(run)
        return without_doubles(found)

    async def _check_clock(self) -> None:
        ring = self._ring
        words = await self._ask(Question(self._function, ring.clock_address, ring.stamp.words))
        wall, now = wall_time(ring, self._order, words), self._clock()
        if wall is None:
            raise DataInvalidError(N_("Impossible value: {register} = {value}"), register="clock", value="-")
        moments = moments_of(wall, self._zone) or {wall.replace(tzinfo=self._zone)}
        wrong_s = min(abs((at - now).total_seconds()) for at in moments)
        if wrong_s > ring.interval_s / CLOCK_LEEWAY:
            raise ClockWrongError(seconds=round(wrong_s))

    async def _oldest_since(self, start: datetime) -> int | None:
        """The age of the oldest record whose interval begins at or after `start`; None: there is none.

        The newest record has age 0. Without gaps the wanted one has the age that the clock tells, with gaps
        a lower one.
        """
        (newest,) = await self._ask(Question(self._function, self._ring.newest_address, 1))
        if newest == NO_RECORD:
            return None
        if newest >= self._ring.records:
            raise DataInvalidError(
                N_("Impossible value: {register} = {value}"), register="newest", value=newest
            )
        self._newest = newest
        first = await self._start_of(0)
        if first is None or first < start:
            return None
        by_clock = min((first - start) // self._ring.interval, self._ring.records - 1)
        if await self._is_since(by_clock, start):
            return by_clock
        is_in, is_out = 0, by_clock
        while is_out - is_in > 1:
            middle = (is_in + is_out) // 2
            if await self._is_since(middle, start):
                is_in = middle
            else:
                is_out = middle
        return is_in

    async def _is_since(self, age: int, start: datetime) -> bool:
        begins = await self._start_of(age)
        return begins is not None and begins >= start

    async def _start_of(self, age: int) -> datetime | None:
        (record,) = await self._run(age, most=1)
        when = stamped(self._ring, self._order, record, self._zone)
        return when.start if when else None

    async def _run(self, age: int, *, most: int | None = None) -> list[Sequence[int]]:
        """Records from `age` on towards the newest, as many as one answer holds."""
        ring = self._ring
        position = (self._newest - age) % ring.records
        count = min(ring.run_from(position), age + 1, most or ring.records)
        file, address = ring.place(position)
        words = await self._ask(Question(int(ring.function), address, count * ring.record_words, file))
        return [words[i : i + ring.record_words] for i in range(0, len(words), ring.record_words)]
