"""Looking through a subscriber's eyes: staff see a cabinet as its owner does, and can change nothing in it.

It belongs to a session, which goes on under a new token and owes that it be ended (`Duty.VIEWING`), so
whatever does not say that it is for viewers refuses it. Beginning and end stand in the audit, which the
subscriber sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Row, exists, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, NotFoundError
from lk_portal.models import Duty, Role, Subscriber, User, UserSession, Viewing
from lk_portal.security.tokens import hash_of
from lk_portal.services import audit, sessions
from lk_portal.services.database import Database, read_only
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

LASTS = timedelta(minutes=30)
STAFF = (Role.OPERATOR, Role.ADMIN)
BEGUN = "desk:cabinet:open"
ENDED = "desk:cabinet:close"
audit.TEXTS.update(
    {
        BEGUN: N_("An employee of the utility opened the cabinet to look at it"),
        ENDED: N_("An employee of the utility closed the cabinet"),
    }
)

_viewing, _session = table_of(Viewing), table_of(UserSession)
_subscriber, _user = table_of(Subscriber), table_of(User)
_c = _viewing.c


@dataclass(frozen=True, slots=True)
class Viewed:
    """Whose cabinet a session looks at; `user_id` is 0 where the subscriber has no login."""

    user_id: int
    subscriber_id: int
    name: str
    until: datetime


def viewing_url(subscriber_id: int, *, back: str) -> str:
    """Where staff open a subscriber's cabinet, and come back to `back` from."""
    return f"/admin/as/{subscriber_id}?{urlencode({'back': back})}"


async def name_of(database: Database, *, subscriber_id: int) -> str:
    """The name of a subscriber, for staff.

    Raises:
        NotFoundError: There is none.
    """
    async with database.reading() as connection:
        return await _name(connection, subscriber_id)


async def begin(
    database: Database,
    *,
    actor: int,
    session_hash: str,
    subscriber_id: int,
    back_to: str,
    visit: Visit,
) -> str:
    """Let a session of staff look at a subscriber's cabinet; gives its new token.

    Raises:
        NotFoundError: There is no such subscriber.
        AccessDeniedError: The session was ended meanwhile.
    """
    async with database.writing() as connection:
        await _name(connection, subscriber_id)
        subject = await connection.scalar(select(_user.c.id).where(_user.c.subscriber_id == subscriber_id))
        token = await sessions.rotate(connection, session_hash=session_hash, duty=Duty.VIEWING, now=visit.at)
        row = {
            "session_hash": hash_of(token),
            "actor_user_id": actor,
            "subscriber_id": subscriber_id,
            "subject_user_id": subject,
            "began_at": visit.at,
            "until": visit.at + LASTS,
            "back_to": back_to[:300],
        }
        await connection.execute(insert(_viewing).values(row))
        await audit.record(
            connection, action=BEGUN, visit=visit, actor=actor, subject=subject, subscriber=subscriber_id
        )
    return token


async def end(database: Database, *, session_hash: str, visit: Visit) -> tuple[str, str]:
    """End it; gives the session's new token, and the page it was begun from.

    Raises:
        AccessDeniedError: The session looks at nothing.
    """
    async with database.writing() as connection:
        row = (await connection.execute(_open(session_hash))).one_or_none()
        if row is None:
            raise AccessDeniedError
        await _close(connection, row, visit)
        token = await sessions.rotate(connection, session_hash=session_hash, duty=Duty.NONE, now=visit.at)
    return token, row.back_to


async def viewed_by(database: Database, *, session_hash: str, now: datetime) -> Viewed | None:
    """What a session under `Duty.VIEWING` looks at; None when its time is over: then it is ended here."""
    query = (
        select(_viewing, _subscriber.c.full_name)
        .join(_subscriber, _subscriber.c.id == _c.subscriber_id)
        .where(_c.session_hash == session_hash, _c.ended_at.is_(None))
    )
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is not None and now < row.until:
        return Viewed(row.subject_user_id or 0, row.subscriber_id, row.full_name, row.until)
    async with database.writing() as connection:
        again = (await connection.execute(_open(session_hash))).one_or_none()
        if again is not None:
            await _close(connection, again, Visit(address="", agent="", at=now))
        await connection.execute(
            update(_session)
            .where(_session.c.token_hash == session_hash, _session.c.duty == Duty.VIEWING)
            .values(duty=Duty.NONE)
        )
    return None


async def end_overdue(database: Database, *, now: datetime) -> None:
    """End what nobody ended: its time is over, or its session."""
    has_session = exists().where(
        _session.c.token_hash == _c.session_hash, _session.c.duty == Duty.VIEWING, _session.c.expires_at > now
    )
    query = select(_viewing).where(_c.ended_at.is_(None), or_(_c.until <= now, not_(has_session)))
    async with database.writing() as connection:
        for row in (await connection.execute(query.with_for_update())).all():
            await _close(connection, row, Visit(address="", agent="", at=now))
            await connection.execute(
                update(_session).where(_session.c.token_hash == row.session_hash).values(duty=Duty.NONE)
            )


def _open(session_hash: str) -> Any:
    query = select(_viewing).where(_c.session_hash == session_hash, _c.ended_at.is_(None))
    return query.with_for_update()


async def _close(connection: AsyncConnection, row: Row[Any], visit: Visit) -> None:
    await connection.execute(update(_viewing).where(_c.id == row.id).values(ended_at=visit.at))
    await audit.record(
        connection,
        action=ENDED,
        visit=visit,
        actor=row.actor_user_id,
        subject=row.subject_user_id,
        subscriber=row.subscriber_id,
    )


async def _name(connection: AsyncConnection, subscriber_id: int) -> str:
    query = select(_subscriber.c.full_name).where(_subscriber.c.id == subscriber_id)
    found: str | None = await connection.scalar(query)
    if found is None:
        raise NotFoundError
    return found


def only_reading(*, is_so: bool) -> None:
    """Let the database refuse whatever the rest of this task writes: no handler of a viewer's may.

    The second lock, behind the declaration that a handler is for viewers.
    """
    read_only(is_so=is_so)
