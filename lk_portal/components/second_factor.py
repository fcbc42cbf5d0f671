"""The parts of turning a second factor on: the picture for the application, the key, the recovery codes."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.checked_field import checked_field
from lk_portal.components.kit import card, link
from lk_portal.components.own_forms import submit
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.security.navigation import OWN_SECOND_FACTOR

INLINE_LINK = "link min-h-11 inline-flex items-center"


def code_field(name: str, label: str, *, error: rx.Var[str], hint: str = "") -> rx.Component:
    """Where a code is typed; telephones show their digits and offer the code."""
    return checked_field(
        name,
        label,
        error=error,
        hint=hint,
        auto_complete="one-time-code",
        input_mode="text",
        max_length=40,
    )


def enrolment(state: Any, *, action: str, next_path: Any = None) -> rx.Component:
    """Everything it takes, from the application on the telephone to the first code."""
    return rx.el.div(
        rx.el.ol(
            rx.el.li(
                rx.el.p(_("Let an authenticator application on your telephone read this picture.")),
                rx.el.img(
                    src=state.picture,
                    alt=_("The key as a QR code"),
                    width="240",
                    height="240",
                    class_name="bg-white rounded my-2",
                ),
                rx.el.p(
                    _("Or type the key:"),
                    " ",
                    rx.el.code(state.key, class_name="font-mono break-words", id="factor-key"),
                ),
                PlainLink.create(_("Open in the application"), href=state.link, class_name=INLINE_LINK),
            ),
            rx.el.li(
                rx.el.p(_("Keep these recovery codes where nobody else sees them. Each works once.")),
                recovery_codes(state.codes),
            ),
            rx.el.li(rx.el.p(_("Enter the code that the application shows."))),
            class_name="list-decimal pl-6 grid gap-4",
        ),
        plain_form(
            code_field("code", _("Code from the application"), error=state.error),
            *(
                [rx.el.input(type="hidden", name="next", value=next_path, read_only=True)]
                if next_path is not None
                else []
            ),
            submit(_("Turn on")),
            method="post",
            action=action,
            class_name="grid gap-4",
        ),
        class_name="grid gap-4",
    )


def recovery_codes(codes: Any) -> rx.Component:
    """The codes, to be copied or printed."""
    return rx.el.ul(
        rx.foreach(codes, lambda code: rx.el.li(rx.el.code(code, class_name="font-mono"))),
        class_name="grid grid-cols-2 gap-x-6 gap-y-1 my-2 w-fit",
        custom_attrs={"aria-label": _("Recovery codes")},
    )


def second_factor_link() -> rx.Component:
    """Where staff turn theirs on and off, for the settings."""
    return card(
        rx.el.h2(_("Second factor"), class_name="text-lg font-semibold"),
        link(_("Set up or turn off"), to=OWN_SECOND_FACTOR, class_name=INLINE_LINK),
    )
