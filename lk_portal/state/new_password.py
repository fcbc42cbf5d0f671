"""The state of /new-password: what its route left to say. The form itself is plain HTML."""

from __future__ import annotations

import reflex as rx

from lk_portal.security.navigation import HOME, safe_next
from lk_portal.services.access import Duty
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import ANYBODY_SIGNED_IN, requires

FORM = "new-password"
PASSWORD, REPEAT = "password", "password2"


class NewPasswordState(rx.State):
    """What is wrong with which field, and where to go afterwards."""

    is_loaded: bool = False
    error: str = ""
    repeat_error: str = ""
    next_path: str = HOME

    @rx.event
    @requires(*ANYBODY_SIGNED_IN, duty=Duty.NEW_PASSWORD)
    async def load(self) -> None:
        """The page was opened by a session that owes a new password; the guard leads all others away."""
        flash = flash_of(self, FORM)
        self.repeat_error = flash.message if flash.field == REPEAT else ""
        self.error = "" if self.repeat_error else flash.message
        asked = self.router.url.query_parameters.get("next", "")
        self.next_path = safe_next(asked or flash.next_path)
        self.is_loaded = True
