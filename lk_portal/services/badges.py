"""Numbers in the menu beside those that the portal counts itself: `badge=Badge(...)` of a page.

For pages, of installed packages above all. A badge is counted together with ours (`services.seen`) when a
page opens, and again when what it follows changes. One that fails is logged under an error number and shows
nothing; it never takes the menu, or another badge, with it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, literal, select
from sqlalchemy import Table as CoreTable
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import ConfigurationError
from lk_portal.logs import report
from lk_portal.models import Section, SeenMarker, Subscriber
from lk_portal.models.types import EPOCH, UtcTime
from lk_portal.services.database import Database, read_only
from lk_portal.services.resource.joining import joins_to
from lk_portal.services.resource.spec import column_of
from lk_portal.services.tables import table_of

PATIENCE_S = 2.0
"""How long one badge may be counted: the page waits for it."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose badge is counted, and since when.

    Attributes:
        database: Where to read; nothing can be written while a badge is counted.
        user_id: Her login.
        subscriber_id: Whose things are counted, and only hers: see `services.owned`.
        seen_at: When she opened the page last, aware UTC; 1970 for a badge that opening does not clear.
        now: Aware UTC.
    """

    database: Database
    user_id: int
    subscriber_id: int
    seen_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Badge:
    """What a page's item in the main menu counts.

    Attributes:
        name: Of the mark of who has seen it; of a-z, 0-9 and _, at most 32, begun with the package's name.
        count: Counts what is new to a subscriber; 0 shows nothing.
        changed_at: An attribute of a model, times in UTC under an index: while newer ones appear, open pages
            count anew. None when only the subscriber's meters, events, tickets and the utility's pages
            matter: these are followed anyway.
        whose: The attribute with the subscriber whose row it is, of the same table or of one that its foreign
            keys lead to; None when rows are for everybody.
        is_seen_by_opening: Whether opening the page, or one below it, makes seen what is behind it. Then a
            person begins with nothing new at her first visit.
    """

    name: str
    count: Callable[[Asking], Awaitable[int]]
    changed_at: Any = None
    whose: Any = None
    is_seen_by_opening: bool = True


Stamps = Select[Any]
_badges: dict[str, Badge] = {}
_stamps: dict[str, Stamps] = {}


def declare(badge: Badge) -> None:
    """Count this badge from now on.

    Raises:
        ConfigurationError: Its name is taken or no name, or what it follows cannot be followed.
    """
    if not _NAME.fullmatch(badge.name) or badge.name in set(Section):
        raise ConfigurationError(detail=f"badge {badge.name!r}: this is no name for a badge")
    if _badges.get(badge.name, badge) != badge:
        raise ConfigurationError(detail=f"badge {badge.name!r}: the name is taken")
    if badge.changed_at is not None:
        try:
            _stamps[badge.name] = _stamps_of(badge)
        except ConfigurationError as error:
            raise ConfigurationError(detail=f"badge {badge.name!r}: {error.data['detail']}") from None
    _badges[badge.name] = badge


def badge_topic(name: str, subscriber_id: int | None = None) -> str:
    """What a badge follows has changed, for a subscriber or for everybody."""
    return f"badge:{name}" if subscriber_id is None else f"badge:{name}:{subscriber_id}"


def topics_of(subscriber_id: int) -> frozenset[str]:
    """What a subscriber's menu follows for the sake of the badges."""
    return frozenset(badge_topic(name, one) for name in _stamps for one in (None, subscriber_id))


def is_declared() -> bool:
    """Whether there is any; else nothing is asked."""
    return bool(_badges)


async def changes_of(connection: AsyncConnection, since: datetime) -> list[tuple[str, datetime]]:
    """What the badges follow and what changed at or after `since` (aware UTC), as topics with their times."""
    found: list[tuple[str, datetime]] = []
    for name, stamps in _stamps.items():
        try:
            rows = (await connection.execute(stamps, {"since": since})).all()
        except Exception as error:
            report(error)
        else:
            found += [(badge_topic(name, row.owner), row.at) for row in rows]
    return found


async def counted(
    database: Database, *, user_id: int, subscriber_id: int, now: datetime
) -> tuple[Mapping[str, int], list[str]]:
    """What every badge counts, those without anything left out; and the badges that have no mark of hers yet.

    Args:
        database: Where from.
        user_id: Whose marks.
        subscriber_id: Whose things.
        now: Aware UTC.
    """
    query = select(_marker.c.section, _marker.c.seen_at).where(
        _marker.c.user_id == user_id, _marker.c.section.in_(list(_badges))
    )
    async with database.reading() as connection:
        marks = {row.section: row.seen_at for row in (await connection.execute(query)).all()}
    missing = [
        badge.name for badge in _badges.values() if badge.is_seen_by_opening and badge.name not in marks
    ]
    counts = {}
    for badge in _badges.values():
        if badge.name not in missing:
            seen_at = marks[badge.name] if badge.is_seen_by_opening else EPOCH
            asking = Asking(database, user_id, subscriber_id, seen_at, now)
            counts[badge.name] = await asyncio.create_task(_count(badge, asking))
    return {name: count for name, count in counts.items() if count}, missing


def cleared_by_opening(names: Iterable[str]) -> list[str]:
    """Of sections and badges, those whose number goes away when the page is opened."""
    return [name for name in names if name not in _badges or _badges[name].is_seen_by_opening]


async def _count(badge: Badge, asking: Asking) -> int:
    """One badge, in a task of its own: what it does to the context stays there."""
    read_only(is_so=True)
    try:
        async with asyncio.timeout(PATIENCE_S):
            count = await badge.count(asking)
        if not isinstance(count, int) or count < 0:
            raise TypeError(f"badge {badge.name!r} counted {count!r}")
    except Exception as error:
        report(error)
        return 0
    return count


def _stamps_of(badge: Badge) -> Stamps:
    """The query for the rows that changed lately, and for whose they are.

    Raises:
        ConfigurationError: It cannot be asked, or not without reading the whole table.
    """
    column = column_of(badge.changed_at)
    table = getattr(column, "table", None)
    if not isinstance(table, CoreTable) or not isinstance(column.type, UtcTime):
        raise ConfigurationError(detail=f"{column} is no attribute with times (UtcTime)")
    if not any(next(iter(index.columns)) is column for index in table.indexes):
        raise ConfigurationError(detail=f"{column} has no index; it is asked for every second")
    owner: ColumnElement[Any] = literal(None) if badge.whose is None else column_of(badge.whose)
    query = select(owner.label("owner"), column.label("at")).select_from(table)
    if badge.whose is not None:
        keys = [owner, *(key.column for key in getattr(owner, "foreign_keys", ()))]
        if not any(key is table_of(Subscriber).c.id for key in keys):
            raise ConfigurationError(detail=f"{owner} is not the key of a subscriber")
        for other, condition in joins_to(table, [owner.table]):
            query = query.join(other, condition)
        query = query.where(owner.is_not(None))
    return query.where(column >= bindparam("since", type_=UtcTime())).distinct()


_marker = table_of(SeenMarker)
