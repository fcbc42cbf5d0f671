"""What the meters said, and the consumption that follows from it.

Snapshots of registers are what was read; intervals are energy over time at a metering point, after ratios;
rollups are sums of intervals, kept in the same transaction. All energies are integers of Wh (varh).
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Date, Index, Integer, SmallInteger
from sqlmodel import Field

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models.types import Coded, Named, Table, UtcTime

COMPACT = {"sqlite_with_rowid": False}
"""Tables whose key is all one looks them up by: SQLite keeps them as one tree, half the size and reads."""


class ReviewReason(StrEnum):
    """Why a value was not taken."""

    FELL = "fell"
    SPIKE = "spike"


class RegisterReading(Table, table=True):
    """Показание: one register as it was read, before ratios. Never changed, never deleted by the portal."""

    __tablename__ = "register_reading"
    __table_args__ = (COMPACT,)

    meter_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    zone: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    taken_at: datetime = Field(sa_column=Column(UtcTime(), primary_key=True))
    value_wh: int = Field(sa_column=Column(BigInteger, nullable=False))


class RegisterMark(Table, table=True):
    """The newest accepted reading of a register: what the next one is compared with.

    `candidate_*` is a run of readings that do not fit the accepted one but fit each other: after a few of
    them the meter is believed to have begun anew, and the mark moves without counting the jump.
    """

    __tablename__ = "register_mark"
    __table_args__ = (COMPACT,)

    meter_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    zone: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    taken_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    value_wh: int = Field(sa_column=Column(BigInteger, nullable=False))
    candidate_at: datetime | None = Field(default=None, sa_column=Column(UtcTime()))
    candidate_wh: int | None = Field(default=None, sa_column=Column(BigInteger))
    candidate_count: int = Field(default=0)


class ReadingReview(Table, table=True):
    """A value that cannot be true, kept for a person to look at; consumption does not contain it."""

    __tablename__ = "reading_review"
    __table_args__ = (Index("ix_reading_review_open", "is_open", "meter_id"),)

    id: int | None = Field(default=None, primary_key=True)
    meter_id: int = Field(foreign_key="meter.id")
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), nullable=False))
    zone: int
    taken_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    value_wh: int = Field(sa_column=Column(BigInteger, nullable=False))
    previous_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    previous_wh: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: ReviewReason = Field(sa_column=Column(Named(ReviewReason), nullable=False))
    is_open: bool = Field(default=True)
    is_rebased: bool = Field(
        default=False, description="The meter went on from here; the jump is not counted"
    )


class Interval(Table, table=True):
    """Интервал (IntervalReading): energy in [start, start + duration_s) at a metering point, after ratios.

    `covered_s` says how much of it is backed by data: an hour that is not over, or with a hole in it, has
    less than `duration_s`. `zone` is the tariff zone the interval falls in (0: none).
    """

    __tablename__ = "interval"
    __table_args__ = (COMPACT,)

    point_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    start: datetime = Field(sa_column=Column(UtcTime(), primary_key=True))
    duration_s: int = Field(sa_column=Column(SmallInteger, nullable=False))
    value_wh: int = Field(sa_column=Column(BigInteger, nullable=False))
    covered_s: int = Field(sa_column=Column(SmallInteger, nullable=False))
    zone: int = Field(sa_column=Column(SmallInteger, nullable=False))
    quality: Quality = Field(sa_column=Column(Coded(Quality), nullable=False))
    flags: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False))


class IntervalVersion(Table, table=True):
    """What an interval was before it was replaced: nothing that was read or estimated is ever lost.

    `actor_user_id` is who edited it, with the reason; without one a better value came from a meter or a file.
    """

    __tablename__ = "interval_version"
    __table_args__ = (Index("ix_interval_version_point_id_quantity_start", "point_id", "quantity", "start"),)

    id: int | None = Field(default=None, primary_key=True)
    point_id: int
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), nullable=False))
    start: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    duration_s: int = Field(sa_column=Column(SmallInteger, nullable=False))
    value_wh: int = Field(sa_column=Column(BigInteger, nullable=False))
    covered_s: int = Field(sa_column=Column(SmallInteger, nullable=False))
    quality: Quality = Field(sa_column=Column(Coded(Quality), nullable=False))
    flags: int = Field(sa_column=Column(SmallInteger, nullable=False))
    replaced_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    actor_user_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    reason: str = Field(default="", max_length=200)


class _Rollup(Table):
    """Sums of intervals over a local period; t1..t4 by tariff zone, the rest of the total has no zone."""

    total_wh: int = Field(sa_type=BigInteger)
    t1_wh: int = Field(sa_type=BigInteger)
    t2_wh: int = Field(sa_type=BigInteger)
    t3_wh: int = Field(sa_type=BigInteger)
    t4_wh: int = Field(sa_type=BigInteger)
    covered_s: int = Field(sa_type=Integer)
    estimated_s: int = Field(sa_type=Integer, description="How much of covered_s is not measured")


class DayRollup(_Rollup, table=True):
    """A local day of the premises (23, 24 or 25 hours)."""

    __tablename__ = "day_rollup"
    __table_args__ = (COMPACT,)

    point_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))


class MonthRollup(_Rollup, table=True):
    """A local calendar month; `month` is its first day."""

    __tablename__ = "month_rollup"
    __table_args__ = (COMPACT,)

    point_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    quantity: Quantity = Field(sa_column=Column(Coded(Quantity), primary_key=True))
    month: date = Field(sa_column=Column(Date, primary_key=True))


class PointFreshness(Table, table=True):
    """Until when a point has data ("данные на ..."), and when that changed: open pages follow it."""

    __tablename__ = "point_freshness"
    __table_args__ = (Index("ix_point_freshness_changed", "changed_at"),)

    point_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    data_until: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
    changed_at: datetime = Field(sa_column=Column(UtcTime(), nullable=False))
