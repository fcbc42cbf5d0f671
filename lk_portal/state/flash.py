"""What a plain form's route left to say on the page it led to. For the states of pages with such forms."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from lk_portal.errors import PortalError
from lk_portal.i18n import say
from lk_portal.security.cookies import read_flash
from lk_portal.security.navigation import HOME
from lk_portal.services.context import current


@dataclass(frozen=True, slots=True)
class Flash:
    """A message over a redirect, in the reader's language; empty when there is none for this page's forms.

    Attributes:
        message: Why something was refused.
        notice: What was done.
        field: The field the message is for; "" for the whole form.
        form: Which form it is for.
        login: What was typed as the login.
        next_path: Where the person was going.
    """

    message: str = ""
    notice: str = ""
    field: str = ""
    form: str = ""
    login: str = ""
    next_path: str = HOME


def flash_of(state: rx.State, *forms: str) -> Flash:
    """The message that came with the page of `state`, if it is for one of its `forms`.

    The cookie lives for a minute and says where it belongs, for the person may open other pages meanwhile.
    """
    portal = current()
    told = read_flash(state.router.headers.cookie, portal.settings, now=portal.clock())
    form = str(told.get("form", ""))
    if not told or form not in forms:
        return Flash()
    data = told.get("data", {})
    return Flash(
        message=_sentence(told.get("message", ""), data),
        notice=_sentence(told.get("notice", ""), data),
        field=str(told.get("field", "")),
        form=form,
        login=str(told.get("login", "")),
        next_path=str(told.get("next", HOME)),
    )


def _sentence(message: str, data: dict[str, object]) -> str:
    return say(PortalError(message, **data)) if message else ""
