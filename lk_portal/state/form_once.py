"""A form that is sent once: a double click, or an event that comes twice, does not do the thing twice.

The page carries the number of the attempt in a hidden field; every answer gives the next one. An event with
the number that was answered last is a copy and is let fall. For states of public forms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import reflex as rx

from lk_portal.security.tokens import new_token
from lk_portal.services.context import current

ATTEMPT = "attempt"
SHOWN_FOR = timedelta(minutes=15)
"""So long what was done is still told when the page is loaded anew, or its connection was lost."""

ANSWER_S = 0.25
"""Every answer takes so long at least: several times what the database needs."""


@asynccontextmanager
async def in_steady_time() -> AsyncIterator[None]:
    """A block whose time tells nothing: a registration does more when an e-mail is not known yet."""
    started = asyncio.get_running_loop().time()
    try:
        yield
    finally:
        await asyncio.sleep(started + ANSWER_S - asyncio.get_running_loop().time())


class OnceState(rx.State, mixin=True):
    """What such a form shows besides its fields; `problem` is what concerns no single one."""

    attempt: str = ""
    is_sending: bool = False
    problem: str = ""
    _answered: str = ""
    _done_at: str = ""

    def _offer(self) -> None:
        """Let the form be sent (again)."""
        self.attempt = new_token()

    def _is_copy(self, form: dict[str, Any]) -> bool:
        """Whether this very attempt was answered already."""
        return bool(self._answered) and form.get(ATTEMPT) == self._answered

    def _is_expected(self, form: dict[str, Any]) -> bool:
        """Whether the form is the one that was shown; not, e.g., after the portal was started anew."""
        return bool(self.attempt) and form.get(ATTEMPT) == self.attempt

    def _answer(self) -> None:
        """The attempt is over, however it ended."""
        self._answered = self.attempt
        self.is_sending = False
        self._offer()

    def _note_done(self) -> None:
        """The thing itself was done."""
        self._done_at = current().clock().isoformat()

    def _was_just_done(self) -> bool:
        """Whether the page should still tell what was done."""
        done_at = self._done_at
        return bool(done_at) and current().clock() - datetime.fromisoformat(done_at) < SHOWN_FOR


def text_in(form: dict[str, Any], name: str) -> str:
    """What was typed into a field; "" for whatever is no text."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def is_ticked(form: dict[str, Any], name: str) -> bool:
    """Whether a box was ticked: browsers say "on", Reflex says True."""
    return form.get(name) is True or form.get(name) == "on"
