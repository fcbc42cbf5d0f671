"""The state of /info: what there is to read, or what was found. The same for everybody who may see it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import reflex as rx

from lk_portal.i18n import ngettext
from lk_portal.services import content, documents, help_topics, info_search
from lk_portal.services.changes import INFO
from lk_portal.services.content import InfoKind
from lk_portal.services.context import current
from lk_portal.services.help_topics import Book
from lk_portal.services.text_search import MAX_QUERY
from lk_portal.state.guard import public
from lk_portal.state.info_texts import ROUTE, article_item, document_item, found_item, topic_item
from lk_portal.state.live import follow
from lk_portal.state.reader import reader

FEW_NEWS = 5
MOST_NEWS = 80
"""Older ones are found by the search; a list of all would outgrow what a page is sent at once (20 KB)."""


class InfoState(rx.State):
    """The lists, or with a question in the address the answers."""

    query: str = ""
    found: list[dict[str, Any]] = []
    found_text: str = ""
    news: list[dict[str, str]] = []
    has_more_news: bool = False
    pages: list[dict[str, str]] = []
    topics: list[dict[str, str]] = []
    # Of staff only.
    guide: list[dict[str, str]] = []
    documents: list[dict[str, str]] = []
    is_loaded: bool = False

    # As in the address; what is pushed later keeps to it.
    _most_news: int = FEW_NEWS

    @rx.event
    @public
    async def load(self) -> None:
        """The page was opened, or its address changed: /info, perhaps with ?q=... or ?news=all."""
        query = self.router.url.query_parameters
        self.query = _typed(query.get("q", ""))
        self._most_news = MOST_NEWS if query.get("news", "") == "all" else FEW_NEWS
        await self._show()
        follow(self.router.session.client_token, type(self), frozenset({INFO}))

    @rx.event
    @public
    async def search(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The question was sent ("Найти"): go to its address."""
        asked = _typed(form.get("q", "")) if isinstance(form, dict) else ""
        return rx.redirect(f"{ROUTE}?q={quote(asked, safe='')}" if asked else ROUTE)

    async def _show(self) -> None:
        """Read again; also called when a text came out or was changed."""
        if self.query:
            await self._show_found()
        else:
            await self._show_lists()
        self.is_loaded = True

    async def _show_found(self) -> None:
        answers = await info_search.search(current().database, reader(), self.query)
        self.found = [found_item(one) for one in answers]
        self.found_text = ngettext("{count} text found", "{count} texts found", len(answers))

    async def _show_lists(self) -> None:
        database, reading = current().database, reader()
        listed = await content.headlines(database, reading)
        news = [article_item(one) for one in listed if one.kind is InfoKind.NEWS]
        self.found, self.found_text = [], ""
        self.news, self.has_more_news = news[: self._most_news], len(news) > self._most_news
        self.pages = [article_item(one) for one in listed if one.kind is InfoKind.PAGE]
        self.topics = [topic_item(one) for one in help_topics.topics(reading.locale)]
        guide = help_topics.topics(reading.locale, Book.GUIDE) if reading.is_staff else ()
        self.guide = [topic_item(one) for one in guide]
        self.documents = [document_item(one) for one in await documents.current(database)]


def _typed(value: object) -> str:
    """What was typed as a question, in one line; "" for anything that is no text."""
    return " ".join(value.split())[:MAX_QUERY] if isinstance(value, str) else ""
