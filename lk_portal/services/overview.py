"""All that the home page shows of a subscriber: her accounts, this month, the last events, her tickets.

For the state of the home page. However many meters she has, it takes the same few queries, so that the page
can be read again whenever a value comes. Ownership is in each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, or_, select, true

from lk_portal.metering.events import EventEntry, lookup
from lk_portal.metering.types import Quantity, RelayState, Severity
from lk_portal.models import (
    Account,
    DayRollup,
    Installation,
    Meter,
    MeterConnection,
    MeterEvent,
    MeteringPoint,
    MeterLoadState,
    PointFreshness,
    Premises,
    RegisterMark,
    Ticket,
    TicketMessage,
    TicketStatus,
)
from lk_portal.models.address_text import one_line
from lk_portal.services.database import Database
from lk_portal.services.load_state import Load, load_of
from lk_portal.services.month_days import Comparison, DayUse, MonthDays, compare, days_of_month
from lk_portal.services.owned import OWNER, is_owned
from lk_portal.services.periods import Grain, Period
from lk_portal.services.tables import table_of

EVENTS_OF = timedelta(days=30)
"""How far back the last events are counted."""
EXCERPT = 160
"""So many characters of an answer are read: the tile shows how it begins."""


@dataclass(frozen=True, slots=True)
class MeterNow:
    """A point with the meter that stands there now, or stood there last.

    Attributes:
        point_id: Of the point.
        serial: Of the meter.
        name: The subscriber's own; "" when there is none.
        load: Whether it is on, as far as that is known.
        data_until: Until when there are data, aware UTC; None when there are none.
        reading_wh: The register's last accepted value, Wh before ratios; None when it was never read.
        reading_at: When that was read, aware UTC.
        month: Its days of this month and the month before.
    """

    point_id: int
    serial: str
    name: str
    load: Load
    data_until: datetime | None
    reading_wh: int | None
    reading_at: datetime | None
    month: MonthDays


@dataclass(frozen=True)
class AccountNow:
    """An account, where it is, and what its meters counted this month.

    Attributes:
        number: Of the account.
        note: The subscriber's own name for it; "" when there is none.
        address: One line.
        zone: The premises' zone.
        month: The calendar month there that it is now.
        meters: Its points with a meter, in the order they were made.
    """

    number: str
    note: str
    address: str
    zone: ZoneInfo
    month: Period
    meters: tuple[MeterNow, ...]

    @cached_property
    def total_wh(self) -> int:
        """What all its meters counted this month so far, Wh; says nothing where there are no data."""
        return sum(meter.month.total_wh for meter in self.meters)

    @property
    def has_data(self) -> bool:
        """Whether anything of this month is known of any of its meters."""
        return any(meter.month.has_data for meter in self.meters)

    @cached_property
    def days(self) -> tuple[DayUse, ...]:
        """The days of this month, all meters together."""
        return days_of_month([meter.month for meter in self.meters])

    @cached_property
    def comparison(self) -> Comparison | None:
        """This month against the same days of the month before; None when there is nothing to compare."""
        return compare([meter.month for meter in self.meters])

    @property
    def data_until(self) -> datetime | None:
        """Until when the freshest of its meters has data, aware UTC."""
        return max((meter.data_until for meter in self.meters if meter.data_until), default=None)


@dataclass(frozen=True, slots=True)
class LastEvents:
    """The events of one severity in the last 30 days: how many, and the last of them."""

    severity: Severity
    count: int
    entry: EventEntry
    occurred_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Answer:
    """The last message of the utility's staff in any ticket: how it begins, and when it came (aware UTC)."""

    ticket_id: int
    subject: str
    beginning: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tickets:
    """Tickets that are not closed, those of them that wait for the subscriber, and the last answer."""

    open: int
    waiting: int
    last_answer: Answer | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the home page shows."""

    accounts: tuple[AccountNow, ...]
    events: tuple[LastEvents, ...]
    tickets: Tickets


async def overview(
    database: Database, *, subscriber_id: int, now: datetime, poll_interval_s: int
) -> Overview:
    """Read the home page of a subscriber: four queries, whatever she has.

    Args:
        database: Where it is kept.
        subscriber_id: Whose.
        now: Aware UTC.
        poll_interval_s: Seconds between polls of a meter that has no interval of its own.
    """
    owner = {"subscriber_id": subscriber_id}
    # A day more on both sides: it is not the same day everywhere.
    first = Period.containing(Grain.MONTH, (now - timedelta(days=1)).date()).previous().start
    span = {"quantity": Quantity.A_PLUS, "first": first, "after": now.date() + timedelta(days=2)}
    async with database.reading() as connection:
        places = (await connection.execute(_PLACES, {**owner, "quantity": Quantity.A_PLUS})).all()
        days = (await connection.execute(_DAYS, {**owner, **span})).all()
        events = (await connection.execute(_EVENTS, {**owner, "since": now - EVENTS_OF, "now": now})).all()
        tickets = (await connection.execute(_TICKETS, owner)).one()
    return Overview(
        accounts=tuple(_accounts(places, _Known(_by_point(days), now, poll_interval_s))),
        events=tuple(_last_events(row) for row in events),
        tickets=Tickets(tickets[0], tickets[1], Answer(*tickets[2:]) if tickets[2] else None),
    )


def _by_point(days: Iterable[Any]) -> dict[int, list[tuple[date, int, int]]]:
    found: dict[int, list[tuple[date, int, int]]] = defaultdict(list)
    for point_id, day, total_wh, covered_s in days:
        found[point_id].append((day, total_wh, covered_s))
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of all points' days, and when."""

    days: dict[int, list[tuple[date, int, int]]]
    now: datetime
    poll_interval_s: int


def _accounts(places: Sequence[Any], known: _Known) -> Iterable[AccountNow]:
    for _id, group in groupby(places, key=lambda row: row.account_id):
        rows = list(group)
        first = rows[0]
        zone = ZoneInfo(first.timezone)
        today = known.now.astimezone(zone).date()
        points = (list(point) for _id, point in groupby(rows, key=lambda row: row.point_id))
        yield AccountNow(
            number=first.number,
            note=first.note,
            address=_address(first.settlement, first.street, first.house, first.flat),
            zone=zone,
            month=Period.containing(Grain.MONTH, today),
            meters=tuple(
                _meter(point, known, zone, today) for point in points if point[0].serial is not None
            ),
        )


def _meter(rows: Sequence[Any], known: _Known, zone: ZoneInfo, today: date) -> MeterNow:
    """A point by its installations, the first of them first, each with its registers."""
    row = rows[-1]
    reading_wh, reading_at = _last_reading([one for one in rows if one.meter_id == row.meter_id])
    return MeterNow(
        point_id=row.point_id,
        serial=row.serial,
        name=row.name,
        load=load_of(
            RelayState(row.is_output_on, row.control_state),
            read_at=row.read_at,
            now=known.now,
            interval_s=row.interval_s or known.poll_interval_s,
        ),
        data_until=row.data_until,
        reading_wh=reading_wh,
        reading_at=reading_at,
        month=MonthDays.of(
            known.days.get(row.point_id, []),
            zone=zone,
            since=rows[0].installed_at.astimezone(zone).date(),
            today=today,
        ),
    )


@lru_cache(maxsize=1024)
def _address(settlement: str, street: str, house: str, flat: str) -> str:
    return one_line(settlement, street, house, flat)


def _last_events(row: Any) -> LastEvents:
    entry = lookup(row.journal, row.code)
    return LastEvents(row.severity, row.number, entry, row.occurred_at, ZoneInfo(row.timezone))


def _last_reading(registers: list[Any]) -> tuple[int | None, datetime | None]:
    """The sum register's value; of a meter that has none, the sum of its tariffs'."""
    known = [register for register in registers if register.value_wh is not None]
    if not known:
        return None, None
    summed = [register for register in known if register.zone == 0] or known
    return sum(register.value_wh for register in summed), max(register.taken_at for register in summed)


_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)
_place, _meter_table, _fresh = table_of(Installation), table_of(Meter), table_of(PointFreshness)
_load, _day, _register = table_of(MeterLoadState), table_of(DayRollup), table_of(RegisterMark)
_event, _ticket, _message = table_of(MeterEvent), table_of(Ticket), table_of(TicketMessage)
_link = table_of(MeterConnection)
_PLACES = (
    select(
        _account.c.id.label("account_id"),
        _account.c.number,
        _account.c.note,
        _premises.c.settlement,
        _premises.c.street,
        _premises.c.house,
        _premises.c.flat,
        _premises.c.timezone,
        _point.c.id.label("point_id"),
        _point.c.name,
        _meter_table.c.serial,
        _fresh.c.data_until,
        _load.c.is_output_on,
        _load.c.control_state,
        _load.c.read_at,
        _link.c.interval_s,
        _place.c.meter_id,
        _place.c.installed_at,
        _register.c.zone,
        _register.c.value_wh,
        _register.c.taken_at,
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .outerjoin(_point, _point.c.account_id == _account.c.id)
    .outerjoin(_place, _place.c.point_id == _point.c.id)
    .outerjoin(_meter_table, _meter_table.c.id == _place.c.meter_id)
    .outerjoin(_link, _link.c.meter_id == _place.c.meter_id)
    .outerjoin(_load, _load.c.meter_id == _place.c.meter_id)
    .outerjoin(_fresh, _fresh.c.point_id == _point.c.id)
    .outerjoin(
        _register,
        (_register.c.meter_id == _place.c.meter_id) & (_register.c.quantity == bindparam("quantity")),
    )
    .where(is_owned())
    .order_by(_account.c.id, _point.c.id, _place.c.installed_at)
)
_DAYS = (
    select(_day.c.point_id, _day.c.day, _day.c.total_wh, _day.c.covered_s)
    .select_from(_account)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_day, _day.c.point_id == _point.c.id)
    .where(
        is_owned(),
        _day.c.quantity == bindparam("quantity"),
        _day.c.day >= bindparam("first"),
        _day.c.day < bindparam("after"),
    )
)
_by_severity = (
    select(
        _event.c.severity,
        func.count().over(partition_by=_event.c.severity).label("number"),
        _event.c.journal,
        _event.c.code,
        _event.c.occurred_at,
        _premises.c.timezone,
        func.row_number()
        .over(partition_by=_event.c.severity, order_by=(_event.c.occurred_at.desc(), _event.c.id.desc()))
        .label("place"),
    )
    .select_from(_account)
    .join(_premises, _premises.c.id == _account.c.premises_id)
    .join(_point, _point.c.account_id == _account.c.id)
    .join(_place, _place.c.point_id == _point.c.id)
    .join(_event, _event.c.meter_id == _place.c.meter_id)
    .where(
        is_owned(),
        _event.c.occurred_at >= bindparam("since"),
        _event.c.occurred_at <= bindparam("now"),
        # What the meter wrote down while it stood somewhere else is somebody else's.
        _event.c.occurred_at >= _place.c.installed_at,
        or_(_place.c.removed_at.is_(None), _event.c.occurred_at < _place.c.removed_at),
    )
    .subquery()
)
_EVENTS = select(*list(_by_severity.c)[:-1]).where(_by_severity.c.place == 1)
_answer = (
    select(
        _ticket.c.id,
        _ticket.c.subject,
        func.substr(_message.c.text, 1, EXCERPT).label("beginning"),
        _message.c.created_at,
    )
    .select_from(_ticket)
    .join(_message, _message.c.ticket_id == _ticket.c.id)
    .where(_ticket.c.subscriber_id == OWNER, _message.c.is_staff, _message.c.is_internal.is_(False))
    .order_by(_message.c.created_at.desc(), _message.c.id.desc())
    .limit(1)
    .subquery()
)
_open = (
    select(
        func.count().label("open"),
        func.count().filter(_ticket.c.status == TicketStatus.WAITING).label("waiting"),
    )
    .where(_ticket.c.subscriber_id == OWNER, _ticket.c.status != TicketStatus.CLOSED)
    .subquery()
)
_TICKETS = select(*_open.c, *_answer.c).select_from(_open).outerjoin(_answer, true())
