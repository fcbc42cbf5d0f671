"""The second factor of staff: a code from an authenticator application after the password.

The key is stored encrypted; recovery codes as keyed hashes, each good once. A code opens one session: its
step of time is remembered, and neither it nor an earlier one is taken again. All attempts of a person count
together, wherever they come from: whoever tries has her password already.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError
from lk_portal.models import Duty, LetterKind, RecoveryCode, Role, SecondFactor, User
from lk_portal.security import totp
from lk_portal.security.codes import code_of, hash_code
from lk_portal.security.locked_box import lock, unlock
from lk_portal.security.throttle import BY_LOGIN_AND_ADDRESS
from lk_portal.security.tokens import hash_of
from lk_portal.services import audit, letters, sessions, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

STAFF = (Role.OPERATOR, Role.ADMIN)
WRONG = N_("The code is wrong, too old, or was used already.")
BEGUN = "web:second-factor:begin"
PASSED = "web:second-factor:pass"
FAILED = "web:second-factor:refuse"
RECOVERED = "web:second-factor:recover"
RENEWED = "web:second-factor:renew"
ENDED = "web:second-factor:end"
audit.TEXTS.update(
    {
        BEGUN: N_("The second factor was turned on"),
        PASSED: N_("A code of the second factor was entered"),
        FAILED: N_("A wrong code of the second factor was typed"),
        RECOVERED: N_("A recovery code was used instead of the second factor"),
        RENEWED: N_("New recovery codes were made"),
        ENDED: N_("The second factor was turned off"),
    }
)

_factor, _code, _user = table_of(SecondFactor), table_of(RecoveryCode), table_of(User)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a person needs to turn her second factor on."""

    key: str
    link: str
    picture: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a person has a second factor, and how many recovery codes are left."""

    is_on: bool
    codes_left: int


async def status_of(database: Database, *, user_id: int) -> Status:
    """How it stands with a person's second factor."""
    async with database.reading() as connection:
        confirmed = select(_factor.c.confirmed_at).where(_factor.c.user_id == user_id)
        is_on = await connection.scalar(confirmed) is not None
        left = select(func.count()).select_from(_code).where(_code.c.user_id == user_id)
        return Status(is_on, int(await connection.scalar(left) or 0))


async def owed(database: Database, settings: Settings, *, user_id: int, role: Role) -> Duty:
    """What staff with the right password still owe: a code, or to turn the second factor on, or nothing."""
    if (await status_of(database, user_id=user_id)).is_on:
        return Duty.SECOND_FACTOR
    is_required = settings.require_second_factor and role is Role.ADMIN
    return Duty.ENROL if is_required else Duty.NONE


async def begin(database: Database, settings: Settings, *, user_id: int, now: datetime) -> Enrolment:
    """The key and recovery codes that a person may turn on; the same at every call until she does.

    Raises:
        AccessDeniedError: It is on already, or the person is no member of staff.
    """
    async with database.writing() as connection:
        login = await _login(connection, user_id)
        query = select(_factor.c.box, _factor.c.confirmed_at).where(_factor.c.user_id == user_id)
        row = (await connection.execute(query)).one_or_none()
        if row is not None and row.confirmed_at is not None:
            raise AccessDeniedError
        kept = _opened(settings, user_id, row.box) if row else None
        if kept is None:
            kept = json.dumps([totp.new_key(), totp.new_recovery_codes()])
            await connection.execute(delete(_factor).where(_factor.c.user_id == user_id))
            box = lock(kept, secret=settings.secret(), purpose=_purpose(user_id))
            await connection.execute(
                insert(_factor).values(user_id=user_id, box=box, last_step=0, created_at=now)
            )
    key, codes = json.loads(kept)
    link = totp.link_of(key, login=login, utility=settings.utility_name)
    return Enrolment(key, link, totp.picture_of(link), tuple(codes))


async def turn_on(
    database: Database, settings: Settings, *, user_id: int, session_hash: str, code: str, visit: Visit
) -> str:
    """Turn it on with a first code; other sessions end, this one goes on. Gives its new token.

    Raises:
        InputError: The code is wrong.
        ThrottledError: It was wrong too often.
        AccessDeniedError: It is on already, or the session was ended meanwhile.
    """
    gates = _gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.reading() as connection:
        query = select(_factor.c.box, _factor.c.confirmed_at).where(_factor.c.user_id == user_id)
        row = (await connection.execute(query)).one_or_none()
    kept = _opened(settings, user_id, row.box) if row and row.confirmed_at is None else None
    if row is None or kept is None:
        raise AccessDeniedError
    key, codes = json.loads(kept)
    step = totp.step_of(key, code_of(code), now=visit.at)
    if step is None:
        await _fail(database, gates, user_id=user_id, visit=visit)
        raise InputError(WRONG, field="code")
    async with database.writing() as connection:
        box = lock(key, secret=settings.secret(), purpose=_purpose(user_id))
        done = await connection.execute(
            update(_factor)
            .where(_factor.c.user_id == user_id, _factor.c.confirmed_at.is_(None), _factor.c.box == row.box)
            .values(box=box, confirmed_at=visit.at, last_step=step)
        )
        if not done.rowcount:
            raise AccessDeniedError
        await _keep_codes(connection, settings, user_id, codes)
        token = await sessions.rotate(connection, session_hash=session_hash, duty=Duty.NONE, now=visit.at)
        await sessions.end_all(connection, user_id=user_id, but=hash_of(token))
        await throttling.forget(connection, gates)
        await audit.record(connection, action=BEGUN, visit=visit, actor=user_id, subject=user_id)
    return token


async def enter(
    database: Database, settings: Settings, *, user_id: int, session_hash: str, code: str, visit: Visit
) -> str:
    """Let a session that owes a code in; gives its new token.

    Raises:
        InputError: The code is wrong, or was used.
        ThrottledError: It was wrong too often.
        AccessDeniedError: The session was ended meanwhile.
    """
    async with _proving(database, settings, user_id=user_id, code=code, visit=visit) as connection:
        return await sessions.rotate(connection, session_hash=session_hash, duty=Duty.NONE, now=visit.at)


async def turn_off(
    database: Database, settings: Settings, *, user_id: int, role: Role, code: str, visit: Visit
) -> None:
    """Turn it off, with a code.

    Raises:
        InputError: The code is wrong, or the utility requires a second factor.
        ThrottledError: It was wrong too often.
    """
    if settings.require_second_factor and role is Role.ADMIN:
        raise InputError(N_("Administrators must have a second factor here."), field="code")
    async with _proving(database, settings, user_id=user_id, code=code, visit=visit) as connection:
        await forget(connection, user_id=user_id, now=visit.at)
        await audit.record(connection, action=ENDED, visit=visit, actor=user_id, subject=user_id)


async def renew_codes(
    database: Database, settings: Settings, *, user_id: int, code: str, visit: Visit
) -> tuple[str, ...]:
    """New recovery codes in place of all earlier ones, with a code.

    Raises:
        InputError: The code is wrong, or was used.
        ThrottledError: It was wrong too often.
    """
    codes = totp.new_recovery_codes()
    async with _proving(database, settings, user_id=user_id, code=code, visit=visit) as connection:
        await _keep_codes(connection, settings, user_id, codes)
        await audit.record(connection, action=RENEWED, visit=visit, actor=user_id, subject=user_id)
    return tuple(codes)


async def forget(connection: AsyncConnection, *, user_id: int, now: datetime) -> None:
    """Take a person's second factor away, in the caller's transaction, and write to whoever had one."""
    await connection.execute(delete(_code).where(_code.c.user_id == user_id))
    dropped = await connection.execute(delete(_factor).where(_factor.c.user_id == user_id))
    if dropped.rowcount:
        await letters.write_to(connection, kind=LetterKind.SECOND_FACTOR_DROPPED, user_id=user_id, now=now)


@asynccontextmanager
async def _proving(
    database: Database, settings: Settings, *, user_id: int, code: str, visit: Visit
) -> AsyncIterator[AsyncConnection]:
    """A transaction that begins with using a code up; a wrong one is counted and refused."""
    gates = _gates(user_id)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        action = await _use(connection, settings, user_id, code, now=visit.at)
        if action:
            await throttling.forget(connection, gates)
            await audit.record(connection, action=action, visit=visit, actor=user_id, subject=user_id)
            yield connection
            return
    await _fail(database, gates, user_id=user_id, visit=visit)
    raise InputError(WRONG, field="code")


async def _use(
    connection: AsyncConnection, settings: Settings, user_id: int, typed: str, *, now: datetime
) -> str:
    """Use a code up; the action that says how, "" when it opens nothing."""
    query = select(_factor.c.box).where(_factor.c.user_id == user_id, _factor.c.confirmed_at.is_not(None))
    box = await connection.scalar(query)
    if box is None:
        return ""
    key, code = _opened(settings, user_id, box), code_of(typed)
    step = totp.step_of(key, code, now=now) if key and code else None
    if step is None:
        return await _use_recovery_code(connection, settings, user_id, typed)
    taken = await connection.execute(
        update(_factor).where(_factor.c.user_id == user_id, _factor.c.last_step < step).values(last_step=step)
    )
    return PASSED if taken.rowcount else ""


async def _use_recovery_code(
    connection: AsyncConnection, settings: Settings, user_id: int, typed: str
) -> str:
    code = totp.recovery_code_of(typed)
    if not code:
        return ""
    hashes = [_hash(secret, user_id, code) for secret in _secrets(settings)]
    used = await connection.execute(delete(_code).where(_code.c.code_hash.in_(hashes)))
    return RECOVERED if used.rowcount else ""


async def _fail(database: Database, gates: Sequence[Gate], *, user_id: int, visit: Visit) -> None:
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        await audit.record(connection, action=FAILED, visit=visit, actor=None, subject=user_id)


async def _keep_codes(
    connection: AsyncConnection, settings: Settings, user_id: int, codes: Sequence[str]
) -> None:
    await connection.execute(delete(_code).where(_code.c.user_id == user_id))
    rows = [{"code_hash": _hash(settings.secret(), user_id, code), "user_id": user_id} for code in codes]
    await connection.execute(insert(_code), rows)


async def _login(connection: AsyncConnection, user_id: int) -> str:
    query = select(_user.c.email).where(_user.c.id == user_id, _user.c.role.in_(STAFF))
    found: str | None = await connection.scalar(query)
    if found is None:
        raise AccessDeniedError
    return found


def _gates(user_id: int) -> tuple[Gate, ...]:
    return (Gate(f"second-factor:{user_id}", BY_LOGIN_AND_ADDRESS),)


def _purpose(user_id: int) -> str:
    return f"second factor of {user_id}"


def _secrets(settings: Settings) -> tuple[bytes, ...]:
    return (settings.secret(), *settings.old_secrets())


def _opened(settings: Settings, user_id: int, box: str) -> str | None:
    return unlock(box, known=_secrets(settings), purpose=_purpose(user_id))


def _hash(secret: bytes, user_id: int, code: str) -> str:
    return hash_code(code, secret=secret, purpose=f"recovery code of {user_id}")
