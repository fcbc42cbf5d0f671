"""The state of /admin/info: the utility's texts of one kind, drafts too. The address says which."""

from __future__ import annotations

import reflex as rx

from lk_portal.i18n import _, moment_text
from lk_portal.security.navigation import ADMIN_INFO
from lk_portal.services import info_editing
from lk_portal.services.access import Role
from lk_portal.services.context import current
from lk_portal.services.info_editing import BLOCKS, ROWS, InfoKind, Out, PageHead
from lk_portal.state.guard import STAFF, requires, who

MAX_PLACE_DIGITS = 5


class InfoAdminState(rx.State):
    """A page of the list, what stands before and after it; for an admin the ways to a new text."""

    is_loaded: bool = False
    may_write: bool = False
    kind: str = InfoKind.PAGE.value
    rows: list[dict[str, str]] = []
    unwritten: list[dict[str, str]] = []
    back: str = ""
    further: str = ""

    @rx.event
    @requires(*STAFF)
    async def load(self) -> None:
        """The page was opened, or its address changed."""
        query = dict(self.router.url.query_parameters)
        kind, first = _kind(query.get("kind", "")), _place(query.get("first", ""))
        found = await info_editing.listing(current().database, kind, first=first)
        identity = who()
        self.kind = kind.value
        self.may_write = identity is not None and identity.role is Role.ADMIN
        self.rows = [head_row(one) for one in found.rows]
        self.unwritten = _unwritten(found.rows) if kind is InfoKind.BLOCK and not first else []
        self.back = _address(kind, max(first - ROWS, 0)) if first else ""
        self.further = _address(kind, first + ROWS) if found.has_more else ""
        self.is_loaded = True


def head_row(head: PageHead) -> dict[str, str]:
    """A text for the list."""
    out = head.out(current().clock())
    return {
        "title": head.title,
        "link": f"{ADMIN_INFO}/{head.id}",
        "slug": head.slug,
        "locale": head.locale,
        "language": language_text(head.locale),
        "out": out.value,
        "state": out_text(head),
        "position": str(head.position),
        "audience": _("everybody") if head.is_public else _("signed in"),
        "changed": moment_text(head.updated_at, current().settings.zone),
    }


def out_text(head: PageHead) -> str:
    """Whether readers see a text, with since or from when, by the utility's clock."""
    out = head.out(current().clock())
    if head.published_at is None:
        return _("Draft")
    at = moment_text(head.published_at, current().settings.zone)
    return _("Published {time}", time=at) if out is Out.PUBLISHED else _("Will come out {time}", time=at)


def language_text(locale: str) -> str:
    """A language by its name."""
    return {"ru": _("Russian"), "en": _("English")}.get(locale, locale)


def _unwritten(heads: tuple[PageHead, ...]) -> list[dict[str, str]]:
    """Blocks that the portal has a place for, and nobody wrote yet in any language."""
    there = {head.slug for head in heads}
    return [
        {"title": _(text), "link": f"{ADMIN_INFO}/new?kind=block&slug={slug}"}
        for slug, text in BLOCKS.items()
        if slug not in there
    ]


def _kind(text: str) -> InfoKind:
    return InfoKind(text) if text in set(InfoKind) else InfoKind.PAGE


def _place(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MAX_PLACE_DIGITS else 0


def _address(kind: InfoKind, first: int) -> str:
    return f"{ADMIN_INFO}?kind={kind.value}" + (f"&first={first}" if first else "")
