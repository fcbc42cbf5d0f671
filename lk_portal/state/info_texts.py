"""What /info and its articles say around the texts themselves. For their states."""

from __future__ import annotations

from datetime import datetime

from lk_portal.i18n import _, active_locale, day_text
from lk_portal.services.content import Headline
from lk_portal.services.context import current
from lk_portal.services.documents import Document, Edition
from lk_portal.services.help_topics import Topic
from lk_portal.services.info_search import Found, Shelf
from lk_portal.services.text_search import Piece

ROUTE = "/info"
HELP = f"{ROUTE}/help"
GUIDE = f"{ROUTE}/help-staff"


def edition_text(edition: Edition | Document) -> str:
    """Which version it is, with the day it was published in the utility's zone."""
    return _("Version {version} of {date}", version=edition.version, date=_day(edition.published_at))


def published_text(article: Headline) -> str:
    """The day a text came out, in the utility's zone."""
    return _("Published {date}", date=_day(article.published_at))


def article_item(article: Headline) -> dict[str, str]:
    """A page or piece of news for a list."""
    return {
        "title": article.title,
        "link": f"{ROUTE}/{article.slug}",
        "note": _day(article.published_at),
        "language": article.locale,
    }


def document_item(document: Document) -> dict[str, str]:
    """A document in force for a list."""
    return {
        "title": document.title,
        "link": f"{ROUTE}/{document.kind.value}",
        "note": edition_text(document),
        "language": active_locale(),
    }


def topic_item(topic: Topic) -> dict[str, str]:
    """A topic of the help for a list."""
    return {"title": topic.title, "link": f"{ROUTE}/{topic.slug}", "note": "", "language": active_locale()}


def found_item(found: Found) -> dict[str, object]:
    """A text that was found: pieces of title and excerpt, each "1" when it is what was looked for."""
    return {
        "title": _pieces(found.hit.title),
        "excerpt": _pieces(found.hit.excerpt),
        "link": f"{ROUTE}/{found.slug}",
        "shelf": shelf_text(found.shelf),
    }


def shelf_text(shelf: Shelf) -> str:
    """Where a text that was found stands."""
    return {
        Shelf.HELP: _("Help"),
        Shelf.GUIDE: _("Operator guide"),
        Shelf.PAGE: _("Page"),
        Shelf.NEWS: _("News item"),
        Shelf.DOCUMENT: _("Document"),
    }[shelf]


def _pieces(pieces: tuple[Piece, ...]) -> list[list[str]]:
    return [[piece.text, "1" if piece.is_hit else ""] for piece in pieces]


def _day(at: datetime) -> str:
    return day_text(at.astimezone(current().settings.zone).date())
