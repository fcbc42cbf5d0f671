"""The utility's texts, written and published in a line; for the tests of pages, news and the search."""

from __future__ import annotations

from datetime import datetime, timedelta

from lk_portal.services import content
from lk_portal.services.content import Draft, InfoKind, Reader
from lk_portal.services.database import Database
from tests.integration.services.people import NOW, visit

DAY = timedelta(days=1)
VISITOR = Reader("ru", "ru", is_signed_in=False, now=NOW)
SUBSCRIBER = Reader("ru", "ru", is_signed_in=True, now=NOW)


def draft(slug: str = "tariffs", **changes: object) -> Draft:
    values: dict[str, object] = {
        "slug": slug,
        "locale": "ru",
        "kind": InfoKind.PAGE,
        "title": f"Заголовок {slug}",
        "text": f"Текст {slug}",
        **changes,
    }
    return Draft(**values)  # type: ignore[arg-type]


async def write(database: Database, slug: str = "tariffs", **changes: object) -> None:
    await content.save(database, draft(slug, **changes), actor=None, visit=visit())


async def put_out(
    database: Database, slug: str = "tariffs", *, at: datetime = NOW - DAY, **changes: object
) -> None:
    """Written, and out since yesterday unless told."""
    written = draft(slug, **changes)
    await content.save(database, written, actor=None, visit=visit())
    await content.publish(database, slug=slug, locale=written.locale, at=at, actor=None, visit=visit())
