"""How an admin works on the utility's pages: lists them with their drafts, writes, publishes, brings back.

Every page has a version that counts its changes. Whoever writes says which version was before her; if
somebody else changed the page since, nothing is written (`ConflictError`), and both texts are still there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, ConflictError, InputError, NotFoundError
from lk_portal.models import InfoKind, InfoPage
from lk_portal.services import audit, info_revisions
from lk_portal.services.content import Draft, checked_row, keep_words
from lk_portal.services.database import Database
from lk_portal.services.info_revisions import Revision, RevisionText, revision, revisions
from lk_portal.services.resource.typed import SkippedTimeError, moment_at
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

__all__ = [
    "BLOCKS",
    "Draft",
    "InfoKind",
    "Listing",
    "Out",
    "PageHead",
    "PageText",
    "Release",
    "Revision",
    "RevisionText",
    "listing",
    "local_moment",
    "page",
    "restore",
    "revision",
    "revisions",
    "write",
]

ROWS = 50
BLOCKS = MappingProxyType({"login-welcome": N_("The welcome beside the sign-in form")})
"""The texts inside pages of the portal, by address; without one the page has words of its own."""

_page = table_of(InfoPage)


class Out(StrEnum):
    """Whether readers see a text."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"


class Release(StrEnum):
    """What becomes of a text's publication when it is saved."""

    KEEP = "keep"
    DRAFT = "draft"
    NOW = "now"
    AT = "at"


@dataclass(frozen=True, slots=True)
class PageHead:
    """A text in one language without its words, with all that the staff sets; times are UTC."""

    id: int
    version: int
    slug: str
    locale: str
    kind: InfoKind
    title: str
    position: int
    is_public: bool
    published_at: datetime | None
    updated_at: datetime

    def out(self, now: datetime) -> Out:
        """Whether readers see it at `now` (aware UTC)."""
        if self.published_at is None:
            return Out.DRAFT
        return Out.PUBLISHED if self.published_at <= now else Out.SCHEDULED


@dataclass(frozen=True, slots=True)
class PageText(PageHead):
    """The same with its Markdown, and who wrote that ("" for nobody known) and when (UTC)."""

    text: str
    author: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """Texts of one kind, and whether there are more after them."""

    rows: tuple[PageHead, ...]
    has_more: bool


_HEADS: Select[Any] = select(
    _page.c.id,
    _page.c.version,
    _page.c.slug,
    _page.c.locale,
    _page.c.kind,
    _page.c.title,
    _page.c.position,
    _page.c.is_public,
    _page.c.published_at,
    _page.c.updated_at,
)
_BY_PLACE = (_page.c.position, _page.c.slug, _page.c.locale.desc(), _page.c.id)
_BY_TIME = (_page.c.published_at.is_not(None), _page.c.published_at.desc(), _page.c.slug, _page.c.id)
"""News: drafts first, then what comes and came out last."""


async def listing(database: Database, kind: InfoKind | None = None, *, first: int = 0) -> Listing:
    """`ROWS` texts of a kind, or of all, from place `first` on: as readers see them, with drafts."""
    order = _BY_TIME if kind is InfoKind.NEWS else _BY_PLACE
    query = _HEADS.order_by(*order).offset(first).limit(ROWS + 1)
    if kind is not None:
        query = query.where(_page.c.kind == kind)
    async with database.reading() as connection:
        rows = [PageHead(**row._mapping) for row in await connection.execute(query)]
    return Listing(tuple(rows[:ROWS]), len(rows) > ROWS)


async def page(database: Database, page_id: int) -> PageText:
    """One text with all that the editor shows.

    Raises:
        NotFoundError: There is none.
    """
    async with database.reading() as connection:
        row = (
            await connection.execute(_HEADS.add_columns(_page.c.text).where(_page.c.id == page_id))
        ).one_or_none()
    if row is None:
        raise NotFoundError
    kept = await revisions(database, page_id)
    author, saved_at = (kept[0].author, kept[0].saved_at) if kept else ("", row.updated_at)
    return PageText(**row._mapping, author=author, saved_at=saved_at)


async def write(
    database: Database,
    draft: Draft,
    *,
    page_id: int | None,
    version: int,
    release: Release,
    at: datetime | None = None,
    actor: int,
    visit: Visit,
) -> int:
    """Save a text and say whether readers see it, in one; gives the page's id.

    Args:
        database: Where it is kept.
        draft: What it says, and where it stands.
        page_id: Which page is changed; None: a new one.
        version: Of the page as the writer saw it.
        release: What becomes of its publication.
        at: With `Release.AT`, when it comes out (aware UTC).
        actor: Who writes.
        visit: From where and when.

    Raises:
        InputError: A field cannot be accepted, or there is a text at this address in this language.
        ConflictError: Somebody else changed the page since, to something else; nothing was written.
        NotFoundError: There is no such page.
    """
    row: dict[str, Any] = {**checked_row(draft), "updated_at": visit.at}
    if release is not Release.KEEP:
        row["published_at"] = _moment_of(release, at, visit.at)
    try:
        async with database.writing() as connection:
            return await _write(connection, row, (page_id, version), actor, visit)
    except ConflictError:
        # Saved a moment ago, and the answer was lost: the same, sent again, is no conflict with itself.
        if page_id is None or not await _says_this(database, page_id, row, release):
            raise
        return page_id
    except IntegrityError:
        raise InputError(
            N_("There is a text at this address in this language already."), field="slug"
        ) from None


async def restore(
    database: Database, *, page_id: int, number: int, version: int, actor: int, visit: Visit
) -> None:
    """Let a page say again what it said in revision `number`; that makes a new revision.

    Raises:
        InputError: It says that already.
        ConflictError: Somebody else changed the page since; nothing was written.
        NotFoundError: There is no such page or revision.
    """
    async with database.writing() as connection:
        before = await _locked(connection, page_id, version)
        old = await info_revisions.read(connection, page_id, number)
        if (before.title, before.text) == (old.title, old.text):
            raise InputError(N_("This is the text that the page has now."))
        row = {"title": old.title, "text": old.text, "updated_at": visit.at}
        await _change(connection, page_id, row)
        made = await keep_words(connection, page_id=page_id, row=row, actor=actor)
        where = {"slug": before.slug, "locale": before.locale, "from": number, "revision": made}
        await _record(connection, audit.INFO_RESTORED, actor, visit, **where)


def local_moment(typed: str, zone: ZoneInfo) -> datetime:
    """What was typed into a field of date and time in the utility's zone, as aware UTC; of two the first.

    Raises:
        InputError: It is no time, or the clocks skip it; its field is "release_at".
    """
    try:
        return moment_at(datetime.fromisoformat(typed), zone)
    except SkippedTimeError:
        raise InputError(N_("The clocks skip this time. Choose another one."), field="release_at") from None
    except (ValueError, OverflowError):
        raise InputError(N_("Choose a day and a time."), field="release_at") from None


def _moment_of(release: Release, at: datetime | None, now: datetime) -> datetime | None:
    if release is Release.DRAFT:
        return None
    if release is Release.NOW:
        return now
    if at is None or at <= now:
        raise InputError(N_("Choose a time that is still to come."), field="release_at")
    return at


async def _says_this(database: Database, page_id: int, row: dict[str, Any], release: Release) -> bool:
    """Whether the page has these words and settings, and its publication is as it shall be."""
    same = [
        _page.c[name] == value for name, value in row.items() if name not in ("updated_at", "published_at")
    ]
    match release:
        case Release.NOW:
            same.append(_page.c.published_at <= row["published_at"])
        case Release.AT | Release.DRAFT:
            same.append(_page.c.published_at.is_not_distinct_from(row["published_at"]))
    async with database.reading() as connection:
        return await connection.scalar(select(_page.c.id).where(_page.c.id == page_id, *same)) is not None


async def _write(
    connection: AsyncConnection,
    row: dict[str, Any],
    place: tuple[int | None, int],
    actor: int,
    visit: Visit,
) -> int:
    (page_id, version), was_out = place, False
    if page_id is None:
        page_id = int(
            (await connection.execute(insert(_page).values(row).returning(_page.c.id))).scalar_one()
        )
    else:
        was_out = (await _locked(connection, page_id, version)).published_at is not None
        await _change(connection, page_id, row)
    number = await keep_words(connection, page_id=page_id, row=row, actor=actor)
    where = {"slug": row["slug"], "locale": row["locale"]}
    await _record(connection, audit.INFO_SAVED, actor, visit, revision=number, **where)
    if row.get("published_at"):
        await _record(
            connection, audit.INFO_PUBLISHED, actor, visit, at=row["published_at"].isoformat(), **where
        )
    elif "published_at" in row and was_out:
        await _record(connection, audit.INFO_WITHDRAWN, actor, visit, **where)
    return page_id


async def _locked(connection: AsyncConnection, page_id: int, version: int) -> Row[Any]:
    """The page, which nobody else can change until the end of the transaction."""
    columns: list[ColumnElement[Any]] = [
        _page.c.version,
        _page.c.published_at,
        _page.c.title,
        _page.c.text,
        _page.c.slug,
        _page.c.locale,
    ]
    found = await connection.execute(select(*columns).where(_page.c.id == page_id).with_for_update())
    row = found.one_or_none()
    if row is None:
        raise NotFoundError
    if row.version != version:
        raise ConflictError
    return row


async def _change(connection: AsyncConnection, page_id: int, row: dict[str, Any]) -> None:
    values = {**row, "version": _page.c.version + 1}
    await connection.execute(update(_page).where(_page.c.id == page_id).values(values))


async def _record(
    connection: AsyncConnection, action: str, actor: int, visit: Visit, **detail: str | int
) -> None:
    await audit.record(connection, action=action, visit=visit, actor=actor, subject=None, **detail)
