"""The utility's texts for the browser tests of /info: written while the portal runs, as its staff does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lk_portal.services import content
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
