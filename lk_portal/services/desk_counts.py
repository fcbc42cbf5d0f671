"""How much waits for the utility's staff. For the page /admin.

Each number is counted by an index and up to `MOST`: a thousand waiting things and a million cost the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import (
    AccountClaim,
    Installation,
    Letter,
    LetterStatus,
    MeterConnection,
    Ticket,
    TicketStatus,
    Verification,
)
from lk_portal.services.connections import is_late
from lk_portal.services.database import Database
from lk_portal.services.letters import OVERDUE_AFTER
from lk_portal.services.meters import DUE_SOON
from lk_portal.services.tables import table_of

MOST = 999
"""More are said to be more."""
OURS = (TicketStatus.NEW, TicketStatus.IN_WORK)
"""Tickets in which it is the utility's turn."""

_ticket, _letter, _claim = table_of(Ticket), table_of(Letter), table_of(AccountClaim)
_link, _check, _place = table_of(MeterConnection), table_of(Verification), table_of(Installation)


@dataclass(frozen=True, slots=True)
class DeskCounts:
    """What waits; each counted up to `MOST` + 1.

    Attributes:
        tickets: Tickets in which it is the utility's turn.
        overdue: Those of them whose promised day of reply is over.
        late_meters: Meters that should be read and were not for a day.
        letters: Letters that were given up, or that nobody tries although it is time.
        claims: Registrations and accounts to decide on.
        verifications: Meters in place whose verification is over or comes due in 60 days.
    """

    tickets: int
    overdue: int
    late_meters: int
    letters: int
    claims: int
    verifications: int


def is_unsent(now: datetime) -> ColumnElement[bool]:
    """Of `letter`: it was given up, or waits longer than it should at `now`."""
    is_stuck = and_(_letter.c.status == LetterStatus.WAITING, _letter.c.next_attempt_at < now - OVERDUE_AFTER)
    return or_(_letter.c.status == LetterStatus.DEAD, is_stuck)


def is_due(today: date) -> ColumnElement[bool]:
    """Of `verification`: the newest of a meter in place, and over or due within `DUE_SOON` from `today`."""
    newer = _check.alias()
    is_replaced = exists().where(
        newer.c.meter_id == _check.c.meter_id,
        newer.c.due_on.is_not(None),
        or_(
            newer.c.verified_on > _check.c.verified_on,
            and_(newer.c.verified_on == _check.c.verified_on, newer.c.id > _check.c.id),
        ),
    )
    stands = exists().where(_place.c.meter_id == _check.c.meter_id, _place.c.removed_at.is_(None))
    return and_(_check.c.due_on <= today + DUE_SOON, ~is_replaced, stands)


async def desk_counts(database: Database, *, now: datetime, today: date) -> DeskCounts:
    """What waits for the staff at `now` (aware UTC), which is `today` at the utility."""
    ours = _ticket.c.status.in_(OURS)
    questions = (
        select(_ticket.c.id).where(ours),
        select(_ticket.c.id).where(ours, _ticket.c.reply_by < now),
        select(_link.c.meter_id).where(is_late(now)),
        select(_letter.c.id).where(is_unsent(now)),
        select(_claim.c.id).where(_claim.c.closed_at.is_(None)),
        select(_check.c.id).where(is_due(today)),
    )
    async with database.reading() as connection:
        return DeskCounts(*[await _count(connection, one) for one in questions])


async def _count(connection: AsyncConnection, question: Select[Any]) -> int:
    found = await connection.scalar(select(func.count()).select_from(question.limit(MOST + 1).subquery()))
    return int(found or 0)
