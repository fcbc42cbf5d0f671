"""Who accepted which version of the agreement and the consent (152-ФЗ), for the staff's report.

What counts is the last thing a person did about a document: accepted a version, or withdrew from it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import Acceptance, Account, DocumentKind, DocumentVersion, Role, User
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable

ROWS = 50
MAX_SEARCH = 100
_AT_ONCE = 500
"""People read at a time for a file."""

_user, _account = table_of(User), table_of(Account)
_acceptance, _version = table_of(Acceptance), table_of(DocumentVersion)
_IS_SUBSCRIBER = (_user.c.role == Role.SUBSCRIBER) & _user.c.is_active.is_(True)


@dataclass(frozen=True, slots=True)
class Tally:
    """A version, and how many subscribers agree to it now; the time is UTC."""

    kind: DocumentKind
    version: int
    title: str
    published_at: datetime
    agreed: int


@dataclass(frozen=True, slots=True)
class Deed:
    """The last thing somebody did about a document (UTC): accepted this version, and perhaps withdrew."""

    version: int
    accepted_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber who may sign in, and her last deed about each document; None: none yet."""

    user_id: int
    name: str
    email: str
    agreement: Deed | None
    consent: Deed | None


@dataclass(frozen=True, slots=True)
class Wish:
    """Which people: whose name, e-mail, phone or account number has `search` in it; only those who owe.

    Attributes:
        search: What was typed; "" for all.
        is_owing_only: Only who has not accepted what is in force.
    """

    search: str = ""
    is_owing_only: bool = False


async def subscribers(database: Database) -> int:
    """How many subscribers may sign in."""
    async with database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(_user).where(_IS_SUBSCRIBER))
        return int(found.scalar_one())


async def tallies(database: Database) -> tuple[Tally, ...]:
    """Every version of both documents, the agreement first, newest first, with how many agree to it now."""
    agreed = (
        select(_acceptance.c.document_id, func.count(_acceptance.c.user_id.distinct()).label("people"))
        .join(_user, _user.c.id == _acceptance.c.user_id)
        .where(_acceptance.c.withdrawn_at.is_(None), _IS_SUBSCRIBER)
        .group_by(_acceptance.c.document_id)
        .subquery()
    )
    query = (
        select(
            _version.c.kind,
            _version.c.version,
            _version.c.title,
            _version.c.published_at,
            func.coalesce(agreed.c.people, 0),
        )
        .outerjoin(agreed, agreed.c.document_id == _version.c.id)
        .order_by(_version.c.kind, _version.c.version.desc())
    )
    async with database.reading() as connection:
        return tuple(Tally(*row) for row in await connection.execute(query))


async def people(
    database: Database, wish: Wish, *, after: int = 0, most: int = ROWS
) -> tuple[tuple[Person, ...], bool]:
    """Up to `most` people in the order they came, those after login `after`; whether there are more."""
    async with database.reading() as connection:
        query = _people(wish, await _in_force(connection)).where(_user.c.id > after).limit(most + 1)
        rows = (await connection.execute(query)).all()
        deeds = await _deeds(connection, [row.id for row in rows[:most]])
    found = tuple(
        Person(
            row.id,
            row.display_name,
            row.email,
            deeds.get((row.id, DocumentKind.AGREEMENT)),
            deeds.get((row.id, DocumentKind.CONSENT)),
        )
        for row in rows[:most]
    )
    return found, len(rows) > most


async def everybody(database: Database, wish: Wish) -> AsyncIterator[Person]:
    """All people of a wish, however many."""
    after, has_more = 0, True
    while has_more:
        found, has_more = await people(database, wish, after=after, most=_AT_ONCE)
        for person in found:
            yield person
            after = person.user_id


async def _in_force(connection: AsyncConnection) -> list[int]:
    other = _version.alias()
    newest = select(func.max(other.c.version)).where(other.c.kind == _version.c.kind).scalar_subquery()
    return list(await connection.scalars(select(_version.c.id).where(_version.c.version == newest)))


def _people(wish: Wish, in_force: Sequence[int]) -> Select[Any]:
    query = select(_user.c.id, _user.c.display_name, _user.c.email).where(_IS_SUBSCRIBER).order_by(_user.c.id)
    search = " ".join(storable(wish.search, MAX_SEARCH).split())
    if search:
        query = query.where(_matches(search))
    if wish.is_owing_only:
        query = query.where(or_(*(~_agrees_to(document_id) for document_id in in_force)))
    return query


def _agrees_to(document_id: int) -> ColumnElement[bool]:
    return exists().where(
        _acceptance.c.user_id == _user.c.id,
        _acceptance.c.document_id == document_id,
        _acceptance.c.withdrawn_at.is_(None),
    )


def _matches(search: str) -> ColumnElement[bool]:
    """SQLite knows no capital letters but Latin ones, so a name is tried as people write it."""
    spellings = {search, search.lower(), search.upper(), search.title()}
    names = [_user.c.display_name.contains(one, autoescape=True) for one in sorted(spellings)]
    of_account = exists().where(
        _account.c.subscriber_id == _user.c.subscriber_id, _account.c.number.contains(search, autoescape=True)
    )
    return or_(
        *names,
        _user.c.email.contains(search.lower(), autoescape=True),
        _user.c.phone.contains(search, autoescape=True),
        and_(_user.c.subscriber_id.is_not(None), of_account),
    )


async def _deeds(
    connection: AsyncConnection, user_ids: Sequence[int]
) -> dict[tuple[int, DocumentKind], Deed]:
    query = (
        select(
            _acceptance.c.user_id,
            _version.c.kind,
            _version.c.version,
            _acceptance.c.accepted_at,
            _acceptance.c.withdrawn_at,
        )
        .join(_version, _version.c.id == _acceptance.c.document_id)
        .where(_acceptance.c.user_id.in_(user_ids))
        .order_by(_acceptance.c.id)
    )
    return {(user_id, kind): Deed(*rest) for user_id, kind, *rest in await connection.execute(query)}
