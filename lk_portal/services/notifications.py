"""Telling persons what they would want to know without asking: by letter and by push, each thing once.

For the jobs, which call `tell_events` and `tell_limits` on a schedule, and for the desk, whose answers are
told in the answer's own transaction. `notified` decides: whoever inserts the row of a thing tells of it, in
the same transaction. So a scan may be killed anywhere, or run on two machines at once, and nobody is told
twice or not at all. The row is written whatever the person wants to get: who turns a kind on is told of what
comes, not of what was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_
from lk_portal.i18n import _, day_text, kwh, moment_text, month_text, ngettext, using_locale
from lk_portal.models import Channel, LetterKind, NotificationKind, Notified, User
from lk_portal.services import letters, notification_news, push
from lk_portal.services.database import Database
from lk_portal.services.notification_choices import wanted
from lk_portal.services.notification_news import Moment, Query, may_be_told, was_told_lately
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings

MOST_LISTED = 5
"""A letter names so many things; of the rest it says how many they are."""
EVENTS_KEPT = timedelta(days=7)
CONSUMPTION_KEPT = timedelta(days=100)
"""Longer than a scan looks back; the rows are not needed then."""

Rows = Sequence[Row[Any]]
Data = Mapping[str, str]
_user, _notified = table_of(User), table_of(Notified)


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Something that is told: what is new, the letter about it, the page of the push."""

    kind: NotificationKind
    query: Query
    letter: LetterKind
    words: Callable[[Rows], Data]
    page: str


@dataclass(frozen=True, slots=True)
class _Look:
    """One look for something to tell; `now` is aware UTC."""

    settings: Settings
    occasion: _Occasion
    now: datetime


async def tell_events(database: Database, settings: Settings, *, now: datetime) -> int:
    """Tell of what meters reported since the last look; gives how many persons there was news for."""
    return sum([await _tell(database, _Look(settings, occasion, now)) for occasion in _EVENTS])


async def tell_limits(database: Database, settings: Settings, *, now: datetime) -> int:
    """Tell of months above a threshold and of verifications that are due; gives to how many persons."""
    return sum([await _tell(database, _Look(settings, occasion, now)) for occasion in _LIMITS])


async def tell_answered(connection: AsyncConnection, *, user_id: int, page: str, now: datetime) -> bool:
    """Push that a request was answered, in the answer's own transaction, if its sender wants that.

    Gives whether she wants the letter too, which is the caller's to write: it knows what was asked.

    Args:
        connection: Of the transaction that answers.
        user_id: Who sent the request.
        page: Where the answer stands, e.g. /support/7.
        now: Aware UTC.
    """
    if await connection.scalar(select(_user.c.id).where(_user.c.id == user_id, may_be_told())) is None:
        return False
    ways = await wanted(connection, (user_id,), NotificationKind.ANSWER)
    if (user_id, Channel.PUSH) in ways:
        await push.write(connection, kind=NotificationKind.ANSWER, pages={user_id: page}, now=now)
    return (user_id, Channel.LETTER) in ways


async def forget_old(database: Database, *, now: datetime) -> None:
    """Delete what was told so long ago that no scan would come upon it again; verifications stay."""
    kind, at = _notified.c.kind, _notified.c.at
    of_events = kind.in_([NotificationKind.CRITICAL_EVENT, NotificationKind.WARNING_EVENT])
    of_months = kind == NotificationKind.UNUSUAL_CONSUMPTION
    async with database.writing() as connection:
        await connection.execute(
            delete(_notified).where(
                or_(and_(of_events, at < now - EVENTS_KEPT), and_(of_months, at < now - CONSUMPTION_KEPT))
            )
        )


async def _tell(database: Database, look: _Look) -> int:
    """All there is of an occasion, some persons at a time."""
    told = 0
    while found := await _untold(database, look):
        fresh = await _tell_some(database, look, found)
        told += fresh
        if not fresh:  # another worker was faster with all of them; the next look finds what is left
            break
    return told


async def _untold(database: Database, look: _Look) -> Rows:
    moment = Moment(now=look.now, today=look.now.astimezone(look.settings.zone).date())
    async with database.reading() as connection:
        return (await connection.execute(look.occasion.query(moment))).all()


async def _tell_some(database: Database, look: _Look, found: Rows) -> int:
    """Remember what was found and tell of what nobody had remembered before, in one transaction."""
    kind = look.occasion.kind
    async with database.writing() as connection:
        persons = await _persons(connection, look, {row.user_id for row in found})
        fresh = await _remember(connection, look, [row for row in found if row.user_id in persons])
        news = {user_id: tuple(rows) for user_id, rows in groupby(fresh, key=attrgetter("user_id"))}
        ways = await wanted(connection, tuple(news), kind)
        for user_id in (one for one in news if (one, Channel.LETTER) in ways):
            await _write(connection, look, persons[user_id], news[user_id])
        pages = {one: look.occasion.page for one in news if (one, Channel.PUSH) in ways}
        await push.write(connection, kind=kind, pages=pages, now=look.now)
    return len(news)


async def _persons(connection: AsyncConnection, look: _Look, ids: Iterable[int]) -> dict[int, Any]:
    """Those who are still to be told, locked: two machines that scan at once tell one after the other."""
    is_late = was_told_lately(look.occasion.kind, look.now)
    query = (
        select(_user.c.id, _user.c.email, _user.c.display_name, _user.c.locale)
        .where(_user.c.id.in_(ids), may_be_told())
        .order_by(_user.c.id)
        .with_for_update(of=_user)
    )
    locked = {row.id: row for row in await connection.execute(query)}
    # Only now: what was told by the one this waited for is not seen by the query that waited.
    to_tell = select(_user.c.id).where(_user.c.id.in_(locked), ~is_late)
    return {user_id: locked[user_id] for user_id in await connection.scalars(to_tell)}


async def _remember(connection: AsyncConnection, look: _Look, rows: Rows) -> Rows:
    """Those of `rows` that were not told yet; from here on they are."""
    if not rows:
        return ()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = [
        {"user_id": user_id, "kind": look.occasion.kind, "key": key, "at": look.now}
        for user_id, key in sorted({(row.user_id, row.key) for row in rows})
    ]
    statement = insert(_notified).values(values).on_conflict_do_nothing()
    inserted = await connection.execute(statement.returning(_notified.c.user_id, _notified.c.key))
    fresh = {(row.user_id, row.key) for row in inserted}
    return [row for row in rows if (row.user_id, row.key) in fresh]


async def _write(connection: AsyncConnection, look: _Look, person: Any, rows: Rows) -> None:
    """One letter about all of it, its figures and names in the person's language."""
    with using_locale(person.locale or look.settings.locale):
        words = look.occasion.words(rows)
    await letters.write(
        connection,
        kind=look.occasion.letter,
        to_address=person.email,
        now=look.now,
        user_id=person.id,
        locale=person.locale,
        data={**words, "name": person.display_name},
    )


def _of_events(title: str) -> Callable[[Rows], Data]:
    """The meters that reported something, each with how often and when last."""

    def words(rows: Rows) -> Data:
        by_meter: dict[str, list[Row[Any]]] = {}
        for row in rows:
            by_meter.setdefault(row.serial, []).append(row)
        return {"what": _(title), "list": _listed([_events_text(some) for some in by_meter.values()])}

    return words


def _events_text(rows: Rows) -> str:
    newest = max(rows, key=attrgetter("occurred_at"))
    last = moment_text(newest.occurred_at, ZoneInfo(newest.timezone))
    count = ngettext("{count} event", "{count} events", len(rows))
    return _("{thing}: {count}, the last on {last}", thing=_thing(newest), count=count, last=last)


def _of_consumption(rows: Rows) -> Data:
    return {
        "list": _listed(
            [
                _(
                    "{thing}: {used} kWh in {month}, the threshold is {limit} kWh",
                    thing=_thing(row),
                    used=kwh(row.total_wh, digits=0),
                    month=month_text(row.month),
                    limit=kwh(row.month_wh, digits=0),
                )
                for row in rows
            ]
        )
    }


def _of_verification(rows: Rows) -> Data:
    late, soon = N_("{thing}: overdue since {day}"), N_("{thing}: due by {day}")
    return {
        "list": _listed(
            [_(late if row.is_overdue else soon, thing=_thing(row), day=day_text(row.due_on)) for row in rows]
        )
    }


def _thing(row: Row[Any]) -> str:
    """A meter as its owner calls it, else as its plate does."""
    return str(row.name) or f"{row.model} № {row.serial}"


def _listed(items: Sequence[str]) -> str:
    named = "; ".join(items[:MOST_LISTED])
    rest = len(items) - MOST_LISTED
    return _("{named}; and {rest} more", named=named, rest=rest) if rest > 0 else named


_EVENT_TITLES = MappingProxyType(
    {
        NotificationKind.CRITICAL_EVENT: N_("Critical events of a meter"),
        NotificationKind.WARNING_EVENT: N_("Warnings of a meter"),
    }
)
_EVENTS = tuple(
    _Occasion(
        kind=kind,
        query=notification_news.events(kind),
        letter=LetterKind.METER_EVENT,
        words=_of_events(title),
        page="/diagnostics",
    )
    for kind, title in _EVENT_TITLES.items()
)
_LIMITS = (
    _Occasion(
        kind=NotificationKind.UNUSUAL_CONSUMPTION,
        query=notification_news.consumption,
        letter=LetterKind.UNUSUAL_CONSUMPTION,
        words=_of_consumption,
        page="/readings",
    ),
    _Occasion(
        kind=NotificationKind.VERIFICATION_DUE,
        query=notification_news.verification,
        letter=LetterKind.VERIFICATION_DUE,
        words=_of_verification,
        page="/accounts",
    ),
)
