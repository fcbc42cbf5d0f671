"""Which clock each metering point goes by. For services that store consumption."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, NotFoundError
from lk_portal.models import Account, MeteringPoint, Premises
from lk_portal.services.clocks import PointClock, clock_of
from lk_portal.services.tables import table_of
from lk_portal.services.zones import NO_TARIFF, load_zones

_point, _account, _premises = table_of(MeteringPoint), table_of(Account), table_of(Premises)
_POINTS = (
    select(_point.c.id, _premises.c.timezone, _point.c.tariff_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .where(_point.c.id.in_(bindparam("points", expanding=True)))
    .order_by(_point.c.id)
    .with_for_update(of=_point, key_share=True)
)


async def lock_clocks(connection: AsyncConnection, points: Collection[int]) -> dict[int, PointClock]:
    """The clock of each point; until the transaction ends nobody else stores consumption of these.

    Rollups are recomputed from intervals, so two who store for one point at once must wait for each other
    (SQLite has one writer anyway). Points are locked in the order of their ids, which excludes deadlocks.

    Raises:
        NotFoundError: There is no such point.
    """
    rows = (await connection.execute(_POINTS, {"points": sorted(points)})).all()
    missing = set(points) - {row[0] for row in rows}
    if missing:
        raise NotFoundError(N_("There is no metering point {point}"), point=min(missing))
    tariffs = await load_zones(connection, {row[2] for row in rows if row[2] is not None})
    return {row[0]: clock_of(row[1], tariffs.get(row[2], NO_TARIFF)) for row in rows}
