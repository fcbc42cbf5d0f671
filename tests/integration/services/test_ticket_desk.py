"""The desk: its queue, a ticket with everything beside it, and who writes; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as listening
from sqlalchemy import insert, select, update

from lk_portal.errors import AccessDeniedError, NotFoundError
from lk_portal.models import (
    Account,
    AnswerTemplate,
    MeterEvent,
    Role,
    Severity,
    Subscriber,
    Ticket,
    TicketPresence,
    TicketStatus,
)
from lk_portal.services import answer_templates, audit, ticket_desk, ticket_presence
from lk_portal.services.changes import (
    OVERLAP,
    TICKETS,
    changed_since,
    desk_topic,
    subscriber_topic,
    ticket_topic,
)
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.ticket_desk_view import DeskTicket, desk_ticket
from lk_portal.services.ticket_presence import EVERY, KEPT, SHOWN_FOR
from lk_portal.services.ticket_queue import (
    MOST_PEOPLE,
    Asked,
    Queue,
    QueueCounts,
    Spot,
    queue_counts,
    queue_page,
)
from lk_portal.services.ticket_view import dialogue_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import NOW, deeds, person, visit
from tests.integration.services.ticket_people import DAY, HOUR, Writer, key

SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest.fixture
async def writer(database: Database, settings: Settings) -> Writer:
    return await Writer.of(database, settings)


@pytest.fixture
async def one(sqlite_database: Database, settings: Settings) -> Writer:
    """For rules that no database can change."""
    return await Writer.of(sqlite_database, settings)


async def take(writer: Writer, ticket_id: int, *, after: timedelta = HOUR) -> None:
    await ticket_desk.assign(
        writer.database,
        staff_id=writer.staff_id,
        ticket_id=ticket_id,
        assignee_id=writer.staff_id,
        visit=visit(after=after),
    )


async def release(writer: Writer, ticket_id: int, *, staff_id: int = 0) -> None:
    await ticket_desk.release(
        writer.database,
        staff_id=staff_id or writer.staff_id,
        ticket_id=ticket_id,
        visit=visit(after=2 * HOUR),
    )


async def settle(writer: Writer, ticket_id: int, *, after: timedelta) -> None:
    await ticket_desk.close(
        writer.database, staff_id=writer.staff_id, ticket_id=ticket_id, visit=visit(after=after)
    )


def asked(writer: Writer, queue: Queue, typed: str = "", *, at: datetime = NOW) -> Asked:
    return Asked(queue, writer.staff_id, at, typed)


async def numbers(writer: Writer, queue: Queue, typed: str = "", *, at: datetime = NOW) -> list[int]:
    page = await queue_page(writer.database, asked(writer, queue, typed, at=at))
    return [line.ticket.id for line in page.lines]


async def look(writer: Writer, ticket_id: int, *, staff_id: int = 0, at: datetime = NOW) -> DeskTicket:
    return await desk_ticket(
        writer.database,
        staff_id=staff_id or writer.staff_id,
        ticket_id=ticket_id,
        now=at,
        default_interval_s=900,
    )


async def queued(writer: Writer) -> dict[str, int]:
    """One ticket of each kind; an other question is answered within ten days, the others within three."""
    tickets = {
        "later": await writer.create(category="other"),
        "soon": await writer.create(after=HOUR),
        "mine": await writer.create(after=2 * HOUR),
        "waiting": await writer.create(after=3 * HOUR),
        "old": await writer.create(after=4 * HOUR),
        "closed": await writer.create(after=5 * HOUR),
    }
    await take(writer, tickets["mine"])
    await writer.answer(tickets["waiting"])
    await settle(writer, tickets["old"], after=5 * HOUR)
    await settle(writer, tickets["closed"], after=6 * HOUR)
    return tickets


async def test_each_queue_has_its_tickets_by_the_promise(writer: Writer) -> None:
    made = await queued(writer)
    soon, later, mine = made["soon"], made["later"], made["mine"]

    assert await numbers(writer, Queue.NEW) == [soon, later]
    assert await numbers(writer, Queue.OPEN) == [soon, mine, later, made["waiting"]]
    assert await numbers(writer, Queue.MINE) == [mine, made["waiting"]]
    assert await numbers(writer, Queue.CLOSED) == [made["closed"], made["old"]]
    assert await numbers(writer, Queue.OVERDUE) == []
    assert await numbers(writer, Queue.OVERDUE, at=NOW + 5 * DAY) == [soon, mine]
    counted = [
        await queue_counts(writer.database, staff_id=writer.staff_id, now=now) for now in (NOW, NOW + 5 * DAY)
    ]
    assert counted == [QueueCounts(2, 0, 2, 4), QueueCounts(2, 2, 2, 4)]


async def test_a_queue_goes_on_where_it_ended_across_its_parts(writer: Writer) -> None:
    made = await queued(writer)
    for queue, whole in (
        (Queue.FOUND, [made[name] for name in ("soon", "mine", "later", "waiting", "closed", "old")]),
        (Queue.OPEN, [made[name] for name in ("soon", "mine", "later", "waiting")]),
    ):
        for size in (1, 2, 3, 6):
            found: list[int] = []
            after: Spot | None = None
            while True:
                page = await queue_page(writer.database, asked(writer, queue), after=after, limit=size)
                found += [line.ticket.id for line in page.lines]
                after = Spot.parse(str(page.further)) if page.further else None
                if after is None:
                    break
                assert len(page.lines) == size
            assert found == whole, (queue, size)


@pytest.mark.parametrize("spot", ["", "p", "x-1-1", "p-1", "p-1-x", "c-1-1", "p--1", "-1-1"])
async def test_a_place_that_is_none_is_not_found(one: Writer, spot: str) -> None:
    with pytest.raises(NotFoundError):
        await queue_page(one.database, asked(one, Queue.OPEN), after=Spot.parse(spot))


async def test_it_is_searched_by_number_and_by_how_account_and_name_begin(
    writer: Writer, settings: Settings
) -> None:
    other = await Writer.of(writer.database, settings, "petrov")
    async with writer.database.writing() as connection:
        for who, name, number in (
            (writer, "ИВАНОВ Иван", "5500%1"),
            (other, "Петров-Водкин Кузьма", "77-100"),
        ):
            owned = table_of(Account).c.id == who.placed.account_id
            await connection.execute(update(Account).where(owned).values(number=number))
            same = table_of(Subscriber).c.id == who.author.subscriber_id
            await connection.execute(update(Subscriber).where(same).values(full_name=name))
    first = await writer.create(account="5500%1")
    second = await other.create(account="77-100")
    await settle(writer, first, after=HOUR)

    for typed, found in {
        f"№ {second}": [second],
        str(first): [first],
        "5500": [first],
        "5500%": [first],
        "550_": [],
        "%%%": [],
        "77-1": [second],
        "ИВАН": [first],
        "иванов": [first],
        "иван иванов": [],
        "петров-в": [second],
        "водкин": [],
        "  Петров-Водкин   Кузьма ": [second],
        "пе": [],
        "a\0b": [],
        "9" * 30: [],
    }.items():
        assert await numbers(writer, Queue.FOUND, typed) == found, typed
    assert await numbers(writer, Queue.OPEN, "5500") == []
    assert await numbers(writer, Queue.CLOSED, "5500") == [first]


async def test_a_beginning_that_too_many_have_says_so(one: Writer) -> None:
    number = await one.create()
    rows = [
        {"full_name": "Смирнов", "email": "", "phone": "", "created_at": NOW} for _ in range(MOST_PEOPLE + 1)
    ]
    async with one.database.writing() as connection:
        await connection.execute(insert(Subscriber), rows)

    found = await queue_page(one.database, asked(one, Queue.FOUND, "Смирнов"))
    assert (found.lines, found.is_cut) == ((), True)
    found = await queue_page(one.database, asked(one, Queue.FOUND, str(number)))
    assert ([line.ticket.id for line in found.lines], found.is_cut) == ([number], False)


async def test_what_was_closed_costs_the_queue_nothing(database: Database, settings: Settings) -> None:
    """Read off the plans: no walk over the whole table, nor over what is closed."""
    writer = await Writer.of(database, settings)
    await writer.create()
    rows = [_closed_row(writer)] * 3000
    async with database.writing() as connection:
        await connection.execute(insert(Ticket), rows)
        await connection.exec_driver_sql("ANALYZE")

    for queue in (Queue.NEW, Queue.OVERDUE, Queue.MINE, Queue.OPEN):
        plans = await _plans(database, lambda queue=queue: queue_page(database, asked(writer, queue)))
        assert plans
        assert all("ix_ticket_open" in plan or "ix_ticket_status" in plan for plan in plans), (queue, plans)
    plans = await _plans(database, lambda: queue_page(database, asked(writer, Queue.CLOSED)))
    assert ["ix_ticket_closed" in plan for plan in plans] == [True]
    assert "TEMP B-TREE" not in plans[0]
    [plan] = await _plans(database, lambda: queue_counts(database, staff_id=writer.staff_id, now=NOW))
    assert "ix_ticket_open" in plan


def _closed_row(writer: Writer) -> dict[str, Any]:
    return {
        "subscriber_id": writer.author.subscriber_id,
        "account_id": writer.placed.account_id,
        "category": "other",
        "subject": "x",
        "status": TicketStatus.CLOSED,
        "created_at": NOW,
        "updated_at": NOW,
        "closed_at": NOW,
    }


async def _plans(database: Database, ask: Any) -> list[str]:
    """The plans of the queries over tickets that `ask` makes."""
    asked_for: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked_for.append((statement, parameters))

    engine = database._reader.sync_engine
    listening.listen(engine, "before_cursor_execute", note)
    try:
        await ask()
    finally:
        listening.remove(engine, "before_cursor_execute", note)
    word = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    plans = []
    async with database.reading() as connection:
        for statement, parameters in asked_for:
            rows = (await connection.exec_driver_sql(word + statement, parameters)).all()
            plans.append(" ".join(str(row) for row in rows))
    return plans


async def test_what_is_released_is_new_again_with_its_promise(writer: Writer) -> None:
    number = await writer.create()
    promise = (await writer.row(number)).reply_by
    await take(writer, number)
    assert (await look(writer, number)).assignee == "Operator-Of-Ivanov"

    await release(writer, number)

    row = await writer.row(number)
    assert (row.status, row.assigned_user_id, row.reply_by) == (TicketStatus.NEW, None, promise)
    assert [deed for deed in await deeds(writer.database, writer.author.user_id) if ":ticket:" in deed] == [
        audit.TICKET_CREATED,
        audit.TICKET_ASSIGNED,
        audit.TICKET_RELEASED,
    ]
    before = await writer.row(number)
    await release(writer, number)
    assert await writer.row(number) == before, "nobody had it"

    await writer.answer(number, after=3 * HOUR)
    await release(writer, number)
    assert (await writer.row(number)).status is TicketStatus.WAITING
    await writer.write(number, after=4 * HOUR)
    assert (await writer.row(number)).status is TicketStatus.NEW, "somebody has to take it"


async def test_only_the_staff_releases_and_only_what_is_there(one: Writer) -> None:
    number = await one.create()
    await take(one, number)
    with pytest.raises(AccessDeniedError):
        await release(one, number, staff_id=one.author.user_id)
    with pytest.raises(NotFoundError):
        await release(one, number + 100)
    assert (await one.row(number)).assigned_user_id == one.staff_id


async def test_the_desk_shows_the_dialogue_with_its_notes_and_the_subscriber_none(writer: Writer) -> None:
    number = await writer.create()
    await writer.note(number, "CANARY-NOTE")
    await writer.answer(number, "Чиним.", after=2 * HOUR)

    seen = await look(writer, number)

    assert [(one.author, one.is_staff, one.is_internal, one.text) for one in seen.messages] == [
        ("Ivanov", False, False, "С утра."),
        ("Operator-Of-Ivanov", True, True, "CANARY-NOTE"),
        ("Operator-Of-Ivanov", True, False, "Чиним."),
    ]
    own = await dialogue_of(writer.database, subscriber_id=writer.author.subscriber_id, ticket_id=number)
    assert [one.text for one in own.messages] == ["С утра.", "Чиним."]
    with pytest.raises(NotFoundError):
        await look(writer, number + 100)
    limited = await desk_ticket(
        writer.database,
        staff_id=writer.staff_id,
        ticket_id=number,
        now=NOW,
        default_interval_s=900,
        limit=2,
    )
    assert ([one.text for one in limited.messages], limited.earlier) == (["CANARY-NOTE", "Чиним."], 1)


async def test_beside_it_stands_whose_it_is_with_meters_and_last_events(writer: Writer) -> None:
    number = await writer.create()
    for hour in range(7):
        row = {"meter_id": writer.placed.meter_id, "journal": 0, "code": 9, "severity": Severity.WARNING}
        at = NOW - hour * HOUR
        await factories._insert(writer.database, MeterEvent, **row, occurred_at=at, received_at=at)
    before = factories.LONG_AGO - DAY
    row = {"meter_id": writer.placed.meter_id, "journal": 0, "code": 7, "severity": Severity.WARNING}
    await factories._insert(writer.database, MeterEvent, **row, occurred_at=before, received_at=NOW)

    card = (await look(writer, number)).card

    assert (card.name, card.email) == ("Иванов Иван Иванович", "ivanov@example.com")
    assert [meter.serial for meter in card.meters] == [writer.placed.serial]
    assert [one.occurred_at for one in card.events] == [NOW - hour * HOUR for hour in range(5)]
    assert card.events[0].entry.name("ru")

    taken = table_of(Account).c.id == writer.placed.account_id
    async with writer.database.writing() as connection:
        await connection.execute(update(Account).where(taken).values(subscriber_id=None))
    gone = await look(writer, number)
    assert (gone.card.name, gone.card.meters, gone.card.events) == ("Иванов Иван Иванович", (), ())


async def test_colleagues_see_who_writes_until_it_is_sent_or_for_a_while(
    writer: Writer, settings: Settings
) -> None:
    number = await writer.create()
    other = await person(writer.database, settings, "colleague", role=Role.OPERATOR)
    at = NOW + HOUR

    async def seen(staff_id: int, when: datetime) -> tuple[str, ...]:
        return (await look(writer, number, staff_id=staff_id, at=when)).writing

    await ticket_presence.typed(writer.database, staff_id=other, ticket_id=number, now=at)
    assert await seen(writer.staff_id, at) == ("Colleague",)
    assert await seen(other, at) == (), "nobody is her own colleague"
    assert await seen(writer.staff_id, at + SHOWN_FOR - SECOND) == ("Colleague",)
    assert await seen(writer.staff_id, at + SHOWN_FOR) == ()

    await ticket_desk.note(
        writer.database,
        staff_id=other,
        ticket_id=number,
        text="Смотрю",
        send_key=key(),
        visit=visit(after=HOUR + SECOND),
    )
    assert await seen(writer.staff_id, at + 2 * SECOND) == ()


async def test_a_person_is_written_down_every_few_seconds_at_most(one: Writer) -> None:
    first, second = await one.create(), await one.create(after=HOUR)

    async def typed(ticket_id: int, at: datetime) -> list[tuple[int, datetime]]:
        await ticket_presence.typed(one.database, staff_id=one.staff_id, ticket_id=ticket_id, now=at)
        presence = table_of(TicketPresence)
        async with one.database.reading() as connection:
            rows = await connection.execute(select(presence.c.ticket_id, presence.c.typed_at))
            return sorted(tuple(row) for row in rows)

    assert await typed(first, NOW) == [(first, NOW)]
    assert await typed(first, NOW + EVERY - SECOND) == [(first, NOW)]
    assert await typed(second, NOW + EVERY - SECOND) == [(first, NOW)]
    assert await typed(first, NOW + EVERY) == [(first, NOW + EVERY)]
    later = NOW + EVERY + KEPT + SECOND
    assert await typed(second, later) == [(second, later)], "what is old goes"
    assert await typed(second + 100, later + EVERY) == [(second, later)], "no such ticket"


async def test_open_pages_of_the_staff_are_told_and_the_subscribers_is_not(writer: Writer) -> None:
    number = await writer.create()
    promise = (await writer.row(number)).reply_by
    own = {ticket_topic(number), subscriber_topic(writer.author.subscriber_id)}
    desk = desk_topic(number)

    async def told(since: datetime, now: datetime) -> set[tuple[str, datetime]]:
        return set(await changed_since(writer.database, since, now=now))

    assert await told(NOW, NOW) >= {(topic, NOW) for topic in (*own, TICKETS)}
    at = NOW + HOUR
    await ticket_presence.typed(writer.database, staff_id=writer.staff_id, ticket_id=number, now=at)
    assert await told(at, at) == {(desk, at)}
    assert await told(at + SECOND, at + SHOWN_FOR - SECOND) == set()
    over = at + SHOWN_FOR
    assert await told(over - OVERLAP, over) == {(desk, at), (desk, over)}

    noted = at + 5 * SECOND
    await writer.note(number, "CANARY-NOTE", after=HOUR + 5 * SECOND)
    assert await told(at, noted) == {(desk, noted)}
    assert await told(over, over) == set(), "sent: nothing more is to vanish"

    assert await told(promise - SECOND, promise - SECOND) == set()
    assert await told(promise - SECOND, promise) == {(desk, promise), (TICKETS, promise)}
    await settle(writer, number, after=2 * HOUR)
    assert await told(promise - SECOND, promise) == set()


async def test_templates_are_offered_in_their_order_and_told_when_taken(database: Database) -> None:
    rows = [
        {"title": "Второй", "text": "Два", "position": 2},
        {"title": "Первый", "text": "Раз\nи еще", "position": 1},
    ]
    async with database.writing() as connection:
        await connection.execute(insert(AnswerTemplate), rows)

    found = await answer_templates.offered(database)

    assert [one.title for one in found] == ["Первый", "Второй"]
    assert await answer_templates.text_of(database, template_id=found[0].id) == "Раз\nи еще"
    with pytest.raises(NotFoundError):
        await answer_templates.text_of(database, template_id=999)
