"""No energy twice: rows on another grid than what is stored. For `services.intervals` only.

The key of an interval is its start. Half hours imported over stored hours would find no conflict at half
past and be counted on top of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.services.staging import Row, StageTable, fetch, run, stage

Range = tuple[int, int]


async def is_any_stored(connection: AsyncConnection, ranges: Mapping[tuple[int, int], Range]) -> bool:
    """Whether anything is stored that rows of those ranges may meet.

    Args:
        connection: In the caller's transaction.
        ranges: For each (point, quantity) the first start and the last end, ms since 1970.
    """
    await stage(connection, _STAGE_RANGE, [(*key, *bounds) for key, bounds in ranges.items()])
    return bool((await fetch(connection, _IS_ANY_STORED))[0][0])


async def drop_overlapping(connection: AsyncConnection) -> list[Row]:
    """Take those rows off the stage that lie partly in a stored interval with another start.

    Returns:
        (point, quantity, start in ms, stored Wh, given Wh) of each.
    """
    found = await fetch(connection, f"SELECT {_WHAT} FROM {_OVERLAPPING} ORDER BY s.seq")  # noqa: S608
    if found:
        await run(
            connection,
            f"DELETE FROM stage_interval WHERE seq IN (SELECT s.seq FROM {_OVERLAPPING})",  # noqa: S608
        )
    return found


_STAGE_RANGE = StageTable(
    "stage_range",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("first_ms", "BIGINT NOT NULL"),
        ("end_ms", "BIGINT NOT NULL"),
    ),
)
# An interval lasts an hour at most, so one that reaches in begins less than an hour before.
_IS_ANY_STORED = """
SELECT EXISTS (
  SELECT 1 FROM stage_range r JOIN interval i ON i.point_id = r.point_id AND i.quantity = r.quantity
    AND i.start > MS(r.first_ms - 3600000) AND i.start < MS(r.end_ms)
)
"""
_WHAT = "s.point_id, s.quantity, s.start_ms, i.value_wh, s.value_wh"
_OVERLAPPING = """
stage_interval s JOIN interval i ON i.point_id = s.point_id AND i.quantity = s.quantity
  AND i.start > MS(s.start_ms - 3600000) AND i.start < MS(s.start_ms + s.duration_s * 1000)
  AND i.start > MS(s.start_ms - i.duration_s * 1000) AND i.start <> MS(s.start_ms)
"""
