"""Tabs whose choice is in the address (ARIA tabs). For pages with several views of the same thing.

Each tab is a link, so it can be opened in a window of its own; assets/walk.js moves between them with arrows.
"""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx
from reflex_components_core.react_router import link as router_link


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: its name, where it leads, and whether it is the one that is open."""

    key: str
    text: str
    to: str | rx.Var[str]
    is_open: rx.Var[bool]


def tab_list(label: str, *tabs: Tab, panel: str) -> rx.Component:
    """A row of tabs over the panel with that id; `label` names the row."""
    return rx.el.div(
        *(_tab(tab, panel) for tab in tabs),
        role="tablist",
        class_name="tabs tabs-border flex-nowrap mb-4",
        custom_attrs={"aria-label": label},
    )


def _tab(tab: Tab, panel: str) -> rx.Component:
    return router_link(
        tab.text,
        to=tab.to,
        id=f"{panel}-{tab.key}",
        role="tab",
        class_name=rx.cond(tab.is_open, "tab tab-active font-semibold", "tab")
        + " h-auto min-h-11 px-2 md:px-4 text-sm md:text-base text-base-content",
        custom_attrs={"aria-selected": rx.cond(tab.is_open, "true", "false"), "aria-controls": panel},
    )


def tab_panel(*children: rx.Component, panel: str, open_key: rx.Var[str]) -> rx.Component:
    """What the open tab shows."""
    return rx.el.div(
        *children, id=panel, role="tabpanel", custom_attrs={"aria-labelledby": f"{panel}-" + open_key}
    )
