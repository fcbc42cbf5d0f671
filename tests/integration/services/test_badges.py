"""Badges that pages declare, on both databases: counted beside ours, for their person, never in the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import func, insert, select, text

from lk_portal.errors import ConfigurationError
from lk_portal.models import (
    Account,
    InfoPage,
    Meter,
    SeenMarker,
    Severity,
    Ticket,
    TicketCategory,
    TicketStatus,
    User,
)
from lk_portal.models.event import MeterEvent
from lk_portal.services import badges
from lk_portal.services.access import Role, create_user
from lk_portal.services.badges import Asking, Badge, badge_topic, cleared_by_opening, declare
from lk_portal.services.changes import changed_since
from lk_portal.services.database import Database
from lk_portal.services.seen import MOST, Section, mark_seen, news, peek
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
_ticket = table_of(Ticket)


@pytest.fixture(autouse=True)
def no_badges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(badges, "_badges", {})
    monkeypatch.setattr(badges, "_stamps", {})


@dataclass
class Person:
    database: Database
    user_id: int
    placed: factories.MeteredPoint

    @property
    def whose(self) -> dict[str, int]:
        return {"user_id": self.user_id, "subscriber_id": self.placed.subscriber_id}

    async def counts(self, *, at: datetime) -> dict[str, int]:
        return dict((await news(self.database, **self.whose, clock=lambda: at)).counts)

    async def opens(self, name: str, *, at: datetime) -> None:
        marks = {"sections": [name], "data_until": None, "looked_at": at}
        await mark_seen(self.database, user_id=self.user_id, **marks, clock=lambda: at)

    async def asks(self, *, at: datetime) -> None:
        values = {"category": TicketCategory.OTHER, "subject": "?", "status": TicketStatus.NEW}
        whose = {"subscriber_id": self.placed.subscriber_id, "account_id": self.placed.account_id}
        async with self.database.writing() as connection:
            await connection.execute(insert(_ticket).values(**values, **whose, created_at=at, updated_at=at))


async def person(database: Database, folder: Path, name: str = "ivanov") -> Person:
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


async def new_tickets(asking: Asking) -> int:
    """What a package would count: rows of hers since she looked."""
    query = select(func.count()).select_from(_ticket)
    query = query.where(
        _ticket.c.subscriber_id == asking.subscriber_id, _ticket.c.updated_at > asking.seen_at
    )
    async with asking.database.reading() as connection:
        return int((await connection.execute(query)).scalar_one())


TICKETS = Badge("acme_tickets", new_tickets, changed_at=Ticket.updated_at, whose=Ticket.subscriber_id)


async def test_it_begins_with_nothing_counts_hers_and_goes_when_opened(
    database: Database, tmp_path: Path
) -> None:
    declare(TICKETS)
    one, other = await person(database, tmp_path), await person(database, tmp_path, "petrov")
    await one.asks(at=NOW - HOUR)
    assert (await one.counts(at=NOW), await other.counts(at=NOW)) == ({}, {})

    await one.asks(at=NOW + HOUR)

    assert await one.counts(at=NOW + 2 * HOUR) == {"acme_tickets": 1}
    assert await other.counts(at=NOW + 2 * HOUR) == {}
    assert cleared_by_opening(["acme_tickets", Section.INFO]) == ["acme_tickets", Section.INFO]
    await one.opens("acme_tickets", at=NOW + 2 * HOUR)
    assert await one.counts(at=NOW + 3 * HOUR) == {}


async def test_whoever_only_looks_makes_no_marks_of_badges(database: Database, tmp_path: Path) -> None:
    declare(TICKETS)
    one = await person(database, tmp_path)
    await one.asks(at=NOW - HOUR)

    assert (await peek(database, **one.whose, now=NOW)).counts == {}

    async with database.reading() as connection:
        assert not (await connection.execute(select(table_of(SeenMarker)))).all()


async def test_a_standing_number_has_no_mark_and_does_not_go_when_opened(
    database: Database, tmp_path: Path
) -> None:
    declare(Badge("acme_open", new_tickets, is_seen_by_opening=False))
    one = await person(database, tmp_path)
    await one.asks(at=NOW - 9 * HOUR)

    assert await one.counts(at=NOW) == {"acme_open": 1}

    assert cleared_by_opening(["acme_open", Section.INFO]) == [Section.INFO]
    async with database.reading() as connection:
        marks = (await connection.execute(select(table_of(SeenMarker).c.section))).scalars().all()
    assert set(marks) == set(Section)


async def breaks(_asking: Asking) -> int:
    raise RuntimeError("broken on purpose")


async def counts_in_words(_asking: Asking) -> int:
    return "three"  # type: ignore[return-value]


async def counts_below_zero(_asking: Asking) -> int:
    return -1


async def writes(asking: Asking) -> int:
    async with asking.database.writing() as connection:
        await connection.execute(text("DELETE FROM seen_marker"))
    return 1


async def asks_nonsense(asking: Asking) -> int:
    async with asking.database.reading() as connection:
        await connection.execute(text("SELECT nothing FROM nowhere"))
    return 1


async def never_ends(_asking: Asking) -> int:
    await asyncio.Event().wait()
    return 1


@pytest.mark.parametrize(
    "wrong", [breaks, counts_in_words, counts_below_zero, writes, asks_nonsense, never_ends]
)
async def test_one_that_fails_is_logged_and_takes_nothing_with_it(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wrong: Callable[[Asking], Any],
) -> None:
    monkeypatch.setattr(badges, "PATIENCE_S", 0.2 if wrong is never_ends else 60.0)
    one = await person(database, tmp_path)
    declare(Badge("acme_wrong", wrong, is_seen_by_opening=False))
    declare(TICKETS)
    await one.counts(at=NOW)
    await one.asks(at=NOW + HOUR)
    occurred = {"occurred_at": NOW, "received_at": NOW + HOUR, "severity": Severity.WARNING}
    async with database.writing() as connection:
        row = {"meter_id": one.placed.meter_id, "journal": 0, "code": 9, **occurred}
        await connection.execute(insert(table_of(MeterEvent)).values(**row))
    caplog.clear()

    with caplog.at_level(logging.ERROR):
        found = await one.counts(at=NOW + 2 * HOUR)

    assert found == {"acme_tickets": 1, Section.EVENTS: 1}
    assert len([record for record in caplog.records if getattr(record, "error_number", "")]) == 1
    async with database.writing() as connection:  # and what runs afterwards may write
        assert (await connection.execute(select(func.count()).select_from(table_of(SeenMarker)))).scalar()


async def test_badges_cost_one_query_for_their_marks_and_their_own(
    database: Database, tmp_path: Path
) -> None:
    declare(TICKETS)
    declare(Badge("acme_open", new_tickets, is_seen_by_opening=False))
    one = await person(database, tmp_path)
    await one.counts(at=NOW)
    asked: list[str] = []
    sql_event.listen(
        database._reader.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )

    await one.counts(at=NOW)

    assert len(asked) == 2 + 2


async def test_a_number_is_told_no_further_than_others(database: Database, tmp_path: Path) -> None:
    async def many(_asking: Asking) -> int:
        return 100_000

    declare(Badge("acme_many", many, is_seen_by_opening=False))
    one = await person(database, tmp_path)

    assert await one.counts(at=NOW) == {"acme_many": MOST + 1}


async def test_what_it_follows_is_news_to_its_subscriber_or_to_all(
    database: Database, tmp_path: Path
) -> None:
    declare(TICKETS)
    declare(Badge("acme_all", new_tickets, changed_at=Ticket.updated_at))
    one, other = await person(database, tmp_path), await person(database, tmp_path, "petrov")
    await one.asks(at=NOW)
    await other.asks(at=NOW - HOUR)

    found = {topic for topic, _at in await changed_since(database, NOW, now=NOW) if "badge" in topic}

    mine = badge_topic("acme_tickets", one.placed.subscriber_id)
    assert found == {mine, badge_topic("acme_all")}
    assert found <= badges.topics_of(one.placed.subscriber_id)
    assert mine not in badges.topics_of(other.placed.subscriber_id)


async def test_what_it_follows_may_be_led_to_its_subscriber_over_keys(
    database: Database, tmp_path: Path
) -> None:
    declare(Badge("acme_marks", new_tickets, changed_at=SeenMarker.changed_at, whose=User.subscriber_id))
    one = await person(database, tmp_path)
    await one.opens(Section.INFO, at=NOW)

    found = await changed_since(database, NOW, now=NOW)

    assert (badge_topic("acme_marks", one.placed.subscriber_id), NOW) in found


async def test_a_table_that_is_gone_takes_no_other_news_with_it(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    declare(Badge("acme_gone", new_tickets, changed_at=SeenMarker.changed_at))
    declare(TICKETS)
    one = await person(database, tmp_path)
    await one.asks(at=NOW)
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE seen_marker RENAME TO gone"))

    async with database.reading() as connection:
        found = await badges.changes_of(connection, NOW)

    assert found == [(badge_topic("acme_tickets", one.placed.subscriber_id), NOW)]
    assert any(getattr(record, "error_number", "") for record in caplog.records)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Badge("events", new_tickets), "no name"),
        (Badge("Acme advice", new_tickets), "no name"),
        (Badge("a" * 33, new_tickets), "no name"),
        (Badge("acme", new_tickets, changed_at=Ticket.created_at), "no index"),
        (Badge("acme", new_tickets, changed_at=Meter.serial), "no attribute with times"),
        (Badge("acme", new_tickets, changed_at=7), "no attribute of a model"),
        (Badge("acme", new_tickets, changed_at=Ticket.updated_at, whose=Account.number), "not the key"),
        (Badge("acme", new_tickets, changed_at=InfoPage.updated_at, whose=Ticket.subscriber_id), "lead to"),
        (Badge("acme", new_tickets, changed_at=Ticket.updated_at, whose=Meter.id), "not the key"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_name_and_the_reason(wrong: Badge, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        declare(wrong)

    assert repr(wrong.name) in str(refused.value)
    assert reason in str(refused.value)
    assert not badges.is_declared()


def test_a_name_belongs_to_one_badge() -> None:
    declare(TICKETS)
    declare(TICKETS)
    with pytest.raises(ConfigurationError, match="taken"):
        declare(Badge("acme_tickets", breaks))
