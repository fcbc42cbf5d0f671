"""A better value takes the place of a worse one, which is kept. For `services.intervals` only.

What was read or estimated is never lost: before an interval is replaced, it goes to `interval_version`, in
the same transaction (shared/metering.md, rule 6).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models.types import to_milliseconds
from lk_portal.services.staging import StageTable, run, stage


async def replace_worse(connection: AsyncConnection, *, now: datetime) -> int:
    """Replace stored intervals by better staged ones, and keep what they were; gives how many.

    Args:
        connection: In the caller's transaction, with the rows in `stage_interval`.
        now: Aware UTC; when they were replaced.
    """
    await stage(connection, _STAGE_BETTER, [])
    found = await run(connection, _FIND_BETTER)
    if found:
        await run(connection, _KEEP.format(now_ms=to_milliseconds(now)))
        await run(connection, _REPLACE)
    return found


_VALUES = ("duration_s", "value_wh", "covered_s", "zone", "quality", "flags")
_STAGE_BETTER = StageTable(
    "stage_better",
    (
        ("point_id", "INTEGER NOT NULL"),
        ("quantity", "SMALLINT NOT NULL"),
        ("start_ms", "BIGINT NOT NULL"),
        ("duration_s", "SMALLINT NOT NULL"),
        ("value_wh", "BIGINT NOT NULL"),
        ("covered_s", "SMALLINT NOT NULL"),
        ("zone", "SMALLINT NOT NULL"),
        ("quality", "SMALLINT NOT NULL"),
        ("flags", "SMALLINT NOT NULL"),
    ),
)

# Measured beats edited beats estimated beats missing; the codes stand in another order.
_RANK = "CASE {0}.quality WHEN 1 THEN 3 WHEN 3 THEN 2 WHEN 2 THEN 1 ELSE 0 END"

# Of several staged rows for one interval the best counts; of equals the first measured, else the last.
_FIND_BETTER = f"""
INSERT INTO stage_better (point_id, quantity, start_ms, {", ".join(_VALUES)})
SELECT r.point_id, r.quantity, r.start_ms, {", ".join(f"r.{name}" for name in _VALUES)}
FROM (
  SELECT s.*, {_RANK.format("s")} AS standing, row_number() OVER (
    PARTITION BY s.point_id, s.quantity, s.start_ms
    ORDER BY {_RANK.format("s")} DESC, s.covered_s DESC, CASE s.quality WHEN 1 THEN s.seq ELSE -s.seq END
  ) AS place
  FROM stage_interval s
) r JOIN interval ON interval.point_id = r.point_id AND interval.quantity = r.quantity
  AND interval.start = MS(r.start_ms)
WHERE r.place = 1
  AND (r.standing > {_RANK.format("interval")}
    OR (r.standing = {_RANK.format("interval")} AND (r.quality <> 1 OR r.covered_s > interval.covered_s)))
  AND (interval.value_wh <> r.value_wh OR interval.duration_s <> r.duration_s
    OR interval.covered_s <> r.covered_s OR interval.quality <> r.quality OR interval.flags <> r.flags)
"""  # noqa: S608 - constants of ours
_SAME = "i.point_id = b.point_id AND i.quantity = b.quantity AND i.start = MS(b.start_ms)"
_KEEP = f"""
INSERT INTO interval_version
  (point_id, quantity, start, duration_s, value_wh, covered_s, quality, flags, replaced_at, reason)
SELECT i.point_id, i.quantity, i.start, i.duration_s, i.value_wh, i.covered_s, i.quality, i.flags,
  MS({{now_ms}}), ''
FROM stage_better b JOIN interval i ON {_SAME}
"""  # noqa: S608
_REPLACE = f"""
UPDATE interval AS i SET {", ".join(f"{name} = b.{name}" for name in _VALUES)}
FROM stage_better b WHERE {_SAME}
"""  # noqa: S608
