"""The demo's past: what the simulated meters' registers showed, and the consumption that follows from it.

For the demo's seeding and its simulated meters. Pure: a function of the plan and of the moment of seeding.
The values are those the simulated meters show, rounded as they show them, so that the sums of the intervals
are the differences of the registers to the watt-hour and the first live reading continues the last one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from lk_portal.metering.simulator import LoadCurve
from lk_portal.metering.types import IntervalFlag, Quality, Quantity
from lk_portal.models.types import to_milliseconds
from lk_portal.services.demo_plan import ONE_REGISTER, UTC_OFFSET, ZONE, DemoMeter, DemoPoint, replaced_at
from lk_portal.services.intervals import IntervalRow

HOUR = timedelta(hours=1)
HOUR_S = 3600
NEW_METER_WH = 1_640
"""What a meter fresh from the works shows: its makers have tested it."""
CURVES_BEGIN = datetime(2023, 1, 1, tzinfo=UTC)
HOURLY_READINGS = timedelta(days=7)
FIRST_INSTALLED_WH = 210

HOLES = ((150, 4, 96), (62, 0, 24), (21, 13, 5))
"""Days before the seeding, local hour, and hours without data: days, a day, several hours."""
ESTIMATED = ((10, 6, 9),)
"""Likewise, hours whose energy was spread from one register difference."""


@dataclass(frozen=True, slots=True)
class Register:
    """A register at a moment, as the meter shows it. `zone` 0 is the sum."""

    meter: DemoMeter
    quantity: Quantity
    zone: int
    at: datetime
    value_wh: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A meter at its point in [start, end) of the history, and whether it is read on after it."""

    meter: DemoMeter
    curve: LoadCurve
    start: datetime
    end: datetime
    is_live: bool

    def shown_wh(self, at: datetime, quantity: Quantity = Quantity.A_PLUS, zone: int = 0) -> int:
        """What the meter shows at `at`, Wh."""
        return shown_wh(self.meter.map_name, self.curve.value_wh(at, quantity, zone))


def curve_of(serial: str, *, installed_at: datetime) -> LoadCurve:
    """The load curve of a demo meter; one installed since curves begin came fresh from the works."""
    curve = LoadCurve.of_serial(serial, utc_offset=UTC_OFFSET)
    if installed_at <= CURVES_BEGIN:
        return curve
    used_wh = curve.register_wh(installed_at) - curve.base_wh
    return LoadCurve(
        curve.seed, annual_wh=curve.annual_wh, base_wh=NEW_METER_WH - used_wh, utc_offset=UTC_OFFSET
    )


def shown_wh(map_name: str, value_wh: int) -> int:
    """`value_wh` as a meter of that map shows it: one of the two counts in float32 of kWh."""
    if map_name != ONE_REGISTER:
        return value_wh
    kwh: float = struct.unpack(">f", struct.pack(">f", value_wh / 1000))[0]
    return round(kwh * 1000)


def segments(point: DemoPoint, *, start: datetime, end: datetime, now: datetime) -> tuple[Segment, ...]:
    """The meters of a point in [start, end), in the order they stood there."""
    if len(point.meters) == 1:
        (meter,) = point.meters
        curve = curve_of(meter.serial, installed_at=CURVES_BEGIN)
        return (Segment(meter, curve, start, end, is_live=True),)
    old, new = point.meters
    change = replaced_at(now)
    return (
        Segment(old, curve_of(old.serial, installed_at=CURVES_BEGIN), start, change, is_live=False),
        Segment(new, curve_of(new.serial, installed_at=change), change, end, is_live=True),
    )


def interval_rows(point_id: int, point: DemoPoint, parts: tuple[Segment, ...]) -> Iterator[IntervalRow]:
    """The hours of a point, by quantity and then by time; holes are absent."""
    estimated, missing = _special_hours(point, parts[-1].end)
    for quantity in parts[-1].meter.quantities:
        for start, value_wh, flags in _hours(parts, quantity):
            start_ms = to_milliseconds(start)
            if start_ms in missing:
                continue
            quality = Quality.MEASURED
            if start_ms in estimated:
                quality, flags = Quality.ESTIMATED, flags | IntervalFlag.SPREAD  # noqa: PLW2901
            yield IntervalRow(
                point_id, quantity, start_ms, HOUR_S, value_wh, HOUR_S, int(quality), int(flags)
            )


def registers(point: DemoPoint, part: Segment) -> Iterator[Register]:
    """What was read of a meter: every local midnight, hourly of late, and at both ends of its time.

    While there are no measured hours, nothing was read either.
    """
    unread = frozenset[int]().union(*_special_hours(point, part.end))
    for at in _reading_moments(part):
        if not {to_milliseconds(at), to_milliseconds(at - HOUR)} <= unread:
            yield from _registers_at(part, at)


def marks(part: Segment) -> Iterator[Register]:
    """The last accepted reading of each register of the history, which the first live one goes on from."""
    yield from _registers_at(part, part.end)


def _registers_at(part: Segment, at: datetime) -> Iterator[Register]:
    meter = part.meter
    for quantity in meter.quantities:
        for zone in meter.zones if quantity is Quantity.A_PLUS else (0,):
            yield Register(meter, quantity, zone, at, part.shown_wh(at, quantity, zone))


def _hours(parts: Iterable[Segment], quantity: Quantity) -> Iterator[tuple[datetime, int, IntervalFlag]]:
    """Start, energy and flags of each hour; the hour of a replacement has a part from either meter."""
    carried_wh = 0
    for part in parts:
        edges = _edges(part)
        shown = [part.shown_wh(at, quantity) for at in edges]
        for (start, end), (first, last) in zip(pairwise(edges), pairwise(shown), strict=True):
            if end - start < HOUR and end == part.end:
                carried_wh = last - first
                continue
            is_shared = end - start < HOUR
            flags = IntervalFlag.SPLIT if is_shared else IntervalFlag.NONE
            yield end - HOUR, last - first + (carried_wh if is_shared else 0), flags


def _edges(part: Segment) -> list[datetime]:
    """The ends of a segment and the full hours between them, UTC."""
    first, last = part.start.astimezone(UTC), part.end.astimezone(UTC)
    hour = first.replace(minute=0, second=0, microsecond=0) + HOUR
    count = (last - hour) // HOUR + 1
    inner = [hour + HOUR * number for number in range(max(0, count))]
    return [first, *inner, *([last] if inner[-1] != last else [])]


def _reading_moments(part: Segment) -> list[datetime]:
    start, end = part.start.astimezone(ZONE), part.end.astimezone(ZONE)
    first = datetime.combine(start.date() + timedelta(days=1), time(), ZONE)
    daily = [first + timedelta(days=number) for number in range((end - first) // timedelta(days=1) + 1)]
    hourly = [edge for edge in _edges(part) if part.is_live and edge > end - HOURLY_READINGS]
    return sorted({moment.astimezone(UTC) for moment in (start, *daily, *hourly, end)})


def _special_hours(point: DemoPoint, end: datetime) -> tuple[frozenset[int], frozenset[int]]:
    """Starts, in ms, of the estimated and of the missing hours of a point."""
    if not point.has_holes:
        return frozenset(), frozenset()
    return _hours_of(ESTIMATED, end), _hours_of(HOLES, end)


def _hours_of(spans: Iterable[tuple[int, int, int]], end: datetime) -> frozenset[int]:
    today = end.astimezone(ZONE).date()
    starts = (
        (datetime.combine(today - timedelta(days=days), time(hour), ZONE), hours)
        for days, hour, hours in spans
    )
    return frozenset(
        to_milliseconds(start + HOUR * number) for start, hours in starts for number in range(hours)
    )
