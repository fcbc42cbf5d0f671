"""/: this month's consumption first, and beside it what every other section has to tell."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.facts import load_badge
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, link, link_button, skeleton
from lk_portal.components.sparkline import sparkline
from lk_portal.components.tile import tile
from lk_portal.i18n import _
from lk_portal.pages.registry import is_page, portal_page
from lk_portal.security.navigation import SUPPORT
from lk_portal.services.access import Role
from lk_portal.state.home import HomeState
from lk_portal.state.shell import ShellState

Row = rx.Var[dict[str, str]]

ACCOUNTS, READINGS, DIAGNOSTICS = "/accounts", "/readings", "/diagnostics"
GRID = "grid gap-4 lg:grid-cols-3 lg:grid-rows-[auto_auto_1fr]"
WIDE = "lg:col-span-2 lg:row-span-3"
INNER_LINK = "link inline-flex items-center min-h-11"


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
    """Tiles of the subscriber; staff is on its way to its own home."""
    return rx.cond(
        ShellState.is_subscriber,
        rx.cond(
            HomeState.is_loaded,
            rx.cond(HomeState.accounts.length() > 0, _tiles(), _no_accounts()),
            _skeleton(),
        ),
        _skeleton(),
    )


def _tiles() -> rx.Component:
    return rx.el.div(_readings(), _accounts(), _diagnostics(), _support(), class_name=GRID)


def _skeleton() -> rx.Component:
    return rx.el.div(
        skeleton(f"h-96 {WIDE}"),
        skeleton("h-36"),
        skeleton("h-36"),
        skeleton("h-36"),
        class_name=GRID,
    )


def _no_accounts() -> rx.Component:
    return card(
        empty(
            _("There is no account here yet"), _("Add the account that your bill names, with its address.")
        ),
        *([link_button(_("Add an account"), to=ACCOUNTS, icon_name="plus")] if is_page(ACCOUNTS) else []),
    )


def _section(route: str) -> str:
    """Where a tile leads; nowhere when this portal has no such section."""
    return route if is_page(route) else ""


def _readings() -> rx.Component:
    return tile(
        _("Readings"),
        rx.foreach(HomeState.accounts, _account_month),
        to=_section(READINGS),
        icon_name="chart",
        class_name=WIDE,
    )


def _account_month(account: Row) -> rx.Component:
    """The month of one account: the figure, what it was a month before, the days."""
    return rx.el.div(
        rx.el.h3(account["name"], class_name="font-semibold"),
        rx.el.p(account["address"], class_name="text-sm"),
        rx.cond(
            account["has_meter"] != "",
            rx.el.div(
                _figure(account),
                _compared(account),
                sparkline(account),
                rx.el.p(account["holes_text"], class_name="text-sm"),
                rx.el.p(account["fresh"], class_name="text-sm mt-2"),
                rx.el.p(account["reading"], class_name="text-sm"),
                rx.cond(account["link"] != "", _to_chart(account)),
                rx.cond(account["is_shared"] != "", _each_meter(account)),
            ),
            rx.el.p(
                _("There is no meter yet"),
                ". ",
                _("Meters appear here when the utility has added them."),
                class_name="mt-2",
            ),
        ),
        key=account["number"],
        class_name="tile-part",
    )


def _figure(account: Row) -> rx.Component:
    return rx.cond(
        account["figure"] != "",
        rx.el.p(
            rx.el.span(account["figure"], class_name="text-5xl font-semibold tabular-nums"),
            rx.el.span(" ", _("kWh"), class_name="text-xl"),
            rx.el.span(" ", _("this month so far"), ", ", account["month"], class_name="block"),
            class_name="mt-3",
        ),
        rx.el.p(_("There are no data for this month yet."), class_name="text-xl mt-3"),
    )


def _compared(account: Row) -> rx.Component:
    return rx.el.div(
        rx.cond(
            account["before"] != "",
            rx.el.div(
                rx.el.p(
                    account["before_label"],
                    " ",
                    rx.el.span(account["before"], class_name="font-semibold tabular-nums"),
                    " ",
                    _("kWh"),
                ),
                rx.el.p(
                    rx.match(
                        account["change_kind"],
                        ("less", icon("down")),
                        ("more", icon("up")),
                        icon("same"),
                    ),
                    rx.el.span(account["change"]),
                    class_name="flex items-center gap-2",
                ),
            ),
        ),
        rx.el.p(account["left_out"], class_name="text-sm"),
        class_name="mt-3",
    )


def _to_chart(row: Row) -> rx.Component:
    return link_button(
        _("Consumption chart"), to=row["link"], icon_name="chart", class_name="tile-above self-start -ml-4"
    )


def _each_meter(account: Row) -> rx.Component:
    """Each meter of an account that has several: the figure above is their sum."""
    return rx.el.ul(rx.foreach(HomeState.meters[account["number"]], _meter), class_name="mt-2")


def _meter(meter: Row) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(meter["name"], to=meter["link"], class_name=f"{INNER_LINK} tile-above"),
            rx.el.span(
                rx.cond(
                    meter["figure"] != "",
                    rx.el.span(
                        rx.el.span(meter["figure"], class_name="font-semibold tabular-nums"), " ", _("kWh")
                    ),
                    _("no data"),
                ),
                class_name="ml-auto",
            ),
            class_name="flex items-center gap-3",
        ),
        rx.el.p(meter["fresh"], class_name="text-sm"),
        rx.el.p(meter["reading"], class_name="text-sm"),
        key=meter["link"],
        class_name="border-t border-base-300 py-1",
    )


def _accounts() -> rx.Component:
    return tile(
        _("Subscriber"),
        rx.foreach(HomeState.accounts, _account),
        rx.el.p(HomeState.more),
        to=_section(ACCOUNTS),
        icon_name="bill",
    )


def _account(account: Row) -> rx.Component:
    return rx.el.div(
        rx.el.p(account["name"], class_name="font-semibold"),
        rx.el.p(account["address"]),
        rx.el.p(_("Account"), " ", account["number"], " · ", account["meter_count"], class_name="text-sm"),
        rx.el.ul(rx.foreach(HomeState.meters[account["number"]], _load)),
        key=account["number"],
        class_name="tile-part",
    )


def _load(meter: Row) -> rx.Component:
    """Whether the load of a meter is on."""
    return rx.el.li(
        rx.el.span(meter["name"], ":"),
        load_badge(meter["load_kind"], meter["load"]),
        key=meter["link"],
        class_name="flex flex-wrap items-center gap-x-2 mt-1",
    )


def _diagnostics() -> rx.Component:
    return tile(
        _("Diagnostics"),
        rx.cond(
            HomeState.events.length() > 0,
            rx.el.div(rx.el.p(_("In the last 30 days")), rx.el.ul(rx.foreach(HomeState.events, _event))),
            rx.el.p(_("No events of the meters in the last 30 days."), class_name="mt-2"),
        ),
        to=_section(DIAGNOSTICS),
        icon_name="pulse",
    )


def _event(event: Row) -> rx.Component:
    return rx.el.li(
        rx.match(
            event["kind"],
            ("critical", icon("critical", class_name="size-5 text-error mt-0.5")),
            ("warning", icon("warning", class_name="size-5 text-warning mt-0.5")),
            icon("info", class_name="size-5 text-info mt-0.5"),
        ),
        rx.el.div(
            rx.el.p(event["word"], ": ", rx.el.span(event["count"]), class_name="font-semibold"),
            rx.el.p(event["name"]),
            rx.el.p(event["when"], class_name="text-sm"),
        ),
        key=event["kind"],
        class_name="flex gap-2 tile-part",
    )


def _support() -> rx.Component:
    support = HomeState.support
    return tile(
        _("Support"),
        rx.cond(
            support["open"] != "",
            rx.el.p(support["open"], class_name="mt-2 font-semibold"),
            rx.el.p(_("No open requests."), class_name="mt-2"),
        ),
        rx.cond(support["waiting"] != "", rx.el.p(icon("chat"), support["waiting"], class_name="flex gap-2")),
        rx.cond(support["subject"] != "", _answer()),
        to=_section(SUPPORT),
        icon_name="chat",
    )


def _answer() -> rx.Component:
    support = HomeState.support
    return rx.el.div(
        rx.el.p(_("Last answer"), ", ", support["when"], class_name="text-sm"),
        link(support["subject"], to=support["link"], class_name=f"{INNER_LINK} tile-above")
        if is_page(f"{SUPPORT}/[number]")
        else rx.el.p(support["subject"]),
        rx.el.p(support["answer"], class_name="line-clamp-3"),
        class_name="tile-part",
    )
