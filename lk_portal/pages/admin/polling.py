"""/admin/polling: how the polling goes now, and where data are missing."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.heat_map import heat_map
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, link, link_button, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.polling import PollingState

HEADING = "text-lg font-semibold mb-3"
Row = rx.Var[dict[str, str]]


@portal_page(
    route="/admin/polling",
    title=_("Polling"),
    icon="pulse",
    menu="admin",
    group=MenuGroup.POLLING,
    roles=frozenset({Role.ADMIN}),
    order=49,
    on_load=(PollingState.load,),
)
def polling() -> rx.Component:
    """The queue first: it is what changes."""
    return rx.cond(
        PollingState.is_loaded,
        rx.el.div(
            _queue(),
            _oldest(),
            _errors(),
            card(
                rx.el.h2(_("Completeness of the data"), class_name=HEADING),
                rx.cond(PollingState.summary != "", heat_map(PollingState), skeleton("h-96 w-full")),
                rx.cond(PollingState.more != "", rx.el.p(PollingState.more, class_name="text-sm")),
                _links(),
            ),
            class_name="grid grid-cols-1 gap-4",
        ),
        rx.el.div(skeleton("h-48 w-full mb-4"), skeleton("h-96 w-full")),
    )


def _queue() -> rx.Component:
    return card(
        rx.el.h2(_("Queue"), class_name=HEADING),
        rx.el.dl(
            rx.foreach(PollingState.numbers, _number),
            id="queue",
            class_name="grid gap-x-6 gap-y-3 grid-cols-2 md:grid-cols-4",
        ),
        rx.el.p(
            _("A cycle is the time from being due to being stored, of the batches of the last hour."),
            class_name="text-sm mt-3",
        ),
    )


def _number(row: Row) -> rx.Component:
    return rx.el.div(
        rx.el.dt(row["name"], class_name="text-sm"),
        rx.el.dd(row["value"], class_name="text-xl font-semibold tabular-nums"),
        key=row["name"],
    )


def _oldest() -> rx.Component:
    return rx.cond(
        PollingState.oldest != "",
        card(
            rx.el.h2(_("Not read for the longest time"), class_name=HEADING),
            rx.el.p(
                link(
                    PollingState.oldest,
                    to=PollingState.oldest_url,
                    class_name="link min-h-11 inline-flex items-center",
                ),
                ", ",
                PollingState.oldest_when,
                id="oldest",
            ),
        ),
    )


def _errors() -> rx.Component:
    return card(
        rx.el.h2(_("Errors now"), class_name=HEADING),
        rx.cond(
            PollingState.errors.length() > 0,
            rx.el.ul(
                rx.foreach(
                    PollingState.errors,
                    lambda row: rx.el.li(
                        icon("warning", class_name="size-5 text-warning"),
                        rx.el.span(row["kind"], class_name="grow"),
                        rx.el.span(row["count"], class_name="font-semibold tabular-nums"),
                        key=row["code"],
                        class_name="flex items-center gap-2 py-2",
                    ),
                ),
                class_name="divide-y divide-base-300",
            ),
            rx.el.p(_("All meters that are polled answer.")),
        ),
        link_button(
            _("Connections that fail"),
            to="/admin/connections?f.state=failing",
            icon_name="list",
            class_name="self-start -ml-4 mt-2",
        ),
    )


def _links() -> rx.Component:
    """Ways to the worst gateways, without opening the table."""
    return link_button(
        _("All gateways"), to="/admin/gateways", icon_name="server", class_name="self-start -ml-4"
    )
