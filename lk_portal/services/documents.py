"""The agreement and the consent to processing personal data: their versions, and who accepted which text.

Two documents, two ticks (152-ФЗ, article 9: the consent is a document of its own). A version never changes;
the newest of each kind is in force, and whoever has not accepted it is asked at the next sign-in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, ConflictError, InputError, NotFoundError
from lk_portal.models import Acceptance, DocumentKind, DocumentVersion, User
from lk_portal.services import audit
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import checked, storable
from lk_portal.services.visit import Visit

__all__ = [
    "Document",
    "DocumentKind",
    "Edition",
    "accept",
    "current",
    "of_version",
    "pending",
    "publish",
    "versions",
    "withdraw",
]

MAX_TITLE = 200
MAX_TEXT = 200_000

_version = table_of(DocumentVersion)
_acceptance = table_of(Acceptance)
_user = table_of(User)


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document; `text` is Markdown, the time is UTC."""

    id: int
    kind: DocumentKind
    version: int
    title: str
    text: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """A version without its text, for lists; the time is UTC."""

    version: int
    title: str
    published_at: datetime


async def current(database: Database) -> tuple[Document, Document]:
    """The agreement and the consent in force.

    Raises:
        NotFoundError: One was never published.
    """
    async with database.reading() as connection:
        return await _in_force(connection)


async def of_version(database: Database, kind: DocumentKind, version: int | None = None) -> Document:
    """One version of a document; the one in force when none is named.

    Raises:
        NotFoundError: There is no such version.
    """
    query = _DOCUMENTS.where(_version.c.kind == kind).order_by(_version.c.version.desc()).limit(1)
    if version is not None:
        query = query.where(_version.c.version == version)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    return _document(row)


async def versions(database: Database, kind: DocumentKind) -> tuple[Edition, ...]:
    """Every version of a document, newest first."""
    query = (
        select(_version.c.version, _version.c.title, _version.c.published_at)
        .where(_version.c.kind == kind)
        .order_by(_version.c.version.desc())
    )
    async with database.reading() as connection:
        return tuple(Edition(*row) for row in await connection.execute(query))


async def pending(database: Database, *, user_id: int) -> tuple[Document, ...]:
    """The documents in force that this person has not accepted, or has withdrawn from."""
    async with database.reading() as connection:
        return await _pending(connection, user_id)


async def accept(
    connection: AsyncConnection, *, user_id: int, document_ids: Collection[int], visit: Visit
) -> None:
    """Keep that a person accepted documents: their text's hash, the time, the network address.

    All that is pending must be among `document_ids`, and nothing that is not in force. What was accepted
    before is not written again.

    Raises:
        InputError: A document is missing, or a newer version came into force meanwhile; nothing was written.
    """
    # Two requests of the same person at once would both find it pending.
    await connection.execute(select(_user.c.id).where(_user.c.id == user_id).with_for_update())
    in_force = {document.id for document in await _in_force(connection)}
    if not set(document_ids) <= in_force:
        raise InputError(N_("A document has changed meanwhile. Read the new version."), field="documents")
    waiting = await _pending(connection, user_id)
    if not {document.id for document in waiting} <= set(document_ids):
        raise InputError(N_("Both documents must be accepted."), field="documents")
    rows = [_acceptance_row(document, user_id, visit) for document in waiting]
    if rows:
        await connection.execute(insert(_acceptance), rows)


async def withdraw(connection: AsyncConnection, *, user_id: int, now: datetime) -> None:
    """Take the consent to processing personal data back; the record of it stays, and it is pending again."""
    consents = select(_version.c.id).where(_version.c.kind == DocumentKind.CONSENT)
    await connection.execute(
        update(_acceptance)
        .where(_acceptance.c.user_id == user_id, _acceptance.c.withdrawn_at.is_(None))
        .where(_acceptance.c.document_id.in_(consents))
        .values(withdrawn_at=now)
    )


async def publish(
    database: Database,
    *,
    kind: DocumentKind,
    title: str,
    text: str,
    visit: Visit,
    actor: int | None = None,
    after: int | None = None,
) -> Document:
    """Put the next version into force; everybody is asked for it at the next sign-in.

    Args:
        database: Where it is kept.
        kind: Which of the two documents.
        title: Its title.
        text: Markdown.
        visit: From where and when.
        actor: Who publishes; None: a command.
        after: The version that the writer saw in force; None: whichever is.

    Raises:
        InputError: The title or text is empty, too long, or the text is the one in force already.
        ConflictError: Another version than `after` is in force; nothing was published.
    """
    title = checked(title, field="title", most=MAX_TITLE)
    text = checked(text, field="text", most=MAX_TEXT)
    try:
        async with database.writing() as connection:
            made = await _insert_next(connection, (kind, title, text), after, visit.at)
            await audit.record(
                connection,
                action=audit.DOCUMENT_PUBLISHED,
                visit=visit,
                actor=actor,
                subject=None,
                kind=kind.value,
                version=made.version,
            )
            return made
    except IntegrityError:
        raise InputError(N_("Somebody published a version at the same time."), field="text") from None


async def _insert_next(
    connection: AsyncConnection, words: tuple[DocumentKind, str, str], after: int | None, now: datetime
) -> Document:
    kind, title, text = words
    newest = _DOCUMENTS.where(_version.c.kind == kind).order_by(_version.c.version.desc()).limit(1)
    before = (await connection.execute(newest)).one_or_none()
    if after is not None and before is not None and before.version != after:
        raise ConflictError
    if before is not None and (before.title, before.text) == (title, text):
        raise InputError(N_("This text is in force already."), field="text")
    version = before.version + 1 if before is not None else 1
    row = {
        "kind": kind,
        "version": version,
        "title": title,
        "text": text,
        "text_hash": _hash(text),
        "published_at": now,
    }
    written = await connection.execute(insert(_version).values(row).returning(_version.c.id))
    return Document(int(written.scalar_one()), kind, version, title, text, now)


_DOCUMENTS: Select[Any] = select(
    _version.c.id,
    _version.c.kind,
    _version.c.version,
    _version.c.title,
    _version.c.text,
    _version.c.published_at,
)


async def _in_force(connection: AsyncConnection) -> tuple[Document, Document]:
    other = _version.alias()
    newest = select(func.max(other.c.version)).where(other.c.kind == _version.c.kind).scalar_subquery()
    rows = (await connection.execute(_DOCUMENTS.where(_version.c.version == newest))).all()
    found = {row.kind: _document(row) for row in rows}
    try:
        return found[DocumentKind.AGREEMENT], found[DocumentKind.CONSENT]
    except KeyError:
        raise NotFoundError from None


async def _pending(connection: AsyncConnection, user_id: int) -> tuple[Document, ...]:
    accepted = select(_acceptance.c.document_id).where(
        _acceptance.c.user_id == user_id, _acceptance.c.withdrawn_at.is_(None)
    )
    done = set((await connection.scalars(accepted)).all())
    return tuple(document for document in await _in_force(connection) if document.id not in done)


def _document(row: Row[Any]) -> Document:
    return Document(row.id, row.kind, row.version, row.title, row.text, row.published_at)


def _acceptance_row(document: Document, user_id: int, visit: Visit) -> dict[str, object]:
    return {
        "user_id": user_id,
        "document_id": document.id,
        "text_hash": _hash(document.text),
        "accepted_at": visit.at,
        "address": storable(visit.address, 45),
        "withdrawn_at": None,
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
