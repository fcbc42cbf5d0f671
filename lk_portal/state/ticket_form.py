"""What the two forms of обращения share: the key that makes a form sent twice one message, and the draft.

Both are sent past Reflex (see `web.support`); assets/tickets.js keeps what was typed in the browser's tab.
"""

from __future__ import annotations

import reflex as rx

from lk_portal.security.tokens import hash_of, new_token
from lk_portal.services.context import current
from lk_portal.state.flash import flash_of
from lk_portal.state.guard import who


class TicketFormState(rx.State, mixin=True):
    """A form's keys, and why it was refused when the browser sent it alone."""

    send_key: str = ""
    draft_key: str = ""
    problem: str = ""

    def _offer_form(self, form: str, about: str) -> None:
        """Make the form ready; `about` tells its draft from those of others."""
        identity = who()
        person = f"{current().settings.public_url} {identity.user_id if identity else ''}"
        self.send_key = new_token()
        # Somebody else who signs in in this tab must not find it.
        self.draft_key = f"{hash_of(person)[:16]}:{form}:{about}"
        self.problem = flash_of(self, form).message
