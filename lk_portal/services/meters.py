"""The card of one meter: where it stands, what it shows and does, its verification and seals. For /meters.

Ownership is in the query: a foreign meter is found no more than one that does not exist. A meter that stood
at a point of hers earlier has a card too, of the time when it stood there and of nothing later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.metering.types import LoadState, Quantity
from lk_portal.models import (
    Account,
    Gateway,
    Installation,
    InstallationReading,
    Meter,
    MeterConnection,
    MeterEvent,
    MeteringPoint,
    RegisterMark,
    Seal,
    Verification,
    VerificationKind,
)
from lk_portal.services import audit, throttling
from lk_portal.services.database import Database
from lk_portal.services.load_state import RELAY_CODES, SWITCHING_JOURNAL, Story, Switching, story_of
from lk_portal.services.own_names import MAX_OWN_NAME, own_name
from lk_portal.services.owned import is_owned
from lk_portal.services.placed_meters import PLACED, PlacedMeter, placed_meters
from lk_portal.services.profile import SETTINGS_CHANGES
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit

__all__ = ["MAX_OWN_NAME", "MeterCard", "PlacedMeter", "Polling", "Verifications", "meter_card", "rename"]

RENAMED = "web:meter:rename"
audit.TEXTS[RENAMED] = N_("A meter was renamed")

DUE_SOON = timedelta(days=60)
"""So long ahead a verification that comes due is warned of."""
LAST_SWITCHINGS = 20
"""Enough entries of the switching journal to find the reason; meters have sent years of them."""


@dataclass(frozen=True, slots=True)
class Verifications:
    """Поверка: days of the last ones and of the next; None where none is known."""

    instrumental_on: date | None = None
    last_on: date | None = None
    due_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Whether the next one should have been before `today`, a day at the premises."""
        return self.due_on is not None and self.due_on < today

    def is_due_soon(self, today: date) -> bool:
        """Whether the next one is within `DUE_SOON` from `today`."""
        return self.due_on is not None and today <= self.due_on <= today + DUE_SOON


@dataclass(frozen=True, slots=True)
class SealView:
    """Пломба: its number and the days it was there; `removed_on` is None for a present one."""

    number: str
    placed_on: date
    removed_on: date | None


@dataclass(frozen=True, slots=True)
class LastReading:
    """A register's newest value: Wh (varh) as the meter shows it, aware UTC; zone 0 is the sum."""

    quantity: Quantity
    zone: int
    value_wh: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Polling:
    """How reading the meter goes.

    Attributes:
        error_code: Of `MeterError`, while it cannot be read or its values are refused; else "".
        next_at: When it is asked next, aware UTC; None: nobody knows yet.
    """

    error_code: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class MeterCard:
    """Everything on a meter; `replaced_by` and `replaced` are serial numbers, or ""."""

    placed: PlacedMeter
    story: Story
    verifications: Verifications
    seals: tuple[SealView, ...]
    readings: tuple[LastReading, ...]
    polling: Polling | None
    replaced_by: str
    replaced: str


async def meter_card(
    database: Database, *, subscriber_id: int, serial: str, now: datetime, default_interval_s: int
) -> MeterCard:
    """A meter that stands, or stood, at a point of a subscriber's.

    Args:
        database: Where from.
        subscriber_id: Whose point it has to be.
        serial: Of the meter.
        now: Aware UTC.
        default_interval_s: Seconds between polls of a meter without an interval of its own.

    Raises:
        NotFoundError: She has no such meter.
    """
    if not is_storable(serial):
        raise NotFoundError
    async with database.reading() as connection:
        found = await placed_meters(
            connection,
            _METER,
            subscriber_id=subscriber_id,
            now=now,
            default_interval_s=default_interval_s,
            serial=serial,
        )
        if not found:
            raise NotFoundError
        placed = found[0]
        before, after = await _neighbours(connection, placed)
        return MeterCard(
            placed=placed,
            story=await _story(connection, placed),
            verifications=verifications_of(await _verifications(connection, placed)),
            seals=await _seals(connection, placed),
            readings=await _readings(connection, placed),
            polling=await _polling(connection, placed),
            replaced_by=after,
            replaced=before,
        )


async def rename(
    database: Database, *, user_id: int, subscriber_id: int, serial: str, name: str, visit: Visit
) -> str:
    """Give the point where a meter stands a name of one's own; the serial number takes it away.

    Gives what is stored: "" when the meter is called by its serial number again.

    Raises:
        InputError: It is empty, longer than `MAX_OWN_NAME`, or has characters no keyboard types (field
            "name").
        NotFoundError: No such meter stands at a point of hers.
        ThrottledError: Changed too often.
    """
    typed = own_name(name, field="name")
    if not typed:
        raise InputError(N_("Type a name of 1 to {most} characters."), field="name", most=MAX_OWN_NAME)
    if not is_storable(serial):
        raise NotFoundError
    kept = "" if typed == serial else typed
    gates = (Gate(f"settings:{user_id}", SETTINGS_CHANGES),)
    await throttling.refuse(database, gates, now=visit.at)
    where = _STANDS_AT.where(is_owned(subscriber_id), _meter.c.serial == serial)
    async with database.writing() as connection:
        changed = await connection.execute(update(_point).where(_point.c.id.in_(where)).values(name=kept))
        if not changed.rowcount:
            raise NotFoundError
        await throttling.count_in(connection, gates, now=visit.at)
        await audit.record(
            connection, action=RENAMED, visit=visit, actor=user_id, subject=user_id, meter=serial
        )
    return kept


async def _neighbours(connection: AsyncConnection, placed: PlacedMeter) -> tuple[str, str]:
    """The serials of the meters that stood at the point before and after this one; "" for none."""
    rows = (await connection.execute(_AT_POINT, {"point_id": placed.point_id})).all()
    before = [row.serial for row in rows if row.installed_at < placed.installed_at]
    after = [row.serial for row in rows if row.installed_at > placed.installed_at]
    return (before[-1] if before else ""), (after[0] if after else "")


async def _story(connection: AsyncConnection, placed: PlacedMeter) -> Story:
    """Why the load is off; nothing of before the meter stood there. One that is gone has no state."""
    if placed.load.state not in (LoadState.OFF, LoadState.READY):
        return Story()
    wanted = {"meter_id": placed.meter_id, "since": placed.installed_at}
    return story_of([Switching(*row) for row in await connection.execute(_SWITCHINGS, wanted)])


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """One verification, periodic or instrumental, and when the next is due."""

    kind: VerificationKind
    verified_on: date
    due_on: date | None


async def _verifications(connection: AsyncConnection, placed: PlacedMeter) -> list[VerificationRow]:
    """Those from before the meter left."""
    rows = await connection.execute(_VERIFICATIONS, {"meter_id": placed.meter_id})
    left_on = _left_on(placed)
    return [VerificationRow(*row) for row in rows if left_on is None or row.verified_on <= left_on]


def verifications_of(rows: list[VerificationRow]) -> Verifications:
    """The last of each kind; the next is what the newest one with a date says."""
    instrumental = [row.verified_on for row in rows if row.kind is VerificationKind.INSTRUMENTAL]
    periodic = [row.verified_on for row in rows if row.kind is VerificationKind.PERIODIC]
    planned = [(row.verified_on, row.due_on) for row in rows if row.due_on is not None]
    return Verifications(
        instrumental_on=max(instrumental, default=None),
        last_on=max(periodic, default=None),
        due_on=max(planned)[1] if planned else None,
    )


async def _seals(connection: AsyncConnection, placed: PlacedMeter) -> tuple[SealView, ...]:
    """The present one first; of a meter that left, those from before."""
    rows = await connection.execute(_SEALS, {"meter_id": placed.meter_id})
    left_on = _left_on(placed)
    seals = [SealView(*row) for row in rows if left_on is None or row.placed_on <= left_on]
    return tuple(sorted(seals, key=lambda seal: seal.removed_on is not None))


def _left_on(placed: PlacedMeter) -> date | None:
    return placed.removed_at and placed.removed_at.astimezone(placed.zone).date()


async def _readings(connection: AsyncConnection, placed: PlacedMeter) -> tuple[LastReading, ...]:
    """The newest accepted values since the meter stands there; of one that left, its final ones."""
    if placed.removed_at is not None:
        rows = await connection.execute(_FINAL, {"installation_id": placed.installation_id})
        return tuple(LastReading(*row, placed.removed_at) for row in rows)
    wanted = {"meter_id": placed.meter_id, "since": placed.installed_at}
    return tuple(LastReading(*row) for row in await connection.execute(_MARKS, wanted))


async def _polling(connection: AsyncConnection, placed: PlacedMeter) -> Polling | None:
    """None when the meter is not read by the portal, or not any more."""
    if placed.removed_at is not None:
        return None
    row = (await connection.execute(_POLLING, {"meter_id": placed.meter_id})).one_or_none()
    if row is None:
        return None
    return Polling(row.last_error_code if _is_failing(row) else "", row.next_poll_at)


def _is_failing(row: Any) -> bool:
    """The last try failed, or what it brought was refused: then the error is not before the success."""
    if row.failures_in_row:
        return True
    return row.last_error_at is not None and (
        row.last_success_at is None or row.last_error_at >= row.last_success_at
    )


_account, _point = table_of(Account), table_of(MeteringPoint)
_place, _meter, _line = table_of(Installation), table_of(Meter), table_of(Gateway)
_event, _check, _seal = table_of(MeterEvent), table_of(Verification), table_of(Seal)
_mark, _final, _link = table_of(RegisterMark), table_of(InstallationReading), table_of(MeterConnection)

# The meter may have stood at several points of hers; the card is of the last time.
_METER = PLACED.where(_meter.c.serial == bindparam("serial")).order_by(_place.c.installed_at.desc()).limit(1)
_STANDS_AT = (
    select(_place.c.point_id)
    .join(_meter, _meter.c.id == _place.c.meter_id)
    .join(_point, _point.c.id == _place.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .where(_place.c.removed_at.is_(None))
)
_AT_POINT = (
    select(_meter.c.serial, _place.c.installed_at)
    .join(_place, _place.c.meter_id == _meter.c.id)
    .where(_place.c.point_id == bindparam("point_id"))
    .order_by(_place.c.installed_at)
)
_SWITCHINGS = (
    select(_event.c.code, _event.c.occurred_at)
    .where(
        _event.c.meter_id == bindparam("meter_id"),
        _event.c.occurred_at >= bindparam("since"),
        _event.c.journal == SWITCHING_JOURNAL,
        _event.c.code.in_(sorted(RELAY_CODES)),
    )
    .order_by(_event.c.occurred_at.desc())
    .limit(LAST_SWITCHINGS)
)
_VERIFICATIONS = select(_check.c.kind, _check.c.verified_on, _check.c.due_on).where(
    _check.c.meter_id == bindparam("meter_id")
)
_SEALS = (
    select(_seal.c.number, _seal.c.placed_on, _seal.c.removed_on)
    .where(_seal.c.meter_id == bindparam("meter_id"))
    .order_by(_seal.c.placed_on.desc(), _seal.c.id.desc())
)
_MARKS = (
    select(_mark.c.quantity, _mark.c.zone, _mark.c.value_wh, _mark.c.taken_at)
    .where(_mark.c.meter_id == bindparam("meter_id"), _mark.c.taken_at >= bindparam("since"))
    .order_by(_mark.c.quantity, _mark.c.zone)
)
_FINAL = (
    select(_final.c.quantity, _final.c.zone, _final.c.value_wh)
    .where(_final.c.installation_id == bindparam("installation_id"), _final.c.is_final.is_(True))
    .order_by(_final.c.quantity, _final.c.zone)
)
_POLLING = (
    select(
        _link.c.failures_in_row,
        _link.c.last_error_code,
        _link.c.last_error_at,
        _link.c.last_success_at,
        _link.c.next_poll_at,
    )
    .join(_line, _line.c.id == _link.c.gateway_id)
    .where(_link.c.meter_id == bindparam("meter_id"), _link.c.is_enabled, _line.c.is_enabled)
)
