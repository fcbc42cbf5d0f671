"""/admin/second-factor: a member of staff turns the own second factor on and off, and gets new codes."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, notice
from lk_portal.components.own_forms import submit
from lk_portal.components.plain_form import plain_form
from lk_portal.components.second_factor import code_field, enrolment, recovery_codes
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.second_factor import OwnSecondFactorState as Own


@portal_page(
    route="/admin/second-factor",
    title=_("Second factor"),
    roles={Role.OPERATOR, Role.ADMIN},
    on_load=(Own.load,),
)
def own_second_factor() -> rx.Component:
    """On or off, and what can be done about it."""
    return rx.cond(
        Own.is_loaded,
        rx.el.div(rx.cond(Own.is_on, _on(), _off()), class_name="grid gap-4 max-w-3xl"),
    )


def _off() -> rx.Component:
    return card(
        rx.el.p(_("With a second factor your password alone opens nothing: a code is asked for too.")),
        rx.cond(
            Own.key != "",
            enrolment(Own, action="/auth/second-factor/on"),
            rx.el.button(
                _("Set up the second factor"),
                type="button",
                on_click=Own.set_up,
                class_name="btn btn-primary min-h-11 text-base self-start",
            ),
        ),
        class_name="gap-4",
    )


def _on() -> rx.Component:
    return rx.fragment(
        notice(_("The second factor is on. Recovery codes left: {count}", count=Own.codes_left.to(str))),
        card(
            rx.el.h2(_("Recovery codes"), class_name="text-lg font-semibold"),
            rx.cond(
                Own.codes.length() > 0,
                rx.el.div(
                    rx.el.p(_("Keep these recovery codes where nobody else sees them. Each works once.")),
                    recovery_codes(Own.codes),
                ),
            ),
            rx.el.form(
                code_field("renew-code", _("Code for new recovery codes"), error=Own.renew_error),
                submit(_("Make new recovery codes"), class_name="btn-outline"),
                on_submit=Own.renew,
                reset_on_submit=False,
                class_name="grid gap-3 justify-items-start",
            ),
            class_name="gap-3",
        ),
        rx.cond(
            ~Own.is_required,
            card(
                rx.el.h2(_("Turn the second factor off"), class_name="text-lg font-semibold"),
                plain_form(
                    code_field("code", _("Code from the application"), error=Own.off_error),
                    submit(_("Turn off"), class_name="btn-outline"),
                    method="post",
                    action="/auth/second-factor/off",
                    class_name="grid gap-3 justify-items-start",
                ),
                class_name="gap-3",
            ),
        ),
    )
