"""Browsers that may be pushed to, and what waits to be pushed to them. For settings, sessions, the job.

A subscription belongs to one person and to the browser she made it in: whoever signs out there, or ends that
browser's session from elsewhere, ends the pushes to it. A message says which page it is about and nothing
else: what stands on a locked screen must be fit for whoever holds the telephone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import NotificationKind, PushMessage, PushSubscription, UserSession
from lk_portal.security.push import checked_endpoint, checked_keys
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit

MOST_DEVICES = 10
"""So many browsers of one person are pushed to; the one subscribed longest ago makes room."""
SUBSCRIPTIONS = Policy(free=30, cap_s=300)
GIVE_UP_AFTER = timedelta(hours=24)
"""Yesterday's news is no news: what was not taken in a day is dropped."""
LEASE = timedelta(minutes=2)
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))

_subscription, _message, _session = table_of(PushSubscription), table_of(PushMessage), table_of(UserSession)
_s, _m = _subscription.c, _message.c


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser says of itself: where to push, and the keys to encrypt with."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Device:
    """A browser of a person that is pushed to.

    Attributes:
        reference: Names it on the page.
        agent: Its User-Agent.
        since: Aware UTC.
        is_current: It is the one she asks from.
    """

    reference: str
    agent: str
    since: datetime
    is_current: bool


@dataclass(frozen=True, slots=True)
class ClaimedPush:
    """A message that this process, and no other, is about to send; `page` is where a click leads."""

    id: int
    subscription_id: int
    kind: NotificationKind
    page: str
    created_at: datetime
    attempts: int
    endpoint: str
    p256dh: str
    auth: str
    locale: str


async def subscribe(
    database: Database,
    *,
    user_id: int,
    session_hash: str,
    subscription: Subscription,
    locale: str,
    visit: Visit,
) -> None:
    """Push to this browser from now on; it may have been somebody else's before, with what waited for her.

    Raises:
        InputError: The address or the keys are none.
        ThrottledError: Done too often.
    """
    endpoint = checked_endpoint(subscription.endpoint)
    p256dh, auth = checked_keys(subscription.p256dh, subscription.auth)
    gates = (Gate(f"push:{user_id}", SUBSCRIPTIONS),)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        await connection.execute(delete(_subscription).where(_s.endpoint == endpoint))
        await _make_room(connection, user_id)
        device = select(_session.c.device_hash).where(_session.c.token_hash == session_hash)
        await connection.execute(
            insert(_subscription).values(
                user_id=user_id,
                endpoint=endpoint,
                p256dh=p256dh,
                auth=auth,
                agent=storable(visit.agent, 200),
                device_hash=await connection.scalar(device) or "",
                locale=locale,
                created_at=visit.at,
            )
        )
        await _record(connection, audit.PUSH_BEGUN, user_id, visit)


async def unsubscribe(database: Database, *, user_id: int, reference: str, visit: Visit) -> None:
    """Push no more to one of a person's browsers.

    Raises:
        NotFoundError: She has none of this name.
    """
    if not (reference.isascii() and reference.isdigit() and len(reference) < 10):
        raise NotFoundError
    async with database.writing() as connection:
        gone = await connection.execute(
            delete(_subscription).where(_s.id == int(reference), _s.user_id == user_id)
        )
        if not gone.rowcount:
            raise NotFoundError
        await _record(connection, audit.PUSH_ENDED, user_id, visit)


async def devices_of(database: Database, *, user_id: int, session_hash: str) -> tuple[Device, ...]:
    """A person's browsers that are pushed to, the newest first."""
    own = select(_session.c.device_hash).where(_session.c.token_hash == session_hash).scalar_subquery()
    query = (
        select(
            _s.id, _s.agent, _s.created_at, func.coalesce(_s.device_hash == own, False).label("is_current")
        )
        .where(_s.user_id == user_id)
        .order_by(_s.created_at.desc(), _s.id.desc())
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return tuple(Device(str(row.id), row.agent, row.created_at, bool(row.is_current)) for row in rows)


async def forget_browser(connection: AsyncConnection, *, user_id: int, device_hash: str) -> None:
    """A session in this browser was ended by its owner: nothing of hers shows there any more."""
    await connection.execute(
        delete(_subscription).where(_s.user_id == user_id, _s.device_hash == device_hash)
    )


async def forget_other_browsers(connection: AsyncConnection, *, user_id: int, but: str = "") -> None:
    """All sessions were ended, except perhaps the one whose hash is `but`: only its browser is pushed to."""
    kept = select(_session.c.device_hash).where(_session.c.token_hash == but)
    await connection.execute(delete(_subscription).where(_s.user_id == user_id, _s.device_hash.not_in(kept)))


async def write(
    connection: AsyncConnection,
    *,
    kind: NotificationKind,
    pages: Mapping[int, str],
    now: datetime,
) -> None:
    """Decide on messages to all browsers of some persons, in the caller's transaction.

    What still waits of the same kind is replaced: a telephone that was off for a day tells it once.

    Args:
        connection: Of the transaction that they tell of.
        kind: What they are about.
        pages: By user id, the page that a click leads to.
        now: Aware UTC.
    """
    query = select(_s.id, _s.user_id).where(_s.user_id.in_(pages))
    rows = [
        {
            "subscription_id": row.id,
            "kind": kind,
            "data": {"page": pages[row.user_id]},
            "created_at": now,
            "next_attempt_at": now,
            "attempts": 0,
        }
        for row in await connection.execute(query)
    ]
    if rows:
        same = _m.subscription_id.in_([row["subscription_id"] for row in rows]) & (_m.kind == kind)
        await connection.execute(delete(_message).where(same))
        await connection.execute(insert(_message), rows)


async def due(
    database: Database, *, now: datetime, limit: int, without: Iterable[int] = ()
) -> tuple[int, ...]:
    """Ids of messages to be sent now, those that have waited longest first, `without` some."""
    query = (
        select(_m.id)
        .where(_m.next_attempt_at <= now, _m.id.not_in(list(without)))
        .order_by(_m.next_attempt_at, _m.id)
        .limit(limit)
    )
    async with database.reading() as connection:
        return tuple((await connection.scalars(query)).all())


async def claim(database: Database, message_id: int, *, now: datetime) -> ClaimedPush | None:
    """Take a due message for `LEASE`; None when it is not due any more, e.g. as another worker has it."""
    statement = (
        update(_message)
        .where(_m.id == message_id, _m.next_attempt_at <= now)
        .values(next_attempt_at=now + LEASE, attempts=_m.attempts + 1)
        .returning(_m.id, _m.subscription_id, _m.kind, _m.data, _m.created_at, _m.attempts)
    )
    async with database.writing() as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        query = select(_s.endpoint, _s.p256dh, _s.auth, _s.locale).where(_s.id == row.subscription_id)
        browser = (await connection.execute(query)).one()
    return ClaimedPush(
        row.id, row.subscription_id, row.kind, str(row.data["page"]), row.created_at, row.attempts, *browser
    )


async def forget(database: Database, claimed: ClaimedPush) -> None:
    """It was taken, or never will be."""
    async with database.writing() as connection:
        await connection.execute(delete(_message).where(_is(claimed)))


async def forget_subscription(database: Database, claimed: ClaimedPush) -> None:
    """The push service knows the browser no more: it goes, with all that waits for it."""
    async with database.writing() as connection:
        await connection.execute(delete(_subscription).where(_s.id == claimed.subscription_id))


async def put_off(
    database: Database, claimed: ClaimedPush, *, now: datetime, at_least: timedelta = timedelta()
) -> bool:
    """It was not taken this time; gives whether it is tried again, not before `at_least` has passed."""
    pause = max(BACK_OFF[min(claimed.attempts, len(BACK_OFF)) - 1], at_least)
    if now + pause > claimed.created_at + GIVE_UP_AFTER:
        await forget(database, claimed)
        return False
    async with database.writing() as connection:
        await connection.execute(update(_message).where(_is(claimed)).values(next_attempt_at=now + pause))
    return True


def _is(claimed: ClaimedPush) -> ColumnElement[bool]:
    """The message, unless it was claimed again or replaced in the meantime."""
    return and_(_m.id == claimed.id, _m.attempts == claimed.attempts)


async def _make_room(connection: AsyncConnection, user_id: int) -> None:
    kept = (
        select(_s.id)
        .where(_s.user_id == user_id)
        .order_by(_s.created_at.desc(), _s.id.desc())
        .limit(MOST_DEVICES - 1)
    )
    await connection.execute(delete(_subscription).where(_s.user_id == user_id, _s.id.not_in(kept)))


async def _record(connection: AsyncConnection, action: str, user_id: int, visit: Visit) -> None:
    await audit.record(connection, action=action, visit=visit, actor=user_id, subject=user_id)
