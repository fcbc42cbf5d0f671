"""A modal dialog: the keyboard goes in, stays in, and comes back; Escape is its cancel button.

It is in the page while it is open, so a page puts it under `rx.cond`. assets/dialog.js does the rest.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.i18n import _


def dialog(title: str | rx.Var[str], *children: rx.Component, name: str) -> rx.Component:
    """A dialog with its title; among the children is a `cancel_button`. `name` is its id."""
    title_id = f"{name}-title"
    return rx.el.dialog(
        rx.el.h2(title, id=title_id, class_name="text-lg font-semibold mb-3"),
        *children,
        id=name,
        class_name="dialog",
        custom_attrs={"aria-labelledby": title_id, "data-lk-dialog": "yes"},
    )


def cancel_button(on_click: Any) -> rx.Component:
    """The button "Отмена" of a dialog; Escape presses it too."""
    return rx.el.button(
        _("Cancel"),
        type="button",
        on_click=on_click,
        class_name="btn btn-ghost min-h-11 text-base",
        custom_attrs={"data-lk-cancel": "yes"},
    )
