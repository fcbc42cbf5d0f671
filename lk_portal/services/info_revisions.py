"""What the utility's pages said before: kept at every save. For `services.content` and the editor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import InfoRevision, User
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

MOST = 100
MAX_NUMBER = 2**31 - 1

_revision, _user = table_of(InfoRevision), table_of(User)
_WITH_AUTHOR = _revision.outerjoin(_user, _user.c.id == _revision.c.author_user_id)
_HEADS: Select[Any] = select(
    _revision.c.number,
    _revision.c.title,
    func.coalesce(_user.c.display_name, "").label("author"),
    _revision.c.saved_at,
).select_from(_WITH_AUTHOR)


@dataclass(frozen=True, slots=True)
class Revision:
    """A text as it was saved at one time (UTC); `author` is "" for a command, or somebody who is gone."""

    number: int
    title: str
    author: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class RevisionText(Revision):
    """The same with its Markdown."""

    text: str


async def revisions(database: Database, page_id: int) -> tuple[Revision, ...]:
    """The newest `MOST` revisions of a page, newest first; none of a page that does not exist."""
    query = _HEADS.where(_revision.c.page_id == page_id).order_by(_revision.c.number.desc()).limit(MOST)
    async with database.reading() as connection:
        return tuple(Revision(**row._mapping) for row in await connection.execute(query))


async def revision(database: Database, page_id: int, number: int) -> RevisionText:
    """One revision.

    Raises:
        NotFoundError: There is none of this number.
    """
    async with database.reading() as connection:
        return await read(connection, page_id, number)


async def read(connection: AsyncConnection, page_id: int, number: int) -> RevisionText:
    """The same in the caller's transaction."""
    query = _HEADS.add_columns(_revision.c.text).where(
        _revision.c.page_id == page_id, _revision.c.number == min(max(number, 0), MAX_NUMBER)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return RevisionText(**row._mapping)


async def keep(
    connection: AsyncConnection, *, page_id: int, title: str, text: str, author: int | None, now: datetime
) -> int:
    """Keep what a page says from now on (aware UTC), in the transaction that writes it; its number.

    A text that is the same as before makes no new revision.
    """
    newest = (
        select(_revision.c.number, _revision.c.title, _revision.c.text)
        .where(_revision.c.page_id == page_id)
        .order_by(_revision.c.number.desc())
        .limit(1)
    )
    before = (await connection.execute(newest)).one_or_none()
    if before is not None and (before.title, before.text) == (title, text):
        return int(before.number)
    number = before.number + 1 if before is not None else 1
    row = {"number": number, "title": title, "text": text, "author_user_id": author, "saved_at": now}
    await connection.execute(insert(_revision).values(page_id=page_id, **row))
    return int(number)
