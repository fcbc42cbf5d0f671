"""What has news, on both databases: the broadcaster must miss nothing and repeat little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from lk_portal.models import (
    Account,
    InfoKind,
    InfoPage,
    MeterEvent,
    Severity,
    Ticket,
    TicketCategory,
    TicketStatus,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.changes import INFO, changed_since, point_topic, subscriber_topic, ticket_topic
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from tests import factories

NOW = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
HOUR, SECOND, MS = timedelta(hours=1), timedelta(seconds=1), timedelta(milliseconds=1)
FAR = NOW + timedelta(days=1)


async def store(database: Database, point_id: int, *, hour: int, value_wh: int, at: datetime) -> None:
    start = to_milliseconds(NOW.replace(microsecond=0) - hour * HOUR)
    await import_intervals(
        database, [IntervalRow(point_id, 1, start, 3600, value_wh, 3600, 1, 0)], clock=lambda: at
    )


async def add(database: Database, model: Any, **values: Any) -> int:
    async with database.writing() as connection:
        key = (await connection.execute(insert(table_of(model)).values(**values))).inserted_primary_key
        return int(key[0])


async def test_a_point_has_news_since_it_changed_and_no_longer(database: Database) -> None:
    one, other = await factories.a_metered_point(database), await factories.a_metered_point(database)
    first, second = point_topic(one.point_id), point_topic(other.point_id)
    assert await changed_since(database, factories.LONG_AGO, now=FAR) == {}

    await store(database, one.point_id, hour=3, value_wh=1, at=NOW)
    await store(database, other.point_id, hour=3, value_wh=1, at=NOW + 2 * SECOND)

    assert await changed_since(database, NOW - HOUR, now=FAR) == {first: NOW, second: NOW + 2 * SECOND}
    assert set(await changed_since(database, NOW, now=FAR)) == {first, second}
    assert set(await changed_since(database, NOW + MS, now=FAR)) == {second}
    assert await changed_since(database, NOW + 3 * SECOND, now=FAR) == {}


async def test_a_later_value_is_news_again(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(database, placed.point_id, hour=3, value_wh=1, at=NOW)
    later = NOW + timedelta(minutes=5)

    await store(database, placed.point_id, hour=2, value_wh=1, at=later)

    assert await changed_since(database, NOW, now=FAR) == {point_topic(placed.point_id): later}


async def test_an_event_is_news_to_whoever_has_the_meter(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await factories.a_metered_point(database)
    await add(
        database,
        MeterEvent,
        meter_id=placed.meter_id,
        occurred_at=NOW - 5 * HOUR,
        journal=0,
        code=9,
        severity=Severity.WARNING,
        received_at=NOW,
    )

    assert await changed_since(database, NOW, now=FAR) == {subscriber_topic(placed.subscriber_id): NOW}
    assert await changed_since(database, NOW + MS, now=FAR) == {}


async def test_but_not_once_she_has_removed_the_account(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await factories.switching(database, meter_id=placed.meter_id, code=3, at=NOW)
    told = {subscriber_topic(placed.subscriber_id): NOW}
    assert await changed_since(database, NOW, now=FAR) == told

    async with database.writing() as connection:
        await connection.execute(update(table_of(Account)).values(removed_at=NOW))

    assert await changed_since(database, NOW, now=FAR) == {}


async def test_a_ticket_is_news_to_its_page_and_its_subscriber(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    ticket_id = await add(
        database,
        Ticket,
        subscriber_id=placed.subscriber_id,
        account_id=placed.account_id,
        category=TicketCategory.METER,
        subject="Мигает",
        status=TicketStatus.NEW,
        created_at=NOW - HOUR,
        updated_at=NOW,
    )

    topics = {ticket_topic(ticket_id): NOW, subscriber_topic(placed.subscriber_id): NOW}
    assert await changed_since(database, NOW, now=FAR) == topics
    assert await changed_since(database, NOW + MS, now=FAR) == {}


async def test_a_page_is_news_when_it_comes_out_and_when_it_is_changed(database: Database) -> None:
    values = {"locale": "ru", "kind": InfoKind.NEWS, "title": "Отключение", "text": "Завтра", "position": 0}
    written = {"is_public": True, "updated_at": NOW - HOUR}
    await add(database, InfoPage, slug="draft", published_at=None, **values, **written)
    assert await changed_since(database, NOW - 2 * HOUR, now=FAR) == {}

    await add(database, InfoPage, slug="later", published_at=NOW + HOUR, **values, **written)
    assert await changed_since(database, NOW - 2 * HOUR, now=NOW) == {}
    assert await changed_since(database, NOW, now=NOW + HOUR) == {INFO: NOW + HOUR}
    assert await changed_since(database, NOW + HOUR + MS, now=FAR) == {}

    changed = {"is_public": True, "updated_at": NOW + 3 * HOUR}
    await add(database, InfoPage, slug="old", published_at=NOW - 9 * HOUR, **values, **changed)
    assert await changed_since(database, NOW + 2 * HOUR, now=FAR) == {INFO: NOW + 3 * HOUR}
