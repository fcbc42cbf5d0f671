"""Meters where they stand or stood, as their subscriber sees them. For the services of accounts and meters.

One query for however many meters, and ownership is in it. What a meter does now is shown only where it stands
now: one that was moved to somebody else's point tells its former owner nothing of there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.metering.types import LoadState, RelayState
from lk_portal.models import (
    Account,
    Installation,
    Meter,
    MeterConnection,
    MeteringPoint,
    MeterLoadState,
    PointFreshness,
    Premises,
    Tariff,
)
from lk_portal.models.address_text import one_line
from lk_portal.services.load_state import Load, load_of
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of

__all__ = ["PLACED", "PlacedMeter", "address_of", "placed_meters"]


@dataclass(frozen=True, slots=True)
class PlacedMeter:
    """A meter at a metering point, from one moment to another.

    Attributes:
        account_id: Key of the account the point belongs to.
        account: Its number.
        address: Of the premises, one line.
        zone: Of the premises.
        point_id: Key of the point.
        code: Код точки учета, urn:uuid:...
        point_name: The subscriber's own name of the point; "" when there is none.
        place: Место установки.
        tariff: Name; "" when there is none.
        amenities: Степень благоустройства.
        installation_id: Key of the installation.
        meter_id: Key of the meter.
        serial: Of the meter.
        model: As on its plate.
        installed_at: Aware UTC.
        removed_at: Aware UTC; None: it stands there now.
        ratio: КТТ x КТН.
        data_until: Until when the point has data, aware UTC; None when there are none.
        load: What its relay does now.
    """

    account_id: int
    account: str
    address: str
    zone: ZoneInfo
    point_id: int
    code: str
    point_name: str
    place: str
    tariff: str
    amenities: str
    installation_id: int
    meter_id: int
    serial: str
    model: str
    installed_at: datetime
    removed_at: datetime | None
    ratio: Decimal
    data_until: datetime | None
    load: Load

    @property
    def name(self) -> str:
        """What people call it: her own name for what stands there now, else the serial number."""
        return self.point_name if self.point_name and self.removed_at is None else self.serial


async def placed_meters(
    connection: AsyncConnection,
    query: Select[Any],
    *,
    subscriber_id: int,
    now: datetime,
    default_interval_s: int,
    **wanted: object,
) -> tuple[PlacedMeter, ...]:
    """The meters of a query made from `PLACED`.

    Args:
        connection: Where from.
        query: `PLACED` with further conditions.
        subscriber_id: Whose they have to be.
        now: Aware UTC.
        default_interval_s: Seconds between polls of a meter without an interval of its own.
        wanted: Values of the query's own parameters.
    """
    rows = await connection.execute(query, {"subscriber_id": subscriber_id, **wanted})
    return tuple(_placed(row, now, default_interval_s) for row in rows)


def _placed(row: Any, now: datetime, default_interval_s: int) -> PlacedMeter:
    return PlacedMeter(
        row.account_id,
        row.account,
        address_of(row),
        ZoneInfo(row.timezone),
        row.point_id,
        row.code,
        row.point_name,
        row.place,
        row.tariff or "",
        row.amenities,
        row.installation_id,
        row.meter_id,
        row.serial,
        row.model,
        row.installed_at,
        row.removed_at,
        row.ct_ratio * row.vt_ratio,
        row.data_until,
        _load(row, now, default_interval_s),
    )


def _load(row: Any, now: datetime, default_interval_s: int) -> Load:
    is_from_here = row.relay_read_at is not None and row.relay_read_at >= row.installed_at
    if row.removed_at is not None or not is_from_here:
        return Load(LoadState.UNKNOWN)
    relay = RelayState(row.is_output_on, row.control_state)
    interval_s = row.interval_s or default_interval_s
    return load_of(relay, read_at=row.relay_read_at, now=now, interval_s=interval_s)


def address_of(row: Any) -> str:
    """One line of a row that has the columns of the premises."""
    return one_line(row.settlement, row.street, row.house, row.flat)


_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)
_place, _meter, _tariff = table_of(Installation), table_of(Meter), table_of(Tariff)
_fresh, _relay, _link = table_of(PointFreshness), table_of(MeterLoadState), table_of(MeterConnection)
PLACED = (
    select(
        _account.c.id.label("account_id"),
        _account.c.number.label("account"),
        _account.c.amenities,
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
        _point.c.id.label("point_id"),
        _point.c.code,
        _point.c.name.label("point_name"),
        _point.c.place,
        _tariff.c.name.label("tariff"),
        _place.c.id.label("installation_id"),
        _place.c.installed_at,
        _place.c.removed_at,
        _place.c.ct_ratio,
        _place.c.vt_ratio,
        _meter.c.id.label("meter_id"),
        _meter.c.serial,
        _meter.c.model,
        _fresh.c.data_until,
        _relay.c.is_output_on,
        _relay.c.control_state,
        _relay.c.read_at.label("relay_read_at"),
        _link.c.interval_s,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .outerjoin(_tariff, _tariff.c.id == _point.c.tariff_id)
    .outerjoin(_fresh, _fresh.c.point_id == _point.c.id)
    .outerjoin(_relay, _relay.c.meter_id == _meter.c.id)
    .outerjoin(_link, _link.c.meter_id == _meter.c.id)
    .where(is_owned())
)
"""All meters that stand or stood at the points of the parameter `subscriber_id`'s accounts."""
