"""/admin/registry: where all lists of the registry are, so that the menu stays short."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, link_button
from lk_portal.i18n import _
from lk_portal.pages.registry import all_pages, portal_page
from lk_portal.security.navigation import IMPORT
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.shell import ShellState

LISTS = (
    "subscribers",
    "accounts",
    "premises",
    "points",
    "meters",
    "installations",
    "verifications",
    "seals",
    "tariffs",
    "zones",
    "billing",
)


@portal_page(
    route="/admin/registry",
    title=_("Registry"),
    icon="book",
    menu="admin",
    group=MenuGroup.REGISTRY,
    roles={Role.OPERATOR, Role.ADMIN},
    order=39,
)
def registry() -> rx.Component:
    """A way into each list, in the order in which a new subscriber is put in."""
    pages = {page.route: page for page in all_pages()}
    found = [pages[route] for name in LISTS if (route := f"/admin/{name}") in pages]
    return card(
        *(
            link_button(page.title, to=page.route, icon_name=page.icon, class_name="justify-start")
            for page in found
        ),
        rx.cond(
            ShellState.role == Role.ADMIN.value,
            link_button(_("Import of the registry"), to=IMPORT, icon_name="up", class_name="justify-start"),
        ),
        class_name="grid gap-2 sm:grid-cols-2 lg:grid-cols-3",
    )
