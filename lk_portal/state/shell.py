"""The state of the shell around every page: who is signed in, and what went wrong.

Page states do not inherit from it; pages call `ShellState.enter` before their own `load`.
"""

from __future__ import annotations

import reflex as rx

from lk_portal.i18n import _
from lk_portal.services.access import Role
from lk_portal.state.guard import ANYBODY_SIGNED_IN, public, requires, who

MAX_NUMBER_LENGTH = 16


class ShellState(rx.State):
    """Name and role of the person, for the menu; a problem to tell."""

    name: str = ""
    role: str = ""
    problem: str = ""

    @rx.event
    @requires(*ANYBODY_SIGNED_IN)
    async def enter(self) -> None:
        """A signed-in page was opened. Visitors never get here: the guard sends them to sign in."""
        self._remember()

    @rx.event
    @public
    async def enter_public(self) -> None:
        """A page for everybody was opened."""
        self._remember()

    @rx.event
    @public
    async def tell_problem(self, number: str) -> None:
        """An event of this page failed; the log has the traceback under `number`."""
        number = "".join(character for character in str(number) if character.isalnum())[:MAX_NUMBER_LENGTH]
        self.problem = _("Something went wrong. Error number {number}.", number=number)

    @rx.event
    @public
    async def dismiss_problem(self) -> None:
        """The person has read it."""
        self.problem = ""

    def _remember(self) -> None:
        identity = who()
        self.name = identity.display_name if identity else ""
        self.role = identity.role.value if identity else ""
        self.problem = ""

    @rx.var
    def is_subscriber(self) -> bool:
        """Whether the cabinet's menu is for this person."""
        return self.role == Role.SUBSCRIBER.value

    @rx.var
    def is_staff(self) -> bool:
        """Whether the staff's menu is for this person."""
        return self.role in (Role.OPERATOR.value, Role.ADMIN.value)
