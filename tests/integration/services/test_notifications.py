"""What subscribers are told of without asking, on both databases: the right things, once, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import update

from lk_portal.models import (
    Account,
    Channel,
    Installation,
    LetterKind,
    NotificationKind,
    Severity,
)
from lk_portal.services import notifications, own_data, push
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import letters_written, set_user, visit
from tests.integration.services.told import MONTH, TODAY, Told

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CRITICAL = NotificationKind.CRITICAL_EVENT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4, timezone="Asia/Omsk")


@pytest_asyncio.fixture
async def told(database: Database, settings: Settings) -> AsyncIterator[Told]:
    yield Told(database, settings, now=visit(after=HOUR).at)


async def test_forty_events_are_one_letter(told: Told) -> None:
    owner = await told.subscriber()
    for number in range(40):
        await owner.event(ago=timedelta(seconds=number))

    assert await told.look() == 1

    assert await told.letters() == [("meter_event", owner.email)]
    [letter] = await letters_written(told.database, LetterKind.METER_EVENT)
    assert letter.data["what"] == "Критические события прибора учета"
    assert letter.data["list"] == "Дача: 40 событий, последнее — 24.11.2026, 19:00"
    assert await told.look(after=2 * HOUR) == 0
    assert len(await told.letters()) == 1


async def test_what_comes_within_the_hour_goes_with_the_next_letter(told: Told) -> None:
    owner = await told.subscriber()
    await owner.event()
    await told.look()

    for _ in range(3):
        told.now += 10 * MINUTE
        await owner.event()
        assert await told.look() == 0
    assert await told.look(after=HOUR) == 1

    assert len(await told.letters()) == 2
    assert "3 события" in (await told.lists())[1]


async def test_two_meters_of_one_person_are_one_letter(told: Told) -> None:
    owner = await told.subscriber()
    second = await factories.a_metered_point(told.database, subscriber_id=owner.placed.subscriber_id)
    await owner.event()
    await factories.meter_event(told.database, meter_id=second.meter_id, occurred_at=told.now - MINUTE)

    await told.look()

    [text] = await told.lists()
    assert text.count("1 событие") == 2
    assert "; " in text


async def test_nobody_is_told_of_anybody_elses_meter(told: Told) -> None:
    owner, stranger = await told.subscriber(), await told.subscriber(name="Канарейка")
    await owner.event()

    await told.look()

    assert await told.letters() == [("meter_event", owner.email)]
    assert "Канарейка" not in str(await letters_written(told.database))
    await stranger.event()
    await told.look(after=2 * MINUTE)
    assert (await told.letters())[1:] == [("meter_event", stranger.email)]


async def test_a_meter_that_stands_elsewhere_now_is_told_to_whom_it_stood_with(told: Told) -> None:
    before, after = await told.subscriber(), await told.subscriber()
    moved = table_of(Installation)
    async with told.database.writing() as connection:
        await connection.execute(
            update(moved)
            .where(moved.c.meter_id.in_([before.placed.meter_id, after.placed.meter_id]))
            .values(removed_at=told.now - 10 * MINUTE)
        )
    await factories.installation(
        told.database,
        meter_id=before.placed.meter_id,
        point_id=after.placed.point_id,
        installed_at=told.now - 10 * MINUTE,
    )
    await before.event(ago=20 * MINUTE, received_at=told.now)
    await told.look()
    assert await told.letters() == [("meter_event", before.email)]

    await before.event(ago=5 * MINUTE, received_at=told.now)
    await told.look()
    assert (await told.letters())[1:] == [("meter_event", after.email)]


@pytest.mark.parametrize(
    ("ago", "received", "is_news"),
    [
        (MINUTE, MINUTE, True),
        (timedelta(days=2), MINUTE, True),
        (timedelta(days=4), MINUTE, False),
        (timedelta(days=2), timedelta(hours=25), False),
    ],
)
async def test_old_events_are_history_and_no_news(
    told: Told, ago: timedelta, received: timedelta, *, is_news: bool
) -> None:
    owner = await told.subscriber()
    await set_user(told.database, owner.user_id, created_at=told.now - timedelta(days=30))
    await owner.event(ago=ago, received_at=told.now - received)

    assert await told.look() == int(is_news)


async def test_what_was_before_she_came_is_not_told(told: Told) -> None:
    owner = await told.subscriber()
    await owner.event(ago=2 * HOUR)

    assert await told.look() == 0


@pytest.mark.parametrize(
    ("severity", "letters"), [(Severity.CRITICAL, 1), (Severity.WARNING, 0), (Severity.INFO, 0)]
)
async def test_by_default_only_critical_events_are_told(
    sqlite_database: Database, settings: Settings, severity: Severity, letters: int
) -> None:
    told = Told(sqlite_database, settings, now=visit(after=HOUR).at)
    owner = await told.subscriber()
    await owner.event(severity=severity)
    await owner.subscribe()

    await told.look()

    assert len(await told.letters()) == len(await told.pushes()) == letters


async def test_choices_decide_between_letter_and_push(told: Told) -> None:
    both, letter, phone, neither = [await told.subscriber() for _ in range(4)]
    for owner in (both, letter, phone, neither):
        await owner.subscribe()
        await owner.event()
    for owner in (phone, neither):
        await owner.choose(CRITICAL, Channel.LETTER, is_wanted=False)
    for owner in (letter, neither):
        await owner.choose(CRITICAL, Channel.PUSH, is_wanted=False)

    assert await told.look() == 4

    assert {address for _kind, address in await told.letters()} == {both.email, letter.email}
    assert await told.pushes() == [("critical_event", "/diagnostics")] * 2


async def test_who_turns_a_kind_on_is_told_of_what_comes_not_of_what_was(told: Told) -> None:
    owner = await told.subscriber()
    await owner.event(severity=Severity.WARNING)
    await told.look()

    await owner.choose(NotificationKind.WARNING_EVENT, Channel.LETTER, is_wanted=True)
    await told.look(after=2 * HOUR)
    assert await told.letters() == []

    await owner.event(severity=Severity.WARNING)
    await told.look()
    assert await told.letters() == [("meter_event", owner.email)]
    [letter] = await letters_written(told.database, LetterKind.METER_EVENT)
    assert letter.data["what"] == "Предупреждения прибора учета"


async def test_a_letter_is_in_the_language_of_its_reader(told: Told) -> None:
    owner = await told.subscriber()
    await set_user(told.database, owner.user_id, locale="en")
    await owner.event()

    await told.look()

    assert (await told.lists())[0].startswith("Дача: 1 event, the last on Nov 24, 2026")


async def test_a_month_above_the_threshold_is_told_once(told: Told) -> None:
    owner = await told.subscriber()
    await owner.limit("300")
    await owner.used(300)
    assert await told.look() == 0

    await owner.used(301)
    assert await told.look() == 1
    await owner.used(500)
    assert await told.look(after=2 * HOUR) == 0

    assert await told.lists() == ["Дача: 301 кВт·ч за ноябрь 2026 при пороге 300 кВт·ч"]
    await owner.limit("400")
    assert await told.look() == 1
    told.now += timedelta(days=20)
    await owner.used(401, month=date(2026, 12, 1))
    assert await told.look() == 1


@pytest.mark.parametrize(
    ("month", "is_told"), [(date(2026, 10, 1), False), (MONTH, True), (date(2025, 11, 1), False)]
)
async def test_only_the_month_that_runs_is_looked_at(told: Told, month: date, *, is_told: bool) -> None:
    owner = await told.subscriber()
    await owner.limit("1")
    await owner.used(1000, month=month)

    assert await told.look() == int(is_told)


async def test_the_last_hours_of_a_month_may_come_late(told: Told) -> None:
    owner = await told.subscriber()
    await owner.limit("100")
    await owner.used(101)
    told.now = told.now.replace(month=12, day=2)

    assert await told.look() == 1


async def test_without_a_threshold_nothing_is_unusual(told: Told) -> None:
    owner, other = await told.subscriber(), await told.subscriber()
    await owner.limit("300")
    await owner.limit("")
    for one in (owner, other):
        await one.used(1_000_000)

    assert await told.look() == 0


@pytest.mark.parametrize(
    ("due_on", "text"),
    [
        (TODAY + timedelta(days=61), None),
        (TODAY + timedelta(days=60), "Дача: до 23 января 2027 г."),
        (TODAY, "Дача: до 24 ноября 2026 г."),
        (TODAY - timedelta(days=1), "Дача: срок прошел 23 ноября 2026 г."),
    ],
)
async def test_a_verification_is_told_two_months_ahead_and_when_overdue(
    told: Told, due_on: date, text: str | None
) -> None:
    owner = await told.subscriber()
    await owner.due(due_on)
    await owner.subscribe()

    await told.look()

    assert await told.lists() == ([text] if text else [])
    assert await told.pushes() == ([("verification_due", "/accounts")] if text else [])


async def test_of_a_verification_soon_and_overdue_are_told_once_each(told: Told) -> None:
    owner = await told.subscriber()
    await owner.due(TODAY + timedelta(days=10))
    for _ in range(20):
        await told.look(after=timedelta(days=1))
    assert len(await told.letters()) == 2

    await owner.due(TODAY + timedelta(days=3650))
    for _ in range(5):
        await told.look(after=timedelta(days=1))
    assert len(await told.letters()) == 2


async def test_the_verification_done_last_says_when_the_next_is(told: Told) -> None:
    owner = await told.subscriber()
    meter_id, ago = owner.placed.meter_id, TODAY - timedelta(days=1)
    for verified_on, due_on in ((date(2010, 1, 1), date(2090, 1, 1)), (date(2016, 1, 1), ago)):
        await factories.verification(told.database, meter_id=meter_id, verified_on=verified_on, due_on=due_on)
    await factories.verification(told.database, meter_id=meter_id, verified_on=TODAY, due_on=None)

    assert await told.look() == 1

    assert "срок прошел" in (await told.lists())[0]


async def test_two_looks_at_once_tell_once(told: Told) -> None:
    owners = [await told.subscriber() for _ in range(5)]
    for owner in owners:
        await owner.event()
        await owner.event()
        await owner.due(TODAY)
        await owner.subscribe()

    await asyncio.gather(*(told.look() for _ in range(6)))

    assert sorted(await told.letters()) == sorted(
        (kind, owner.email) for owner in owners for kind in ("meter_event", "verification_due")
    )
    assert len(await told.pushes()) == 10


async def test_news_for_more_people_than_one_turn_takes(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lk_portal.services.notification_news.MOST_PERSONS", 2)
    owners = [await told.subscriber() for _ in range(5)]
    for owner in owners:
        await owner.event()

    assert await told.look() == 5

    assert len(await told.letters()) == 5


async def test_a_look_that_dies_in_the_middle_is_done_again_whole(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await told.subscriber()
    await owner.event()
    await owner.subscribe()
    with monkeypatch.context() as broken:

        async def die(*_: object, **_more: object) -> None:
            raise RuntimeError

        broken.setattr(push, "write", die)
        with pytest.raises(RuntimeError):
            await told.look()
    assert await told.letters() == []
    assert await told.rows() == []

    assert await told.look() == 1

    assert len(await told.letters()) == len(await told.pushes()) == 1


async def test_nobody_is_told_without_consent_or_login(told: Told) -> None:
    gone, disabled, removed = [await told.subscriber() for _ in range(3)]
    session = await gone.session()
    for owner in (gone, disabled, removed):
        await owner.event()
    await own_data.withdraw_consent(told.database, user_id=gone.user_id, session_hash=session, visit=visit())
    await set_user(told.database, disabled.user_id, is_active=False)
    account = table_of(Account)
    async with told.database.writing() as connection:
        await connection.execute(
            update(account).where(account.c.id == removed.placed.account_id).values(removed_at=told.now)
        )

    assert await told.look() == 0

    assert await told.letters() == []


async def test_an_answer_is_pushed_if_she_wants_it_and_the_desk_hears_of_the_letter(told: Told) -> None:
    owner = await told.subscriber()
    await owner.subscribe()
    for is_wanted in (True, False):
        for channel in Channel:
            await owner.choose(NotificationKind.ANSWER, channel, is_wanted=is_wanted)
        async with told.database.writing() as connection:
            has_letter = await notifications.tell_answered(
                connection, user_id=owner.user_id, page="/support/7", now=told.now
            )
        assert has_letter is is_wanted
        assert await told.pushes() == [("answer", "/support/7")]
    await set_user(told.database, owner.user_id, is_active=False)
    async with told.database.writing() as connection:
        assert not await notifications.tell_answered(
            connection, user_id=owner.user_id, page="/support/7", now=told.now
        )


async def test_a_long_list_says_how_long_it_is(told: Told) -> None:
    owner = await told.subscriber()
    for _ in range(7):
        placed = await factories.a_metered_point(told.database, subscriber_id=owner.placed.subscriber_id)
        await replace(owner, placed=placed).due(TODAY)

    await told.look()

    [text] = await told.lists()
    assert text.endswith("; и еще 2")


async def test_what_cannot_come_up_again_is_forgotten(told: Told) -> None:
    owner = await told.subscriber()
    await owner.event()
    await owner.due(TODAY - timedelta(days=1))
    await owner.limit("1")
    await owner.used(2)
    await told.look()
    assert len(await told.rows()) == 3

    await notifications.forget_old(told.database, now=told.now + timedelta(days=8))
    assert {row.kind.value for row in await told.rows()} == {"unusual_consumption", "verification_due"}
    await notifications.forget_old(told.database, now=told.now + timedelta(days=101))
    assert {row.kind.value for row in await told.rows()} == {"verification_due"}
    assert await told.look(after=timedelta(days=101)) == 0
