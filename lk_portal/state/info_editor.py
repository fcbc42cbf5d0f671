"""The states of /admin/info/[info_id] and of its history: one text for its form, its revisions.

The form is sent past Reflex (`web.info_pages`); what is typed never comes into a state.
"""

from __future__ import annotations

import asyncio

import reflex as rx

from lk_portal.errors import ConflictError, NotFoundError, PortalError
from lk_portal.i18n import _, moment_text, say
from lk_portal.security.navigation import ADMIN_INFO
from lk_portal.security.tokens import hash_of
from lk_portal.services import info_editing
from lk_portal.services.access import Role
from lk_portal.services.context import current
from lk_portal.services.info_editing import BLOCKS, InfoKind, Out, PageText, Revision
from lk_portal.services.text_diff import Change, differences
from lk_portal.settings import KNOWN_LOCALES
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import requires, user_id, who
from lk_portal.state.info_admin import language_text, out_text
from lk_portal.state.info_texts import ROUTE
from lk_portal.state.visits import visit_of

FORM = "info"
NEW = "new"
MAX_ID_DIGITS = 9
MAX_SLUG = 80


class InfoEditorState(rx.State):
    """What the form of a text begins with; `page` is "" for a new one."""

    is_loaded: bool = False
    draft_key: str = ""
    problem: str = ""
    done: str = ""
    page: str = ""
    version: str = ""
    title: str = ""
    slug: str = ""
    kind: str = InfoKind.PAGE.value
    locale: str = ""
    position: str = "0"
    is_public: bool = True
    text: str = ""
    out: str = Out.DRAFT.value
    state_text: str = ""
    release_at: str = ""
    public_link: str = ""
    translations: list[dict[str, str]] = []

    @rx.event
    @requires(Role.ADMIN)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened: /admin/info/5, or /admin/info/new, perhaps with ?kind=, slug=, locale=."""
        self.reset()
        name = self.router.url.path.rstrip("/").rpartition("/")[2]
        query = dict(self.router.url.query_parameters)
        try:
            if name == NEW:
                self._begin(query)
            else:
                await self._open(name, is_saved=query.get("saved", "") == "1")
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        self.draft_key = draft_key(f"info:{name}")
        self.problem = flash_of(self, FORM).message
        self.is_loaded = True
        return None

    def _begin(self, query: dict[str, str]) -> None:
        kind, locale = query.get("kind", ""), query.get("locale", "")
        self.kind = kind if kind in set(InfoKind) else InfoKind.PAGE.value
        self.locale = locale if locale in KNOWN_LOCALES else current().settings.locale
        self.slug = query.get("slug", "")[:MAX_SLUG]
        if self.kind == InfoKind.BLOCK.value and not self.slug:
            self.slug = next(iter(BLOCKS))
        self.state_text = _("New text: nobody sees it until it is published.")

    async def _open(self, name: str, *, is_saved: bool) -> None:
        found = await info_editing.page(current().database, page_id_of(name))
        self.page, self.version = str(found.id), str(found.version)
        self.title, self.slug, self.text = found.title, found.slug, found.text
        self.kind, self.locale, self.position = found.kind.value, found.locale, str(found.position)
        self.is_public = found.is_public
        out = found.out(current().clock())
        self.out, self.state_text = out.value, out_text(found)
        if found.published_at is not None and out is Out.SCHEDULED:
            at = found.published_at.astimezone(current().settings.zone)
            self.release_at = f"{at:%Y-%m-%dT%H:%M}"
        if out is Out.PUBLISHED and found.kind is not InfoKind.BLOCK:
            self.public_link = f"{ROUTE}/{found.slug}"
        self.translations = _translations(found)
        self.done = _("Saved.") if is_saved else ""


class InfoHistoryState(rx.State):
    """The revisions of a text, and what one of them changed."""

    is_loaded: bool = False
    page: str = ""
    title: str = ""
    rows: list[dict[str, str]] = []
    shown: str = ""
    shown_title: str = ""
    lines: list[dict[str, str]] = []
    may_restore: bool = False
    problem: str = ""
    done: str = ""

    _page_id: int = 0
    _version: int = 0

    @rx.event
    @requires(Role.ADMIN)
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened: /admin/info/5/history, perhaps with ?show=2."""
        self.reset()
        try:
            self._page_id = page_id_of(self.router.url.path.rstrip("/").rpartition("/")[0].rpartition("/")[2])
            await self._read(self.router.url.query_parameters.get("show", ""))
        except NotFoundError:
            self._page_id = 0
            return rx.redirect("/not-found", replace=True)
        return None

    @rx.event
    @requires(Role.ADMIN)
    async def restore(self) -> None:
        """Let the page say again what the shown revision says."""
        if not self._page_id or not self.may_restore:
            return
        self.problem = self.done = ""
        number = int(self.shown)
        try:
            await info_editing.restore(
                current().database,
                page_id=self._page_id,
                number=number,
                version=self._version,
                actor=user_id(),
                visit=visit_of(self),
            )
        except ConflictError as error:
            advice = _("Look at the newest revision and decide again.")
            self.problem = f"{say(error)} {advice}"
        except PortalError as error:
            self.problem = say(error)
        else:
            self.done = _("The text of revision {number} is back, as a new revision.", number=number)
        await self._read("")

    async def _read(self, show: str) -> None:
        database = current().database
        found = await info_editing.page(database, self._page_id)
        kept = await info_editing.revisions(database, self._page_id)
        newest = kept[0].number if kept else 0
        number = _number(show) if show else newest
        self._version = found.version
        self.page, self.title = str(found.id), found.title
        self.rows = [_row(one, found, shown=number) for one in kept]
        await self._compare(number)
        self.may_restore = number != newest
        self.is_loaded = True

    async def _compare(self, number: int) -> None:
        """What a revision changed against the one before it."""
        database = current().database
        after = await info_editing.revision(database, self._page_id, number)
        before = ""
        if number > 1:
            earlier = await info_editing.revision(database, self._page_id, number - 1)
            before = _whole(earlier.title, earlier.text)
        found = await asyncio.to_thread(differences, before, _whole(after.title, after.text))
        self.shown, self.shown_title = str(number), after.title
        self.lines = [
            {"change": line.change.value, "text": "…" if line.change is Change.GAP else line.text}
            for line in found
        ]


def draft_key(about: str) -> str:
    """Under which the browser keeps what is typed: of this portal, person and thing."""
    identity = who()
    person = f"{current().settings.public_url} {identity.user_id if identity else ''}"
    return f"{hash_of(person)[:16]}:{about}"


def page_id_of(name: str) -> int:
    """The id of a text by its part of an address.

    Raises:
        NotFoundError: It is no number that a text could have.
    """
    if not (name.isascii() and name.isdecimal() and len(name) <= MAX_ID_DIGITS):
        raise NotFoundError
    return int(name)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS):
        raise NotFoundError
    return int(text)


def _whole(title: str, text: str) -> str:
    return f"{title}\n\n{text}"


def _row(one: Revision, found: PageText, *, shown: int) -> dict[str, str]:
    return {
        "name": _("Revision {number}", number=one.number),
        "link": f"{ADMIN_INFO}/{found.id}/history?show={one.number}",
        "title": one.title,
        "author": one.author or _("The portal itself"),
        "time": moment_text(one.saved_at, current().settings.zone),
        "is_shown": "1" if one.number == shown else "",
    }


def _translations(found: PageText) -> list[dict[str, str]]:
    """Ways to the same text in other languages: whether it is there says the editor's save."""
    return [
        {
            "text": _("Write it in: {language}", language=language_text(locale)),
            "link": f"{ADMIN_INFO}/{NEW}?kind={found.kind.value}&slug={found.slug}&locale={locale}",
        }
        for locale in KNOWN_LOCALES
        if locale != found.locale
    ]
