"""The home page's figures on both databases: hers and nobody else's, in four queries whatever she has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import insert, update

from lk_portal.metering.types import LoadState, Quantity, Severity
from lk_portal.models import (
    Account,
    Installation,
    MeterConnection,
    MeterEvent,
    MeterLoadState,
    RegisterMark,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketStatus,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.overview import Overview, overview
from lk_portal.services.tables import table_of
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOVEMBER = datetime(2026, 10, 31, 18, tzinfo=UTC)
"""Midnight in Omsk."""
OCTOBER = datetime(2026, 9, 30, 18, tzinfo=UTC)
POLL_S = 1800


async def of(database: Database, subscriber_id: int, *, now: datetime = NOW) -> Overview:
    return await overview(database, subscriber_id=subscriber_id, now=now, poll_interval_s=POLL_S)


async def add(database: Database, model: Any, **values: Any) -> int:
    async with database.writing() as connection:
        key = (await connection.execute(insert(table_of(model)).values(**values))).inserted_primary_key
        return int(key[0])


async def change(database: Database, model: Any, **values: Any) -> None:
    async with database.writing() as connection:
        await connection.execute(update(table_of(model)).values(**values))


async def counts(database: Database, point_id: int, start: datetime, *, days: int, wh: int) -> None:
    """So much every hour of whole days."""
    first = to_milliseconds(start)
    rows = [
        IntervalRow(point_id, 1, first + hour * 3_600_000, 3600, wh, 3600, 1, 0) for hour in range(24 * days)
    ]
    await import_intervals(database, rows, clock=lambda: NOW)


async def happens(database: Database, meter_id: int, at: datetime, severity: Severity, code: int = 9) -> None:
    values = {"journal": 0, "code": code, "severity": severity}
    await add(database, MeterEvent, meter_id=meter_id, occurred_at=at, received_at=at, **values)


async def test_this_month_and_the_same_days_of_the_last_one(database: Database) -> None:
    mine, theirs = await factories.a_metered_point(database), await factories.a_metered_point(database)
    await counts(database, mine.point_id, OCTOBER, days=31, wh=10)
    await counts(database, mine.point_id, NOVEMBER, days=23, wh=20)
    await counts(database, theirs.point_id, NOVEMBER, days=23, wh=1000)

    [account] = (await of(database, mine.subscriber_id)).accounts

    assert account.total_wh == 23 * 24 * 20
    assert account.comparison is not None
    assert (account.comparison.this_wh, account.comparison.before_wh) == (23 * 24 * 20, 23 * 24 * 10)
    assert (account.comparison.days, account.comparison.is_partial) == (23, False)
    assert account.data_until == NOVEMBER + 23 * DAY
    assert str(account.month) == "2026-11"
    assert [meter.serial for meter in account.meters] == [mine.serial]


async def test_each_account_has_its_own_meters_and_sum(database: Database) -> None:
    one = await factories.a_metered_point(database)
    other = await factories.a_metered_point(database, subscriber_id=one.subscriber_id)
    second = await factories.point(database, account_id=one.account_id, name="Гараж")
    await factories.installation(database, meter_id=await factories.meter(database), point_id=second)
    for point_id in (one.point_id, second, other.point_id):
        await counts(database, point_id, NOVEMBER, days=2, wh=10)
    empty = await factories.premises(database)
    await factories.account(database, premises_id=empty, subscriber_id=one.subscriber_id)

    found = (await of(database, one.subscriber_id)).accounts

    assert [(len(account.meters), account.total_wh) for account in found] == [(2, 960), (1, 480), (0, 0)]
    assert [meter.name for meter in found[0].meters] == ["Дом", "Гараж"]
    assert found[2].data_until is None


async def test_a_replaced_meter_is_one_point_under_its_new_number(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await change(database, Installation, removed_at=NOW - DAY)
    new = await factories.meter(database, serial="NEW")
    await factories.installation(database, meter_id=new, point_id=placed.point_id, installed_at=NOW - DAY)
    await counts(database, placed.point_id, NOVEMBER, days=2, wh=10)

    [account] = (await of(database, placed.subscriber_id)).accounts

    assert [(meter.serial, meter.month.total_wh) for meter in account.meters] == [("NEW", 480)]
    assert [use.day.day for use in account.days if use.is_hole] == list(range(3, 24))


async def test_the_last_reading_is_the_sum_register_or_the_sum_of_the_tariffs(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    owner = placed.subscriber_id
    [account] = (await of(database, owner)).accounts
    assert (account.meters[0].reading_wh, account.meters[0].reading_at) == (None, None)
    mark = {"meter_id": placed.meter_id, "quantity": Quantity.A_PLUS, "candidate_count": 0}
    for zone, value in ((1, 300), (2, 400)):
        await add(database, RegisterMark, zone=zone, taken_at=NOW - HOUR, value_wh=value, **mark)
    [account] = (await of(database, owner)).accounts
    assert (account.meters[0].reading_wh, account.meters[0].reading_at) == (700, NOW - HOUR)

    await add(database, RegisterMark, zone=0, taken_at=NOW - 2 * HOUR, value_wh=701, **mark)
    [account] = (await of(database, owner)).accounts
    assert (account.meters[0].reading_wh, account.meters[0].reading_at) == (701, NOW - 2 * HOUR)


async def test_the_load_is_what_the_meter_said_lately(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    line = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=line)

    async def load(now: datetime = NOW) -> LoadState:
        [account] = (await of(database, placed.subscriber_id, now=now)).accounts
        return account.meters[0].load.state

    assert await load() is LoadState.UNKNOWN
    await add(
        database, MeterLoadState, meter_id=placed.meter_id, is_output_on=False, control_state=0, read_at=NOW
    )
    assert await load() is LoadState.OFF
    assert await load(NOW + 2 * DAY) is LoadState.UNKNOWN
    await change(database, MeterConnection, interval_s=86_400)
    assert await load(NOW + 2 * DAY) is LoadState.OFF


async def test_the_last_event_of_each_severity_with_its_count(database: Database) -> None:
    mine, theirs = await factories.a_metered_point(database), await factories.a_metered_point(database)
    await happens(database, mine.meter_id, NOW - 2 * HOUR, Severity.WARNING, 9)
    await happens(database, mine.meter_id, NOW - HOUR, Severity.WARNING, 7)
    await happens(database, mine.meter_id, NOW - 29 * DAY, Severity.INFO, 10)
    await happens(database, mine.meter_id, NOW - 31 * DAY, Severity.CRITICAL)
    await happens(database, theirs.meter_id, NOW - HOUR, Severity.CRITICAL)

    found = (await of(database, mine.subscriber_id)).events

    assert {(one.severity, one.count, one.entry.code, one.occurred_at) for one in found} == {
        (Severity.WARNING, 2, 7, NOW - HOUR),
        (Severity.INFO, 1, 10, NOW - 29 * DAY),
    }


async def test_what_a_meter_wrote_down_elsewhere_is_not_hers(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await change(database, Installation, installed_at=NOW - DAY)
    await happens(database, placed.meter_id, NOW - 2 * DAY, Severity.WARNING)
    assert (await of(database, placed.subscriber_id)).events == ()

    await happens(database, placed.meter_id, NOW - HOUR, Severity.WARNING)
    assert [one.count for one in (await of(database, placed.subscriber_id)).events] == [1]


async def test_open_tickets_and_the_last_answer(database: Database) -> None:
    mine, theirs = await factories.a_metered_point(database), await factories.a_metered_point(database)

    async def ticket(placed: factories.MeteredPoint, status: TicketStatus, subject: str) -> int:
        values = {"category": TicketCategory.OTHER, "created_at": NOW, "updated_at": NOW}
        return await add(
            database,
            Ticket,
            subscriber_id=placed.subscriber_id,
            account_id=placed.account_id,
            subject=subject,
            status=status,
            **values,
        )

    async def message(ticket_id: int, text: str, at: datetime, **values: bool) -> None:
        said = {"is_staff": True, "is_internal": False, **values}
        await add(
            database, TicketMessage, ticket_id=ticket_id, text=text, send_key=text, created_at=at, **said
        )

    assert (await of(database, mine.subscriber_id)).tickets.last_answer is None
    first = await ticket(mine, TicketStatus.WAITING, "Показания")
    await ticket(mine, TicketStatus.NEW, "Пломба")
    closed = await ticket(mine, TicketStatus.CLOSED, "Тариф")
    stranger = await ticket(theirs, TicketStatus.WAITING, "Чужое")
    await message(first, "Ответ", NOW - 2 * HOUR)
    await message(closed, "Последний ответ", NOW - HOUR)
    await message(closed, "Записка", NOW, is_internal=True)
    await message(closed, "Спасибо", NOW, is_staff=False)
    await message(stranger, "Чужой ответ", NOW)

    found = (await of(database, mine.subscriber_id)).tickets

    assert (found.open, found.waiting) == (2, 1)
    assert found.last_answer is not None
    assert (found.last_answer.ticket_id, found.last_answer.subject) == (closed, "Тариф")
    assert (found.last_answer.beginning, found.last_answer.at) == ("Последний ответ", NOW - HOUR)


async def test_a_removed_account_is_gone_and_nothing_is_left(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    assert len((await of(database, placed.subscriber_id)).accounts) == 1

    await change(database, Account, removed_at=NOW)

    found = await of(database, placed.subscriber_id)
    assert (found.accounts, found.events, found.tickets.open) == ((), (), 0)


@pytest.mark.parametrize("meters", [1, 7])
async def test_it_takes_four_queries_however_many_meters(database: Database, meters: int) -> None:
    placed = await factories.a_metered_point(database)
    for _ in range(meters - 1):
        await factories.a_metered_point(database, subscriber_id=placed.subscriber_id)
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    sql_event.listen(database._reader.sync_engine, "before_cursor_execute", note)
    found = await of(database, placed.subscriber_id)

    assert len(found.accounts) == meters
    assert len(asked) == 4
