"""Keeping events, and finding one, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import MeterEvent, Severity
from lk_portal.services.changes import changed_since, subscriber_topic
from lk_portal.services.database import Database
from lk_portal.services.events import EventRow, event_row, find_event, store_events
from lk_portal.services.tables import table_of
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row(meter_id: int, at: datetime, journal: int, code: int) -> EventRow:
    return event_row(meter_id=meter_id, occurred_at=at, journal=journal, code=code)


async def store(database: Database, *rows: EventRow, now: datetime = NOW) -> int:
    async with database.writing() as connection:
        return await store_events(connection, rows, now=now)


async def stored(database: Database) -> list[tuple[object, ...]]:
    event = table_of(MeterEvent)
    columns = (event.c.occurred_at, event.c.journal, event.c.code, event.c.severity, event.c.received_at)
    async with database.reading() as connection:
        return [tuple(one) for one in await connection.execute(select(*columns).order_by(event.c.id))]


async def test_events_are_kept_with_the_dictionarys_severity(database: Database) -> None:
    meter_id = await factories.meter(database)

    new = await store(
        database, row(meter_id, NOW - HOUR, 2, 8), row(meter_id, NOW - HOUR, 0, 9), row(meter_id, NOW, 0, 10),
        row(meter_id, NOW, 60, 1),
    )  # fmt: skip

    assert new == 4
    assert await stored(database) == [
        (NOW - HOUR, 2, 8, Severity.CRITICAL, NOW),
        (NOW - HOUR, 0, 9, Severity.WARNING, NOW),
        (NOW, 0, 10, Severity.INFO, NOW),
        (NOW, 60, 1, Severity.INFO, NOW),
    ]


async def test_the_same_event_again_changes_nothing(database: Database) -> None:
    meter_id = await factories.meter(database)
    first = row(meter_id, NOW, 0, 9)
    assert await store(database, first, first) == 1
    before = await stored(database)

    assert await store(database, first, row(meter_id, NOW, 0, 10), now=NOW + HOUR) == 1
    assert await stored(database) == [*before, (NOW, 0, 10, Severity.INFO, NOW + HOUR)]
    assert await store(database, now=NOW + HOUR) == 0


async def test_a_new_event_is_news_to_the_subscriber(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    topic = subscriber_topic(placed.subscriber_id)
    assert topic not in {told for told, _at in await changed_since(database, NOW, now=NOW)}

    await store(database, row(placed.meter_id, NOW - DAY, 0, 9))

    assert (topic, NOW) in await changed_since(database, NOW, now=NOW)


@pytest.mark.parametrize(("journal", "code", "field"), [(-1, 1, "journal"), (256, 1, "journal"),
                                                        (0, -1, "code"), (0, 65536, "code")])  # fmt: skip
def test_numbers_no_meter_has_are_refused(journal: int, code: int, field: str) -> None:
    with pytest.raises(InputError) as refused:
        row(1, NOW, journal, code)

    assert refused.value.field == field
    assert row(1, NOW, 255, 65535)[2:] == (255, 65535)


async def the_id(database: Database, code: int) -> int:
    event = table_of(MeterEvent)
    async with database.reading() as connection:
        found = (await connection.execute(select(event.c.id).where(event.c.code == code))).scalar_one()
    return int(found)


async def test_an_event_is_found_by_its_owner_only(database: Database) -> None:
    placed, other = await factories.a_metered_point(database), await factories.a_metered_point(database)
    await store(database, row(placed.meter_id, NOW, 2, 8))
    event_id = await the_id(database, 8)

    found = await find_event(database, subscriber_id=placed.subscriber_id, event_id=event_id)

    assert (found.event_id, found.serial, found.account_id) == (event_id, placed.serial, placed.account_id)
    assert (found.occurred_at, found.timezone, found.severity) == (NOW, "Asia/Omsk", Severity.CRITICAL)
    assert found.entry.name_en == "Load disconnected by the meter: power limit exceeded"
    with pytest.raises(NotFoundError):
        await find_event(database, subscriber_id=other.subscriber_id, event_id=event_id)


@pytest.mark.parametrize("event_id", [0, -1, 999_999, 2**31, 10**30])
async def test_an_unknown_event_is_not_found(database: Database, event_id: int) -> None:
    placed = await factories.a_metered_point(database)

    with pytest.raises(NotFoundError):
        await find_event(database, subscriber_id=placed.subscriber_id, event_id=event_id)


async def test_a_meter_that_moved_leaves_its_events_where_they_happened(database: Database) -> None:
    first = await factories.a_metered_point(database)
    second = await factories.a_metered_point(database)
    meter_id = await factories.meter(database)
    await factories.installation(
        database, meter_id=meter_id, point_id=first.point_id, installed_at=NOW - 9 * DAY, removed_at=NOW
    )
    await factories.installation(
        database,
        meter_id=meter_id,
        point_id=second.point_id,
        installed_at=NOW + DAY,
        removed_at=NOW + 9 * DAY,
    )
    await store(database, row(meter_id, NOW - HOUR, 4, 3), row(meter_id, NOW + 2 * DAY, 4, 4))
    early, late = await the_id(database, 3), await the_id(database, 4)

    assert (await find_event(database, subscriber_id=first.subscriber_id, event_id=early)).entry.code == 3
    assert (await find_event(database, subscriber_id=second.subscriber_id, event_id=late)).entry.code == 4
    for owner, event_id in ((first, late), (second, early)):
        with pytest.raises(NotFoundError):
            await find_event(database, subscriber_id=owner.subscriber_id, event_id=event_id)
