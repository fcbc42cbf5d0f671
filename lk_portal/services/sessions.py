"""Open sessions: begun, rotated, listed and ended. For sign-in, for the settings page, for the guard.

A session is a random token in an HttpOnly cookie; the database has only its hash. It is rotated - goes on
under a new token - whenever its rights rise, so that a token from before is worth nothing afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import AccessDeniedError, NotFoundError
from lk_portal.models import Duty, UserSession
from lk_portal.security.tokens import hash_of, new_token
from lk_portal.services import audit, push
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

REFERENCE_LENGTH = 16
_session = table_of(UserSession)
_c = _session.c


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One of a person's open sessions; `reference` names it on the page and opens nothing."""

    reference: str
    began_at: datetime
    seen_at: datetime
    address: str
    agent: str
    is_current: bool


async def own_sessions(
    database: Database, settings: Settings, *, user_id: int, session_hash: str, now: datetime
) -> tuple[OwnSession, ...]:
    """A person's open sessions, the one she asks from first, then the newest."""
    idle_since = now - timedelta(minutes=settings.session_idle_minutes)
    query = (
        select(_session)
        .where(_c.user_id == user_id, _c.expires_at > now, _c.seen_at > idle_since)
        .order_by(_c.created_at.desc(), _c.token_hash)
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    found = [
        OwnSession(
            reference=reference_of(row.token_hash),
            began_at=row.created_at,
            seen_at=row.seen_at,
            address=row.address,
            agent=row.agent,
            is_current=row.token_hash == session_hash,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda session: not session.is_current))


async def end(database: Database, *, user_id: int, reference: str, visit: Visit) -> None:
    """End one of a person's own sessions.

    Raises:
        NotFoundError: She has none of this name.
    """
    async with database.writing() as connection:
        hashes = await connection.scalars(select(_c.token_hash).where(_c.user_id == user_id))
        token_hash = next((one for one in hashes if reference_of(one) == reference), None)
        if token_hash is None:
            raise NotFoundError
        await _end(connection, token_hash)
        await audit.record(
            connection, action=audit.SESSION_ENDED, visit=visit, actor=user_id, subject=user_id
        )


async def end_others(database: Database, *, user_id: int, session_hash: str, visit: Visit) -> int:
    """End all of a person's sessions but the one she asks from; gives how many there were."""
    async with database.writing() as connection:
        ended = await end_all(connection, user_id=user_id, but=session_hash)
        if ended:
            await audit.record(
                connection,
                action=audit.SESSION_ENDED,
                visit=visit,
                actor=user_id,
                subject=user_id,
                sessions=ended,
            )
    return ended


def reference_of(token_hash: str) -> str:
    """What a session is called on the page: derived from the hash, which cannot be found from it."""
    return hash_of(f"session reference {token_hash}")[:REFERENCE_LENGTH]


async def begin(
    connection: AsyncConnection,
    settings: Settings,
    *,
    user_id: int,
    duty: Duty,
    visit: Visit,
    device: str = "",
) -> str:
    """Open a session in the caller's transaction; gives the cookie's token. `device`: the browser's mark."""
    token = new_token()
    await connection.execute(
        insert(_session).values(
            token_hash=hash_of(token),
            user_id=user_id,
            created_at=visit.at,
            seen_at=visit.at,
            expires_at=visit.at + timedelta(hours=settings.session_max_hours),
            duty=duty,
            address=storable(visit.address, 45),
            agent=storable(visit.agent, 200),
            device_hash=hash_of(device) if device else "",
        )
    )
    return token


async def rotate(connection: AsyncConnection, *, session_hash: str, duty: Duty, now: datetime) -> str:
    """Let a session go on under a new token and with another duty; its end stays where it was.

    Raises:
        AccessDeniedError: It was ended meanwhile.
    """
    token = new_token()
    changed = await connection.execute(
        update(_session)
        .where(_c.token_hash == session_hash, _c.expires_at > now)
        .values(token_hash=hash_of(token), duty=duty, seen_at=now)
    )
    if not changed.rowcount:
        raise AccessDeniedError
    return token


async def end_all(connection: AsyncConnection, *, user_id: int, but: str = "") -> int:
    """End all sessions of a user in the caller's transaction, except the one whose hash is `but`.

    Whatever browsers were pushed to are not any more, but for that one's.
    """
    await push.forget_other_browsers(connection, user_id=user_id, but=but)
    query = delete(_session).where(_c.user_id == user_id, _c.token_hash != but)
    return int((await connection.execute(query)).rowcount)


async def end_token(connection: AsyncConnection, token: str) -> None:
    """End the session behind a cookie's token, for another one takes its place in the browser."""
    await connection.execute(delete(_session).where(_c.token_hash == hash_of(token)))


async def leave(connection: AsyncConnection, token: str) -> int | None:
    """Its owner leaves the browser: the session ends; gives whose it was, None when there is none."""
    return await _end(connection, hash_of(token))


async def _end(connection: AsyncConnection, token_hash: str) -> int | None:
    """End one session, and the pushes to its browser; gives whose it was."""
    query = delete(_session).where(_c.token_hash == token_hash).returning(_c.user_id, _c.device_hash)
    ended = (await connection.execute(query)).one_or_none()
    if ended is None:
        return None
    await push.forget_browser(connection, user_id=ended.user_id, device_hash=ended.device_hash)
    return int(ended.user_id)
