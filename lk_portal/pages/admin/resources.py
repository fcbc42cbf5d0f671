"""The pages of all declared resources, registered like any other page. For the composition root."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.resource_list import resource_list
from lk_portal.i18n import _
from lk_portal.pages.registry import is_page, portal_page
from lk_portal.services.resource import Resource, all_resources
from lk_portal.state.resource import state_of


def register_resources() -> None:
    """Make a page of every resource that has none yet."""
    for one in all_resources():
        if not is_page(one.route):
            _register(one)


def _register(one: Resource) -> None:
    state: Any = state_of(one)

    def layout() -> rx.Component:
        return resource_list(one)

    layout.__name__ = one.name
    layout.__module__ = f"{__name__}.{one.name}"
    portal_page(
        route=one.route,
        title=_(one.title),
        icon=one.icon,
        menu="admin",
        group=one.group,
        roles=one.readers,
        order=one.order,
        on_load=(state.load,),
    )(layout)
