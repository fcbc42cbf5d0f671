"""The utility's texts for the browser tests of /info: written while the portal runs, as its staff does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from lk_portal.models import DocumentKind, DocumentVersion
from lk_portal.services import content, documents
from lk_portal.services.content import Draft, InfoKind
from lk_portal.services.database import Database
from lk_portal.services.visit import Visit
from tests.e2e.conftest import Site

MARKUP = '<img src=x onerror="document.title=1"> <b id=evil>жирно</b>'


async def put_out(
    site: Site, slug: str, *, title: str, text: str, after_s: float = -60, **changes: object
) -> None:
    """Write a text and let it come out `after_s` seconds from now."""
    now = datetime.now(UTC)
    visit = Visit(address="", agent="test", at=now)
    values: dict[str, object] = {"locale": "ru", "kind": InfoKind.PAGE, **changes}
    draft = Draft(slug=slug, title=title, text=text, **values)  # type: ignore[arg-type]
    database = Database(site.settings.database_address)
    try:
        await content.save(database, draft, actor=None, visit=visit)
        at = now + timedelta(seconds=after_s)
        await content.publish(database, slug=slug, locale=draft.locale, at=at, actor=None, visit=visit)
    finally:
        await database.close()


async def withdraw(site: Site, slug: str) -> None:
    """Make a text a draft again."""
    database = Database(site.settings.database_address)
    visit = Visit(address="", agent="test", at=datetime.now(UTC))
    try:
        await content.withdraw(database, slug=slug, locale="ru", actor=None, visit=visit)
    finally:
        await database.close()


@asynccontextmanager
async def next_agreement(site: Site, *, title: str, text: str) -> AsyncIterator[None]:
    """A second version of the agreement in force; gone afterwards, for others would be asked to accept it."""
    database = Database(site.settings.database_address)
    kind, now = DocumentKind.AGREEMENT, datetime.now(UTC)
    try:
        made = await documents.publish(
            database,
            kind=kind,
            title=title,
            text=text,
            visit=Visit("", "test", now),
        )
        yield
        async with database.writing() as connection:
            await connection.execute(delete(DocumentVersion).where(DocumentVersion.id == made.id))  # type: ignore[arg-type]
    finally:
        await database.close()
