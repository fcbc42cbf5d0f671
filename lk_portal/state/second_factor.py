"""The states of the pages of the second factor: entering a code, turning it on, and what stands afterwards.

Codes are sent by plain HTML forms, for the answer brings the session's new cookie.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import say
from lk_portal.security.navigation import HOME, safe_next
from lk_portal.services import second_factor
from lk_portal.services.access import Duty, Role
from lk_portal.services.context import current
from lk_portal.state.flash import flash_of
from lk_portal.state.form_once import text_in
from lk_portal.state.guard import STAFF, requires, user_id, who
from lk_portal.state.opening import is_kept
from lk_portal.state.visits import visit_of

FORM, OFF = "second-factor", "second-factor-off"


class SecondFactorState(rx.State):
    """/second-factor: what was wrong with the code, and where to go afterwards."""

    is_loaded: bool = False
    error: str = ""
    next_path: str = HOME

    @rx.event
    @requires(*STAFF, duty=Duty.SECOND_FACTOR)
    async def load(self) -> None:
        """The page was opened by a session that owes a code; the guard leads all others away."""
        flash = flash_of(self, FORM)
        self.error = flash.message
        asked = self.router.url.query_parameters.get("next", "")
        self.next_path = safe_next(asked or flash.next_path)
        self.is_loaded = True


class Enrolling(rx.State, mixin=True):
    """The key and the recovery codes, shown until the first code was entered."""

    key: str = ""
    link: str = ""
    picture: str = ""
    codes: list[str] = []
    error: str = ""

    async def _fill(self) -> None:
        portal = current()
        found = await second_factor.begin(
            portal.database, portal.settings, user_id=user_id(), now=portal.clock()
        )
        self.key = " ".join(found.key[at : at + 4] for at in range(0, len(found.key), 4))
        self.link, self.picture, self.codes = found.link, found.picture, list(found.codes)

    def _empty(self) -> None:
        self.key, self.link, self.picture, self.codes = "", "", "", []


class EnrolState(Enrolling, rx.State):
    """/new-second-factor: of an administrator who must have one."""

    is_loaded: bool = False
    next_path: str = HOME

    @rx.event
    @requires(Role.ADMIN, duty=Duty.ENROL)
    async def load(self) -> None:
        """The page was opened by a session that owes it; the guard leads all others away."""
        flash = flash_of(self, FORM)
        self.error = flash.message
        asked = self.router.url.query_parameters.get("next", "")
        self.next_path = safe_next(asked or flash.next_path)
        await self._fill()
        self.is_loaded = True


class OwnSecondFactorState(Enrolling, rx.State):
    """/admin/second-factor: turning it on and off, and new recovery codes."""

    is_loaded: bool = False
    is_on: bool = False
    is_required: bool = False
    codes_left: int = 0
    off_error: str = ""
    renew_error: str = ""

    @rx.event
    @requires(*STAFF)
    async def load(self) -> None:
        """The page was opened, or its connection is back: the key that a telephone has read stays the key."""
        if self.is_loaded and await is_kept(self):
            await self._look()
            return
        flash = flash_of(self, FORM, OFF)
        self.error = flash.message if flash.form == FORM else ""
        self.off_error = flash.message if flash.form == OFF else ""
        self.renew_error = ""
        self._empty()
        await self._look()
        self.is_loaded = True

    @rx.event
    @requires(*STAFF)
    async def set_up(self) -> None:
        """A second factor is wanted: show the key."""
        if not self.is_on:
            await self._fill()

    @rx.event
    @requires(*STAFF)
    async def renew(self, form: dict[str, Any]) -> None:
        """New recovery codes were asked for, with a code."""
        portal = current()
        code = text_in(form, "renew-code") if isinstance(form, dict) else ""
        try:
            codes = await second_factor.renew_codes(
                portal.database, portal.settings, user_id=user_id(), code=code, visit=visit_of(self)
            )
        except PortalError as error:
            self.renew_error = say(error)
            return
        self.renew_error, self.codes = "", list(codes)
        await self._look()

    async def _look(self) -> None:
        found = await second_factor.status_of(current().database, user_id=user_id())
        self.is_on, self.codes_left = found.is_on, found.codes_left
        identity = who()
        is_admin = identity is not None and identity.role is Role.ADMIN
        self.is_required = current().settings.require_second_factor and is_admin
