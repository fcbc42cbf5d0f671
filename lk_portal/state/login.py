"""The state of /login: what the sign-in route left to say. The form itself is plain HTML."""

from __future__ import annotations

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import say
from lk_portal.security.cookies import read_flash
from lk_portal.security.navigation import HOME, safe_next
from lk_portal.services.context import current
from lk_portal.state.guard import public, who


class LoginState(rx.State):
    """A refusal, with what was typed; where to go after signing in."""

    message: str = ""
    login: str = ""
    next_path: str = HOME

    @rx.event
    @public
    async def load(self):  # type: ignore[no-untyped-def]  # a Reflex handler may return events
        """The page was opened: somebody signed in has no business here; a refused one reads why."""
        if who() is not None:
            return rx.redirect(HOME, replace=True)
        portal = current()
        flash = read_flash(self.router.headers.cookie, portal.settings, now=portal.clock())
        self.message = say(PortalError(flash["message"], **flash.get("data", {}))) if flash else ""
        self.login = str(flash.get("login", ""))
        asked = self.router.url.query_parameters.get("next", "")
        self.next_path = safe_next(asked or str(flash.get("next", HOME)))
        return None
