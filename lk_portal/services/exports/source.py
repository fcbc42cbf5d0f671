"""The one source of rows for every format of an export. For `services.exports`, commands and routes.

Rows come one after another and are summed up from the intervals themselves; what is read at a time is at most
a year, so a million hours take no more memory than one. A hole is a row without a value.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import Quality
from lk_portal.models import (
    Account,
    Installation,
    Interval,
    Meter,
    MeteringPoint,
    PointFreshness,
    Premises,
)
from lk_portal.models.address_text import one_line
from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import PointClock, clock_of
from lk_portal.services.consumption import FRESH_WITHIN
from lk_portal.services.database import Database
from lk_portal.services.exports.rows import SUM_ZONE, ExportRow, Step, Wish, slots
from lk_portal.services.owned import is_owned
from lk_portal.services.periods import Grain, Period
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.zones import NO_TARIFF, load_zones

SLOTS_AT_ONCE = {Step.HOUR: 2400, Step.DAY: 100, Step.MONTH: 3, Step.YEAR: 1}
_DAY = timedelta(days=1)

Slot = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class ExportPoint:
    """The metering point whose consumption is exported.

    Attributes:
        point_id: The key.
        code: urn:uuid:...
        serial: Of the meter that was asked for.
        name: The subscriber's own; "" when there is none.
        account: Number of the personal account.
        address: One line.
        clock: The zone of the premises and the zones of the tariff.
        since: When the first meter was installed, aware UTC.
        data_until: Until when there are data, aware UTC; None when there are none.
        is_transformed: Current or voltage transformers stand before a meter of it.
    """

    point_id: int
    code: str
    serial: str
    name: str
    account: str
    address: str
    clock: PointClock
    since: datetime
    data_until: datetime | None
    is_transformed: bool

    @property
    def tz(self) -> ZoneInfo:
        """The zone of the premises."""
        return self.clock.tz

    def horizon(self, now: datetime) -> datetime:
        """Until when data can be expected: until now, or until the last reading if that was just made."""
        if self.data_until is None or now - self.data_until > FRESH_WITHIN:
            return now
        return min(self.data_until, now)


async def find_point(database: Database, *, serial: str, subscriber_id: int | None = None) -> ExportPoint:
    """The point where the meter `serial` stands or stood.

    Args:
        database: Where from.
        serial: Of the present meter or an earlier one.
        subscriber_id: Whose point it has to be; None: anybody's, for commands of the utility.

    Raises:
        NotFoundError: There is no such meter, or it is not the subscriber's.
    """
    if not is_storable(serial):
        raise NotFoundError
    query, wanted = _POINT, {"serial": serial}
    if subscriber_id is not None:
        query = query.where(is_owned(subscriber_id))
    async with database.reading() as connection:
        found = (await connection.execute(query, wanted)).first()
        if found is None:
            raise NotFoundError
        return await _point_of(connection, found, serial)


async def _point_of(connection: AsyncConnection, found: Any, serial: str) -> ExportPoint:
    placed = (await connection.execute(_PLACED, {"point_id": found.point_id})).all()
    tariffs = await load_zones(connection, () if found.tariff_id is None else (found.tariff_id,))
    return ExportPoint(
        point_id=found.point_id,
        code=found.code,
        serial=serial,
        name=found.name,
        account=found.account,
        address=one_line(found.settlement, found.street, found.house, found.flat),
        clock=clock_of(found.timezone, tariffs.get(found.tariff_id, NO_TARIFF)),
        since=min(row.installed_at for row in placed),
        data_until=found.data_until,
        is_transformed=any(row.ct_ratio * row.vt_ratio != 1 for row in placed),
    )


async def export_rows(
    database: Database, point: ExportPoint, wish: Wish, *, now: datetime
) -> AsyncIterator[ExportRow]:
    """The rows of `wish` in the order of time: for each slot the sum, then its tariff zones.

    Slots before the first meter and after `now` (aware UTC) are left out, for nothing is missing there.
    """
    key = {"point_id": point.point_id, "quantity": wish.quantity}
    async with database.reading() as connection:
        bounds = (await connection.execute(_BOUNDS, key)).one()
    first, after = _extent(point, wish, tuple(bounds), now)
    if after <= first:
        return
    all_slots = slots(wish, first, after, point.tz)
    while batch := list(islice(all_slots, SLOTS_AT_ONCE[wish.step])):
        span = {"first": batch[0][0], "after": batch[-1][1]}
        async with database.reading() as connection:
            stored = (await connection.execute(_INTERVALS, {**key, **span})).all()
        for row in _rows(point, batch, stored, now):
            yield row


def _extent(
    point: ExportPoint, wish: Wish, stored: tuple[datetime | None, datetime | None], now: datetime
) -> tuple[date, date]:
    """The local days of `wish` for which there may be a row, in whole slots where the wish has them."""
    earliest = min(filter(None, (point.since, stored[0])))
    latest = max(filter(None, (point.horizon(now), stored[1])))
    from_day, last_day = (at.astimezone(point.tz).date() for at in (earliest, latest))
    if wish.step in (Step.MONTH, Step.YEAR):
        of = partial(
            Period.containing, Grain(wish.step.value), basis=wish.basis, reading_days=wish.reading_days
        )
        from_day, last_day = of(day=from_day).start, of(day=last_day).last
    return max(wish.first, from_day), min(wish.after, last_day + _DAY)


@dataclass(slots=True)
class _Tally:
    """What is stored of one zone in one slot."""

    value_wh: int = 0
    covered_s: int = 0
    qualities: set[Quality] = field(default_factory=set)

    def add(self, value_wh: int, covered_s: int, quality: Quality) -> None:
        """Take one interval."""
        self.value_wh += value_wh
        self.covered_s += covered_s
        if covered_s:
            self.qualities.add(quality)


def _rows(
    point: ExportPoint, batch: Sequence[Slot], stored: Sequence[Any], now: datetime
) -> Iterator[ExportRow]:
    tallies = _tallies(batch, stored)
    bounds = to_milliseconds(point.since), to_milliseconds(point.horizon(now))
    for (start, end), tally in zip(batch, tallies, strict=True):
        since_ms, until_ms = max(to_milliseconds(start), bounds[0]), min(to_milliseconds(end), bounds[1])
        expected = _expected_s(point.clock, since_ms, until_ms)
        yield from _slot_rows((start.astimezone(point.tz), end.astimezone(point.tz)), tally, expected)


def _tallies(batch: Sequence[Slot], stored: Sequence[Any]) -> list[dict[int, _Tally]]:
    """Sum intervals into the slots they begin in, by tariff zone."""
    starts = [start for start, _end in batch]
    found: list[dict[int, _Tally]] = [defaultdict(_Tally) for _slot in batch]
    for start, zone, *values in stored:
        found[bisect_right(starts, start) - 1][zone].add(*values)
    return found


def _expected_s(clock: PointClock, at_ms: int, until_ms: int) -> dict[int, int]:
    """Seconds by tariff zone between two moments."""
    if not clock.zones.versions:
        return {SUM_ZONE: max(0, until_ms - at_ms) // 1000}
    found: dict[int, int] = defaultdict(int)
    while at_ms < until_ms:
        slot = clock.slot_at(at_ms)
        end_ms = min(slot.end_ms, until_ms)
        found[slot.zone] += (end_ms - at_ms) // 1000
        at_ms = end_ms
    return found


def _slot_rows(slot: Slot, tally: Mapping[int, _Tally], expected: Mapping[int, int]) -> Iterator[ExportRow]:
    zones = sorted({*tally, *expected} - {SUM_ZONE})
    total = _row(slot, SUM_ZONE, list(tally.values()), sum(expected.values()))
    if total.expected_s:
        yield total
        for zone in zones:
            yield _row(slot, zone, [tally[zone]] if zone in tally else [], expected.get(zone, 0))


def _row(slot: Slot, zone: int, tallies: Sequence[_Tally], expected_s: int) -> ExportRow:
    covered_s = sum(one.covered_s for one in tallies)
    value_wh = sum(one.value_wh for one in tallies)
    return ExportRow(
        *slot,
        zone=zone,
        value_wh=value_wh if covered_s or value_wh else None,
        expected_s=max(expected_s, covered_s),
        covered_s=covered_s,
        qualities=frozenset(quality for one in tallies for quality in one.qualities),
    )


_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)
_installation, _meter, _freshness = table_of(Installation), table_of(Meter), table_of(PointFreshness)
_interval = table_of(Interval)
_POINT = (
    select(
        _point.c.id.label("point_id"),
        _point.c.code,
        _point.c.name,
        _point.c.tariff_id,
        _account.c.number.label("account"),
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
        _freshness.c.data_until,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_installation, _installation.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _installation.c.meter_id)
    .outerjoin(_freshness, _freshness.c.point_id == _point.c.id)
    .where(_meter.c.serial == bindparam("serial"))
    # A meter may have stood at several points; asked for is where it stands now.
    .order_by(_installation.c.installed_at.desc())
    .limit(1)
)
_PLACED = select(_installation.c.installed_at, _installation.c.ct_ratio, _installation.c.vt_ratio).where(
    _installation.c.point_id == bindparam("point_id")
)
_OF_POINT = (
    _interval.c.point_id == bindparam("point_id"),
    _interval.c.quantity == bindparam("quantity"),
)
_BOUNDS = select(func.min(_interval.c.start), func.max(_interval.c.start)).where(*_OF_POINT)
_INTERVALS = (
    select(
        _interval.c.start, _interval.c.zone, _interval.c.value_wh, _interval.c.covered_s, _interval.c.quality
    )
    .where(*_OF_POINT, _interval.c.start >= bindparam("first"), _interval.c.start < bindparam("after"))
    .order_by(_interval.c.start)
)
