"""A period of events, on both databases: whose they are, pairs across its edges, and how much is read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from lk_portal.errors import NotFoundError
from lk_portal.models import Severity
from lk_portal.services import event_history as module
from lk_portal.services.database import Database
from lk_portal.services.event_history import EventHistory, event_history
from lk_portal.services.events import event_row, store_events
from lk_portal.services.periods import Grain, Period
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOVEMBER = Period(Grain.MONTH, date(2026, 11, 1))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGINS = datetime(2026, 10, 31, 18, tzinfo=UTC)
"""The first moment of November in Omsk."""


async def store(database: Database, meter_id: int, *events: tuple[datetime, int, int]) -> None:
    rows = [
        event_row(meter_id=meter_id, occurred_at=at, journal=journal, code=code)
        for at, journal, code in events
    ]
    async with database.writing() as connection:
        await store_events(connection, rows, now=NOW)


async def read(
    database: Database, placed: factories.MeteredPoint, period: Period = NOVEMBER, serial: str = ""
) -> EventHistory:
    return await event_history(
        database,
        subscriber_id=placed.subscriber_id,
        serial=serial or placed.serial,
        period=period,
        now=NOW,
    )


def told(history: EventHistory) -> list[tuple[int, timedelta | None, bool]]:
    return [(one.first.entry.code, one.duration, one.is_open) for one in history.episodes]


async def test_a_period_has_its_events_newest_first(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(
        database,
        placed.meter_id,
        (BEGINS - MINUTE, 4, 4),
        (BEGINS, 4, 3),
        (BEGINS + DAY, 0, 9),
        (BEGINS + DAY + HOUR, 0, 10),
        (BEGINS + 2 * DAY, 7, 1),
        (BEGINS + 30 * DAY, 4, 5),
    )

    history = await read(database, placed)

    assert told(history) == [(1, None, False), (9, HOUR, False), (3, None, False)]
    assert history.counts() == {Severity.INFO: 1, Severity.WARNING: 1, Severity.CRITICAL: 1}
    assert (history.place.serial, history.place.timezone) == (placed.serial, "Asia/Omsk")
    assert (history.place.since, history.place.has_several_meters) == (factories.LONG_AGO, False)
    assert history.cut_at is None
    assert told(await read(database, placed, NOVEMBER.next())) == [(5, None, False)]


async def test_a_pair_across_the_edge_is_whole_on_both_sides(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(
        database, placed.meter_id, (BEGINS - HOUR, 0, 27), (BEGINS + HOUR, 0, 28), (BEGINS - DAY, 0, 27)
    )  # fmt: skip

    november, october = await read(database, placed), await read(database, placed, NOVEMBER.previous())

    assert told(november) == [(27, 2 * HOUR, False)]
    assert told(october) == [(27, 2 * HOUR, False), (27, None, False)]


async def test_what_goes_on_is_seen_until_now_and_not_in_the_future(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(database, placed.meter_id, (BEGINS - 40 * DAY, 2, 3), (BEGINS - 39 * DAY, 2, 9))

    for period in (NOVEMBER, NOVEMBER.previous(), NOVEMBER.previous().previous()):
        assert told(await read(database, placed, period))[-1] == (3, None, True)
    assert told(await read(database, placed, NOVEMBER.next())) == []


async def test_a_subscriber_who_connects_the_load_a_month_later_ends_the_disconnection(
    database: Database,
) -> None:
    placed = await factories.a_metered_point(database)
    await store(
        database, placed.meter_id, (BEGINS - DAY, 2, 3), (BEGINS + DAY, 2, 7), (BEGINS + 2 * DAY, 7, 1)
    )

    assert told(await read(database, placed, NOVEMBER.previous())) == [(3, 2 * DAY, False)]
    assert told(await read(database, placed)) == [(1, None, False), (7, None, False), (3, 2 * DAY, False)]


async def test_a_replaced_meters_events_are_shown_with_the_points(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    point_id = await factories.point(database, account_id=placed.account_id, name="Дача")
    old, new = await factories.meter(database, serial="OLD"), await factories.meter(database, serial="NEW")
    gone_at = BEGINS + 5 * DAY
    await factories.installation(database, meter_id=old, point_id=point_id, removed_at=gone_at)
    await factories.installation(database, meter_id=new, point_id=point_id, installed_at=gone_at + HOUR)
    await store(database, old, (BEGINS, 0, 9), (gone_at + DAY, 4, 4))
    await store(database, new, (gone_at, 4, 5), (gone_at + DAY, 0, 27))
    await store(database, placed.meter_id, (BEGINS, 4, 3))

    for serial in ("OLD", "NEW"):
        history = await read(database, placed, serial=serial)
        assert told(history) == [(27, None, True), (9, None, False)], (
            "of a meter that is gone nothing goes on"
        )
        assert [one.first.serial for one in history.episodes] == ["NEW", "OLD"]
        assert (history.place.serial, history.place.has_several_meters) == ("NEW", True)
    assert told(await read(database, placed)) == [(3, None, False)]


@pytest.mark.parametrize("serial", ["", "nothing", "\0", "\ud800", "x" * 5000])
async def test_an_unknown_meter_is_not_found(database: Database, serial: str) -> None:
    placed = await factories.a_metered_point(database)

    with pytest.raises(NotFoundError):
        await event_history(
            database, subscriber_id=placed.subscriber_id, serial=serial, period=NOVEMBER, now=NOW
        )


async def test_neither_is_a_strangers(database: Database) -> None:
    mine, theirs = await factories.a_metered_point(database), await factories.a_metered_point(database)
    await store(database, theirs.meter_id, (BEGINS, 4, 3))

    with pytest.raises(NotFoundError):
        await read(database, mine, serial=theirs.serial)
    assert told(await read(database, theirs)) == [(3, None, False)]


async def test_of_very_many_the_newest_are_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 10)
    placed = await factories.a_metered_point(database)
    await store(
        database,
        placed.meter_id,
        (BEGINS + MINUTE, 0, 27),
        *((BEGINS + number * HOUR, 7, 1) for number in range(1, 10)),
        (BEGINS + 9 * HOUR + MINUTE, 0, 28),
    )

    history = await read(database, placed)

    assert history.cut_at == BEGINS + HOUR
    assert len(history.episodes) == 10
    assert told(history)[-1] == (27, 9 * HOUR, False), "the pair's start lies in what was left out"


async def test_the_number_of_questions_does_not_grow(database: Database) -> None:
    placed = await factories.a_metered_point(database)

    async def questions() -> int:
        asked: list[str] = []

        def note(*args: object) -> None:
            asked.append(str(args[2]))

        engine = database._reader.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            await read(database, placed, NOVEMBER.previous())
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    before = await questions()
    await store(
        database, placed.meter_id, *((BEGINS - number * HOUR, 0, 1 + number % 28) for number in range(200))
    )

    assert before == 2
    assert await questions() == before


async def test_a_meter_that_was_away_tells_only_of_its_stays(database: Database) -> None:
    """What it reported elsewhere neither begins nor ends anything here."""
    placed = await factories.a_metered_point(database)
    point_id = await factories.point(database, account_id=placed.account_id, name="Дача")
    meter = await factories.meter(database, serial="AWAY")
    left, back = BEGINS - 20 * DAY, BEGINS - 10 * DAY
    await factories.installation(database, meter_id=meter, point_id=point_id, removed_at=left)
    await factories.installation(database, meter_id=meter, point_id=point_id, installed_at=back)
    await store(
        database,
        meter,
        (left - DAY, 0, 27),
        (left, 0, 9),
        (back - HOUR, 0, 28),
        (BEGINS + DAY, 4, 3),
    )

    history = await read(database, placed, serial="AWAY")

    assert told(history) == [(3, None, False), (27, None, True)]


async def plan_of(database: Database, placed: factories.MeteredPoint) -> str:
    """How the database answers the question for a period."""
    sent: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        sent.append((arguments[2], arguments[3]))

    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await read(database, placed)
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN (COSTS OFF)"
    async with database.reading() as connection:
        rows = await connection.exec_driver_sql(f"{explain} {sent[-1][0]}", sent[-1][1])
        return "\n".join(str(row[-1]) for row in rows)


async def test_around_a_period_it_leaps_from_code_to_code(database: Database) -> None:
    placed = await factories.a_metered_point(database)
    await store(
        database, placed.meter_id, *((BEGINS - number * MINUTE, 0, 1 + number % 28) for number in range(9000))
    )
    async with database.writing() as connection:
        await connection.execute(text("ANALYZE"))

    plan = await plan_of(database, placed)

    assert plan.count("ix_meter_event_nearest") == 5, "first, next of a journal, next journal, before, after"
    for step in ("SCAN meter_event", "SCAN near", "SCAN leap", "Seq Scan on meter_event"):
        assert step not in plan
