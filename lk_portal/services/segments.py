"""The end of a meter's time at a point: its final readings. For services that register a replacement.

Consumption belongs to the point; what the old meter counted after it was last polled stands in its final
reading, and would be lost if nobody counted it (shared/metering.md, rule 4).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.metering.types import RegisterValue, Snapshot
from lk_portal.models import Installation, InstallationReading
from lk_portal.models.types import from_milliseconds, to_milliseconds
from lk_portal.services.read_context import load_context
from lk_portal.services.readings import store_snapshots
from lk_portal.services.tables import table_of

_place, _value = table_of(Installation), table_of(InstallationReading)
_INSTALLATION = select(_place.c.meter_id, _place.c.removed_at).where(_place.c.id == bindparam("installation"))
_FINAL = select(_value.c.quantity, _value.c.zone, _value.c.value_wh).where(
    _value.c.installation_id == bindparam("installation"), _value.c.is_final.is_(True)
)


async def count_final_readings(connection: AsyncConnection, *, installation_id: int, now: datetime) -> None:
    """Count what a removed meter's final readings add to its last polled ones, in the caller's transaction.

    Call it after the installation was given its end and its final readings. A repetition changes nothing.

    Args:
        connection: In the caller's transaction.
        installation_id: The installation that ended.
        now: Aware UTC, for the freshness.

    Raises:
        NotFoundError: There is no such installation.
        InputError: The meter has not been removed.
    """
    wanted = {"installation": installation_id}
    found = (await connection.execute(_INSTALLATION, wanted)).first()
    if found is None:
        raise NotFoundError
    meter_id, removed_at = found
    if removed_at is None:
        raise InputError(N_("The meter has not been removed"), field="removed_at")
    registers = tuple(RegisterValue(*row) for row in await connection.execute(_FINAL, wanted))
    # The last moment at which the meter still stood there: its time is [installed, removed).
    taken_at = from_milliseconds(to_milliseconds(removed_at) - 1)
    contexts = await load_context(connection, [meter_id])
    await store_snapshots(connection, [(meter_id, Snapshot(taken_at, registers))], contexts, now=now)
