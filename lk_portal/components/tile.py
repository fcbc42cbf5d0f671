"""A tile of the home page: a card that leads to its section, wherever it is touched."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.icons import icon
from lk_portal.components.kit import card


def tile(
    title: str, *children: rx.Component, icon_name: str, to: str = "", class_name: str = ""
) -> rx.Component:
    """A card under a heading, which is the link; links inside it stay what they are.

    Args:
        title: The name of the section, as in the menu.
        children: What the tile shows.
        icon_name: As in the menu.
        to: The section's address; "" when the portal has no such section.
        class_name: For the place in the grid.
    """
    heading = (icon(icon_name, class_name="size-6 text-primary"), rx.el.span(title))
    return card(
        rx.el.h2(
            router_link(
                *heading, icon("right", class_name="size-5 ml-auto"), to=to, class_name="tile-link grow"
            )
            if to
            else rx.el.span(*heading, class_name="flex items-center gap-2"),
            class_name="flex text-lg font-semibold",
        ),
        *children,
        class_name=f"tile {class_name}",
    )
