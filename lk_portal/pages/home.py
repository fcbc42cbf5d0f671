"""/: the figure of this month for every meter, two clicks from anything else."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, link_button, notice, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.home import HomeState
from lk_portal.state.shell import ShellState


@portal_page(
    route="/",
    title=_("Home"),
    icon="home",
    menu="main",
    order=10,
    roles=frozenset(Role),
    on_load=(HomeState.load,),
)
def home() -> rx.Component:
    """Tiles of the subscriber; staff is told where its work is."""
    return rx.cond(
        ShellState.is_subscriber,
        rx.cond(
            HomeState.is_loaded,
            rx.cond(
                HomeState.meters.length() > 0,
                rx.el.div(
                    rx.foreach(HomeState.meters, _tile), class_name="grid gap-4 md:grid-cols-2 lg:grid-cols-3"
                ),
                card(
                    empty(
                        _("There is no meter yet"), _("Meters appear here when the utility has added them.")
                    )
                ),
            ),
            skeleton("h-56 w-full"),
        ),
        notice(_("You are signed in as staff. The cabinet itself is for subscribers.")),
    )


def _tile(meter: rx.Var[dict[str, str]]) -> rx.Component:
    return card(
        rx.el.h2(
            icon("chart", class_name="size-5 text-primary"),
            meter["name"],
            class_name="flex items-center gap-2 font-semibold",
        ),
        rx.el.p(meter["address"], class_name="text-sm"),
        rx.el.p(
            rx.el.span(meter["this_month"], class_name="text-3xl font-semibold tabular-nums"),
            rx.el.span(" ", _("kWh"), class_name="text-base"),
            class_name="mt-3",
        ),
        rx.el.p(_("this month so far")),
        rx.el.p(
            _("same days of last month:"),
            " ",
            rx.el.span(meter["before"], class_name="tabular-nums"),
            " ",
            _("kWh"),
            class_name="text-sm mt-1",
        ),
        rx.el.p(meter["fresh"], class_name="text-sm"),
        link_button(
            _("Consumption chart"), to=meter["link"], icon_name="chart", class_name="mt-2 self-start"
        ),
    )
