"""Sums of intervals by local day and month, and how fresh a point's data are. For services only.

A rollup is always recomputed from what it sums up and never added to: whatever the order of imports,
however often one is repeated, the sums come out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models.types import to_milliseconds
from lk_portal.services.clocks import PointClock
from lk_portal.services.staging import StageTable, run, stage


async def recompute(
    connection: AsyncConnection, days: Iterable[tuple[int, int, int]], clocks: Mapping[int, PointClock]
) -> None:
    """Sum the given days up anew from their intervals, then their months from the days.

    Args:
        connection: In the caller's transaction, which has the points locked.
        days: (point, quantity, ordinal of the local day).
        clocks: The clock of each point.
    """
    ordered = sorted(days)
    await stage(connection, _STAGE_DAY, [_day_row(*key, clocks[key[0]]) for key in ordered])
    await run(connection, _SUM_DAYS)
    months = {(point_id, quantity, *_month_of(day)) for point_id, quantity, day in ordered}
    await stage(connection, _STAGE_MONTH, sorted(months))
    await run(connection, _SUM_MONTHS)


def _day_row(point_id: int, quantity: int, ordinal: int, clock: PointClock) -> tuple[int, int, str, int, int]:
    day = clock.day(ordinal)
    return point_id, quantity, day.day.isoformat(), day.start_ms, day.end_ms


@lru_cache(maxsize=4096)
def _month_of(ordinal: int) -> tuple[str, str]:
    """The first days of the day's month and of the month after, as ISO dates."""
    month = date.fromordinal(ordinal).replace(day=1)
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return month.isoformat(), following.isoformat()


async def set_freshness(connection: AsyncConnection, until_ms: Mapping[int, int], *, now: datetime) -> None:
    """Let each point have data until the given moment, or a later one it had already."""
    changed = to_milliseconds(now)
    await stage(connection, _STAGE_FRESHNESS, [(point, until, changed) for point, until in until_ms.items()])
    await run(connection, _MOVE_FRESHNESS)


_STAGE_DAY = StageTable(
    "stage_day",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("day", "DATE NOT NULL"),
        ("start_ms", "BIGINT NOT NULL"),
        ("end_ms", "BIGINT NOT NULL"),
    ),
)
_STAGE_MONTH = StageTable(
    "stage_month",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("month", "DATE NOT NULL"),
        ("following", "DATE NOT NULL"),
    ),
)
_STAGE_FRESHNESS = StageTable(
    "stage_freshness",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("until_ms", "BIGINT NOT NULL"),
        ("changed_ms", "BIGINT NOT NULL"),
    ),
)

_SUMS = ("total_wh", "t1_wh", "t2_wh", "t3_wh", "t4_wh", "covered_s", "estimated_s")
_TAKE_NEW = ", ".join(f"{name} = excluded.{name}" for name in _SUMS)
_ZONE_SUM = "coalesce(sum(i.value_wh) FILTER (WHERE i.zone = {}), 0)"
_ZONE_SUMS = ", ".join(_ZONE_SUM.format(zone) for zone in (1, 2, 3, 4))

# Grouping by the stage's key lets both databases aggregate in the order of the nested loop, without a sort.
_SUM_DAYS = f"""
INSERT INTO day_rollup (point_id, quantity, day, {", ".join(_SUMS)})
SELECT d.point_id, d.quantity, d.day, sum(i.value_wh), {_ZONE_SUMS}, sum(i.covered_s),
  coalesce(sum(i.covered_s) FILTER (WHERE i.quality <> 1), 0)
FROM stage_day d JOIN interval i ON i.point_id = d.point_id AND i.quantity = d.quantity
  AND i.start >= MS(d.start_ms) AND i.start < MS(d.end_ms)
GROUP BY d.seq
ON CONFLICT (point_id, quantity, day) DO UPDATE SET {_TAKE_NEW}
"""  # noqa: S608 - constants of ours

_SUM_MONTHS = f"""
INSERT INTO month_rollup (point_id, quantity, month, {", ".join(_SUMS)})
SELECT m.point_id, m.quantity, m.month, {", ".join(f"sum(d.{name})" for name in _SUMS)}
FROM stage_month m JOIN day_rollup d ON d.point_id = m.point_id AND d.quantity = m.quantity
  AND d.day >= m.month AND d.day < m.following
GROUP BY m.seq
ON CONFLICT (point_id, quantity, month) DO UPDATE SET {_TAKE_NEW}
"""  # noqa: S608

_MOVE_FRESHNESS = """
INSERT INTO point_freshness (point_id, data_until, changed_at)
SELECT point_id, MS(until_ms), MS(changed_ms) FROM stage_freshness WHERE true
ON CONFLICT (point_id) DO UPDATE SET changed_at = excluded.changed_at,
  data_until = CASE WHEN excluded.data_until > point_freshness.data_until
    THEN excluded.data_until ELSE point_freshness.data_until END
"""
