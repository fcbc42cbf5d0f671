"""/register: an account of the registry becomes somebody's login."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.address_field import address_field
from lk_portal.components.captcha_field import captcha_field
from lk_portal.components.checked_field import checked_field, error_text
from lk_portal.components.kit import link, notice
from lk_portal.components.own_forms import linked
from lk_portal.components.public_frame import public_frame
from lk_portal.components.send_button import send_button
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.captcha import Purpose
from lk_portal.services.registration import Outcome
from lk_portal.state.form_once import ATTEMPT
from lk_portal.state.register import RegisterState


@portal_page(
    route="/register",
    title=_("Registration"),
    roles=frozenset(),
    on_load=(RegisterState.load,),
    has_shell=False,
)
def register() -> rx.Component:
    """The form, and in its place what became of it."""
    return public_frame(
        rx.el.section(
            rx.el.h1(_("Registration"), class_name="text-2xl font-semibold mb-4"),
            rx.cond(RegisterState.outcome == "", _form(), _outcome()),
            class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
        ),
        class_name="mx-auto max-w-xl",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.input(type="hidden", name=ATTEMPT, value=RegisterState.attempt, read_only=True),
        rx.el.p(_("The account number and the address are on your bill. * marks what must be filled in.")),
        _account_and_address(),
        checked_field(
            "full_name", _("Full name"), error=RegisterState.errors["full_name"], auto_complete="name"
        ),
        checked_field(
            "email",
            _("Email*"),
            error=RegisterState.errors["email"],
            hint=_("The temporary password will be sent there."),
            input_mode="email",
            auto_complete="email",
            auto_capitalize="none",
            required=True,
        ),
        checked_field(
            "phone",
            _("Phone*"),
            error=RegisterState.errors["phone"],
            type="tel",
            auto_complete="tel",
            required=True,
        ),
        _boxes(),
        captcha_field(Purpose.REGISTER, error=RegisterState.errors["captcha"]),
        _problem(),
        send_button(
            _("Register"),
            is_ready=RegisterState.is_agreement_ticked & RegisterState.is_consent_ticked,
            is_sending=RegisterState.is_sending,
        ),
        rx.el.p(
            _("Registered already?"),
            " ",
            link(_("Sign in"), to="/login", class_name="link min-h-11 inline-flex items-center"),
        ),
        on_submit=RegisterState.submit,
        class_name="grid gap-4",
        # The server checks and says it in the page's language, beside the field.
        custom_attrs={"noValidate": True, "aria-label": _("Registration")},
    )


def _account_and_address() -> rx.Component:
    """The two that must belong together; what is said of both stands below both."""
    return rx.el.div(
        checked_field(
            "account",
            _("Account number*"),
            error=RegisterState.errors["account"],
            also_described_by="match-error",
            is_invalid=_is_wrong("account"),
            auto_complete="off",
            required=True,
        ),
        rx.el.div(
            address_field(
                error=RegisterState.errors["address"],
                also_described_by="match-error",
                is_invalid=_is_wrong("address"),
            ),
            error_text(RegisterState.errors["match"], id="match-error"),
        ),
        class_name=rx.cond(
            RegisterState.errors["match"] != "", "grid gap-4 border-l-4 border-error pl-3", "grid gap-4"
        ),
    )


def _is_wrong(half: str) -> rx.Var[bool]:
    """One of the two, for itself or together with the other: it is not said which of them was wrong."""
    return (RegisterState.errors["match"] != "") | (RegisterState.errors[half] != "")  # type: ignore[return-value]


def _boxes() -> rx.Component:
    return rx.el.div(
        _box("agreement", _("I accept the terms of the [User Agreement]")),
        _box("consent", _("I give my [consent to the processing of personal data]")),
        error_text(RegisterState.errors["documents"], id="documents-error"),
        class_name="grid gap-1",
    )


def _box(name: str, sentence: str) -> rx.Component:
    """A tick whose label is the whole sentence; the bracketed words lead to the document, in a new tab."""
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                id=name,
                name=name,
                key=RegisterState.boxes,
                default_checked=False,
                on_change=RegisterState.tick(name),
                required=True,
                class_name="checkbox checkbox-primary mt-0.5 shrink-0",
                custom_attrs={
                    "aria-invalid": rx.cond(RegisterState.errors[name] != "", "true", "false"),
                    "aria-describedby": f"{name}-edition {name}-error documents-error",
                },
            ),
            rx.el.span(*linked(sentence, href=f"/info/{name}")),
            html_for=name,
            class_name="flex items-start gap-3 min-h-11 py-2 cursor-pointer",
        ),
        rx.el.p(RegisterState.editions[name], id=f"{name}-edition", class_name="text-sm ml-9 -mt-2"),
        error_text(RegisterState.errors[name], id=f"{name}-error"),
    )


def _problem() -> rx.Component:
    return rx.cond(
        RegisterState.problem != "",
        rx.el.div(
            notice(RegisterState.problem, kind="error", icon_name="warning"), id="problem", tab_index=-1
        ),
    )


def _outcome() -> rx.Component:
    return rx.el.div(
        rx.cond(RegisterState.outcome == Outcome.CLAIM_KEPT.value, _claim(), _letter()),
        link(_("To signing in"), to="/login", class_name="btn btn-primary min-h-11 text-base"),
        rx.el.button(
            _("Fill in the form again"),
            type="button",
            on_click=RegisterState.begin_anew,
            class_name="btn btn-ghost min-h-11 text-base",
        ),
        id="done",
        tab_index=-1,
        role="status",
        class_name="grid gap-3",
    )


def _letter() -> rx.Component:
    return rx.fragment(
        rx.el.h2(_("The letter is on its way"), class_name="text-lg font-semibold"),
        rx.el.p(
            _("We have sent a letter with a temporary password to the e-mail address you gave:"),
            " ",
            rx.el.strong(RegisterState.sent_to, class_name="break-all"),
        ),
        rx.el.p(RegisterState.how_long),
        rx.el.p(_("No letter after a few minutes? Look among the unwanted mail, and check the address.")),
    )


def _claim() -> rx.Component:
    return rx.fragment(
        rx.el.h2(_("Your request was passed to the utility"), class_name="text-lg font-semibold"),
        rx.el.p(
            _(
                "This account already has an owner in the cabinet, so it cannot be opened to you "
                "automatically. The utility will look at your request and get in touch with you."
            )
        ),
        rx.el.p(
            _("We have sent a letter about it to:"),
            " ",
            rx.el.strong(RegisterState.sent_to, class_name="break-all"),
        ),
    )
