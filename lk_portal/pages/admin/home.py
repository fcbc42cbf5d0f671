"""/admin: what waits for the staff, each number the way to its list. The staff's home."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, link_button, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import is_page, portal_page
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.desk_home import DeskHomeState
from lk_portal.state.info_texts import GUIDE

GRID = "grid gap-4 sm:grid-cols-2 lg:grid-cols-3"


@portal_page(
    route="/admin",
    title=_("Desk"),
    icon="home",
    menu="admin",
    group=MenuGroup.DESK,
    roles=frozenset({Role.OPERATOR, Role.ADMIN}),
    order=1,
    on_load=(DeskHomeState.load,),
)
def desk() -> rx.Component:
    """Six numbers, what is late with an icon and a word, not its colour alone; and the guide."""
    return rx.el.div(
        _counts(), link_button(_("Operator guide"), to=GUIDE, icon_name="book", class_name="mt-4 -ml-4")
    )


def _counts() -> rx.Component:
    return rx.cond(
        DeskHomeState.is_loaded,
        rx.el.div(
            _count("tickets", _("Tickets waiting"), "chat", "/admin/tickets?queue=open"),
            _count("overdue", _("Tickets overdue"), "clock", "/admin/tickets?queue=overdue", is_bad=True),
            _count(
                "late_meters",
                _("Meters not read for 24 hours"),
                "meter",
                "/admin/connections?f.state=late",
                is_bad=True,
            ),
            _count("letters", _("Letters not sent"), "mail", "/admin/letters?f.status=unsent", is_bad=True),
            _count("claims", _("Registrations to check"), "user", "/admin/claims"),
            _count("verifications", _("Verification due"), "calendar", "/admin/verifications?f.due=due"),
            class_name=GRID,
        ),
        rx.el.div(*(skeleton("h-32") for _number in range(6)), class_name=GRID),
    )


def _count(name: str, label: str, icon_name: str, to: str, *, is_bad: bool = False) -> rx.Component:
    """A number under its name; leads to its list, where this portal has one."""
    number = DeskHomeState.counts[name]
    heading = (icon(icon_name, class_name="size-6 text-primary"), rx.el.span(label))
    leads = is_page(to.partition("?")[0])
    return card(
        rx.el.h2(
            router_link(
                *heading, icon("right", class_name="size-5 ml-auto"), to=to, class_name="tile-link grow"
            )
            if leads
            else rx.el.span(*heading, class_name="flex items-center gap-2 min-h-11"),
            class_name="flex text-lg font-semibold",
        ),
        rx.el.p(
            rx.el.span(number, class_name="text-5xl font-semibold tabular-nums", id=f"count-{name}"),
            *([rx.cond(number != "0", _attention())] if is_bad else []),
            class_name="flex items-center gap-3 mt-3",
        ),
        class_name="tile" if leads else "",
    )


def _attention() -> rx.Component:
    return rx.el.span(
        icon("warning", class_name="size-5 text-warning"),
        _("Needs attention"),
        class_name="inline-flex items-center gap-1.5 text-sm",
    )
