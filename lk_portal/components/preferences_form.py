"""Language and look: the form of /settings, and the switch in the header of public pages. Plain HTML forms.

The page's own language is known when it is built, so the form needs no state to show it.
"""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import field, select
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import LANGUAGES, _, active_locale
from lk_portal.services.access import Theme

ACTION = "/profile/preferences"


def preferences_form(*, theme: rx.Var[str]) -> rx.Component:
    """Language and look of a signed-in person; `theme` is a value of `Theme`, hers now."""
    return plain_form(
        field(
            _("Language"),
            select(
                "locale",
                *(rx.el.option(name, value=locale, lang=locale) for locale, name in LANGUAGES.items()),
                default_value=active_locale(),
            ),
            for_id="locale",
        ),
        field(
            _("Appearance"),
            select(
                "theme",
                rx.el.option(_("As in the system"), value=Theme.SYSTEM.value),
                rx.el.option(_("Light"), value=Theme.LIGHT.value),
                rx.el.option(_("Dark"), value=Theme.DARK.value),
                key=theme,
                default_value=theme,
            ),
            for_id="theme",
        ),
        rx.el.button(_("Apply"), type="submit", class_name="btn btn-primary min-h-11 text-base self-end"),
        method="post",
        action=ACTION,
        class_name="grid gap-4 sm:grid-cols-3",
    )


def language_switch() -> rx.Component:
    """A button for each language but the page's own, named as its readers name it."""
    return plain_form(
        *(
            rx.el.button(
                icon("globe"),
                name,
                type="submit",
                name="locale",
                value=locale,
                lang=locale,
                class_name="btn btn-ghost min-h-11",
            )
            for locale, name in LANGUAGES.items()
            if locale != active_locale()
        ),
        method="post",
        action=ACTION,
    )
