"""/second-factor and /new-second-factor: after the password of staff, before anything else."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.own_forms import submit
from lk_portal.components.plain_form import plain_form
from lk_portal.components.public_frame import public_frame
from lk_portal.components.second_factor import code_field, enrolment
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.second_factor import EnrolState, SecondFactorState


@portal_page(
    route="/second-factor",
    title=_("Second factor"),
    roles=frozenset(),
    on_load=(SecondFactorState.load,),
    has_shell=False,
)
def second_factor() -> rx.Component:
    """One field; sent by the browser itself."""
    return _framed(
        _("Second factor"),
        plain_form(
            code_field(
                "code",
                _("Code from the application"),
                error=SecondFactorState.error,
                hint=_("Or one of your recovery codes. If you have neither, ask an administrator."),
            ),
            rx.el.input(type="hidden", name="next", value=SecondFactorState.next_path, read_only=True),
            submit(_("Sign in")),
            method="post",
            action="/auth/second-factor",
            class_name="grid gap-4",
        ),
    )


@portal_page(
    route="/new-second-factor",
    title=_("Set up the second factor"),
    roles=frozenset(),
    on_load=(EnrolState.load,),
    has_shell=False,
)
def new_second_factor() -> rx.Component:
    """The key, the recovery codes and the first code."""
    return _framed(
        _("Set up the second factor"),
        rx.el.p(
            _("Administrators sign in with a code from their telephone as well. Set it up to go on."),
            class_name="mb-4",
        ),
        rx.cond(
            EnrolState.is_loaded,
            enrolment(EnrolState, action="/auth/second-factor/enrol", next_path=EnrolState.next_path),
        ),
    )


def _framed(heading: str, *parts: rx.Component) -> rx.Component:
    return public_frame(
        rx.el.section(
            rx.el.h1(heading, class_name="text-2xl font-semibold mb-2"),
            *parts,
            plain_form(
                rx.el.button(_("Sign out"), type="submit", class_name="btn btn-ghost min-h-11 mt-3"),
                method="post",
                action="/auth/logout",
            ),
            class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
        ),
        class_name="mx-auto max-w-xl",
    )
