"""/accounts, section "Абонент": the accounts in the cabinet; adding, naming and removing them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from lk_portal.components.account_forms import add_form, remove_dialog, rename_dialog
from lk_portal.components.facts import load_line
from lk_portal.components.icons import icon
from lk_portal.components.kit import card, empty, link, notice, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.accounts import ADD_BUTTON, DONE, REMOVE, RENAME, AccountsState

RowVar = rx.Var[dict[str, str]]


@portal_page(
    route="/accounts",
    title=_("Subscriber"),
    icon="bill",
    menu="main",
    order=20,
    on_load=(AccountsState.load,),
)
def accounts() -> rx.Component:
    """The list comes first; the form that adds to it opens above it."""
    return rx.el.div(
        rx.el.div(
            rx.el.h2(_("Personal accounts"), class_name="text-lg font-semibold grow"),
            _add_button(),
            class_name="flex flex-wrap items-center gap-2 mb-3",
        ),
        _answers(),
        rx.cond(AccountsState.is_adding, card(add_form(), class_name="mb-4")),
        rx.cond(AccountsState.is_loaded, _list(), skeleton("h-40 w-full")),
        rx.cond(AccountsState.dialog == RENAME, rename_dialog()),
        rx.cond(AccountsState.dialog == REMOVE, remove_dialog()),
    )


def _add_button() -> rx.Component:
    return rx.el.button(
        icon("plus"),
        _("Add a personal account"),
        id=ADD_BUTTON,
        type="button",
        on_click=AccountsState.open_form,
        class_name="btn btn-primary min-h-11 text-base",
        custom_attrs={"aria-expanded": rx.cond(AccountsState.is_adding, "true", "false")},
    )


def _answers() -> rx.Component:
    """What was done, or could not be; read out when it appears."""
    return rx.fragment(
        rx.cond(
            AccountsState.problem != "",
            rx.el.div(notice(AccountsState.problem, kind="error", icon_name="warning"), class_name="mb-4"),
        ),
        rx.el.div(
            rx.cond(
                AccountsState.done != "",
                rx.el.p(
                    icon("check", class_name="size-5 text-success"),
                    rx.el.span(AccountsState.done),
                    class_name="flex gap-2 items-center mb-3",
                ),
            ),
            rx.cond(AccountsState.claimed != "", _claim()),
            id=DONE,
            role="status",
            tab_index=-1,
        ),
    )


def _claim() -> rx.Component:
    return card(
        rx.el.h3(_("Your request was passed to the utility"), class_name="font-semibold"),
        rx.el.p(
            _("Account"),
            " ",
            rx.el.strong(AccountsState.claimed, class_name="break-all"),
            ". ",
            _(
                "This account already has an owner in the cabinet, so it cannot be opened to you "
                "automatically. The utility will look at your request and get in touch with you."
            ),
            class_name="mt-1",
        ),
        class_name="mb-4",
    )


def _list() -> rx.Component:
    return rx.cond(
        AccountsState.accounts.length() > 0,
        rx.el.ul(rx.foreach(AccountsState.accounts, _account), class_name="grid gap-4"),
        card(
            empty(
                _("There is no account in your cabinet"),
                _('Press "Add a personal account" and type number and address as they stand in your bill.'),
            )
        ),
    )


def _account(account: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.h3(
                link(
                    account["number"],
                    to=account["link"],
                    class_name="link link-primary min-h-11 inline-flex items-center break-all",
                ),
                rx.cond(account["note"] != "", rx.el.span(" — ", account["note"], class_name="break-words")),
                class_name="text-lg font-semibold",
            ),
            rx.el.p(account["address"]),
            rx.el.p(account["meters"], class_name="text-sm"),
            rx.cond(
                account["load"] != "",
                load_line(account["load_state"], account["load"]),
            ),
            class_name="grow min-w-0 grid gap-1",
        ),
        rx.el.div(
            _button(
                _("Rename"),
                "pencil",
                account["rename_label"],
                AccountsState.ask_rename(account["number"]),
            ),
            _button(
                _("Remove"), "trash", account["remove_label"], AccountsState.ask_remove(account["number"])
            ),
            class_name="flex flex-wrap gap-1 -ml-3 md:ml-0",
        ),
        key=account["number"],
        class_name=(
            "card bg-base-100 border border-base-300 p-4 md:p-5 "
            "flex flex-col md:flex-row md:items-center gap-3"
        ),
    )


def _button(text: str, icon_name: str, label: rx.Var[str], on_click: Any) -> rx.Component:
    return rx.el.button(
        icon(icon_name),
        rx.el.span(text),
        type="button",
        on_click=on_click,
        class_name="btn btn-ghost min-h-11 px-3",
        custom_attrs={"aria-label": label},
    )
