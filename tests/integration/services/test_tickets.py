"""What subscribers and staff do with tickets, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lk_portal.errors import AccessDeniedError, InputError, NotFoundError, ThrottledError
from lk_portal.models import (
    Account,
    Channel,
    Letter,
    LetterKind,
    MeterEvent,
    NotificationKind,
    PushMessage,
    Severity,
    TicketStatus,
    User,
)
from lk_portal.services import audit, notification_choices, push, ticket_desk, ticket_rules, tickets
from lk_portal.services.changes import (
    TICKETS,
    changed_since,
    desk_topic,
    subscriber_topic,
    ticket_topic,
)
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.tickets import MOVES, Author
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import NOW, deeds, letters_written, visit
from tests.integration.services.ticket_people import DAY, HOUR, Writer, key
from tests.push_service import Browser


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


async def events_of(database: Database, meter_id: int, at: datetime = NOW) -> int:
    row = {"meter_id": meter_id, "occurred_at": at, "journal": 0, "code": 9, "severity": Severity.WARNING}
    return await factories._insert(database, MeterEvent, **row, received_at=at)


async def ticket_deeds(writer: Writer) -> list[str]:
    return [one for one in await deeds(writer.database, writer.author.user_id) if ":ticket:" in one]


async def test_a_ticket_goes_its_way_from_new_to_closed(writer: Writer) -> None:
    number = await writer.create()
    new = await writer.row(number)
    assert (new.status, new.subject, new.account_id) == (
        TicketStatus.NEW,
        "Нет света",
        writer.placed.account_id,
    )
    assert new.reply_by == datetime(2026, 11, 27, 12, tzinfo=UTC)  # Friday, 18:00 in Omsk

    await ticket_desk.assign(
        writer.database,
        staff_id=writer.staff_id,
        ticket_id=number,
        assignee_id=writer.staff_id,
        visit=visit(after=HOUR),
    )
    taken = await writer.row(number)
    assert (taken.status, taken.assigned_user_id) == (TicketStatus.IN_WORK, writer.staff_id)
    await writer.write(number, "Когда?", after=HOUR)
    assert (await writer.row(number)).reply_by == new.reply_by, "the promise stands"

    await writer.answer(number, after=DAY)
    waiting = await writer.row(number)
    assert (waiting.status, waiting.reply_by) == (TicketStatus.WAITING, None)

    await writer.write(number, "Света все нет.", after=2 * DAY)
    back = await writer.row(number)
    assert back.status is TicketStatus.IN_WORK
    assert back.reply_by == datetime(2026, 12, 1, 12, tzinfo=UTC)

    await ticket_desk.close(
        writer.database, staff_id=writer.staff_id, ticket_id=number, visit=visit(after=3 * DAY)
    )
    closed = await writer.row(number)
    assert (closed.status, closed.closed_at, closed.reply_by) == (TicketStatus.CLOSED, NOW + 3 * DAY, None)
    assert await writer.texts(number) == ["С утра.", "Когда?", "Чиним.", "Света все нет."]
    assert await ticket_deeds(writer) == [
        audit.TICKET_CREATED,
        audit.TICKET_ASSIGNED,
        audit.TICKET_WRITTEN,
        audit.TICKET_ANSWERED,
        audit.TICKET_WRITTEN,
        audit.TICKET_SETTLED,
    ]


async def test_it_is_opened_again_within_fourteen_days_and_no_later(writer: Writer) -> None:
    number = await writer.create()
    await writer.close(number, after=HOUR)
    assert (await writer.row(number)).closed_at == NOW + HOUR
    with pytest.raises(InputError, match="closed"):
        await writer.write(number)

    await writer.reopen(number, after=HOUR + 14 * DAY)
    again = await writer.row(number)
    assert (again.status, again.closed_at) == (TicketStatus.NEW, None)
    assert again.reply_by > NOW + 14 * DAY
    await writer.write(number, after=HOUR + 14 * DAY)

    await writer.close(number, after=20 * DAY)
    with pytest.raises(InputError, match="too long ago"):
        await writer.reopen(number, after=34 * DAY + timedelta(seconds=1))
    assert (await writer.row(number)).status is TicketStatus.CLOSED
    await ticket_desk.reopen(
        writer.database, staff_id=writer.staff_id, ticket_id=number, visit=visit(after=60 * DAY)
    )
    assert (await writer.row(number)).status is TicketStatus.IN_WORK


async def test_closing_or_opening_twice_is_once(one: Writer) -> None:
    number = await one.create()
    for _ in range(2):
        await one.close(number, after=HOUR)
        await ticket_desk.close(
            one.database, staff_id=one.staff_id, ticket_id=number, visit=visit(after=2 * HOUR)
        )
    assert (await one.row(number)).closed_at == NOW + HOUR
    for _ in range(2):
        await one.reopen(number, after=3 * HOUR)
        await ticket_desk.reopen(
            one.database, staff_id=one.staff_id, ticket_id=number, visit=visit(after=4 * HOUR)
        )

    assert (await one.row(number)).updated_at == NOW + 3 * HOUR
    assert await letters_written(one.database) == []


async def test_a_form_sent_twice_is_one_message(writer: Writer) -> None:
    first, second, third = key(), key(), key()

    made = await asyncio.gather(*(writer.create(send_key=first) for _ in range(5)))
    number = made[0]
    await asyncio.gather(*(writer.write(number, "Раз.", send_key=second) for _ in range(5)))
    await asyncio.gather(*(writer.answer(number, "Два.", send_key=third) for _ in range(5)))

    assert set(made) == {number}
    assert await writer.texts(number) == ["С утра.", "Раз.", "Два."]
    assert len(await letters_written(writer.database)) == 1


async def test_keys_of_two_people_do_not_meet(one: Writer, settings: Settings) -> None:
    other = await Writer.of(one.database, settings, "petrov")
    same = key()

    assert await one.create(send_key=same) != await other.create(send_key=same)


async def test_somebody_elses_ticket_does_not_exist(writer: Writer, settings: Settings) -> None:
    stranger = await Writer.of(writer.database, settings, "petrov")
    number = await writer.create()
    before = await writer.row(number)

    for ticket_id in (number, number + 1000):
        for deed in (stranger.write, stranger.close, stranger.reopen):
            with pytest.raises(NotFoundError):
                await deed(ticket_id)

    assert await writer.row(number) == before
    assert await writer.texts(number) == ["С утра."]
    await writer.write(number)


async def test_an_account_that_left_the_cabinet_takes_its_tickets_along(one: Writer) -> None:
    number = await one.create()
    account = table_of(Account)
    async with one.database.writing() as connection:
        await connection.execute(update(account).values(removed_at=NOW))

    with pytest.raises(NotFoundError):
        await one.write(number)
    with pytest.raises(InputError, match="accounts"):
        await one.create()


async def test_only_an_account_of_ones_own_will_do(one: Writer, settings: Settings) -> None:
    stranger = await Writer.of(one.database, settings, "petrov")

    for number in (stranger.number, "", "x"):
        with pytest.raises(InputError) as refused:
            await one.create(account=number)
        assert refused.value.field == "account"


async def test_an_event_must_be_of_ones_own_meter_and_time(writer: Writer, settings: Settings) -> None:
    stranger = await Writer.of(writer.database, settings, "petrov")
    own = await events_of(writer.database, writer.placed.meter_id)
    foreign = await events_of(writer.database, stranger.placed.meter_id)
    before_it_stood_here = await events_of(
        writer.database, writer.placed.meter_id, factories.LONG_AGO - timedelta(days=1)
    )

    number = await writer.create(event_id=own)

    assert (await writer.row(number)).event_id == own
    for event_id in (foreign, before_it_stood_here, 10**6):
        with pytest.raises(NotFoundError):
            await writer.create(event_id=event_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"text": " "}, "text"),
        ({"category": "x"}, "category"),
        ({"send_key": "short"}, ""),
    ],
)
async def test_nothing_half_written_stays(one: Writer, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        await one.create(**changes)

    assert refused.value.field == field
    assert await ticket_deeds(one) == []


async def test_who_may_not_sign_in_does_nothing(one: Writer) -> None:
    number = await one.create()
    user = table_of(User)
    async with one.database.writing() as connection:
        await connection.execute(update(user).values(is_active=False))

    for deed in (one.write, one.answer):
        with pytest.raises(AccessDeniedError):
            await deed(number)


async def test_a_subscriber_is_no_staff_and_staff_no_author(one: Writer) -> None:
    number = await one.create()
    with pytest.raises(AccessDeniedError):
        await ticket_desk.answer(
            one.database,
            staff_id=one.author.user_id,
            ticket_id=number,
            text="x",
            send_key=key(),
            visit=visit(),
        )
    with pytest.raises(AccessDeniedError):
        await tickets.close(
            one.database,
            author=Author(one.staff_id, one.placed.subscriber_id),
            ticket_id=number,
            visit=visit(),
        )
    with pytest.raises(AccessDeniedError):
        await ticket_desk.assign(
            one.database,
            staff_id=one.staff_id,
            ticket_id=number,
            assignee_id=one.author.user_id,
            visit=visit(),
        )


async def test_a_day_has_its_measure(one: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "TICKETS_A_DAY", 2)
    monkeypatch.setattr(tickets, "MESSAGES_A_DAY", 4)
    number = await one.create()
    await one.create()
    with pytest.raises(InputError, match="2 requests within a day"):
        await one.create()
    await one.write(number, after=timedelta())
    await one.write(number, after=timedelta())
    with pytest.raises(InputError, match="4 messages within a day"):
        await one.write(number, after=timedelta())

    await one.answer(number, after=HOUR)  # the staff has no such measure
    await one.write(number, after=25 * HOUR)
    await one.create(after=25 * HOUR)
    assert (ticket_rules.TICKETS_A_DAY, ticket_rules.MESSAGES_A_DAY) == (20, 60)


async def test_opening_and_closing_has_to_wait_in_the_end(one: Writer) -> None:
    number = await one.create()
    for _ in range(MOVES.free // 2):
        await one.close(number, after=HOUR)
        await one.reopen(number, after=HOUR)

    with pytest.raises(ThrottledError):
        await one.close(number, after=HOUR)


async def test_an_answer_and_a_closing_are_told_by_letter_without_their_words(writer: Writer) -> None:
    number = await writer.create(subject="Canary subject")
    await writer.answer(number, "CANARY-ANSWER")
    await ticket_desk.close(
        writer.database, staff_id=writer.staff_id, ticket_id=number, visit=visit(after=2 * HOUR)
    )

    told = await letters_written(writer.database, LetterKind.TICKET_ANSWERED)
    assert [letter.to_address for letter in told] == ["ivanov@example.com"] * 2
    assert [letter.data["ticket"] for letter in told] == [str(number)] * 2
    assert [letter.data["status"] for letter in told] == ["Ждет ответа абонента", "Закрыто"]
    assert told[0].data["subject"] == "Canary subject"
    assert "CANARY-ANSWER" not in repr(told)


@pytest.mark.parametrize("channel", list(Channel))
async def test_an_answer_is_told_in_the_ways_its_reader_chose(one: Writer, channel: Channel) -> None:
    user_id = one.author.user_id
    await push.subscribe(
        one.database,
        user_id=user_id,
        session_hash="",
        subscription=Browser().subscription,
        locale="ru",
        visit=visit(),
    )
    await notification_choices.choose(
        one.database,
        user_id=user_id,
        kind=NotificationKind.ANSWER,
        channel=channel,
        is_wanted=False,
        visit=visit(),
    )
    number = await one.create()

    await one.answer(number)

    message = table_of(PushMessage)
    async with one.database.reading() as connection:
        pages = [row.data["page"] for row in await connection.execute(select(message.c.data))]
    letters = await letters_written(one.database, LetterKind.TICKET_ANSWERED)
    assert (len(letters), pages) == ((0, [f"/support/{number}"]) if channel is Channel.LETTER else (1, []))


async def test_nobody_is_told_when_the_login_is_gone(one: Writer) -> None:
    number = await one.create()
    user = table_of(User)
    async with one.database.writing() as connection:
        gone = user.c.id == one.author.user_id
        await connection.execute(update(user).where(gone).values(is_active=False))

    await one.answer(number)

    letter = table_of(Letter)
    async with one.database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(letter))).scalar_one() == 0


async def test_a_note_moves_nothing_that_a_subscriber_could_see(writer: Writer) -> None:
    number = await writer.create()
    before = await writer.row(number)

    await writer.note(number, "CANARY-NOTE", after=HOUR)

    assert await writer.row(number) == before
    told = await changed_since(writer.database, NOW + HOUR, now=NOW + DAY)
    assert told == {(desk_topic(number), NOW + HOUR)}, "the staff's pages only"
    assert audit.TICKET_NOTED not in await deeds(writer.database, writer.author.user_id)
    assert await letters_written(writer.database) == []
    await writer.answer(number, after=HOUR)
    assert {topic for topic, _at in await changed_since(writer.database, NOW + HOUR, now=NOW + DAY)} == {
        ticket_topic(number),
        subscriber_topic(writer.author.subscriber_id),
        desk_topic(number),
        TICKETS,
    }


async def test_where_the_staff_sat_is_not_told(one: Writer) -> None:
    number = await one.create()
    await one.answer(number)

    entries = await audit.own_entries(one.database, user_id=one.author.user_id)

    assert [(one.action, bool(one.address)) for one in entries if ":ticket:" in one.action] == [
        (audit.TICKET_ANSWERED, False),
        (audit.TICKET_CREATED, True),
    ]
