"""The outbox. Whoever decides on a letter writes it in the same transaction; the mail job sends it later.

A use case calls `write`; the job takes what is due, letter by letter: `claim` moves a letter's next attempt
into the future before anything goes over the network, so no two workers send it at once, and one that dies
leaves it to be sent again. Each end - sent, failed, dead, dropped - is written only if the claim still holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Row, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.letters.fields import AT, checked, clean
from lk_portal.models import Letter, LetterKind, LetterStatus, User
from lk_portal.security.tokens import new_token
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

WITH_PASSWORD = frozenset({LetterKind.WELCOME, LetterKind.RECOVERY, LetterKind.ACCESS_GIVEN})
WITH_CODE = frozenset({LetterKind.EMAIL_CODE})
WITH_SECRET = WITH_PASSWORD | WITH_CODE
"""They carry something that is made when they are sent, and only the newest of a person's is of any use."""

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
)
GIVE_UP_AFTER = timedelta(days=3)
OVERDUE_AFTER = timedelta(minutes=15)
LEASE = timedelta(minutes=5)
MAX_ADDRESS = 254
MAX_REASON = 400
MAX_LISTED = 500

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]+@[^\s@<>\"(),:;\\\[\]]+")
_letter = table_of(Letter)


@dataclass(frozen=True, slots=True)
class ClaimedLetter:
    """A letter that this process, and no other, is about to send.

    Attributes:
        locale: Of the person; "" means the portal's.
        message_id: The local part of the Message-ID; the host is the portal's.
        attempts: How often it was claimed, this time included; a later claim makes this one void.
        created_at: When it was written or tried anew by staff (aware UTC).
    """

    id: int
    kind: LetterKind
    to_address: str
    user_id: int | None
    locale: str
    data: Mapping[str, str]
    message_id: str
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A letter that was given up, for the utility's staff.

    Attributes:
        reason: What the mail server said, or what was wrong with the connection to it.
    """

    id: int
    kind: LetterKind
    to_address: str
    user_id: int | None
    created_at: datetime
    attempts: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outbox:
    """What is in the outbox.

    Attributes:
        waiting: Letters that are to be sent.
        delayed: Those of them that were tried in vain.
        overdue: Those of them that nobody has tried for `OVERDUE_AFTER` although it is time.
        dead: Letters that were given up.
    """

    waiting: int
    delayed: int
    overdue: int
    dead: int


async def write(
    connection: AsyncConnection,
    *,
    kind: LetterKind,
    to_address: str,
    now: datetime,
    user_id: int | None = None,
    locale: str = "",
    data: Mapping[str, str | int] | None = None,
) -> None:
    """Decide on a letter, in the caller's transaction; it is sent soon after the commit.

    Args:
        connection: Of the transaction that the letter tells of.
        kind: Which letter. Those with a password or code need a `user_id`, and take the place of the same
            person's earlier ones that still wait.
        to_address: Its domain may be in any script.
        now: Aware UTC; the time the letter names for what happened.
        user_id: Whom it is for, when known.
        locale: The person's language; "" is the portal's.
        data: What the letter is told. Any kind: `name` (optional). CLAIM_KEPT, CLAIM_ACCEPTED,
            CLAIM_REFUSED, ACCOUNT_MOVED: `account`. EMAIL_CHANGED:
            `new_email`. PHONE_CHANGED: `new_phone` (both are masked here). NEW_DEVICE: `browser`
            (the User-Agent), `address`. TICKET_ANSWERED: `ticket` (its number), `subject`, `status` (words).
            METER_EVENT: `what`, `list`. UNUSUAL_CONSUMPTION, VERIFICATION_DUE: `list` (both in the person's
            language).

    Raises:
        InputError: The address is none; its field is "email".
        ValueError: `data` or `user_id` do not fit the kind: a mistake in the program.
    """
    if kind in WITH_SECRET:
        if user_id is None:
            raise ValueError(f"a letter {kind} needs a user_id")
        await _drop_earlier(connection, kind, user_id)
    row = {
        "kind": kind,
        "to_address": mail_address(to_address),
        "user_id": user_id,
        "locale": locale,
        "data": {**checked(kind, data or {}), AT: now.isoformat()},
        "message_id": new_token(),
        "status": LetterStatus.WAITING,
        "created_at": now,
        "next_attempt_at": now,
        "attempts": 0,
        "last_error": "",
    }
    await connection.execute(insert(_letter).values(row))


async def write_to(
    connection: AsyncConnection,
    *,
    kind: LetterKind,
    user_id: int,
    now: datetime,
    data: Mapping[str, str | int] | None = None,
) -> None:
    """As `write`, to the address and in the language that a login has now."""
    user = table_of(User)
    person = (await connection.execute(select(user.c.email, user.c.locale).where(user.c.id == user_id))).one()
    await write(
        connection,
        kind=kind,
        to_address=person.email,
        now=now,
        user_id=user_id,
        locale=person.locale,
        data=data,
    )


def mail_address(typed: str) -> str:
    """An address as the mail job can use it: one line, nothing but the address, the domain in ASCII.

    It is not asked whether the address exists or is a usual one; forms ask for that.

    Raises:
        InputError: It is none.
    """
    address = unicodedata.normalize("NFC", typed)
    is_visible = not any(unicodedata.category(sign)[0] == "C" for sign in address)
    if not is_visible or not _ADDRESS.fullmatch(address):
        raise _no_address()
    local, _, domain = address.rpartition("@")
    result = f"{local}@{domain if domain.isascii() else _ascii_domain(domain)}"
    if len(result.encode()) > MAX_ADDRESS:
        raise _no_address()
    return result


async def due(
    database: Database, *, now: datetime, limit: int, without: Iterable[int] = ()
) -> tuple[int, ...]:
    """Ids of letters to be sent now, those that have waited longest first, `without` some."""
    query = (
        select(_letter.c.id)
        .where(_is_due(now), _letter.c.id.not_in(list(without)))
        .order_by(_letter.c.next_attempt_at, _letter.c.id)
        .limit(limit)
    )
    async with database.reading() as connection:
        return tuple((await connection.scalars(query)).all())


async def claim(database: Database, letter_id: int, *, now: datetime) -> ClaimedLetter | None:
    """Take a due letter for `LEASE`; None when it is not due any more, e.g. as another worker has it."""
    statement = (
        update(_letter)
        .where(_letter.c.id == letter_id, _is_due(now))
        .values(next_attempt_at=now + LEASE, attempts=_letter.c.attempts + 1)
        .returning(*(_letter.c[name] for name in ClaimedLetter.__dataclass_fields__))
    )
    async with database.writing() as connection:
        row = (await connection.execute(statement)).one_or_none()
    return None if row is None else ClaimedLetter(**row._mapping)


async def is_persons_address(database: Database, letter: ClaimedLetter) -> bool:
    """Whether the letter goes to what is the person's e-mail now."""
    user = table_of(User)
    async with database.reading() as connection:
        address = await connection.scalar(select(user.c.email).where(user.c.id == letter.user_id))
    return address is not None and mail_address(address).lower() == letter.to_address.lower()


async def mark_sent(database: Database, letter: ClaimedLetter, *, now: datetime) -> None:
    """The mail server took it."""
    await _finish(database, letter, status=LetterStatus.SENT, sent_at=now, last_error="")


async def mark_dead(database: Database, letter: ClaimedLetter, *, reason: str) -> None:
    """It will never be taken; staff see it with the reason."""
    await _finish(database, letter, status=LetterStatus.DEAD, last_error=_reason(reason))


async def mark_dropped(database: Database, letter: ClaimedLetter) -> None:
    """Nobody wants it any more."""
    await _finish(database, letter, status=LetterStatus.DROPPED)


async def mark_failed(
    database: Database, letter: ClaimedLetter, *, now: datetime, reason: str
) -> LetterStatus:
    """It was not taken this time: it waits for its next attempt, or is dead after `GIVE_UP_AFTER`."""
    values = _after_failure(letter.attempts, letter.created_at, now=now, reason=reason)
    await _finish(database, letter, **values)
    return LetterStatus(values["status"])


async def postpone(database: Database, ids: Sequence[int], *, now: datetime, reason: str) -> int:
    """Count a failed attempt for every due one of `ids` - the mail server is away; gives how many died."""
    columns = (_letter.c.id, _letter.c.attempts, _letter.c.created_at)
    dead = 0
    async with database.writing() as connection:
        rows = await connection.execute(
            select(*columns).where(_letter.c.id.in_(ids), _is_due(now)).with_for_update()
        )
        for row in rows.all():
            values = _after_failure(row.attempts + 1, row.created_at, now=now, reason=reason)
            dead += values["status"] is LetterStatus.DEAD
            statement = update(_letter).where(_letter.c.id == row.id)
            await connection.execute(statement.values(attempts=row.attempts + 1, **values))
    return dead


async def dead_letters(database: Database) -> tuple[DeadLetter, ...]:
    """Letters that were given up, the newest first, at most `MAX_LISTED`."""
    query = (
        select(_letter)
        .where(_letter.c.status == LetterStatus.DEAD)
        .order_by(_letter.c.created_at.desc(), _letter.c.id.desc())
        .limit(MAX_LISTED)
    )
    async with database.reading() as connection:
        return tuple(_as_dead(row) for row in await connection.execute(query))


async def retry(database: Database, letter_id: int, *, now: datetime) -> None:
    """Send a dead letter after all: it waits again, as if it had been written now.

    Raises:
        NotFoundError: There is no such dead letter.
    """
    async with database.writing() as connection:
        if not await send_again(connection, [letter_id], now=now):
            raise NotFoundError


async def send_again(connection: AsyncConnection, letter_ids: Sequence[int], *, now: datetime) -> int:
    """Let dead letters wait as if they had been written now, in the caller's transaction; gives how many."""
    result = await connection.execute(
        update(_letter)
        .where(_letter.c.id.in_(letter_ids), _letter.c.status == LetterStatus.DEAD)
        .values(status=LetterStatus.WAITING, created_at=now, next_attempt_at=now, attempts=0)
    )
    return int(result.rowcount)


async def count_letters(database: Database, *, now: datetime) -> Outbox:
    """What is in the outbox at `now` (aware UTC)."""
    is_waiting = _letter.c.status == LetterStatus.WAITING
    is_overdue = is_waiting & (_letter.c.next_attempt_at < now - OVERDUE_AFTER)
    query = select(
        func.count(case((is_waiting, 1))),
        func.count(case((is_waiting & (_letter.c.last_error != ""), 1))),
        func.count(case((is_overdue, 1))),
        func.count(case((_letter.c.status == LetterStatus.DEAD, 1))),
    ).where(_letter.c.status.in_([LetterStatus.WAITING, LetterStatus.DEAD]))
    async with database.reading() as connection:
        waiting, delayed, overdue, dead = (await connection.execute(query)).one()
    return Outbox(waiting=waiting, delayed=delayed, overdue=overdue, dead=dead)


async def forget_old(database: Database, *, before: datetime) -> int:
    """Delete what was written earlier and waits no more: addresses are personal data. Gives how many."""
    is_over = _letter.c.status != LetterStatus.WAITING
    async with database.writing() as connection:
        result = await connection.execute(delete(_letter).where(is_over, _letter.c.created_at < before))
    return int(result.rowcount)


async def forget_person(connection: AsyncConnection, *, user_id: int) -> None:
    """Delete all letters to a person who is being erased, waiting ones too, in the caller's transaction.

    Write the last letter, ERASED, afterwards and without a `user_id`.
    """
    await connection.execute(delete(_letter).where(_letter.c.user_id == user_id))


async def _drop_earlier(connection: AsyncConnection, kind: LetterKind, user_id: int) -> None:
    """An earlier secret is void as soon as a newer one is made: it must not arrive after it."""
    same = WITH_PASSWORD if kind in WITH_PASSWORD else WITH_CODE
    statement = update(_letter).where(
        _letter.c.user_id == user_id,
        _letter.c.kind.in_(same),
        _letter.c.status == LetterStatus.WAITING,
    )
    await connection.execute(statement.values(status=LetterStatus.DROPPED))


async def _finish(database: Database, letter: ClaimedLetter, **values: Any) -> None:
    """Write a claim's end, unless the letter was claimed again or replaced in the meantime."""
    statement = update(_letter).where(
        _letter.c.id == letter.id,
        _letter.c.attempts == letter.attempts,
        _letter.c.status == LetterStatus.WAITING,
    )
    async with database.writing() as connection:
        await connection.execute(statement.values(**values))


def _after_failure(attempts: int, created_at: datetime, *, now: datetime, reason: str) -> dict[str, Any]:
    next_attempt_at = now + BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    if next_attempt_at > created_at + GIVE_UP_AFTER:
        return {"status": LetterStatus.DEAD, "last_error": _reason(reason)}
    return {"status": LetterStatus.WAITING, "next_attempt_at": next_attempt_at, "last_error": _reason(reason)}


def _is_due(now: datetime) -> Any:
    return (_letter.c.status == LetterStatus.WAITING) & (_letter.c.next_attempt_at <= now)


def _ascii_domain(domain: str) -> str:
    try:
        return validate_email(f"somebody@{domain}", check_deliverability=False).ascii_domain
    except EmailNotValidError:
        raise _no_address() from None


def _reason(text: str) -> str:
    return clean(text, limit=MAX_REASON)


def _as_dead(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        kind=row.kind,
        to_address=row.to_address,
        user_id=row.user_id,
        created_at=row.created_at,
        attempts=row.attempts,
        reason=row.last_error,
    )


def _no_address() -> InputError:
    return InputError(N_("This is not an e-mail address."), field="email")
