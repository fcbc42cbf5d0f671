"""/login: a plain form that works before scripts load, beside the utility's welcome."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.icons import icon
from lk_portal.components.kit import field, link, notice, text_input
from lk_portal.components.plain_form import plain_form
from lk_portal.components.public_frame import public_frame
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.state.login import LoginState

WELCOME_TITLE = "text-xl font-semibold mb-2"


@portal_page(
    route="/login",
    title=_("Sign in to your cabinet"),
    roles=frozenset(),
    on_load=(LoginState.load,),
    has_shell=False,
)
def login() -> rx.Component:
    """The form on the left, the welcome on the right; one under the other on a telephone."""
    return public_frame(_form(), _welcome(), class_name="grid gap-6 md:grid-cols-2 items-start")


def _form() -> rx.Component:
    return rx.el.section(
        rx.el.h1(_("Sign in to your cabinet"), class_name="text-2xl font-semibold mb-4"),
        rx.cond(
            LoginState.message != "",
            rx.el.div(
                notice(LoginState.message, kind="error", icon_name="warning"),
                class_name="mb-4",
                id="login-error",
            ),
        ),
        rx.cond(LoginState.notice != "", rx.el.div(notice(LoginState.notice), class_name="mb-4")),
        plain_form(
            field(
                _("Login"),
                text_input(
                    "login",
                    key=LoginState.login,
                    default_value=LoginState.login,
                    auto_complete="username",
                    required=True,
                    max_length=254,
                    custom_attrs={"aria-describedby": "login-hint", "autocapitalize": "none"},
                ),
                for_id="login",
            ),
            rx.el.p(_("Phone number or e-mail"), id="login-hint", class_name="text-sm -mt-2"),
            field(
                _("Password"),
                text_input(
                    "password",
                    type="password",
                    auto_complete="current-password",
                    required=True,
                    max_length=1024,
                ),
                for_id="password",
            ),
            rx.el.input(type="hidden", name="next", value=LoginState.next_path, read_only=True),
            rx.el.button(_("Sign in"), type="submit", class_name="btn btn-primary min-h-11 w-full text-base"),
            method="post",
            action="/auth/login",
            class_name="grid gap-4",
        ),
        rx.el.nav(
            _way(_("Forgot the password?"), to="/recover"),
            _way(_("Registration"), to="/register"),
            _way(_("Information"), to="/info"),
            class_name="mt-3 flex flex-wrap gap-x-5",
            custom_attrs={"aria-label": _("Help with signing in")},
        ),
        rx.el.details(
            rx.el.summary(_("Cannot sign in?"), class_name="link min-h-11 flex items-center cursor-pointer"),
            rx.el.p(
                _(
                    "Check the keyboard layout and Caps Lock. The login is the phone number or the e-mail "
                    "given at registration. If it still does not work, ask your utility for help."
                ),
                class_name="mt-1",
            ),
        ),
        class_name="card bg-base-100 border border-base-300 p-5 md:p-6",
    )


def _way(text: str, *, to: str) -> rx.Component:
    return link(text, to=to, class_name="link min-h-11 inline-flex items-center")


def _welcome() -> rx.Component:
    """The utility's own block; ours until it has been read, and where the utility wrote none."""
    return rx.el.section(
        rx.cond(
            LoginState.welcome != "",
            rx.el.div(
                rx.el.h2(LoginState.welcome_title, class_name=WELCOME_TITLE),
                rx.html(LoginState.welcome, class_name="written"),
                custom_attrs={"lang": LoginState.welcome_language},
            ),
            _built_in_welcome(),
        ),
        class_name="p-1 md:p-6",
    )


def _built_in_welcome() -> rx.Component:
    offers = (
        _("information on your personal account"),
        _("readings of your meters"),
        _("analysis of your electricity consumption"),
        _("diagnostics and load state of your meters"),
        _("information on verification and replacement of meters"),
        _("support"),
    )
    return rx.el.div(
        rx.el.h2(_("Dear subscribers!"), class_name=WELCOME_TITLE),
        rx.el.p(_("Welcome to the personal cabinet for private persons. Here you will find:")),
        rx.el.ul(
            *(
                rx.el.li(icon("right", class_name="size-4 mt-1 text-primary"), offer, class_name="flex gap-2")
                for offer in offers
            ),
            class_name="my-3 grid gap-1",
        ),
        rx.el.p(_("Sign in to use the cabinet.")),
    )
