"""What a register grew by over whole slots, from the readings around them. For `services.archive_fill`.

Readings seldom lie on the edge of a slot. There the register is interpolated between the readings around the
edge, as the poller does; how far that may be from the truth is known too: the energy between those two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import ConfigurationError
from lk_portal.metering.derive import Reading, Verdict, judge
from lk_portal.metering.maps import map_named
from lk_portal.metering.types import Quantity
from lk_portal.models import RegisterReading
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.read_context import MeterContext, Placement
from lk_portal.services.register_steps import Limits, limits_of
from lk_portal.services.tables import table_of

SUM_ZONE = 0
DEFAULT_RESOLUTION_WH = 1000
"""Registers are often read in whole kWh."""
_reading = table_of(RegisterReading).c


@dataclass(frozen=True, slots=True)
class Growth:
    """A register's growth over whole slots, Wh after ratios.

    Attributes:
        start_ms: Where the first slot begins.
        end_ms: Where the last one ends.
        grown_wh: From the first slot's beginning to the last one's end, as far as there are readings.
        uncertain_wh: So far it may be off, either way.
        is_begun: There is a reading at or before the beginning; if not, the first slot holds more than it.
        is_closed: There is a reading at or after the end; if not, the last slot does.
    """

    start_ms: int
    end_ms: int
    grown_wh: int
    uncertain_wh: int
    is_begun: bool
    is_closed: bool


class Registers:
    """The readings of one register of a meter, where it stood.

    Args:
        connection: Where from.
        meter: The meter.
        place: Where it stood; readings from elsewhere are another's.
        quantity: Of the register, which is the sum.
    """

    def __init__(
        self, connection: AsyncConnection, meter: MeterContext, place: Placement, quantity: Quantity
    ) -> None:
        self._connection = connection
        self._meter = meter
        self._place = place
        self._quantity = quantity
        self._limits: Limits = limits_of(meter.map_name, quantity, SUM_ZONE)

    async def growth_around(self, start_ms: int, end_ms: int) -> Growth | None:
        """What the register grew by over the slots that the readings around [start, end) touch.

        None where there is no reading before or after it, or the register fell or jumped in between: then it
        says nothing.
        """
        before, after = await self._before(start_ms), await self._after(end_ms)
        if before is None or after is None:
            return None
        clock = self._place.clock
        first_ms = clock.slot_at(to_milliseconds(before.at)).start_ms
        slot = clock.slot_at(to_milliseconds(after.at))
        last_ms = slot.start_ms if slot.start_ms == to_milliseconds(after.at) else slot.end_ms
        head, tail = await self._edge(first_ms), await self._edge(last_ms)
        begin, finish = head or _Edge.at_reading(before), tail or _Edge.at_reading(after)
        whole_wh = self._grown(begin.before, finish.after)
        if whole_wh is None or begin.energy_wh is None or finish.energy_wh is None:
            return None
        return Growth(
            first_ms,
            last_ms,
            self.scaled(whole_wh - begin.before_wh - finish.after_wh),
            self.scaled(begin.energy_wh + finish.energy_wh),
            is_begun=head is not None,
            is_closed=tail is not None,
        )

    def scaled(self, value_wh: int) -> int:
        """After КТТ x КТН, to the nearest Wh."""
        return round(self._place.ratio * value_wh)

    def resolution_wh(self, value_wh: int) -> int:
        """How exact the register is, Wh after ratios; a cautious guess where its map is not known."""
        try:
            register = map_named(self._meter.map_name).register(self._quantity)
        except ConfigurationError:
            register = None
        return self.scaled(register.resolution_wh(value_wh) if register else DEFAULT_RESOLUTION_WH)

    async def _edge(self, at_ms: int) -> _Edge | None:
        """The readings around an edge; None where there is none on one side of it."""
        before, after = await self._before(at_ms), await self._after(at_ms)
        if before is None or after is None:
            return None
        return _Edge(from_milliseconds(at_ms), before, after, self._grown(before, after))

    def _grown(self, earlier: Reading, later: Reading) -> int | None:
        if later.at == earlier.at:
            return 0
        found = judge(
            earlier, later, capacity_wh=self._limits.capacity_wh, max_power_w=self._limits.max_power_w
        )
        return found.delta_wh if found.verdict in (Verdict.ACCEPT, Verdict.ROLLOVER) else None

    async def _before(self, at_ms: int) -> Reading | None:
        at, since = from_milliseconds(at_ms), from_milliseconds(self._place.since_ms)
        query = self._query.where(_reading.taken_at <= at, _reading.taken_at >= since)
        found = await self._first(query.order_by(_reading.taken_at.desc()))
        if found is not None or at_ms < self._place.since_ms:
            return found
        initial_wh = self._meter.initial.get((self._place.installation_id, self._quantity, SUM_ZONE))
        return None if initial_wh is None else Reading(since, initial_wh)

    async def _after(self, at_ms: int) -> Reading | None:
        query = self._query.where(_reading.taken_at >= from_milliseconds(at_ms))
        if self._place.until_ms is not None:
            query = query.where(_reading.taken_at < from_milliseconds(self._place.until_ms))
        return await self._first(query.order_by(_reading.taken_at))

    @property
    def _query(self) -> Any:
        return select(_reading.taken_at, _reading.value_wh).where(
            _reading.meter_id == self._meter.meter_id,
            _reading.quantity == self._quantity,
            _reading.zone == SUM_ZONE,
        )

    async def _first(self, query: Any) -> Reading | None:
        row = (await self._connection.execute(query.limit(1))).first()
        return None if row is None else Reading(row.taken_at, row.value_wh)


@dataclass(frozen=True, slots=True)
class _Edge:
    """An edge of a slot between two readings; `energy_wh` is None where they do not fit each other."""

    at: datetime
    before: Reading
    after: Reading
    energy_wh: int | None

    @classmethod
    def at_reading(cls, reading: Reading) -> _Edge:
        """Where there is nothing beyond a reading, it takes the place of the edge."""
        return cls(reading.at, reading, reading, 0)

    @property
    def before_wh(self) -> int:
        """How much of the energy lies before the edge, if the power was constant."""
        whole = self.after.at - self.before.at
        return (self.energy_wh or 0) * (self.at - self.before.at) // whole if whole else 0

    @property
    def after_wh(self) -> int:
        """The rest of it."""
        return (self.energy_wh or 0) - self.before_wh
