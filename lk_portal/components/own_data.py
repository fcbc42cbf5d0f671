"""Taking one's data along, and having them erased: in the settings, and where a document is asked for.

The second, so that nobody has to agree to anything to get at her data.
"""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.checked_field import error_text
from lk_portal.components.icons import icon
from lk_portal.components.own_forms import buttons, password_field, submit, tick
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _

EXPORT, ERASE_SURE, OWN_PASSWORD = "export", "erase-sure", "own-password"


def download(*, error: rx.Var[str]) -> rx.Component:
    """The link to the file, and what is in it."""
    return rx.fragment(
        PlainLink.create(
            icon("download"),
            _("Download my data"),
            id=EXPORT,
            href="/profile/export",
            class_name="btn min-h-11 text-base self-start mt-1",
        ),
        rx.el.p(_("A JSON file with everything the portal keeps about you."), class_name="text-sm mt-1"),
        error_text(error, id=f"{EXPORT}-error"),
    )


def erasure(*, sure_error: rx.Var[str], password_error: rx.Var[str]) -> rx.Component:
    """The folded form; open when it was refused."""
    return rx.el.details(
        rx.el.summary(_("Erase my data"), class_name="link min-h-11 flex items-center cursor-pointer"),
        _erase_form(sure_error, password_error),
        open=(sure_error != "") | (password_error != ""),
        class_name="mt-2",
    )


def _erase_form(sure_error: rx.Var[str], password_error: rx.Var[str]) -> rx.Component:
    return plain_form(
        rx.el.p(
            _(
                "Your login, name, e-mail, phone, password and choices are erased at once and cannot be "
                "brought back. What the utility needs for the contract stays: accounts, meters, readings. "
                "The record of your agreement and the log of deeds stay without your name. You can register "
                "again later."
            )
        ),
        tick(
            _("I understand that this cannot be undone"),
            name="sure",
            value="yes",
            control_id=ERASE_SURE,
            error=sure_error,
        ),
        password_field(OWN_PASSWORD, _("Your password"), error=password_error),
        buttons(submit(_("Erase my data"), class_name="btn-outline border-error")),
        method="post",
        action="/profile/erase",
        class_name="grid gap-2 max-w-xl",
    )
