"""Which meters are to be read now, by gateway. For jobs and commands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, NotFoundError
from lk_portal.metering.types import GatewayTarget, MeterTarget
from lk_portal.models import Gateway, Installation, Meter, MeterConnection
from lk_portal.services.connection_status import LONGEST_RETRY_S
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of


async def due_gateways(
    database: Database,
    *,
    now: datetime,
    default_interval_s: int,
    serials: Collection[str] | None = None,
) -> tuple[GatewayTarget, ...]:
    """The gateways with meters to read now, each with those meters, in stable order.

    A meter is read when its connection and gateway are enabled and it stands at a point. It is due when it
    was never polled or its time has come; also when its time lies further ahead than the default interval
    allows, because the setting was lowered or the clock was put back.

    Args:
        database: Where from.
        now: Aware UTC.
        default_interval_s: Seconds between polls of meters without an interval of their own.
        serials: Only these meters, whether due or not; those that are not polled are left out.

    Raises:
        NotFoundError: One of `serials` is no meter's.
    """
    chosen = _due(now, default_interval_s) if serials is None else _meter.c.serial.in_(serials)
    async with database.reading() as connection:
        await _refuse_unknown(connection, serials or ())
        rows = (await connection.execute(_TARGETS.where(_installed(now), chosen))).all()
    return tuple(_gateway(list(group)) for _, group in groupby(rows, key=lambda row: row.gateway_id))


async def _refuse_unknown(connection: AsyncConnection, serials: Collection[str]) -> None:
    if not serials:
        return
    known = await connection.execute(select(_meter.c.serial).where(_meter.c.serial.in_(serials)))
    unknown = set(serials).difference(known.scalars())
    if unknown:
        raise NotFoundError(N_("No meter {serial} is connected."), serial=min(unknown))


def _due(now: datetime, default_interval_s: int) -> ColumnElement[bool]:
    horizon = now + timedelta(seconds=max(default_interval_s, LONGEST_RETRY_S))
    at = _link.c.next_poll_at
    return or_(at.is_(None), at <= now, and_(_link.c.interval_s.is_(None), at > horizon))


def _installed(now: datetime) -> ColumnElement[bool]:
    """A removal may be registered before its day."""
    return and_(_place.c.installed_at <= now, or_(_place.c.removed_at.is_(None), _place.c.removed_at > now))


def _gateway(rows: list[Any]) -> GatewayTarget:
    first = rows[0]
    meters = tuple(
        MeterTarget(row.meter_id, row.serial, row.map_name or row.model, row.device_id, row.options)
        for row in rows
    )
    return GatewayTarget(first.gateway_id, first.protocol, first.host, first.port, first.timeout_s, meters)


_link, _gate = table_of(MeterConnection), table_of(Gateway)
_meter, _place = table_of(Meter), table_of(Installation)
_TARGETS = (
    select(
        _gate.c.id.label("gateway_id"),
        _gate.c.protocol,
        _gate.c.host,
        _gate.c.port,
        _gate.c.timeout_s,
        _meter.c.id.label("meter_id"),
        _meter.c.serial,
        _meter.c.model,
        _meter.c.map_name,
        _link.c.device_id,
        _link.c.options,
    )
    .join(_gate, _gate.c.id == _link.c.gateway_id)
    .join(_meter, _meter.c.id == _link.c.meter_id)
    .join(_place, _place.c.meter_id == _meter.c.id)
    .where(_link.c.is_enabled.is_(True), _gate.c.is_enabled.is_(True))
    .order_by(_gate.c.id, _link.c.device_id, _meter.c.id)
)
