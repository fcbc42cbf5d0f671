"""Which metering points got new data lately. For the broadcaster that feeds open pages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from lk_portal.models import PointFreshness
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

_fresh = table_of(PointFreshness)
_CHANGED = select(_fresh.c.point_id, _fresh.c.changed_at).where(_fresh.c.changed_at >= bindparam("since"))


async def changed_since(database: Database, since: datetime) -> dict[int, datetime]:
    """Points whose data changed at or after `since` (aware UTC), with when they did."""
    async with database.reading() as connection:
        return {row.point_id: row.changed_at for row in await connection.execute(_CHANGED, {"since": since})}
