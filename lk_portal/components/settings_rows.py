"""The rows of /settings with the person's own data: what it is now, a button, and the form behind it."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.checked_field import checked_field
from lk_portal.components.icons import icon
from lk_portal.components.kit import card
from lk_portal.components.own_forms import LONGEST, buttons, new_password_fields, password_field, submit
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.state.settings import EMAIL, NAME, PASSWORD, PHONE, WANTED_EMAIL, SettingsState

FORM = "grid gap-3 max-w-xl pb-2"


def own_data_rows() -> rx.Component:
    """Name, e-mail, phone, password."""
    return card(
        rx.el.h2(_("Your data"), class_name="text-lg font-semibold mb-1"),
        rx.el.div(
            _row(NAME, _("Full name"), SettingsState.name, _name_form()),
            _row(EMAIL, _("Email"), SettingsState.email, _email_form(), otherwise=_code_form()),
            _row(PHONE, _("Phone"), _phone(), _phone_form()),
            _row(PASSWORD, _("Password"), _dots(), _password_form()),
            class_name="divide-y divide-base-300",
        ),
    )


def done_text(part: str) -> rx.Component:
    """What was done in a part of the page, read out when it appears."""
    return rx.el.p(
        rx.cond(
            (SettingsState.done_at == part) & (SettingsState.done != ""),
            rx.el.span(
                icon("check", class_name="size-5 text-success"),
                SettingsState.done,
                class_name="flex gap-2 items-center py-2",
            ),
        ),
        role="status",
        id=f"{part}-done",
    )


def _row(
    row: str,
    label: str,
    value: rx.Var[str] | rx.Component,
    form: rx.Component,
    *,
    otherwise: rx.Component | None = None,
) -> rx.Component:
    is_open = SettingsState.editing == row
    return rx.el.div(
        rx.el.div(
            rx.el.div(
                rx.el.p(label, class_name="text-sm"),
                rx.el.p(value, id=f"{row}-value", class_name="font-medium break-words"),
                class_name="grow min-w-0",
            ),
            _edit_button(row, label, is_open),
            class_name="flex items-center gap-3 py-2",
        ),
        rx.cond(is_open, form, otherwise or rx.fragment()),
        done_text(row),
    )


def _phone() -> rx.Component:
    return rx.cond(SettingsState.phone != "", rx.el.span(SettingsState.phone), rx.el.span(_("not given")))


def _dots() -> rx.Component:
    return rx.el.span("•" * 8, custom_attrs={"aria-hidden": "true"})


def _edit_button(row: str, label: str, is_open: rx.Var[bool]) -> rx.Component:
    return rx.el.button(
        icon("pencil"),
        rx.el.span(_("Change"), class_name="hidden sm:inline"),
        id=f"edit-{row}",
        type="button",
        on_click=SettingsState.edit(row),
        class_name="btn btn-ghost min-h-11 min-w-11",
        custom_attrs={
            "aria-label": _("Change: {what}", what=label),
            "aria-expanded": rx.cond(is_open, "true", "false"),
        },
    )


def _cancel(row: str) -> rx.Component:
    return rx.el.button(
        _("Cancel"),
        type="button",
        on_click=SettingsState.close(row),
        class_name="btn btn-ghost min-h-11 text-base",
    )


def _name_form() -> rx.Component:
    return rx.el.form(
        checked_field(
            NAME,
            _("Full name"),
            error=SettingsState.errors[NAME],
            default_value=SettingsState.name,
            auto_complete="name",
            auto_focus=True,
            max_length=LONGEST,
        ),
        buttons(submit(_("Apply")), _cancel(NAME)),
        on_submit=SettingsState.save_name,
        class_name=FORM,
    )


def _phone_form() -> rx.Component:
    return rx.el.form(
        checked_field(
            PHONE,
            _("Phone"),
            error=SettingsState.errors[PHONE],
            hint=_("The number is a login too."),
            default_value=SettingsState.phone,
            type="tel",
            auto_complete="tel",
            auto_focus=True,
            max_length=LONGEST,
        ),
        buttons(submit(_("Apply")), _cancel(PHONE)),
        on_submit=SettingsState.save_phone,
        class_name=FORM,
    )


def _email_form() -> rx.Component:
    """A plain text field: browsers would say in their own language what is wrong with an address."""
    return rx.el.form(
        checked_field(
            WANTED_EMAIL,
            _("Email"),
            error=SettingsState.errors[WANTED_EMAIL],
            hint=_("A letter with a code will be sent to it. Until you type the code, nothing changes."),
            input_mode="email",
            auto_complete="email",
            auto_capitalize="none",
            auto_focus=True,
            max_length=LONGEST,
        ),
        buttons(submit(_("Apply")), _cancel(EMAIL)),
        on_submit=SettingsState.save_email,
        class_name=FORM,
    )


def _code_form() -> rx.Component:
    return rx.cond(
        SettingsState.new_email != "",
        rx.el.form(
            rx.el.p(
                _("A letter was sent to"),
                " ",
                rx.el.strong(SettingsState.new_email, class_name="break-words"),
                ". ",
                _("Type the code from it; it works until"),
                " ",
                SettingsState.new_email_until,
                ".",
                role="status",
            ),
            checked_field(
                "code",
                _("Code from the letter"),
                error=SettingsState.errors["code"],
                input_mode="numeric",
                auto_complete="one-time-code",
                auto_focus=True,
                max_length=LONGEST,
            ),
            buttons(
                submit(_("Apply")),
                rx.el.button(
                    _("Cancel"),
                    type="button",
                    on_click=SettingsState.cancel_email(SettingsState.new_email),
                    class_name="btn btn-ghost min-h-11 text-base",
                ),
            ),
            on_submit=SettingsState.confirm_email,
            class_name=FORM,
        ),
    )


def _password_form() -> rx.Component:
    """Sent by the browser itself: the answer brings the session's new cookie."""
    errors = SettingsState.errors
    return plain_form(
        # Password managers want to know whose password it is.
        rx.el.input(type="hidden", auto_complete="username", value=SettingsState.email, read_only=True),
        password_field("old", _("Old password"), error=errors["old"]),
        new_password_fields(error=errors[PASSWORD], repeat_error=errors["password2"]),
        rx.el.p(_("All your other sessions will be ended."), class_name="text-sm"),
        buttons(submit(_("Apply")), _cancel(PASSWORD)),
        method="post",
        action="/auth/password",
        class_name=FORM,
    )
