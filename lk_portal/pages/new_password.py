"""/new-password: after signing in with the password from a letter, before anything else."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.own_forms import new_password_fields, submit
from lk_portal.components.plain_form import plain_form
from lk_portal.components.public_frame import public_frame
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.new_password import NewPasswordState


@portal_page(
    route="/new-password",
    title=_("New password"),
    roles=frozenset(),
    on_load=(NewPasswordState.load,),
    has_shell=False,
)
def new_password() -> rx.Component:
    """The two fields; sent by the browser itself, for the answer brings the session's new cookie."""
    return public_frame(
        rx.el.section(
            rx.el.h1(_("New password"), class_name="text-2xl font-semibold mb-2"),
            rx.el.p(
                _(
                    "The password from the letter worked this once. Choose one of your own to go on; "
                    "you will sign in with it from now on."
                ),
                class_name="mb-4",
            ),
            plain_form(
                new_password_fields(error=NewPasswordState.error, repeat_error=NewPasswordState.repeat_error),
                rx.el.input(type="hidden", name="next", value=NewPasswordState.next_path, read_only=True),
                submit(_("Apply")),
                method="post",
                action="/auth/new-password",
                class_name="grid gap-4",
            ),
            plain_form(
                rx.el.button(_("Sign out"), type="submit", class_name="btn btn-ghost min-h-11 mt-3"),
                method="post",
                action="/auth/logout",
            ),
            class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
        ),
        class_name="mx-auto max-w-xl",
    )
