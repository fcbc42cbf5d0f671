"""The state of /register: what is wrong with the form, and what became of it. What is typed stays there."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import FormError, InputError, PortalError, by_field
from lk_portal.i18n import _, active_locale, day_text, say
from lk_portal.security.navigation import HOME
from lk_portal.security.tokens import new_token
from lk_portal.services import documents, registration
from lk_portal.services.captcha import Purpose
from lk_portal.services.context import current
from lk_portal.services.documents import Document
from lk_portal.services.registration import RegistrationForm, read_form
from lk_portal.state.captcha import CaptchaState
from lk_portal.state.form_once import OnceState, in_steady_time, is_ticked, text_in
from lk_portal.state.guard import public, who
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

TEXTS = ("account", "address", "full_name", "email", "phone")
BOXES = ("agreement", "consent")
PLACES = ("match", *TEXTS, *BOXES, "documents", "captcha")
"""Where something may be said, in the order in which a person looks there."""
FOCUS = {"match": "account", "documents": "agreement"}
"""The field to go to, where it is not called like the place."""


def nothing_wrong() -> dict[str, str]:
    """A place for every sentence."""
    return dict.fromkeys(PLACES, "")


class RegisterState(OnceState, rx.State):
    """Sentences beside the fields, the two ticks, and the outcome."""

    errors: dict[str, str] = nothing_wrong()
    editions: dict[str, str] = dict.fromkeys(BOXES, "")
    boxes: str = ""
    is_agreement_ticked: bool = False
    is_consent_ticked: bool = False
    outcome: str = ""
    sent_to: str = ""
    how_long: str = ""
    _shown: list[int] = []

    @rx.event
    @public
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened, or its connection is back."""
        if who() is not None:
            return rx.redirect(HOME, replace=True)
        if not self._was_just_done():
            await self._open()
        return None

    @rx.event
    @public
    async def begin_anew(self) -> None:
        """The person wants the form again, e.g. as the e-mail was mistyped."""
        await self._start()

    @rx.event
    @public
    async def tick(self, box: str, is_on: bool) -> None:
        """A box was ticked or cleared."""
        if box == "agreement":
            self.is_agreement_ticked = is_on is True
        elif box == "consent":
            self.is_consent_ticked = is_on is True

    @rx.event
    @public
    async def submit(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent."""
        if not isinstance(form, dict) or self.outcome or self._is_copy(form):
            return
        if not self._is_expected(form):
            await self._start()
            self.problem = _("The page was open for too long. Look through the form and send it again.")
            return
        self.is_sending, self.errors, self.problem = True, nothing_wrong(), ""
        yield
        try:
            await self._register(form)
        except PortalError as error:
            await self._say(error)
        finally:
            self._answer()
        yield rx.set_focus(self._place_to_go())

    async def _open(self) -> None:
        """Show the form; what is typed in one that may be half filled in stays good.

        So do the ticks where the page still shows them, beside the documents that they were made for.
        """
        captcha = await self.get_state(CaptchaState)
        if not self.attempt or not captcha._is_good_for(Purpose.REGISTER):
            await self._start()
            return
        self.errors, self.problem = nothing_wrong(), ""
        await self._show_documents(keep_ticks=await is_kept(self))

    async def _start(self) -> None:
        """An empty form."""
        self.reset()
        self._offer()
        await self._show_documents()
        captcha = await self.get_state(CaptchaState)
        await captcha._renew(Purpose.REGISTER)

    async def _show_documents(self, *, keep_ticks: bool = False) -> None:
        """Beside the boxes stand the versions in force; the boxes are drawn anew, empty."""
        both = await documents.current(current().database)
        ids = [document.id for document in both]
        if keep_ticks and ids == self._shown:
            return
        self._shown = ids
        self.editions = {document.kind.value: _edition(document) for document in both}
        self.is_agreement_ticked = self.is_consent_ticked = False
        self.boxes = new_token()

    async def _register(self, form: dict[str, Any]) -> None:
        captcha = await self.get_state(CaptchaState)
        portal = current()
        checked = await self._read(form, captcha)
        await captcha._take(Purpose.REGISTER, form.get("captcha"))
        try:
            async with in_steady_time():
                outcome = await registration.register(
                    portal.database, portal.settings, form=checked, visit=visit_of(self)
                )
        except BaseException:
            await captcha._renew(Purpose.REGISTER)
            raise
        self.outcome, self.sent_to = outcome.value, checked.email
        self.how_long = _(
            "Sign in with it and choose a password of your own. It works once, within {hours} h.",
            hours=portal.settings.temporary_password_hours,
        )
        self._note_done()

    async def _read(self, form: dict[str, Any], captcha: CaptchaState) -> RegistrationForm:
        """The fields, well-formed. The digits are not used up while others are wrong, but missed."""
        try:
            return read_form(
                {
                    **{name: text_in(form, name) for name in TEXTS},
                    **{name: is_ticked(form, name) for name in BOXES},
                    "document_ids": tuple(self._shown),
                    "locale": active_locale(),
                }
            )
        except FormError as refused:
            try:
                if not text_in(form, "captcha").strip():
                    await captcha._take(Purpose.REGISTER, "")
            except InputError as missing:
                raise FormError({**refused.errors, missing.field: missing}) from None
            raise

    async def _say(self, error: PortalError) -> None:
        """Put every sentence where it belongs."""
        errors = nothing_wrong()
        for place, one in by_field(error).items():
            if place in errors:
                errors[place] = say(one)
            else:
                self.problem = say(one)
        if errors["documents"]:
            await self._show_documents()
        self.errors = errors

    def _place_to_go(self) -> str:
        """The id of what should get the focus now."""
        if self.outcome:
            return "done"
        place = next((place for place in PLACES if self.errors[place]), "")
        return FOCUS.get(place, place) or "problem"


def _edition(document: Document) -> str:
    date = day_text(document.published_at.astimezone(current().settings.zone).date())
    return _("Version {version} of {date}", version=document.version, date=date)
