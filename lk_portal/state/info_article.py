"""The state of /info/[slug]: a document, a topic of the help, or a page or piece of news of the utility."""

from __future__ import annotations

from urllib.parse import quote

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.i18n import _, active_locale
from lk_portal.services import content, documents, help_topics
from lk_portal.services.changes import INFO
from lk_portal.services.content import Article, InfoKind
from lk_portal.services.context import current
from lk_portal.services.documents import Document, DocumentKind
from lk_portal.services.help_topics import Book, Topic
from lk_portal.services.info_render import rendered
from lk_portal.state.guard import public
from lk_portal.state.info_texts import GUIDE, HELP, ROUTE, edition_text, published_text, topic_item
from lk_portal.state.live import follow
from lk_portal.state.reader import reader

MAX_VERSION_DIGITS = 6
MAX_SLUG = 80
CONTENTS_FROM = 3
"""A shorter text needs no table of contents."""


class ArticleState(rx.State):
    """One text as HTML, with what leads on from it; or that there is no such thing."""

    title: str = ""
    note: str = ""
    html: str = ""
    # "" when it is the page's own.
    language: str = ""
    headings: list[dict[str, str]] = []
    parents: list[dict[str, str]] = []
    topics: list[dict[str, str]] = []
    beside: list[dict[str, str]] = []
    versions: list[dict[str, str]] = []
    newest: str = ""
    is_missing: bool = False
    sign_in: str = ""

    # What the address asks for.
    _slug: str = ""
    _version: int | None = None

    @rx.event
    @public
    async def load(self) -> None:
        """The page was opened, or its address changed: /info/agreement, perhaps with ?version=1."""
        self.reset()
        self._slug = self.router.url.path.removeprefix(f"{ROUTE}/").rstrip("/")[: MAX_SLUG + 1]
        try:
            self._version = _version(self.router.url.query_parameters)
        except NotFoundError:
            self._miss()
            return
        await self._show()
        follow(self.router.session.client_token, type(self), frozenset({INFO}))

    async def _show(self) -> None:
        """Read again; also called when a text came out or was changed."""
        try:
            if self._slug in set(DocumentKind):
                await self._show_document(DocumentKind(self._slug))
            elif f"{ROUTE}/{self._slug}" in (HELP, GUIDE):
                self._show_book(Book.HELP if f"{ROUTE}/{self._slug}" == HELP else Book.GUIDE)
            elif self._slug.startswith(help_topics.PREFIX):
                self._show_topic()
            else:
                await self._show_article()
        except NotFoundError:
            self._miss()

    def _miss(self) -> None:
        """There is no such thing; one who is signed in might see more, so a visitor is told that way."""
        self.is_missing, self.title, self.html = True, "", ""
        self.sign_in = f"/login?next={quote(f'{ROUTE}/{self._slug}', safe='')}"

    async def _show_document(self, kind: DocumentKind) -> None:
        database = current().database
        document = await documents.of_version(database, kind, self._version)
        editions = await documents.versions(database, kind)
        self._fill(document.title, without_title(document))
        self.note = edition_text(document)
        self.versions = [
            {"title": edition_text(one), "link": f"{ROUTE}/{kind.value}?version={one.version}"}
            for one in editions
            if one.version != document.version
        ]
        self.newest = f"{ROUTE}/{kind.value}" if document.version != editions[0].version else ""

    def _show_book(self, book: Book) -> None:
        every = _topics(book)
        self._fill(_title(book), "")
        self.topics = [topic_item(one) for one in every]

    def _show_topic(self) -> None:
        book = Book.GUIDE if self._slug.startswith(Book.GUIDE.value[1]) else Book.HELP
        every = _topics(book)
        topic = help_topics.topic(reader().locale, self._slug, book)
        place = every.index(topic)
        self._fill(topic.title, topic.text)
        self.parents = [*self.parents, {"title": _title(book), "link": HELP if book is Book.HELP else GUIDE}]
        self.beside = [
            *({**topic_item(one), "label": _("Previous topic")} for one in every[max(place - 1, 0) : place]),
            *({**topic_item(one), "label": _("Next topic")} for one in every[place + 1 : place + 2]),
        ]

    async def _show_article(self) -> None:
        article = await content.of_slug(current().database, reader(), self._slug)
        self._fill(article.title, article.text)
        self.language = article.locale if article.locale != active_locale() else ""
        self.note = _note(article)

    def _fill(self, title: str, text: str) -> None:
        shown = rendered(text)
        self.title, self.html, self.is_missing = title, shown.html, False
        self.parents = [{"title": _("Information"), "link": ROUTE}]
        self.headings = [{"title": heading.text, "link": f"#{heading.id}"} for heading in shown.headings]
        if len(self.headings) < CONTENTS_FROM:
            self.headings = []


def _topics(book: Book) -> tuple[Topic, ...]:
    """The topics of a book in the reader's language.

    Raises:
        NotFoundError: It is the operator guide, and the reader is none of the staff.
    """
    reading = reader()
    if book is Book.GUIDE and not reading.is_staff:
        raise NotFoundError
    return help_topics.topics(reading.locale, book)


def _title(book: Book) -> str:
    return _("Help") if book is Book.HELP else _("Operator guide")


def without_title(document: Document) -> str:
    """The text without a first heading that only repeats the title: the page has that as its own."""
    first, _newline, rest = document.text.lstrip().partition("\n")
    return rest if first.removeprefix("#").strip() == document.title and first[:2] == "# " else document.text


def _note(article: Article) -> str:
    """News have a day; a page is of now."""
    return published_text(article) if article.kind is InfoKind.NEWS else ""


def _version(query: object) -> int | None:
    """The asked version; None for the one in force.

    Raises:
        NotFoundError: It is no number that a version could have.
    """
    asked = query.get("version", "") if hasattr(query, "get") else ""
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= MAX_VERSION_DIGITS):
        raise NotFoundError
    return int(asked)
