"""How meters are reached and how that goes, for the utility's staff; and asking for a poll at once.

Asking is a time in the database: the worker, in whatever process it is, finds the meter due and reads it, and
what came of it stands with the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.metering.types import RelayState
from lk_portal.models import (
    Gateway,
    Installation,
    Meter,
    MeterConnection,
    MeterLoadState,
    RegisterMark,
    RegisterReading,
)
from lk_portal.services import audit
from lk_portal.services.database import Database
from lk_portal.services.load_state import Load, load_of
from lk_portal.services.meters import LastReading
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.visit import Visit

POLL_ASKED = "desk:connection:poll"
LATE_AFTER = timedelta(hours=24)
"""A meter that was not read for so long is one that somebody should look at."""

audit.TEXTS[POLL_ASKED] = N_("The utility read a meter at once")

_link, _gate, _meter = table_of(MeterConnection), table_of(Gateway), table_of(Meter)
_place, _relay = table_of(Installation), table_of(MeterLoadState)
_mark, _reading = table_of(RegisterMark), table_of(RegisterReading)


def connection_url(serial: str) -> str:
    """Address of the page of a meter's connection; a slash encoded twice, as in those of `/meters`."""
    return f"/admin/connections/{quote(serial, safe='').replace('%2F', '%252F')}"


def is_polled() -> ColumnElement[bool]:
    """Of `meter_connection`: it, its gateway and the meter's place are such that it is read."""
    is_on = select(_gate.c.id).where(_gate.c.is_enabled.is_(True))
    stands = exists().where(_place.c.meter_id == _link.c.meter_id, _place.c.removed_at.is_(None))
    return and_(_link.c.is_enabled.is_(True), _link.c.gateway_id.in_(is_on), stands)


def is_suspended() -> ColumnElement[bool]:
    """Of `meter_connection`: it, or its gateway, is switched off."""
    is_off = select(_gate.c.id).where(_gate.c.is_enabled.is_(False))
    return or_(_link.c.is_enabled.is_(False), _link.c.gateway_id.in_(is_off))


def is_late(now: datetime) -> ColumnElement[bool]:
    """Of `meter_connection`: it should be read and was not, for `LATE_AFTER` before `now`."""
    last = _link.c.last_success_at
    return and_(or_(last.is_(None), last < now - LATE_AFTER), is_polled())


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A meter's connection and what was read last.

    Attributes:
        interval_s: Seconds between polls, the setting's where it has none of its own.
        is_suspended: It, or its gateway, is switched off.
        is_placed: The meter stands somewhere.
        is_waiting: It is due, and was not read since.
        error_code: Of the last failure, whether over or not; "" of none.
        error: The last failure in the words of who met it, English.
        failures_in_row: 0 says that the last try succeeded.
        registers: The newest value of each register, refused ones too.
    """

    meter_id: int
    serial: str
    model: str
    gateway_id: int
    gateway: str
    protocol: str
    endpoint: str
    device_id: int
    interval_s: int
    is_suspended: bool
    is_placed: bool
    is_waiting: bool
    next_poll_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    error_code: str
    error: str
    failures_in_row: int
    attempts: int
    successes: int
    load: Load
    registers: tuple[LastReading, ...]


async def connection_of(
    database: Database, *, serial: str, now: datetime, default_interval_s: int
) -> ConnectionView:
    """The connection of the meter with this serial number.

    Args:
        database: Where from.
        serial: Of the meter.
        now: Aware UTC.
        default_interval_s: Seconds between polls of meters without an interval of their own.

    Raises:
        NotFoundError: There is no such meter, or it has none.
    """
    if not is_storable(serial):
        raise NotFoundError
    async with database.reading() as connection:
        row = (await connection.execute(_VIEW.where(_meter.c.serial == serial))).one_or_none()
        if row is None:
            raise NotFoundError
        registers = (await connection.execute(_registers(row.meter_id))).all()
    return _view(row, registers, now=now, default_interval_s=default_interval_s)


async def ask_now(connection: AsyncConnection, meter_ids: Sequence[int], *, now: datetime) -> None:
    """Let meters be read at once, in the caller's transaction.

    Raises:
        InputError: One of them is not read at all; nothing was asked for.
    """
    refused = (
        select(_meter.c.serial)
        .join(_link, _link.c.meter_id == _meter.c.id)
        .where(_link.c.meter_id.in_(meter_ids), ~is_polled())
        .order_by(_meter.c.serial)
        .limit(1)
    )
    serial = await connection.scalar(refused)
    if serial is not None:
        raise InputError(
            N_("The meter {serial} is not read: its connection or gateway is off, or it stands nowhere."),
            serial=serial,
        )
    await connection.execute(update(_link).where(_link.c.meter_id.in_(meter_ids)).values(next_poll_at=now))


async def ask_for_poll(database: Database, *, serial: str, staff_id: int, visit: Visit) -> None:
    """Let one meter be read at once; it stands in the audit.

    Raises:
        NotFoundError: There is no such meter, or it has no connection.
        InputError: It is not read at all.
    """
    if not is_storable(serial):
        raise NotFoundError
    query = select(_link.c.meter_id).join(_meter, _meter.c.id == _link.c.meter_id)
    async with database.writing() as connection:
        meter_id = await connection.scalar(query.where(_meter.c.serial == serial))
        if meter_id is None:
            raise NotFoundError
        await ask_now(connection, [meter_id], now=visit.at)
        await audit.record(
            connection, action=POLL_ASKED, visit=visit, actor=staff_id, subject=None, meter=serial
        )


def _view(row: Any, registers: Sequence[Any], *, now: datetime, default_interval_s: int) -> ConnectionView:
    interval_s = row.interval_s or default_interval_s
    relay = RelayState(row.is_output_on, row.control_state)
    is_suspended = not (row.is_enabled and row.gateway_is_enabled)
    is_due = row.next_poll_at is None or row.next_poll_at <= now
    return ConnectionView(
        row.meter_id,
        row.serial,
        row.model,
        row.gateway_id,
        row.gateway,
        row.protocol,
        f"{row.host}:{row.port}",
        row.device_id,
        interval_s,
        is_suspended,
        bool(row.is_placed),
        is_due and not is_suspended and bool(row.is_placed),
        row.next_poll_at,
        row.last_success_at,
        row.last_error_at,
        row.last_error_code,
        row.last_error,
        row.failures_in_row,
        row.attempts,
        row.successes,
        load_of(relay, read_at=row.read_at, now=now, interval_s=interval_s),
        tuple(LastReading(*one) for one in registers),
    )


def _registers(meter_id: int) -> Any:
    """The newest reading of every register that the meter has; one search in the key for each."""
    same = [_reading.c[name] == _mark.c[name] for name in ("meter_id", "quantity", "zone")]
    newest = select(func.max(_reading.c.taken_at)).where(*same).correlate(_mark).scalar_subquery()
    read = _reading.alias()
    columns = {"quantity": read.c.quantity, "zone": read.c.zone, "value_wh": read.c.value_wh}
    columns["at"] = read.c.taken_at
    joined = and_(
        *(read.c[name] == _mark.c[name] for name in ("meter_id", "quantity", "zone")),
        read.c.taken_at == newest,
    )
    return (
        select(*(columns[name] for name in LastReading.__slots__))
        .select_from(_mark)
        .join(read, joined)
        .where(_mark.c.meter_id == meter_id)
        .order_by(read.c.quantity, read.c.zone)
    )


_VIEW = (
    select(
        _link,
        _meter.c.serial,
        _meter.c.model,
        _gate.c.name.label("gateway"),
        _gate.c.protocol,
        _gate.c.host,
        _gate.c.port,
        _gate.c.is_enabled.label("gateway_is_enabled"),
        exists()
        .where(_place.c.meter_id == _link.c.meter_id, _place.c.removed_at.is_(None))
        .label("is_placed"),
        _relay.c.is_output_on,
        _relay.c.control_state,
        _relay.c.read_at,
    )
    .join(_meter, _meter.c.id == _link.c.meter_id)
    .join(_gate, _gate.c.id == _link.c.gateway_id)
    .outerjoin(_relay, _relay.c.meter_id == _link.c.meter_id)
)
