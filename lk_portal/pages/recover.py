"""/recover: a temporary password by letter, for who has forgotten the lasting one."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.captcha_field import captcha_field
from lk_portal.components.checked_field import checked_field
from lk_portal.components.kit import link, link_button, notice
from lk_portal.components.public_frame import public_frame
from lk_portal.components.send_button import send_button
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.captcha import Purpose
from lk_portal.state.form_once import ATTEMPT
from lk_portal.state.recover import RecoverState


@portal_page(
    route="/recover",
    title=_("Password recovery"),
    roles=frozenset(),
    on_load=(RecoverState.load,),
    has_shell=False,
)
def recover() -> rx.Component:
    """The form, and in its place the answer, which is the same for everybody."""
    return public_frame(
        rx.el.section(
            rx.el.h1(_("Password recovery"), class_name="text-2xl font-semibold mb-4"),
            rx.cond(RecoverState.is_done, _answer(), _form()),
            class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
        ),
        class_name="mx-auto max-w-xl",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.input(type="hidden", name=ATTEMPT, value=RecoverState.attempt, read_only=True),
        checked_field(
            "email",
            _("Email"),
            error=RecoverState.email_error,
            hint=_("The one given at registration. A temporary password will be sent there."),
            input_mode="email",
            auto_complete="email",
            auto_capitalize="none",
            required=True,
        ),
        captcha_field(Purpose.RECOVER, error=RecoverState.captcha_error),
        rx.cond(
            RecoverState.problem != "",
            rx.el.div(
                notice(RecoverState.problem, kind="error", icon_name="warning"), id="problem", tab_index=-1
            ),
        ),
        rx.el.div(
            send_button(_("Apply"), is_ready=RecoverState.attempt != "", is_sending=RecoverState.is_sending),
            link_button(_("Cancel"), to="/login", class_name="text-base"),
            class_name="flex flex-wrap gap-2",
        ),
        on_submit=RecoverState.submit,
        class_name="grid gap-4",
        custom_attrs={"noValidate": True, "aria-label": _("Password recovery")},
    )


def _answer() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            _(
                "If this e-mail address is known to the cabinet, a letter with a temporary password has been "
                "sent to it. Your old password goes on working until you use the temporary one."
            )
        ),
        rx.el.p(_("No letter after a few minutes? Look among the unwanted mail, and check the address.")),
        link(_("To signing in"), to="/login", class_name="btn btn-primary min-h-11 text-base"),
        rx.el.button(
            _("Fill in the form again"),
            type="button",
            on_click=RecoverState.begin_anew,
            class_name="btn btn-ghost min-h-11 text-base",
        ),
        id="done",
        tab_index=-1,
        role="status",
        class_name="grid gap-3",
    )
