"""The states of /info and /info/[slug]: public texts, the same for everybody."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _, day_text
from lk_portal.security import markup
from lk_portal.services import documents
from lk_portal.services.context import current
from lk_portal.services.documents import Document, DocumentKind, Edition
from lk_portal.state.guard import public

MAX_VERSION_DIGITS = 6
CONTENTS_FROM = 3
"""A shorter text needs no table of contents."""


class InfoState(rx.State):
    """The documents in force, for the list."""

    documents: list[dict[str, str]] = []

    @rx.event
    @public
    async def load(self) -> None:
        """The page was opened."""
        self.documents = [
            {"title": one.title, "edition": edition_text(one), "link": f"/info/{one.kind.value}"}
            for one in await documents.current(current().database)
        ]


class DocumentState(rx.State):
    """One version of one document, as HTML; or that there is no such thing."""

    title: str = ""
    edition: str = ""
    html: str = ""
    headings: list[dict[str, str]] = []
    versions: list[dict[str, str]] = []
    newest: str = ""
    is_missing: bool = False

    @rx.event
    @public
    async def load(self) -> None:
        """The page was opened, or its address changed: /info/agreement, perhaps with ?version=1."""
        try:
            await self._show(_kind(self.router.url.path), _version(self.router.url.query_parameters))
        except NotFoundError:
            self.reset()
            self.is_missing = True

    async def _show(self, kind: DocumentKind, version: int | None) -> None:
        database = current().database
        document = await documents.of_version(database, kind, version)
        editions = await documents.versions(database, kind)
        rendered = markup.render(without_title(document))
        self.title, self.html, self.is_missing = document.title, rendered.html, False
        self.edition = edition_text(document)
        self.headings = [{"text": heading.text, "link": f"#{heading.id}"} for heading in rendered.headings]
        if len(self.headings) < CONTENTS_FROM:
            self.headings = []
        self.versions = [
            {"text": edition_text(one), "link": f"/info/{kind.value}?version={one.version}"}
            for one in editions
            if one.version != document.version
        ]
        self.newest = f"/info/{kind.value}" if document.version != editions[0].version else ""


def edition_text(edition: Edition | Document) -> str:
    """Which version it is, with the day it was published in the utility's zone."""
    date = day_text(edition.published_at.astimezone(current().settings.zone).date())
    return _("Version {version} of {date}", version=edition.version, date=date)


def without_title(document: Document) -> str:
    """The text without a first heading that only repeats the title: the page has that as its own."""
    first, _newline, rest = document.text.lstrip().partition("\n")
    return rest if first.removeprefix("#").strip() == document.title and first[:2] == "# " else document.text


def _kind(path: str) -> DocumentKind:
    try:
        return DocumentKind(path.rstrip("/").rpartition("/")[2])
    except ValueError:
        raise NotFoundError from None


def _version(query: object) -> int | None:
    """The asked version; None for the one in force."""
    asked = query.get("version", "") if hasattr(query, "get") else ""
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= MAX_VERSION_DIGITS):
        raise NotFoundError
    return int(asked)
