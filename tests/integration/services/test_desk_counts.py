"""What waits for the staff, on both databases; each "counted" has a "not counted" beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from lk_portal.models import (
    AccountClaim,
    ClaimReason,
    Gateway,
    Letter,
    LetterKind,
    LetterStatus,
    MeterConnection,
    Ticket,
    TicketCategory,
    TicketStatus,
)
from lk_portal.services.database import Database
from lk_portal.services.desk_counts import DeskCounts, desk_counts
from lk_portal.services.tables import table_of
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = date(2026, 11, 24)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def add(database: Database, model: Any, **values: Any) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(table_of(model)).values(**values))


async def counts(database: Database) -> DeskCounts:
    return await desk_counts(database, now=NOW, today=TODAY)


async def test_nothing_waits_in_an_empty_portal(database: Database) -> None:
    assert await counts(database) == DeskCounts(0, 0, 0, 0, 0, 0)


async def test_tickets_wait_when_it_is_our_turn_and_are_overdue_after_the_promise(database: Database) -> None:
    point = await factories.a_metered_point(database)
    for status, reply_by in (
        (TicketStatus.NEW, NOW - HOUR),
        (TicketStatus.IN_WORK, NOW + HOUR),
        (TicketStatus.WAITING, None),
        (TicketStatus.CLOSED, NOW - HOUR),
    ):
        await add(
            database,
            Ticket,
            subscriber_id=point.subscriber_id,
            account_id=point.account_id,
            category=TicketCategory.OTHER,
            subject="?",
            status=status,
            created_at=NOW,
            updated_at=NOW,
            reply_by=reply_by,
        )

    found = await counts(database)

    assert (found.tickets, found.overdue) == (2, 1)


async def a_connection(database: Database, **values: Any) -> int:
    point = await factories.a_metered_point(database)
    line = await factories.gateway(database)
    await factories.connection(database, meter_id=point.meter_id, gateway_id=line, **values)
    return line


async def test_a_meter_is_late_after_a_day_unless_nobody_reads_it(database: Database) -> None:
    await a_connection(database, last_success_at=NOW - DAY - HOUR)
    await a_connection(database)
    await a_connection(database, last_success_at=NOW - HOUR)
    await a_connection(database, last_success_at=NOW - 2 * DAY, is_enabled=False)
    switched_off = await a_connection(database, last_success_at=NOW - 2 * DAY)
    lonely = await factories.meter(database)
    await factories.connection(database, meter_id=lonely, gateway_id=switched_off)

    assert (await counts(database)).late_meters == 3
    gate = table_of(Gateway)
    async with database.writing() as connection:
        await connection.execute(update(gate).where(gate.c.id == switched_off).values(is_enabled=False))
    assert (await counts(database)).late_meters == 2
    async with database.writing() as connection:
        await connection.execute(update(table_of(MeterConnection)).values(last_success_at=NOW))
    assert (await counts(database)).late_meters == 0


async def test_letters_count_when_given_up_or_left_lying(database: Database) -> None:
    for number, (status, due) in enumerate(
        (
            (LetterStatus.DEAD, NOW),
            (LetterStatus.WAITING, NOW - HOUR),
            (LetterStatus.WAITING, NOW),
            (LetterStatus.SENT, NOW - DAY),
            (LetterStatus.DROPPED, NOW - DAY),
        )
    ):
        await add(
            database,
            Letter,
            kind=LetterKind.ERASED,
            to_address="a@example.com",
            locale="",
            data={},
            message_id=str(number),
            status=status,
            created_at=NOW - DAY,
            next_attempt_at=due,
            attempts=0,
            last_error="",
        )

    assert (await counts(database)).letters == 2


async def test_claims_count_until_they_are_decided(database: Database) -> None:
    point = await factories.a_metered_point(database)
    for closed_at in (None, NOW):
        await add(
            database,
            AccountClaim,
            reason=ClaimReason.ACCOUNT_OWNED,
            account_id=point.account_id,
            full_name="",
            email="a@example.com",
            phone="",
            address="",
            created_at=NOW,
            closed_at=closed_at,
        )

    assert (await counts(database)).claims == 1


async def test_of_a_meter_in_place_the_newest_verification_counts(database: Database) -> None:
    due, renewed, far, gone = [await factories.a_metered_point(database) for _ in range(4)]
    old, new = date(2016, 1, 1), date(2026, 1, 1)
    await factories.verification(database, meter_id=due.meter_id, verified_on=old, due_on=TODAY + 59 * DAY)
    await factories.verification(database, meter_id=renewed.meter_id, verified_on=old, due_on=TODAY)
    await factories.verification(
        database, meter_id=renewed.meter_id, verified_on=new, due_on=date(2036, 1, 1)
    )
    await factories.verification(database, meter_id=far.meter_id, verified_on=old, due_on=TODAY + 61 * DAY)
    await factories.verification(database, meter_id=gone.meter_id, verified_on=old, due_on=TODAY)
    place = table_of(factories.Installation)
    async with database.writing() as connection:
        await connection.execute(
            update(place).where(place.c.meter_id == gone.meter_id).values(removed_at=NOW - DAY)
        )

    assert (await counts(database)).verifications == 1
