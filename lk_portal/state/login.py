"""The state of /login: what the sign-in route left to say; the utility's welcome. The form is HTML."""

from __future__ import annotations

import reflex as rx

from lk_portal.security.navigation import HOME, safe_next
from lk_portal.services import content
from lk_portal.services.context import current
from lk_portal.services.info_render import rendered
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import public, who
from lk_portal.state.reader import reader

WELCOME = "login-welcome"
FORMS = ("", "login")
"""Whose messages are for this page: its own form's, and those of deeds that end at the sign-in."""


class LoginState(rx.State):
    """A refusal, with what was typed, or what was done; where to go after signing in."""

    message: str = ""
    notice: str = ""
    login: str = ""
    next_path: str = HOME
    # The block `login-welcome`; empty: the page has one of its own.
    welcome_title: str = ""
    welcome: str = ""
    welcome_language: str = ""

    @rx.event
    @public
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened: who is signed in is sent on; a refused one reads why."""
        asked = self.router.url.query_parameters.get("next", "")
        if who() is not None:
            return rx.redirect(safe_next(asked), replace=True)
        flash = flash_of(self, *FORMS)
        self.message, self.notice, self.login = flash.message, flash.notice, flash.login
        self.next_path = safe_next(asked or flash.next_path)
        await self._read_welcome()
        return None

    async def _read_welcome(self) -> None:
        found = await content.block(current().database, reader(), WELCOME)
        self.welcome_title = found.title if found else ""
        self.welcome = rendered(found.text).html if found else ""
        self.welcome_language = found.locale if found else ""
