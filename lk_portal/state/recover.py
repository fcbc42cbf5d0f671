"""The state of /recover. Its answer is the same for every address that is one."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import InputError, PortalError
from lk_portal.i18n import _, say
from lk_portal.security.navigation import HOME
from lk_portal.services import recovery
from lk_portal.services.captcha import Purpose
from lk_portal.services.context import current
from lk_portal.state.captcha import CaptchaState
from lk_portal.state.form_once import OnceState, in_steady_time, text_in
from lk_portal.state.guard import public, who
from lk_portal.state.visits import visit_of


class RecoverState(OnceState, rx.State):
    """What is wrong with the form, or that it was taken."""

    email_error: str = ""
    captcha_error: str = ""
    is_done: bool = False

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
    async def submit(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """The form was sent ("Применить")."""
        if not isinstance(form, dict) or self.is_done or self._is_copy(form):
            return
        if not self._is_expected(form):
            await self._start()
            self.problem = _("The page was open for too long. Look through the form and send it again.")
            return
        self.is_sending = True
        self.email_error = self.captcha_error = self.problem = ""
        yield
        try:
            await self._ask(form)
        except PortalError as error:
            self._say(error)
        finally:
            self._answer()
        yield rx.set_focus(self._place_to_go())

    async def _open(self) -> None:
        """Show the form; one that may be half filled in stays good, digits included."""
        captcha = await self.get_state(CaptchaState)
        if not self.attempt or not captcha._is_good_for(Purpose.RECOVER):
            await self._start()
        self.email_error = self.captcha_error = self.problem = ""

    async def _start(self) -> None:
        self.reset()
        self._offer()
        captcha = await self.get_state(CaptchaState)
        await captcha._renew(Purpose.RECOVER)

    async def _ask(self, form: dict[str, Any]) -> None:
        captcha = await self.get_state(CaptchaState)
        email = text_in(form, "email")
        recovery.require_email(email)
        await captcha._take(Purpose.RECOVER, form.get("captcha"))
        try:
            async with in_steady_time():
                await recovery.ask(current().database, email=email, visit=visit_of(self))
        except BaseException:
            await captcha._renew(Purpose.RECOVER)
            raise
        self.is_done = True
        self._note_done()

    def _say(self, error: PortalError) -> None:
        place = error.field if isinstance(error, InputError) else ""
        if place == "email":
            self.email_error = say(error)
        elif place == "captcha":
            self.captcha_error = say(error)
        else:
            self.problem = say(error)

    def _place_to_go(self) -> str:
        if self.is_done:
            return "done"
        return "email" if self.email_error else "captcha" if self.captcha_error else "problem"
