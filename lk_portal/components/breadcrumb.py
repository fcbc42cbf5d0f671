"""Where a page stands: the way to it from its section, with a link for every step but the last."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import link
from lk_portal.i18n import _

Text = str | rx.Var[str]


def breadcrumb(*steps: tuple[Text, Text], here: Text) -> rx.Component:
    """The way: text and address of each step, and the name of the page itself."""
    items = [
        rx.el.li(
            link(text, to=to, class_name="link min-h-11 inline-flex items-center"),
            rx.el.span("/", class_name="mx-2", custom_attrs={"aria-hidden": "true"}),
            class_name="flex items-center",
        )
        for text, to in steps
    ]
    return rx.el.nav(
        rx.el.ol(
            *items,
            rx.el.li(
                here,
                class_name="flex items-center min-h-11 min-w-0 wrap-anywhere",
                custom_attrs={"aria-current": "page"},
            ),
            class_name="flex flex-wrap items-center",
        ),
        class_name="mb-3 -mt-2",
        custom_attrs={"aria-label": _("You are here")},
    )
