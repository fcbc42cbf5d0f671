"""A point's own like-day profile, to spread a long gap by. For `services.readings` only.

Rule 6 of shared/metering.md: a short gap is linear, a long one follows a like day, scaled to what the
register grew by. Here: the mean of the same hour of the same weekday over the last four weeks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import Interval
from lk_portal.services.tables import table_of

LOOK_BACK = timedelta(weeks=4)
ENOUGH_S = 7 * 24 * 3600
"""A week of measured data makes a profile."""
_SCALE = 1000


@dataclass(frozen=True, slots=True)
class Profile:
    """Mean power, in mW, by (weekday, hour) of local time, with what to take where an hour is unknown."""

    tz: ZoneInfo
    by_hour: dict[tuple[int, int], int]
    otherwise: int

    def __call__(self, start: datetime, end: datetime) -> int:
        """The weight of [start, end), which lies in one local hour."""
        local = start.astimezone(self.tz)
        power = self.by_hour.get((local.weekday(), local.hour), self.otherwise)
        return power * ((end - start) // timedelta(milliseconds=1))


async def load_profile(
    connection: AsyncConnection, *, point_id: int, quantity: Quantity, before: datetime, tz: ZoneInfo
) -> Profile | None:
    """The profile of the four weeks before `before`; None where less than a week was measured."""
    wanted = {"point": point_id, "quantity": quantity, "since": before - LOOK_BACK, "before": before}
    rows = (await connection.execute(_MEASURED, wanted)).all()
    if sum(row[2] for row in rows) < ENOUGH_S:
        return None
    powers: dict[tuple[int, int], list[float]] = defaultdict(list)
    for start, value_wh, covered_s in rows:
        local = start.astimezone(tz)
        powers[local.weekday(), local.hour].append(value_wh * 3600 / covered_s)
    means = {hour: fmean(values) for hour, values in powers.items()}
    by_hour = {hour: round(mean * _SCALE) for hour, mean in means.items()}
    return Profile(tz, by_hour, round(fmean(means.values()) * _SCALE))


_interval = table_of(Interval).c
_MEASURED = select(_interval.start, _interval.value_wh, _interval.covered_s).where(
    _interval.point_id == bindparam("point"),
    _interval.quantity == bindparam("quantity"),
    _interval.start >= bindparam("since"),
    _interval.start < bindparam("before"),
    _interval.quality == Quality.MEASURED,
    _interval.covered_s > 0,
)
