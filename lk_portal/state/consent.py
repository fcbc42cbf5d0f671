"""The state of /consent: the documents a person has not accepted yet. The form itself is plain HTML."""

from __future__ import annotations

import reflex as rx

from lk_portal.i18n import _, day_text
from lk_portal.security.navigation import HOME, safe_next
from lk_portal.services import documents
from lk_portal.services.access import Duty, Role
from lk_portal.services.context import current
from lk_portal.services.documents import Document, DocumentKind
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import requires, who

FORM, EXPORT, ERASE = "consent", "export", "erase"
ERASE_SURE, OWN_PASSWORD = "erase-sure", "own-password"
AGREEMENT, CONSENT = DocumentKind.AGREEMENT.value, DocumentKind.CONSENT.value
KINDS = (AGREEMENT, CONSENT)
PLACES = (*KINDS, EXPORT, ERASE_SURE, OWN_PASSWORD)
"""Where the page says what is wrong."""


class ConsentState(rx.State):
    """By kind of document: its id where it is asked for, which edition that is, what is wrong."""

    is_loaded: bool = False
    ids: dict[str, str] = dict.fromkeys(KINDS, "")
    editions: dict[str, str] = dict.fromkeys(KINDS, "")
    errors: dict[str, str] = dict.fromkeys(PLACES, "")
    problem: str = ""
    notice: str = ""
    next_path: str = HOME

    @rx.event
    @requires(Role.SUBSCRIBER, duty=Duty.CONSENT)
    async def load(self) -> None:
        """The page was opened by a session that owes this; the guard leads all others away."""
        await self._show()
        flash = flash_of(self, FORM, EXPORT, ERASE)
        wrong = _place_of(flash.form, flash.field)
        self.notice = flash.notice
        self.errors = {place: flash.message if place == wrong else "" for place in PLACES}
        self.problem = "" if wrong in PLACES else flash.message
        asked = self.router.url.query_parameters.get("next", "")
        self.next_path = safe_next(asked or flash.next_path)
        self.is_loaded = True

    async def _show(self) -> None:
        identity = who()
        if identity is None:
            return
        pending = await documents.pending(current().database, user_id=identity.user_id)
        asked = {document.kind.value: document for document in pending}
        self.ids = {kind: str(asked[kind].id) if kind in asked else "" for kind in KINDS}
        self.editions = {kind: _edition(asked[kind]) if kind in asked else "" for kind in KINDS}


def _place_of(form: str, field: str) -> str:
    """At the field; else at the form's first, which has another name on the page."""
    return field if field in PLACES else {EXPORT: EXPORT, ERASE: ERASE_SURE}.get(form, "")


def _edition(document: Document) -> str:
    date = day_text(document.published_at.astimezone(current().settings.zone).date())
    return _("Version {version} of {date}", version=document.version, date=date)
