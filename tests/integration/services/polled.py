"""A poller's outcomes, and what the sink made of them. For the tests of `services.readings`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from lk_portal.errors import MeterError
from lk_portal.metering.types import PollOutcome, Quality, Quantity, RegisterValue, Snapshot
from lk_portal.models import (
    DayRollup,
    Interval,
    MeterConnection,
    MonthRollup,
    PointFreshness,
    ReadingReview,
    RegisterMark,
    RegisterReading,
)
from lk_portal.services.database import Database
from lk_portal.services.readings import ReadingStore
from lk_portal.services.tables import table_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
T0 = datetime(2026, 11, 10, 6, tzinfo=UTC)  # 12:00 in Omsk
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DERIVED = (Interval, DayRollup, MonthRollup, PointFreshness)
ALL = (*DERIVED, RegisterMark, RegisterReading, ReadingReview, MeterConnection)


def store_of(database: Database) -> ReadingStore:
    return ReadingStore(database, clock=lambda: NOW, default_interval_s=1800, random=lambda: 1.0)


def read(meter_id: int, at: datetime, *values: int, quantity: Quantity = Quantity.A_PLUS) -> PollOutcome:
    """An outcome with the sum register, or with tariff registers 1, 2... if several values are given."""
    first_zone = 0 if len(values) == 1 else 1
    registers = tuple(RegisterValue(quantity, zone, v) for zone, v in enumerate(values, start=first_zone))
    return PollOutcome(meter_id, at, at, Snapshot(at, registers))


def failed(meter_id: int, at: datetime, error: MeterError) -> PollOutcome:
    return PollOutcome(meter_id, at, at, error=error)


async def poll(database: Database, meter_id: int, *pairs: tuple[datetime, int]) -> None:
    """Store one outcome after another, each in a batch of its own."""
    store = store_of(database)
    for at, value_wh in pairs:
        await store.store((read(meter_id, at, value_wh),))


async def rows_of(database: Database, model: Any) -> list[Any]:
    table = table_of(model)
    async with database.reading() as connection:
        return list((await connection.execute(select(table).order_by(*table.primary_key))).all())


async def dump(database: Database, models: Iterable[Any] = ALL) -> list[Any]:
    return [await rows_of(database, model) for model in models]


async def total_wh(database: Database) -> int:
    interval = table_of(Interval).c
    async with database.reading() as connection:
        found = await connection.execute(select(func.coalesce(func.sum(interval.value_wh), 0)))
        return int(found.scalar_one())


async def intervals(database: Database) -> list[tuple[datetime, int, int, Quality, int]]:
    found = await rows_of(database, Interval)
    return [(r.start, r.value_wh, r.covered_s, r.quality, r.flags) for r in found]
