"""The meter event that a ticket quotes: found for its subscriber, and for nobody else.

An event belongs to whoever owns the account of the point where the meter stood at that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import Account, Installation, Meter, MeterEvent, MeteringPoint, Premises
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of

_event, _placed, _point = table_of(MeterEvent), table_of(Installation), table_of(MeteringPoint)
_account, _premises, _meter = table_of(Account), table_of(Premises), table_of(Meter)


@dataclass(frozen=True, slots=True)
class QuotedEvent:
    """An entry of a meter's journal, with the meter, the account and the clock of its premises."""

    id: int
    serial: str
    account: str
    journal: int
    code: int
    occurred_at: datetime
    zone: ZoneInfo


async def event_of(database: Database, *, subscriber_id: int, event_id: int) -> QuotedEvent:
    """An event of a subscriber's meter.

    Raises:
        NotFoundError: There is no such event of hers.
    """
    async with database.reading() as connection:
        return await owned_event(connection, subscriber_id=subscriber_id, event_id=event_id)


async def owned_event(connection: AsyncConnection, *, subscriber_id: int, event_id: int) -> QuotedEvent:
    """Like `event_of`, inside the caller's transaction.

    Raises:
        NotFoundError: There is no such event of hers.
    """
    query = _EVENT.where(is_owned(subscriber_id), _event.c.id == event_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    values = dict(row._mapping)
    return QuotedEvent(zone=ZoneInfo(values.pop("timezone")), **values)


_EVENT: Select[tuple[int, str, str, int, int, datetime, str]] = (
    select(
        _event.c.id,
        _meter.c.serial,
        _account.c.number.label("account"),
        _event.c.journal,
        _event.c.code,
        _event.c.occurred_at,
        _premises.c.timezone,
    )
    .join(_meter, _meter.c.id == _event.c.meter_id)
    .join(_placed, _placed.c.meter_id == _event.c.meter_id)
    .join(_point, _point.c.id == _placed.c.point_id)
    .join(_account, _account.c.id == _point.c.account_id)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .where(
        _placed.c.installed_at <= _event.c.occurred_at,
        or_(_placed.c.removed_at.is_(None), _placed.c.removed_at > _event.c.occurred_at),
    )
)
