"""What stands at an address that does not exist - or belongs to somebody else: the same words."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import link
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page

HOME_LINK = "link link-primary min-h-11 inline-flex items-center justify-center"


@portal_page(route="/not-found", title=_("Not found"), roles=frozenset(), has_shell=False)
def not_found() -> rx.Component:
    """One sentence and a way home."""
    return nothing_here()


def nothing_here(*other_ways: rx.Component) -> rx.Component:
    """The same, with other ways that a page may know before the way home."""
    return rx.el.main(
        rx.el.h1(_("Not found"), class_name="text-2xl font-semibold"),
        rx.el.p(_("There is no such page, or it is not yours."), class_name="my-3"),
        *other_ways,
        link(_("To the home page"), to="/", class_name=HOME_LINK),
        class_name="min-h-screen bg-base-200 grid place-content-center text-center p-6",
    )
