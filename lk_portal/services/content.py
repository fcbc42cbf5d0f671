"""The utility's own pages, news and blocks: what is seen by whom, and how the staff writes them.

A text exists once per language. A reader gets it in her own, else in the portal's, else in whichever there
is; one that is a draft, is not due yet, or is for people who are signed in, does not exist for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, bindparam, distinct, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import InfoKind, InfoPage
from lk_portal.services import audit, help_topics, info_revisions, info_uses
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import checked, is_storable
from lk_portal.services.visit import Visit
from lk_portal.settings import KNOWN_LOCALES

__all__ = [
    "Article",
    "Draft",
    "Headline",
    "InfoKind",
    "Reader",
    "block",
    "count_new",
    "headlines",
    "of_slug",
    "publish",
    "save",
    "visible",
    "withdraw",
]

MAX_SLUG = 80
MAX_TITLE = 200
MAX_TEXT = 200_000
MAX_POSITION = 10_000
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FIXED_SLUGS = frozenset(["agreement", "consent", "help"])
"""Pages of the portal itself, beside the utility's at /info/[slug]."""

_page = table_of(InfoPage)
_IS_OUT = _page.c.published_at <= bindparam("now", type_=_page.c.published_at.type)
_VISIBLE: dict[bool, ColumnElement[bool]] = {True: _IS_OUT, False: _IS_OUT & _page.c.is_public.is_(True)}
"""Out, due, and for this reader, by whether she is signed in; a draft has no time, so it is never due."""
_IS_LISTED = _page.c.kind != InfoKind.BLOCK
_HEADLINES: Select[Any] = select(
    _page.c.slug, _page.c.locale, _page.c.kind, _page.c.title, _page.c.position, _page.c.published_at
)
_ARTICLES: Select[Any] = _HEADLINES.add_columns(_page.c.text)
_LISTED = {signed_in: _HEADLINES.where(seen, _IS_LISTED) for signed_in, seen in _VISIBLE.items()}
_SEARCHED = {signed_in: _ARTICLES.where(seen, _IS_LISTED) for signed_in, seen in _VISIBLE.items()}
_NEW = {
    signed_in: select(func.count(distinct(_page.c.slug))).where(
        seen, _IS_LISTED, _page.c.published_at > bindparam("since", type_=_page.c.published_at.type)
    )
    for signed_in, seen in _VISIBLE.items()
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and when.

    Attributes:
        locale: The reader's language.
        fallback: The portal's own.
        is_signed_in: Whether texts for subscribers and staff are seen.
        now: Aware UTC.
        is_staff: Whether the operator guide is seen too.
    """

    locale: str
    fallback: str
    is_signed_in: bool
    now: datetime
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    """A page or a piece of news without its text, for lists; the time is UTC."""

    slug: str
    locale: str
    kind: InfoKind
    title: str
    position: int
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Article(Headline):
    """A page, a piece of news or a block; `text` is Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What the staff writes: one text in one language."""

    slug: str
    locale: str
    kind: InfoKind
    title: str
    text: str
    position: int = 0
    is_public: bool = True


Text = TypeVar("Text", bound=Headline)


async def headlines(database: Database, reader: Reader) -> tuple[Headline, ...]:
    """The pages in their order and then the news, newest first, that the reader may see."""
    async with database.reading() as connection:
        rows = (await connection.execute(_LISTED[reader.is_signed_in], {"now": reader.now})).all()
    return _in_order(_chosen((Headline(*row) for row in rows), reader))


async def visible(database: Database, reader: Reader) -> tuple[Article, ...]:
    """The same as `headlines`, with the texts; for the search."""
    async with database.reading() as connection:
        rows = (await connection.execute(_SEARCHED[reader.is_signed_in], {"now": reader.now})).all()
    return _in_order(_chosen(map(_article, rows), reader))


async def of_slug(database: Database, reader: Reader, slug: str) -> Article:
    """One page or piece of news.

    Raises:
        NotFoundError: There is none that this reader may see.
    """
    found = await _one(database, reader, slug, _page.c.kind != InfoKind.BLOCK)
    if found is None:
        raise NotFoundError
    return found


async def block(database: Database, reader: Reader, slug: str) -> Article | None:
    """A text inside a page of the portal, such as `login-welcome`; None: nothing was published for it."""
    return await _one(database, reader, slug, _page.c.kind == InfoKind.BLOCK)


async def count_new(database: Database, *, since: datetime, now: datetime, is_signed_in: bool = True) -> int:
    """How many pages and news came out after `since`, up to `now` (both aware UTC).

    A text in two languages counts once; one that was only changed does not count.
    """
    times = {"now": now, "since": since}
    async with database.reading() as connection:
        return int((await connection.execute(_NEW[is_signed_in], times)).scalar_one())


async def save(database: Database, draft: Draft, *, actor: int | None, visit: Visit) -> None:
    """Write a text, over the one at its address in its language if there is one.

    A new one is a draft until it is published; one that is out stays out.

    Raises:
        InputError: The address is none or taken by the portal itself, the language is unknown, the title or
            the text is empty or too long; nothing was written.
    """
    row = checked_row(draft)
    try:
        async with database.writing() as connection:
            await _write(connection, row, actor, visit)
            await _record(
                connection, audit.INFO_SAVED, slug=draft.slug, locale=draft.locale, actor=actor, visit=visit
            )
    except IntegrityError:
        raise InputError(N_("Somebody wrote this page at the same time."), field="slug") from None


async def publish(
    database: Database, *, slug: str, locale: str, at: datetime, actor: int | None, visit: Visit
) -> None:
    """Let a text be seen from `at` (aware UTC) on, which may lie ahead.

    Raises:
        NotFoundError: There is no such text.
    """
    await _set_out(
        database, slug=slug, locale=locale, at=at, action=audit.INFO_PUBLISHED, actor=actor, visit=visit
    )


async def withdraw(database: Database, *, slug: str, locale: str, actor: int | None, visit: Visit) -> None:
    """Make a text a draft again.

    Raises:
        NotFoundError: There is no such text.
    """
    await _set_out(
        database, slug=slug, locale=locale, at=None, action=audit.INFO_WITHDRAWN, actor=actor, visit=visit
    )


async def _one(
    database: Database, reader: Reader, slug: str, is_of_kind: ColumnElement[bool]
) -> Article | None:
    if len(slug) > MAX_SLUG or not is_storable(slug):
        return None
    query = _ARTICLES.where(_page.c.slug == slug, _VISIBLE[reader.is_signed_in], is_of_kind)
    async with database.reading() as connection:
        rows = (await connection.execute(query, {"now": reader.now})).all()
    return next(iter(_chosen(map(_article, rows), reader)), None)


def _chosen(texts: Iterable[Text], reader: Reader) -> list[Text]:
    """Of every text the one in the language that suits the reader best."""
    wanted = (reader.locale, reader.fallback)
    best: dict[str, Text] = {}
    for text in sorted(texts, key=lambda one: (_rank(one.locale, wanted), one.locale)):
        best.setdefault(text.slug, text)
    return list(best.values())


def _rank(locale: str, wanted: tuple[str, ...]) -> int:
    return wanted.index(locale) if locale in wanted else len(wanted)


def _in_order(texts: list[Text]) -> tuple[Text, ...]:
    pages = [text for text in texts if text.kind is InfoKind.PAGE]
    news = [text for text in texts if text.kind is InfoKind.NEWS]
    pages.sort(key=lambda one: (one.position, one.title))
    news.sort(key=lambda one: (one.published_at, one.slug), reverse=True)
    return (*pages, *news)


def _article(row: Row[Any]) -> Article:
    return Article(**row._mapping)


def checked_row(draft: Draft) -> dict[str, Any]:
    """The columns of a text that may be written.

    Raises:
        InputError: As `save` says.
    """
    if draft.locale not in KNOWN_LOCALES:
        raise InputError(N_("There is no such language."), field="locale")
    if not 0 <= draft.position <= MAX_POSITION:
        raise InputError(N_("This must be a number from 0 to {most}."), field="position", most=MAX_POSITION)
    title = checked(draft.title, field="title", most=MAX_TITLE)
    return {
        "slug": _checked_slug(draft.slug),
        "locale": draft.locale,
        "kind": InfoKind(draft.kind),
        "title": " ".join(title.split()),
        "text": checked(draft.text, field="text", most=MAX_TEXT),
        "position": draft.position,
        "is_public": draft.is_public,
    }


def _checked_slug(slug: str) -> str:
    if len(slug) > MAX_SLUG or not SLUG.fullmatch(slug):
        raise InputError(
            N_("An address has 1 to {most} small Latin letters and digits, with single dashes between them."),
            field="slug",
            most=MAX_SLUG,
        )
    if slug in FIXED_SLUGS or slug.startswith(help_topics.PREFIX):
        raise InputError(N_("This address belongs to a page of the portal itself."), field="slug")
    return slug


async def _write(connection: AsyncConnection, row: dict[str, Any], actor: int | None, visit: Visit) -> None:
    row = {**row, "updated_at": visit.at}
    page_id = await connection.scalar(
        update(_page)
        .where(_page.c.slug == row["slug"], _page.c.locale == row["locale"])
        .values({**row, "version": _page.c.version + 1})
        .returning(_page.c.id)
    )
    if page_id is None:
        page_id = await connection.scalar(insert(_page).values(row).returning(_page.c.id))
    await keep_words(connection, page_id=page_id, row=row, actor=actor)


async def keep_words(
    connection: AsyncConnection, *, page_id: int, row: dict[str, Any], actor: int | None
) -> int:
    """Keep the revision of what was just written to a page, and which pictures it shows; its number."""
    await info_uses.keep_uses(connection, page_id=page_id, text=row["text"])
    return await info_revisions.keep(
        connection,
        page_id=page_id,
        title=row["title"],
        text=row["text"],
        author=actor,
        now=row["updated_at"],
    )


async def _set_out(
    database: Database,
    *,
    slug: str,
    locale: str,
    at: datetime | None,
    action: str,
    actor: int | None,
    visit: Visit,
) -> None:
    async with database.writing() as connection:
        changed = await connection.execute(
            update(_page)
            .where(_page.c.slug == slug, _page.c.locale == locale)
            .values(published_at=at, updated_at=visit.at, version=_page.c.version + 1)
        )
        if not changed.rowcount:
            raise NotFoundError
        await _record(connection, action, slug=slug, locale=locale, actor=actor, visit=visit)


async def _record(
    connection: AsyncConnection, action: str, *, slug: str, locale: str, actor: int | None, visit: Visit
) -> None:
    await audit.record(
        connection, action=action, visit=visit, actor=actor, subject=None, slug=slug, locale=locale
    )
