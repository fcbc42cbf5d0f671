"""/accounts/[account]: the card of a personal account, its meters, and the history of their replacements."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.breadcrumb import breadcrumb
from lk_portal.components.facts import facts, load_line
from lk_portal.components.gone import no_longer_here
from lk_portal.components.kit import card, empty, link, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.account import AccountState

RowVar = rx.Var[dict[str, str]]
HEADING = "text-lg font-semibold mb-3"


@portal_page(
    route="/accounts/[account]",
    title=_("Personal account"),
    icon="bill",
    on_load=(AccountState.load,),
    tab=rx.cond(AccountState.facts.length() > 0, f"{_('Personal account')} {AccountState.number}", ""),
)
def account() -> rx.Component:
    """The card, the meters that stand there, and those that stood there."""
    return rx.cond(
        AccountState.facts.length() > 0,
        rx.el.div(
            breadcrumb(
                (_("Personal accounts"), "/accounts"), here=AccountState.number + " " + AccountState.address
            ),
            rx.el.div(
                card(rx.el.h2(_("Account card"), class_name=HEADING), facts(AccountState.facts)),
                _meters(),
                _history(),
                class_name="grid gap-4",
            ),
        ),
        rx.cond(
            AccountState.is_gone,
            no_longer_here(),
            rx.el.div(skeleton("h-6 w-64 mb-4"), skeleton("h-52 w-full mb-4"), skeleton("h-32 w-full")),
        ),
    )


def _meters() -> rx.Component:
    return card(
        rx.el.h2(_("Meters"), class_name=HEADING),
        rx.cond(
            AccountState.meters.length() > 0,
            rx.el.ul(rx.foreach(AccountState.meters, _meter), class_name="divide-y divide-base-300"),
            empty(_("There is no meter yet"), _("Meters appear here when the utility has added them.")),
        ),
    )


def _meter(meter: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(
                link(
                    meter["name"],
                    to=meter["link"],
                    class_name="link link-primary min-h-11 inline-flex items-center break-all",
                ),
                class_name="font-semibold",
            ),
            rx.el.p(meter["model"], ", ", meter["serial"]),
            rx.el.p(meter["place"], class_name="text-sm empty:hidden"),
            class_name="grow min-w-0",
        ),
        rx.el.div(
            load_line(meter["load_state"], meter["load"]),
            rx.el.p(meter["fresh"], class_name="text-sm"),
        ),
        key=meter["serial"],
        class_name="flex flex-col md:flex-row md:items-center gap-2 py-3",
    )


def _history() -> rx.Component:
    return card(
        rx.el.h2(_("Replacements of meters"), class_name=HEADING),
        rx.cond(
            AccountState.replacements.length() > 0,
            rx.el.ul(rx.foreach(AccountState.replacements, _replacement), class_name="grid gap-4"),
            rx.el.p(_("No meter of this account has been replaced.")),
        ),
    )


def _replacement(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.h3(row["at"], class_name="font-semibold mb-2"),
        rx.el.dl(
            _side(_("Old meter"), row["old"], row["old_link"], _("Final readings"), row["final"]),
            _side(_("New meter"), row["new"], row["new_link"], _("Initial readings"), row["initial"]),
            class_name="grid gap-4 sm:grid-cols-2",
        ),
    )


def _side(
    name: str, serial: rx.Var[str], to: rx.Var[str], readings_name: str, readings: rx.Var[str]
) -> rx.Component:
    return rx.el.div(
        rx.el.dt(name, class_name="text-sm"),
        rx.el.dd(
            link(serial, to=to, class_name="link min-h-11 inline-flex items-center break-all"),
            class_name="font-medium",
        ),
        rx.el.dt(readings_name, class_name="text-sm"),
        rx.el.dd(readings, class_name="whitespace-pre-line tabular-nums"),
    )
