"""The menu "Выгрузить": what is shown as a file. For pages; the files come from `web.exports`."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.icons import icon
from lk_portal.i18n import _

ADDRESS = "/readings/export"


def export_menu(query: rx.Var[str]) -> rx.Component:
    """A button that unfolds the formats.

    Args:
        query: The query part of the address of what is shown.
    """
    return rx.el.details(
        rx.el.summary(icon("download"), _("Export"), class_name="btn btn-ghost min-h-11 text-base list-none"),
        rx.el.ul(
            _entry("CSV", query, "csv"),
            _entry("XLSX", query, "xlsx"),
            _entry(_("Green Button (XML)"), query, "xml"),
            class_name="pop-up menu right-0 w-56",
        ),
        class_name="relative",
    )


def _entry(text: str, query: rx.Var[str], form: str) -> rx.Component:
    # A plain link: the portal's own would open a page, and this is a file.
    return rx.el.li(
        PlainLink.create(
            text,
            href=f"{ADDRESS}?{query}&format={form}",
            class_name="min-h-11 text-base flex items-center",
        )
    )
