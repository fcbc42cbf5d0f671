"""The outbox on both databases: written with its transaction, claimed by one, ended once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import LetterKind, LetterStatus, User
from lk_portal.services import letters
from lk_portal.services.database import Database
from lk_portal.services.letters import BACK_OFF, GIVE_UP_AFTER, LEASE
from lk_portal.services.tables import table_of
from tests.integration.jobs.mailed import letter_row, make_due, person, write

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM letter")))


async def claimed(database: Database, letter_id: int, *, now: datetime = NOW) -> letters.ClaimedLetter:
    letter = await letters.claim(database, letter_id, now=now)
    assert letter is not None
    return letter


class UndoneError(Exception):
    pass


async def test_a_letter_comes_with_its_transaction(database: Database) -> None:
    await write(database, now=NOW)

    assert await count(database) == 1


async def test_a_letter_goes_with_its_transaction(database: Database) -> None:
    with pytest.raises(UndoneError):
        async with database.writing() as connection:
            await letters.write(connection, kind=LetterKind.ERASED, to_address="ivan@mail.example", now=NOW)
            raise UndoneError

    assert await count(database) == 0


async def test_what_is_kept_is_clean_and_holds_no_secret(database: Database) -> None:
    user_id = await person(database)
    letter_id = await write(
        database,
        kind=LetterKind.RECOVERY,
        to="ivan@почта.рф",
        user_id=user_id,
        now=NOW,
        name="Иван\r\nBcc: x@y.example\x00",
    )

    row = await letter_row(database, letter_id)
    assert row.to_address == "ivan@xn--80a1acny.xn--p1ai"
    assert row.data == {"name": "", "at": NOW.isoformat()}
    assert (row.status, row.attempts, row.next_attempt_at) == (LetterStatus.WAITING, 0, NOW)
    assert len(row.message_id) >= 40


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ivan",
        "@mail.example",
        "ivan@",
        "a@b@c.example",
        "ivan@mail.example\r\nBcc: spy@evil.example",
        "ivan\n@mail.example",
        "ivan @mail.example",
        "ivan@mail.example,spy@evil.example",
        "<ivan@mail.example>",
        "ivan@mail.example\x00",
        "ivan@mail\u2028.example",
        "ivan@mail.example\u202e",
        "ivan@" + "x" * 300 + ".example",
        "ivan@плохо..рф",
    ],
)
async def test_an_address_that_is_none_is_refused(sqlite_database: Database, address: str) -> None:
    with pytest.raises(InputError) as caught:
        await write(sqlite_database, to=address)

    assert caught.value.field == "email"
    assert await count(sqlite_database) == 0


@pytest.mark.parametrize(
    "address", ["ivan@mail.example", "Ivan.O'Neil+lk@mail.example", "иван@mail.example", "root@localhost"]
)
async def test_an_unusual_address_is_taken(sqlite_database: Database, address: str) -> None:
    letter_id = await write(sqlite_database, to=address)

    assert (await letter_row(sqlite_database, letter_id)).to_address == address


async def test_a_letter_with_a_secret_needs_a_person(sqlite_database: Database) -> None:
    with pytest.raises(ValueError, match="user_id"):
        await write(sqlite_database, kind=LetterKind.WELCOME)


async def test_only_the_newest_secret_of_a_person_waits(database: Database) -> None:
    user_id, other_id = await person(database), await person(database)
    notice = await write(database, user_id=user_id)
    others = await write(database, kind=LetterKind.RECOVERY, user_id=other_id)
    code = await write(database, kind=LetterKind.EMAIL_CODE, user_id=user_id)
    old = await write(database, kind=LetterKind.WELCOME, user_id=user_id)
    new = await write(database, kind=LetterKind.RECOVERY, user_id=user_id)

    statuses = [(await letter_row(database, one)).status for one in (notice, others, code, new)]
    assert statuses == [LetterStatus.WAITING] * 4
    assert (await letter_row(database, old)).status == LetterStatus.DROPPED


async def test_a_claim_is_for_one_and_ends_by_itself(database: Database) -> None:
    letter_id = await write(database, now=NOW)
    claims = await asyncio.gather(*(letters.claim(database, letter_id, now=NOW) for _ in range(8)))

    assert sum(claim is not None for claim in claims) == 1
    assert await letters.due(database, now=NOW, limit=9) == ()
    assert await letters.claim(database, letter_id, now=NOW + LEASE - timedelta(seconds=1)) is None
    again = await letters.claim(database, letter_id, now=NOW + LEASE)
    assert again is not None
    assert again.attempts == 2


async def test_an_overtaken_claim_changes_nothing(database: Database) -> None:
    letter_id = await write(database, now=NOW)
    slow = await claimed(database, letter_id)
    fast = await claimed(database, letter_id, now=NOW + LEASE)
    await letters.mark_dead(database, slow, reason="too late to say so")
    assert (await letter_row(database, letter_id)).status == LetterStatus.WAITING

    await letters.mark_sent(database, fast, now=NOW + LEASE)
    await letters.mark_dead(database, fast, reason="after the end")

    row = await letter_row(database, letter_id)
    assert (row.status, row.sent_at, row.last_error) == (LetterStatus.SENT, NOW + LEASE, "")


async def test_pauses_grow_and_after_three_days_a_letter_is_dead(database: Database) -> None:
    letter_id = await write(database, now=NOW)
    now, pauses = NOW, []
    while (await letter_row(database, letter_id)).status is LetterStatus.WAITING:
        letter = await claimed(database, letter_id, now=now)
        await letters.mark_failed(database, letter, now=now, reason="451 later\r\nplease")
        row = await letter_row(database, letter_id)
        if row.status is LetterStatus.WAITING:
            pauses.append(row.next_attempt_at - now)
            now = row.next_attempt_at

    assert pauses[:6] == [*BACK_OFF, BACK_OFF[-1]]
    assert GIVE_UP_AFTER - BACK_OFF[-1] < now - NOW <= GIVE_UP_AFTER
    row = await letter_row(database, letter_id)
    assert (row.status, row.last_error) == (LetterStatus.DEAD, "451 later please")


async def test_a_server_that_is_away_puts_off_what_is_due_and_nothing_else(database: Database) -> None:
    due = [await write(database, now=NOW) for _ in range(3)]
    claimed_one = await write(database, now=NOW)
    await claimed(database, claimed_one)
    expiring = await write(database, now=NOW - GIVE_UP_AFTER)

    ids = [*due, claimed_one, expiring]
    assert await letters.postpone(database, ids, now=NOW, reason="no connection") == 1

    for letter_id in due:
        row = await letter_row(database, letter_id)
        assert (row.attempts, row.next_attempt_at) == (1, NOW + BACK_OFF[0])
        assert row.last_error == "no connection"
    assert (await letter_row(database, claimed_one)).next_attempt_at == NOW + LEASE
    assert (await letter_row(database, expiring)).status == LetterStatus.DEAD
    outbox = await letters.count_letters(database, now=NOW)
    assert outbox == letters.Outbox(waiting=4, delayed=3, overdue=0, dead=1)
    much_later = NOW + timedelta(hours=1)
    assert (await letters.count_letters(database, now=much_later)).overdue == 4


async def test_a_dead_letter_is_shown_and_may_be_tried_again(database: Database) -> None:
    letter_id = await write(database, to="nobody@mail.example", now=NOW - GIVE_UP_AFTER)
    await write(database, now=NOW)
    letter = await claimed(database, letter_id)
    await letters.mark_failed(database, letter, now=NOW, reason="550 no such mailbox")

    (dead,) = await letters.dead_letters(database)
    assert (dead.id, dead.to_address, dead.reason) == (
        letter_id,
        "nobody@mail.example",
        "550 no such mailbox",
    )
    assert (dead.kind, dead.attempts) == (LetterKind.PASSWORD_CHANGED, 1)

    later = NOW + timedelta(hours=1)
    await letters.retry(database, letter_id, now=later)
    assert await letters.dead_letters(database) == ()
    again = await claimed(database, letter_id, now=later)
    assert again.data["at"] == (NOW - GIVE_UP_AFTER).isoformat()  # what it tells of is as old as it was
    status = await letters.mark_failed(database, again, now=later, reason="451 later")
    assert status is LetterStatus.WAITING  # it has its three days anew


@pytest.mark.parametrize("status", ["waiting", "sent", "missing"])
async def test_only_a_dead_letter_is_tried_again(sqlite_database: Database, status: str) -> None:
    letter_id = await write(sqlite_database, now=NOW)
    if status == "sent":
        await letters.mark_sent(sqlite_database, await claimed(sqlite_database, letter_id), now=NOW)

    with pytest.raises(NotFoundError):
        await letters.retry(sqlite_database, 999 if status == "missing" else letter_id, now=NOW)


async def test_old_letters_are_forgotten_waiting_ones_are_not(database: Database) -> None:
    sent, waiting, fresh = [await write(database, now=NOW) for _ in range(3)]
    for letter_id in (sent, fresh):
        await letters.mark_sent(database, await claimed(database, letter_id), now=NOW)
    await make_due(database, NOW)
    async with database.writing() as connection:
        await connection.execute(
            text("UPDATE letter SET created_at = :at WHERE id != :id").bindparams(
                at=_stored(database, NOW - timedelta(days=91)), id=fresh
            )
        )

    assert await letters.forget_old(database, before=NOW - timedelta(days=90)) == 1
    assert (await letter_row(database, waiting)).status == LetterStatus.WAITING
    assert (await letter_row(database, fresh)).status == LetterStatus.SENT
    assert await count(database) == 2


def _stored(database: Database, moment: datetime) -> object:
    return int(moment.timestamp() * 1000) if database.is_sqlite else moment


async def test_an_erased_persons_letters_go_and_others_stay(database: Database) -> None:
    user_id, other_id = await person(database), await person(database)
    await write(database, kind=LetterKind.RECOVERY, user_id=user_id)
    kept = await write(database, user_id=other_id)
    async with database.writing() as connection:
        await letters.forget_person(connection, user_id=user_id)

    assert await count(database) == 1
    assert (await letter_row(database, kept)).user_id == other_id


async def test_a_letter_outlives_its_person(database: Database) -> None:
    user_id = await person(database)
    letter_id = await write(database, user_id=user_id)
    async with database.writing() as connection:
        await connection.execute(delete(table_of(User)).where(User.id == user_id))

    assert (await letter_row(database, letter_id)).user_id is None


async def test_due_letters_come_in_order_and_without_those_on_their_way(database: Database) -> None:
    later = await write(database, now=NOW + timedelta(seconds=1))
    first = await write(database, now=NOW - timedelta(minutes=1))
    second = await write(database, now=NOW)

    assert await letters.due(database, now=NOW, limit=9) == (first, second)
    assert await letters.due(database, now=NOW, limit=1) == (first,)
    assert await letters.due(database, now=NOW, limit=9, without={first}) == (second,)
    assert later in await letters.due(database, now=NOW + timedelta(seconds=1), limit=9)
