"""What is new to whom, on both databases: nothing at the first visit, and nothing of anybody else ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import insert, select, update

from lk_portal.models import (
    Account,
    InfoKind,
    InfoPage,
    Installation,
    MeterEvent,
    SeenMarker,
    Severity,
    Ticket,
    TicketCategory,
    TicketMessage,
    TicketStatus,
)
from lk_portal.models.types import to_milliseconds
from lk_portal.services.access import Role, create_user
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.seen import MOST, News, Section, mark_seen, news
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 23, 18, tzinfo=UTC)
"""Of November 24 in Omsk."""


@dataclass
class Person:
    """A subscriber with a meter and a login."""

    database: Database
    user_id: int
    placed: factories.MeteredPoint
    others: int = 0

    async def news(self, *, after: timedelta = timedelta()) -> News:
        return await news(
            self.database,
            user_id=self.user_id,
            subscriber_id=self.placed.subscriber_id,
            clock=lambda: NOW + after,
        )

    async def counts(self, *, after: timedelta = HOUR) -> dict[Section, int]:
        return dict((await self.news(after=after)).counts)

    async def sees(self, *sections: Section, after: timedelta = HOUR) -> None:
        found = await self.news(after=after)
        await mark_seen(
            self.database,
            user_id=self.user_id,
            sections=sections,
            data_until=found.data_until,
            looked_at=NOW + after,
            clock=lambda: NOW + after,
        )


async def person(database: Database, folder: Path, name: str = "ivanov") -> Person:
    """Somebody who has been here at `NOW`."""
    placed = await factories.a_metered_point(database)
    user_id = await create_user(
        database,
        load_settings(data_dir=folder, bcrypt_rounds=4),
        email=f"{name}@example.com",
        phone=None,
        role=Role.SUBSCRIBER,
        display_name=name,
        password="Correct-horse-2026",
        subscriber_id=placed.subscriber_id,
        now=NOW,
    )
    return Person(database, user_id, placed)


async def add(database: Database, model: Any, **values: Any) -> int:
    async with database.writing() as connection:
        key = (await connection.execute(insert(table_of(model)).values(**values))).inserted_primary_key
        return int(key[0])


async def happens(
    database: Database, meter_id: int, *, at: datetime, received_at: datetime, code: int = 9
) -> None:
    values = {"journal": 0, "code": code, "severity": Severity.WARNING}
    await add(database, MeterEvent, meter_id=meter_id, occurred_at=at, received_at=received_at, **values)


async def has_data(database: Database, point_id: int, start: datetime, hours: int) -> None:
    first = to_milliseconds(start)
    rows = [
        IntervalRow(point_id, 1, first + hour * 3_600_000, 3600, 100, 3600, 1, 0) for hour in range(hours)
    ]
    await import_intervals(database, rows, clock=lambda: NOW)


async def ticket_of(one: Person) -> int:
    return await add(
        one.database,
        Ticket,
        subscriber_id=one.placed.subscriber_id,
        account_id=one.placed.account_id,
        category=TicketCategory.OTHER,
        subject="?",
        status=TicketStatus.IN_WORK,
        created_at=NOW,
        updated_at=NOW,
    )


async def says(one: Person, ticket_id: int, key: str, **values: Any) -> None:
    said = {"is_staff": True, "is_internal": False, "text": "!", "created_at": NOW + HOUR, **values}
    await add(one.database, TicketMessage, ticket_id=ticket_id, send_key=key, **said)


async def test_who_comes_for_the_first_time_is_greeted_by_nothing(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    await happens(database, one.placed.meter_id, at=NOW - HOUR, received_at=NOW - HOUR)
    await has_data(database, one.placed.point_id, MIDNIGHT - 40 * DAY, 24 * 40)
    await says(one, await ticket_of(one), "a", created_at=NOW - HOUR)

    first = await one.news()

    assert (first.counts, first.point_ids, first.data_until) == ({}, (one.placed.point_id,), MIDNIGHT)
    assert await one.counts() == {}
    marker = table_of(SeenMarker)
    async with database.reading() as connection:
        marks = dict((await connection.execute(select(marker.c.section, marker.c.seen_at))).all())
    assert marks == {**dict.fromkeys(Section, NOW), Section.READINGS: MIDNIGHT}


async def test_an_event_is_new_until_the_section_is_opened(database: Database, tmp_path: Path) -> None:
    one, other = await person(database, tmp_path), await person(database, tmp_path, "petrov")
    await one.news()
    await other.news()
    await happens(database, one.placed.meter_id, at=NOW - 2 * DAY, received_at=NOW + HOUR)

    assert await one.counts() == {Section.EVENTS: 1}
    assert await other.counts() == {}
    await one.sees(Section.READINGS)
    assert await one.counts() == {Section.EVENTS: 1}
    await one.sees(Section.EVENTS)
    assert await one.counts() == {}


async def test_an_event_of_before_the_meter_stood_here_is_not_hers(
    database: Database, tmp_path: Path
) -> None:
    one = await person(database, tmp_path)
    await one.news()
    async with database.writing() as connection:
        await connection.execute(update(table_of(Installation)).values(installed_at=NOW - DAY))
    await happens(database, one.placed.meter_id, at=NOW - DAY - HOUR, received_at=NOW + HOUR)
    assert await one.counts() == {}

    await happens(database, one.placed.meter_id, at=NOW - DAY, received_at=NOW + HOUR)
    assert await one.counts() == {Section.EVENTS: 1}
    async with database.writing() as connection:
        await connection.execute(update(table_of(Account)).values(removed_at=NOW))
    assert await one.counts() == {}


async def test_a_day_is_new_once_it_is_whole(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    await has_data(database, one.placed.point_id, MIDNIGHT - DAY, 20)
    await one.news()

    await has_data(database, one.placed.point_id, MIDNIGHT - 4 * HOUR, 3)
    assert await one.counts() == {}
    await has_data(database, one.placed.point_id, MIDNIGHT - HOUR, 3)
    assert await one.counts() == {Section.READINGS: 1}
    await one.sees(Section.READINGS)
    assert await one.counts() == {}


async def test_days_that_come_late_are_new_and_holes_are_none(database: Database, tmp_path: Path) -> None:
    """A file of last week arrives today, after she looked; two of its days have nothing."""
    one = await person(database, tmp_path)
    await has_data(database, one.placed.point_id, MIDNIGHT - 9 * DAY, 24)
    await one.news()

    await has_data(database, one.placed.point_id, MIDNIGHT - 6 * DAY, 24 * 4)

    assert await one.counts() == {Section.READINGS: 4}


async def test_two_meters_of_a_day_make_one_new_day(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    second = await factories.a_metered_point(database, subscriber_id=one.placed.subscriber_id)
    await has_data(database, one.placed.point_id, MIDNIGHT - 3 * DAY, 24)
    await one.news()

    for point_id in (one.placed.point_id, second.point_id):
        await has_data(database, point_id, MIDNIGHT - 2 * DAY, 48)

    assert await one.counts() == {Section.READINGS: 2}


async def test_an_answer_is_new_and_notes_and_her_own_words_are_not(
    database: Database, tmp_path: Path
) -> None:
    one, other = await person(database, tmp_path), await person(database, tmp_path, "petrov")
    await one.news()
    await other.news()
    ticket_id = await ticket_of(one)
    await says(one, ticket_id, "note", is_internal=True)
    await says(one, ticket_id, "own", is_staff=False)
    assert await one.counts() == {}

    await says(one, ticket_id, "answer")

    assert await one.counts() == {Section.SUPPORT: 1}
    assert await other.counts() == {}
    await one.sees(Section.SUPPORT)
    assert await one.counts() == {}


async def test_a_page_is_new_when_it_has_come_out(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    await one.news()
    values = {"locale": "ru", "title": "?", "text": "", "position": 0, "is_public": True, "updated_at": NOW}
    for slug, at in (("old", NOW - DAY), ("new", NOW + HOUR), ("later", NOW + 2 * HOUR), ("draft", None)):
        await add(database, InfoPage, slug=slug, kind=InfoKind.NEWS, published_at=at, **values)
    await add(database, InfoPage, slug="block", kind=InfoKind.BLOCK, published_at=NOW + HOUR, **values)

    assert await one.counts() == {Section.INFO: 1}
    assert await one.counts(after=3 * HOUR) == {Section.INFO: 2}
    await one.sees(Section.INFO, after=3 * HOUR)
    assert await one.counts(after=3 * HOUR) == {}


async def test_many_are_counted_no_further_than_is_told(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    await one.news()
    for step in range(MOST + 5):
        at = NOW - timedelta(minutes=step)
        await happens(database, one.placed.meter_id, at=at, received_at=NOW + HOUR)

    assert await one.counts() == {Section.EVENTS: MOST + 1}


async def test_a_mark_never_goes_back(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    await one.news()
    await one.sees(Section.EVENTS, after=2 * HOUR)
    await one.sees(Section.EVENTS, after=HOUR)

    await happens(database, one.placed.meter_id, at=NOW, received_at=NOW + 1.5 * HOUR)

    assert await one.counts(after=3 * HOUR) == {}


async def test_somebody_without_an_account_has_no_news(database: Database, tmp_path: Path) -> None:
    one = await person(database, tmp_path)
    async with database.writing() as connection:
        await connection.execute(update(table_of(Account)).values(removed_at=NOW))

    assert await one.news() == News()
    assert await news(database, user_id=one.user_id + 1000, subscriber_id=1, clock=lambda: NOW) == News()


@pytest.mark.parametrize("meters", [1, 6])
async def test_it_takes_the_same_queries_however_many_meters(
    database: Database, tmp_path: Path, meters: int
) -> None:
    one = await person(database, tmp_path)
    for _ in range(meters - 1):
        await factories.a_metered_point(database, subscriber_id=one.placed.subscriber_id)
    await one.news()
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    sql_event.listen(database._reader.sync_engine, "before_cursor_execute", note)
    await one.news()

    assert len(asked) == 1
