"""What has news, on both databases: the broadcaster must miss nothing and repeat little."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, insert, update

from lk_portal.models import (
    Account,
    InfoKind,
    InfoPage,
    MeterEvent,
    Role,
    Severity,
    Ticket,
    TicketCategory,
    TicketStatus,
    User,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.changes import (
    INFO,
    TICKETS,
    changed_since,
    person_topic,
    point_topic,
    subscriber_topic,
    ticket_topic,
)
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.seen import Section, mark_seen
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


async def topics(database: Database, since: datetime) -> set[str]:
    return {topic for topic, _at in await changed_since(database, since, now=FAR)}


async def test_a_point_has_news_since_it_changed_and_no_longer(database: Database) -> None:
    one, other = await factories.a_metered_point(database), await factories.a_metered_point(database)
    first, second = point_topic(one.point_id), point_topic(other.point_id)
    assert await changed_since(database, factories.LONG_AGO, now=FAR) == frozenset()

    await store(database, one.point_id, hour=3, value_wh=1, at=NOW)
    await store(database, other.point_id, hour=3, value_wh=1, at=NOW + 2 * SECOND)

    assert await changed_since(database, NOW - HOUR, now=FAR) == {(first, NOW), (second, NOW + 2 * SECOND)}
    assert await topics(database, NOW) == {first, second}
    assert await topics(database, NOW + MS) == {second}
    assert await changed_since(database, NOW + 3 * SECOND, now=FAR) == frozenset()


async def test_a_later_value_is_news_again(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(database, placed.point_id, hour=3, value_wh=1, at=NOW)
    later = NOW + timedelta(minutes=5)

    await store(database, placed.point_id, hour=2, value_wh=1, at=later)

    assert await changed_since(database, NOW, now=FAR) == {(point_topic(placed.point_id), later)}


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

    assert await changed_since(database, NOW, now=FAR) == {(subscriber_topic(placed.subscriber_id), NOW)}
    assert await changed_since(database, NOW + MS, now=FAR) == frozenset()


async def test_events_that_came_at_two_times_are_two_changes(database: Database) -> None:
    """So that one whose transaction lasts longer is seen beside a later one that was told already."""
    placed = await factories.a_metered_point(database)
    for code, at in ((3, NOW), (4, NOW + SECOND), (5, NOW + SECOND)):
        await factories.switching(database, meter_id=placed.meter_id, code=code, at=at)

    topic = subscriber_topic(placed.subscriber_id)
    assert await changed_since(database, NOW, now=FAR) == {(topic, NOW), (topic, NOW + SECOND)}


async def test_a_mark_is_news_to_its_person_when_it_is_written(database: Database) -> None:
    person = {"role": Role.OPERATOR, "display_name": "?", "password_hash": "", "created_at": NOW}
    one, other = [await add(database, User, email=f"{name}@e.example", **person) for name in ("a", "b")]

    async def sees(user_id: int, looked_at: datetime, *, at: datetime) -> None:
        await mark_seen(
            database,
            user_id=user_id,
            sections=[Section.EVENTS],
            data_until=None,
            looked_at=looked_at,
            clock=lambda: at,
        )

    await sees(one, NOW - HOUR, at=NOW)
    await sees(other, NOW - HOUR, at=NOW - SECOND)
    assert await changed_since(database, NOW, now=FAR) == {(person_topic(one), NOW)}

    await sees(one, NOW - 2 * HOUR, at=NOW + HOUR)
    assert await topics(database, NOW + MS) == set(), "a mark that stays is no change"
    await sees(one, NOW, at=NOW + HOUR)
    assert await changed_since(database, NOW + MS, now=FAR) == {(person_topic(one), NOW + HOUR)}


async def test_looking_reads_only_what_changed(sqlite_database: Database) -> None:
    sent: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        sent.append((arguments[2], arguments[3]))

    engine = sqlite_database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await changed_since(sqlite_database, NOW, now=FAR)
    event.remove(engine, "before_cursor_execute", note)

    assert len(sent) == 8
    async with sqlite_database.reading() as connection:
        for statement, values in sent:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[3] for row in plan]
            assert [step for step in steps if step.startswith("SCAN")] == [], statement
            assert any(">?" in step for step in steps), (statement, steps)


async def test_but_not_once_she_has_removed_the_account(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await factories.switching(database, meter_id=placed.meter_id, code=3, at=NOW)
    told = {(subscriber_topic(placed.subscriber_id), NOW)}
    assert await changed_since(database, NOW, now=FAR) == told

    async with database.writing() as connection:
        await connection.execute(update(table_of(Account)).values(removed_at=NOW))

    assert await changed_since(database, NOW, now=FAR) == frozenset()


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

    told = {(ticket_topic(ticket_id), NOW), (subscriber_topic(placed.subscriber_id), NOW), (TICKETS, NOW)}
    assert await changed_since(database, NOW, now=FAR) == told
    assert await changed_since(database, NOW + MS, now=FAR) == frozenset()


async def test_a_page_is_news_when_it_comes_out_and_when_it_is_changed(database: Database) -> None:
    values = {"locale": "ru", "kind": InfoKind.NEWS, "title": "Отключение", "text": "Завтра", "position": 0}
    written = {"is_public": True, "updated_at": NOW - HOUR}
    await add(database, InfoPage, slug="draft", published_at=None, **values, **written)
    assert await changed_since(database, NOW - 2 * HOUR, now=FAR) == frozenset()

    await add(database, InfoPage, slug="later", published_at=NOW + HOUR, **values, **written)
    assert await changed_since(database, NOW - 2 * HOUR, now=NOW) == frozenset()
    assert await changed_since(database, NOW, now=NOW + HOUR) == {(INFO, NOW + HOUR)}
    assert await changed_since(database, NOW + HOUR + MS, now=FAR) == frozenset()

    changed = {"is_public": True, "updated_at": NOW + 3 * HOUR}
    await add(database, InfoPage, slug="old", published_at=NOW - 9 * HOUR, **values, **changed)
    assert await changed_since(database, NOW + 2 * HOUR, now=FAR) == {(INFO, NOW + 3 * HOUR)}
