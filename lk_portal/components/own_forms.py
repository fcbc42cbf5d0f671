"""Parts of the forms with which a person changes her own things: settings, new password, documents."""

from __future__ import annotations

import re

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.checked_field import checked_field, error_text
from lk_portal.i18n import _
from lk_portal.security.passwords import MAX_LENGTH, MIN_LENGTH

LONGEST = 1000
"""More than any field takes: what is too long gets a sentence and is not cut off in silence."""
_LINKED = re.compile(r"(.*)\[(.+)\](.*)", re.DOTALL)


def password_field(name: str, label: str, *, error: rx.Var[str]) -> rx.Component:
    """The password that a person has; browsers fill it in."""
    return checked_field(
        name, label, error=error, type="password", auto_complete="current-password", max_length=LONGEST
    )


def new_password_fields(*, error: rx.Var[str], repeat_error: rx.Var[str]) -> rx.Component:
    """A new password, twice, with the rules it goes by; browsers offer to make one."""
    return rx.fragment(
        checked_field(
            "password",
            _("New password"),
            error=error,
            hint=_(
                "From {least} to {most} characters; best are a few words that have nothing in common.",
                least=MIN_LENGTH,
                most=MAX_LENGTH,
            ),
            type="password",
            auto_complete="new-password",
            max_length=LONGEST,
        ),
        checked_field(
            "password2",
            _("Repeat the new password"),
            error=repeat_error,
            type="password",
            auto_complete="new-password",
            max_length=LONGEST,
        ),
    )


def tick(
    *label: rx.Component | str,
    control_id: str,
    name: str,
    value: str | rx.Var[str],
    error: rx.Var[str],
    hint: rx.Var[str] | str = "",
) -> rx.Component:
    """A box to tick, with a label large enough for a finger; `hint` stands below it."""
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                id=control_id,
                name=name,
                value=value,
                class_name="checkbox checkbox-primary mt-0.5 shrink-0",
                custom_attrs={
                    "aria-invalid": rx.cond(error != "", "true", "false"),
                    "aria-describedby": f"{control_id}-hint {control_id}-error",
                },
            ),
            rx.el.span(*label),
            html_for=control_id,
            class_name="flex items-start gap-3 min-h-11 py-2 cursor-pointer",
        ),
        rx.el.p(hint, id=f"{control_id}-hint", class_name="text-sm ml-9 -mt-2 empty:hidden"),
        error_text(error, id=f"{control_id}-error"),
    )


def linked(sentence: str, *, href: str) -> list[rx.Component | str]:
    """A sentence whose [bracketed words] lead to a document, in a new tab, so that nothing typed is lost."""
    found = _LINKED.fullmatch(sentence)
    if found is None:
        return [sentence]
    before, words, after = found.groups()
    link = PlainLink.create(words, href=href, target="_blank", rel="noopener", class_name="link link-primary")
    return [before, link, after]


def buttons(*parts: rx.Component) -> rx.Component:
    """The buttons that end a form."""
    return rx.el.div(*parts, class_name="flex flex-wrap gap-2")


def submit(text: str, *, class_name: str = "btn-primary") -> rx.Component:
    """The button that sends the form."""
    return rx.el.button(text, type="submit", class_name=f"btn {class_name} min-h-11 text-base")
