"""The form and the dialogs of /accounts: adding an account, its note, and taking it out of the cabinet."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.address_field import address_field
from lk_portal.components.checked_field import checked_field, error_text
from lk_portal.components.dialog import cancel_button, dialog
from lk_portal.components.own_forms import LONGEST, buttons, submit
from lk_portal.components.send_button import send_button
from lk_portal.i18n import _
from lk_portal.services.account_changes import MAX_OWN_NAME
from lk_portal.state.accounts import ACCOUNT, ADDRESS, MATCH, NOTE, AccountsState

READY = rx.Var.create(True)


def add_form() -> rx.Component:
    """Number and address, as at registration; what is said of both stands below both."""
    errors = AccountsState.errors
    return rx.el.form(
        rx.el.p(_("The account number and the address are on your bill. * marks what must be filled in.")),
        rx.el.div(
            checked_field(
                ACCOUNT,
                _("Account number*"),
                error=errors[ACCOUNT],
                also_described_by=f"{MATCH}-error",
                is_invalid=_is_wrong(ACCOUNT),
                auto_complete="off",
                auto_focus=True,
                required=True,
            ),
            rx.el.div(
                address_field(
                    error=errors[ADDRESS],
                    also_described_by=f"{MATCH}-error",
                    is_invalid=_is_wrong(ADDRESS),
                ),
                error_text(errors[MATCH], id=f"{MATCH}-error"),
            ),
            class_name=rx.cond(errors[MATCH] != "", "grid gap-4 border-l-4 border-error pl-3", "grid gap-4"),
        ),
        buttons(
            send_button(_("Add"), is_ready=READY, is_sending=AccountsState.is_sending),
            rx.el.button(
                _("Cancel"),
                type="button",
                on_click=AccountsState.close_form,
                class_name="btn btn-ghost min-h-11 text-base",
            ),
        ),
        on_submit=AccountsState.add,
        reset_on_submit=False,
        class_name="grid gap-4 max-w-xl",
        # The server checks and says it in the page's language, beside the field.
        custom_attrs={"noValidate": True, "aria-label": _("Add a personal account")},
    )


def _is_wrong(half: str) -> rx.Var[bool]:
    errors = AccountsState.errors
    return (errors[MATCH] != "") | (errors[half] != "")  # type: ignore[return-value]


def rename_dialog() -> rx.Component:
    """The note of one account."""
    return dialog(
        _("Note to the account"),
        rx.el.form(
            rx.el.p(AccountsState.number, class_name="break-all"),
            checked_field(
                NOTE,
                _("Note"),
                error=AccountsState.errors[NOTE],
                hint=_("Up to {most} characters; an empty field takes the note away.", most=MAX_OWN_NAME),
                default_value=AccountsState.note,
                auto_complete="off",
                max_length=LONGEST,
            ),
            buttons(submit(_("Apply")), cancel_button(AccountsState.close_dialog)),
            on_submit=AccountsState.rename,
            reset_on_submit=False,
            class_name="grid gap-3",
        ),
        name="rename-account",
    )


def remove_dialog() -> rx.Component:
    """Asks first; the quiet answer comes first too."""
    return dialog(
        _("Remove the account from the cabinet?"),
        rx.el.p(
            _("Account"),
            " ",
            rx.el.strong(AccountsState.number, class_name="break-all"),
            ". ",
            _(
                "The account and its meters, readings and events will not be shown to you any more. The "
                "contract with the utility goes on. You can add the account again by its number and address."
            ),
            class_name="mb-4",
        ),
        buttons(
            cancel_button(AccountsState.close_dialog),
            rx.el.button(
                _("Remove"),
                type="button",
                on_click=AccountsState.remove(AccountsState.number),
                class_name="btn btn-outline border-error min-h-11 text-base",
            ),
        ),
        name="remove-account",
    )
