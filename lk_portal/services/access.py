"""Who is who: signing in and out, and the person behind a session. For routes and guards.

A session is a random token in an HttpOnly cookie; the database has only its hash. It ends by sign-out, by
idleness, by age, and when the user is disabled or gets a new password.

A sign-in costs the same whoever asks and whatever is known of the login: one look at the database, one
bcrypt, one keyed hash for the temporary password, one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import BadCredentialsError, StorageError, ThrottledError
from lk_portal.models import Duty, Role, Theme, User, UserSession
from lk_portal.security import passwords, throttle
from lk_portal.security.throttle import host_of, network_of
from lk_portal.security.tokens import hash_of, new_token
from lk_portal.services import (
    audit,
    devices,
    duties,
    push,
    sessions,
    temporary_passwords,
    throttling,
    viewing,
)
from lk_portal.services.credentials import fits, peppers_of
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.users import create_user, disable_user, normal_login, reset_password
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

__all__ = [
    "Duty",
    "Identity",
    "Role",
    "SignedIn",
    "Theme",
    "Visit",
    "create_user",
    "disable_user",
    "forget_expired",
    "identities_of",
    "identity_of",
    "normal_login",
    "reset_password",
    "sign_in",
    "sign_out",
]

SEEN_EVERY = timedelta(minutes=1)
SESSIONS_AT_ONCE = 500
MAX_BACKLOG, BACKLOG_S = 40, 5
"""So many passwords are checked in five seconds. In a flood, known browsers wait no longer than that."""
_user, _session = table_of(User), table_of(UserSession)
_NONE_KNOWN: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in person, as a handler sees her.

    Of staff who look through a subscriber's eyes it is the subscriber (`user_id` 0 where she has no login),
    with `Duty.VIEWING` and `viewing_until`.
    """

    user_id: int
    role: Role
    subscriber_id: int | None
    display_name: str
    session_hash: str
    duty: Duty = Duty.NONE
    locale: str = ""
    theme: Theme = Theme.SYSTEM
    viewing_until: datetime | None = None

    @property
    def is_viewing(self) -> bool:
        """Whether it is somebody who only looks."""
        return self.duty is Duty.VIEWING


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was opened: the cookie's token, what must be done first, and the browser's mark."""

    token: str
    duty: Duty
    user_id: int
    device: str


async def sign_in(
    database: Database,
    settings: Settings,
    *,
    login: str,
    password: str,
    visit: Visit,
    devices_known: Mapping[int, str] = _NONE_KNOWN,
    old_token: str = "",
) -> SignedIn:
    """Check a login and password, lasting or temporary, and open a session.

    Args:
        database: Where it is kept.
        settings: For the pepper, the cost and the limits.
        login: As typed.
        password: As typed.
        visit: From where and when.
        devices_known: By user id, the mark this browser was given when that person signed in with it.
        old_token: Of the session the browser came with; it ends.

    Raises:
        BadCredentialsError: Unknown login, wrong password, disabled user: all the same, in the same time.
        ThrottledError: Too many failures; one's own browser is not held up by others'.
    """
    login = normal_login(login)
    user = await _user_by_login(database, login)
    device = devices_known.get(user.id, "") if user else ""
    gates = _gates(f"user:{user.id}" if user else f"login:{login}", visit, device)
    await throttling.refuse(database, gates, now=visit.at)
    if not device and passwords.backlog() >= MAX_BACKLOG:
        raise ThrottledError(seconds=BACKLOG_S)
    is_lasting = await fits(settings, password, user.password_hash if user else "")
    is_temporary = passwords.is_temporary(
        password, user.temporary_hash if user else "", peppers=peppers_of(settings)
    )
    attempt = _Attempt(settings, visit, gates, device, old_token, devices_known)
    if user is not None and (is_lasting or is_temporary):
        signed_in = await attempt.succeed(database, user, password, is_temporary=not is_lasting)
        if signed_in is not None:
            return signed_in
    await attempt.fail(database, user.id if user else None)
    raise BadCredentialsError


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt to sign in, and how it ends."""

    settings: Settings
    visit: Visit
    gates: tuple[Gate, ...]
    device: str
    old_token: str
    devices_known: Mapping[int, str]

    async def succeed(
        self, database: Database, user: Row[Any], password: str, *, is_temporary: bool
    ) -> SignedIn | None:
        """Open the session; None when the password was changed or used up meanwhile."""
        renewed = "" if is_temporary else await self._renewed_hash(user, password)
        mark = self.device or new_token()
        duty = Duty.NEW_PASSWORD if is_temporary else await self._owed(database, user)
        async with database.writing() as connection:
            if not await self._take(connection, user, renewed, is_temporary=is_temporary):
                return None
            if self.old_token:
                await sessions.end_token(connection, self.old_token)
            await self._end_pushes_to_others(connection, user.id)
            await throttling.forget(connection, self.gates[:1])
            if not is_temporary and not self.device:
                await devices.tell_new(connection, user_id=user.id, visit=self.visit)
            await audit.record(
                connection, action=audit.SIGNED_IN, visit=self.visit, actor=user.id, subject=user.id
            )
            token = await sessions.begin(
                connection, self.settings, user_id=user.id, duty=duty, visit=self.visit, device=mark
            )
        return SignedIn(token, duty, user.id, mark)

    async def fail(self, database: Database, user_id: int | None) -> None:
        """Count the failure; nothing that was typed is kept."""
        async with database.writing() as connection:
            closed = await throttling.count_in(connection, self.gates, now=self.visit.at)
            actions = [audit.SIGN_IN_FAILED, *([audit.SIGN_IN_THROTTLED] if closed else [])]
            for action in actions:
                await audit.record(connection, action=action, visit=self.visit, actor=None, subject=user_id)

    async def _owed(self, database: Database, user: Row[Any]) -> Duty:
        return await duties.owed(database, self.settings, user_id=user.id, role=user.role)

    async def _end_pushes_to_others(self, connection: AsyncConnection, user_id: int) -> None:
        """A browser that somebody else takes over shows nothing more of who left without signing out."""
        for other, mark in self.devices_known.items():
            if other != user_id:
                await push.forget_browser(connection, user_id=other, device_hash=hash_of(mark))

    async def _renewed_hash(self, user: Row[Any], password: str) -> str:
        """A hash at today's cost and pepper, when the stored one has another."""
        peppers, rounds = peppers_of(self.settings), self.settings.bcrypt_rounds
        if not passwords.is_outdated(user.password_hash, peppers=peppers, rounds=rounds):
            return ""
        return await passwords.hash_password(password, pepper=peppers.current, rounds=rounds)

    async def _take(
        self, connection: AsyncConnection, user: Row[Any], renewed: str, *, is_temporary: bool
    ) -> bool:
        """Whether the password still opens anything, in the transaction that opens the session."""
        if is_temporary:
            return await temporary_passwords.use(
                connection, user_id=user.id, temporary_hash=user.temporary_hash, visit=self.visit
            )
        kept = await connection.execute(
            update(_user)
            .where(_user.c.id == user.id, _user.c.password_hash == user.password_hash, _user.c.is_active)
            .values(password_hash=renewed or user.password_hash)
        )
        return bool(kept.rowcount)


async def identity_of(
    database: Database, settings: Settings, *, session_hash: str, now: datetime, is_activity: bool = True
) -> Identity | None:
    """The person behind a session (the SHA-256 of its token), or None when it is unknown, ended or idle.

    What the person does herself keeps the session alive; a look on the portal's behalf
    (`is_activity=False`) does not, so an open page that is only pushed to grows idle.
    """
    if not session_hash:
        return None
    async with database.reading() as connection:
        row = (await connection.execute(_IDENTITY, {"token_hash": session_hash})).one_or_none()
    if row is None or not _is_open(row, settings, now):
        return None
    if is_activity and now - row.seen_at >= SEEN_EVERY:
        await _mark_seen(database, session_hash, now)
    if row.duty is Duty.VIEWING:
        return await _viewer(database, row, now)
    return _identity(row)


async def _viewer(database: Database, row: Any, now: datetime) -> Identity:
    """Whoever is looked at; the member of staff again, when the time for it is over."""
    viewed = await viewing.viewed_by(database, session_hash=row.token_hash, now=now)
    if viewed is None:
        return replace(_identity(row), duty=Duty.NONE)
    return replace(
        _identity(row),
        user_id=viewed.user_id,
        role=Role.SUBSCRIBER,
        subscriber_id=viewed.subscriber_id,
        display_name=viewed.name,
        viewing_until=viewed.until,
    )


async def identities_of(
    database: Database, settings: Settings, *, session_hashes: Collection[str], now: datetime
) -> dict[str, Identity]:
    """The persons behind many sessions at once, by session; a look on the portal's behalf, as above."""
    found: dict[str, Identity] = {}
    hashes = list(session_hashes)
    async with database.reading() as connection:
        for start in range(0, len(hashes), SESSIONS_AT_ONCE):
            key = {"token_hashes": hashes[start : start + SESSIONS_AT_ONCE]}
            rows = await connection.execute(_IDENTITIES, key)
            found.update((row.token_hash, _identity(row)) for row in rows if _is_open(row, settings, now))
    return found


def _is_open(row: Any, settings: Settings, now: datetime) -> bool:
    """Whether a session is neither over nor idle, and its user not disabled."""
    idle = timedelta(minutes=settings.session_idle_minutes)
    return bool(row.is_active and now < row.expires_at and now - row.seen_at < idle)


def _identity(row: Any) -> Identity:
    return Identity(
        user_id=row.id,
        role=row.role,
        subscriber_id=row.subscriber_id,
        display_name=row.display_name,
        session_hash=row.token_hash,
        duty=row.duty,
        locale=row.locale,
        theme=row.theme,
    )


async def sign_out(database: Database, *, token: str, visit: Visit) -> None:
    """End the session; one that does not exist is no error."""
    async with database.writing() as connection:
        owner = await sessions.leave(connection, token)
        if owner is not None:
            await audit.record(connection, action=audit.SIGNED_OUT, visit=visit, actor=owner, subject=owner)


async def forget_expired(database: Database, *, now: datetime) -> None:
    """Delete sessions, failures and temporary passwords that no longer matter."""
    async with database.writing() as connection:
        await connection.execute(delete(_session).where(_session.c.expires_at < now))
    await throttling.forget_old(database, now=now)
    await temporary_passwords.forget_expired(database, now=now)


_ANY_IDENTITY = select(
    _session.c.token_hash,
    _user.c.id,
    _user.c.role,
    _user.c.subscriber_id,
    _user.c.display_name,
    _user.c.is_active,
    _user.c.locale,
    _user.c.theme,
    _session.c.seen_at,
    _session.c.expires_at,
    _session.c.duty,
).join(_user, _user.c.id == _session.c.user_id)
_IDENTITY = _ANY_IDENTITY.where(_session.c.token_hash == bindparam("token_hash"))
_IDENTITIES = _ANY_IDENTITY.where(_session.c.token_hash.in_(bindparam("token_hashes", expanding=True)))


def _gates(who: str, visit: Visit, device: str) -> tuple[Gate, ...]:
    """What a failed sign-in is counted under; a success forgets the first.

    A browser the person has signed in with before has a gate of its own and no other: whatever strangers do
    to her login, her network or the whole portal, it is not for her to wait.
    """
    if device:
        return (Gate(f"sign-in:device:{who}:{device}", throttle.BY_DEVICE),)
    address, network = host_of(visit.address), network_of(visit.address)
    own = f"sign-in:{who}:address:{address}"
    return (
        Gate(own, throttle.BY_LOGIN_AND_ADDRESS),
        Gate(f"sign-in:{who}:network:{network}", throttle.BY_LOGIN_AND_NETWORK),
        Gate(f"sign-in:{who}", throttle.BY_LOGIN, clock=own),
        *throttling.visit_gates("sign-in", visit),
    )


async def _user_by_login(database: Database, login: str) -> Row[Any] | None:
    column = _user.c.email if "@" in login else _user.c.phone
    columns: list[Any] = [_user.c.id, _user.c.role, _user.c.password_hash, _user.c.temporary_hash]
    query = select(*columns).where(column == login, _user.c.is_active)
    async with database.reading() as connection:
        return (await connection.execute(query)).one_or_none()


async def _mark_seen(database: Database, session_hash: str, now: datetime) -> None:
    """Best effort: what the person does must not fail because its time could not be noted."""
    with suppress(StorageError):
        async with database.writing() as connection:
            await connection.execute(
                update(_session).where(_session.c.token_hash == session_hash).values(seen_at=now)
            )
