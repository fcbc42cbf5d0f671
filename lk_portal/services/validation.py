"""Do the stored hours agree with the meters' registers? For `lk doctor` and the staff's pages.

Hours that the portal derives from registers agree by themselves; those of an import come from elsewhere. Here
both are set side by side (shared/metering.md, rule 6): what a register grew by in the last days, after the
ratios of the installation, and what the hours of its metering point say for the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select

from lk_portal.metering.types import Quantity
from lk_portal.models import Installation, Interval, Meter, ReadingReview, RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

WINDOW = timedelta(days=7)
RESOLUTION_WH = 1000
"""Registers are often read in whole kWh."""
SUM_ZONE = 0


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Hours that say something else than the register.

    Attributes:
        serial: Of the meter.
        quantity: Which energy.
        start: Of the time that was compared, aware UTC.
        end: Of it.
        register_wh: What the register grew by, Wh after ratios.
        intervals_wh: What the hours add up to, Wh.
    """

    serial: str
    quantity: Quantity
    start: datetime
    end: datetime
    register_wh: int
    intervals_wh: int


async def disagreements(
    database: Database, *, now: datetime, window: timedelta = WINDOW
) -> tuple[Disagreement, ...]:
    """Every register of the last days whose hours do not agree with it, by serial.

    An hour at either end is only partly in what was compared, so as much as two of them may be missing. Where
    hours are missing too, they may say less than the register, but not more. A register that fell, or has a
    value under review, is left out: that is told elsewhere.

    Args:
        database: Where from.
        now: Aware UTC.
        window: How far to look back.
    """
    async with database.reading() as connection:
        rows = (await connection.execute(_compared(now - window, now))).all()
    found = (_disagreement(row) for row in rows)
    return tuple(sorted((one for one in found if one), key=lambda one: (one.serial, one.quantity)))


def _disagreement(row: Any) -> Disagreement | None:
    delta_wh = row.last_wh - row.first_wh
    if delta_wh < 0:
        return None
    register_wh = int(Decimal(delta_wh) * row.ct_ratio * row.vt_ratio)
    intervals_wh, largest_wh, covered_s = (int(value or 0) for value in row[-3:])
    leeway_wh = int(RESOLUTION_WH * row.ct_ratio * row.vt_ratio) + 2 * largest_wh
    is_too_much = intervals_wh > register_wh + leeway_wh
    is_whole = timedelta(seconds=covered_s) >= row.last_at - row.first_at
    is_too_little = is_whole and intervals_wh < register_wh - leeway_wh
    if not (is_too_much or is_too_little):
        return None
    return Disagreement(row.serial, row.quantity, row.first_at, row.last_at, register_wh, intervals_wh)


def _compared(since: datetime, now: datetime) -> Select[Any]:
    """For each installation and quantity the first and last register values, and the hours between."""
    edges = _edges(since, now).cte("edges")
    first, last = _reading.alias("first_reading"), _reading.alias("last_reading")
    return (
        select(
            _meter.c.serial,
            edges.c.quantity,
            edges.c.first_at,
            edges.c.last_at,
            edges.c.ct_ratio,
            edges.c.vt_ratio,
            first.c.value_wh.label("first_wh"),
            last.c.value_wh.label("last_wh"),
            func.sum(_interval.c.value_wh),
            func.max(_interval.c.value_wh),
            func.sum(_interval.c.covered_s),
        )
        .select_from(edges)
        .join(_meter, _meter.c.id == edges.c.meter_id)
        .join(first, _is_at(first, edges, edges.c.first_at))
        .join(last, _is_at(last, edges, edges.c.last_at))
        .join(
            _interval,
            and_(
                _interval.c.point_id == edges.c.point_id,
                _interval.c.quantity == edges.c.quantity,
                _interval.c.start >= edges.c.first_at,
                _interval.c.start < edges.c.last_at,
            ),
        )
        .where(edges.c.first_at < edges.c.last_at)
        .group_by(
            _meter.c.serial,
            edges.c.quantity,
            edges.c.first_at,
            edges.c.last_at,
            edges.c.ct_ratio,
            edges.c.vt_ratio,
            first.c.value_wh,
            last.c.value_wh,
        )
    )


def _edges(since: datetime, now: datetime) -> Select[Any]:
    """When each register of an installation was first and last read in the window."""
    is_in_doubt = exists().where(
        _review.c.meter_id == _place.c.meter_id,
        _review.c.quantity == _reading.c.quantity,
        _review.c.is_open.is_(True),
    )
    return (
        select(
            _place.c.meter_id,
            _place.c.point_id,
            _place.c.ct_ratio,
            _place.c.vt_ratio,
            _reading.c.quantity,
            func.min(_reading.c.taken_at).label("first_at"),
            func.max(_reading.c.taken_at).label("last_at"),
        )
        .join(
            _reading,
            and_(
                _reading.c.meter_id == _place.c.meter_id,
                _reading.c.zone == SUM_ZONE,
                _reading.c.taken_at >= since,
                _reading.c.taken_at < now,
                _reading.c.taken_at >= _place.c.installed_at,
                or_(_place.c.removed_at.is_(None), _reading.c.taken_at < _place.c.removed_at),
            ),
        )
        .where(~is_in_doubt)
        .group_by(_place.c.id, _reading.c.quantity)
    )


def _is_at(reading: Any, edges: Any, at: Any) -> Any:
    return and_(
        reading.c.meter_id == edges.c.meter_id,
        reading.c.quantity == edges.c.quantity,
        reading.c.zone == SUM_ZONE,
        reading.c.taken_at == at,
    )


_place, _meter, _review = table_of(Installation), table_of(Meter), table_of(ReadingReview)
_reading, _interval = table_of(RegisterReading), table_of(Interval)
