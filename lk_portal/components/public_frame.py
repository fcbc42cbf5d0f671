"""The frame around pages that need no menu: those of visitors, and those where a duty is done first."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.preferences_form import language_switch
from lk_portal.components.shell import brand, problem_notice, theme_switch
from lk_portal.i18n import _
from lk_portal.settings import load_settings

WIDTH = "mx-auto w-full max-w-5xl px-4"


def public_frame(*children: rx.Component, class_name: str = "") -> rx.Component:
    """The utility's name, language and look above `children`; the page brings its own <h1>.

    `class_name` lays the children out.
    """
    return rx.el.div(
        # `rx.el.a` is a router's link: it would lead to the page without what its address asks for.
        PlainLink.create(_("Skip to content"), href="#main", class_name="skip-link"),
        rx.el.header(
            rx.el.div(
                brand(load_settings().utility_name),
                rx.el.span(class_name="grow"),
                language_switch(),
                theme_switch(),
                class_name=f"{WIDTH} flex items-center min-h-14",
            ),
            class_name="bg-base-100 border-b border-base-300",
        ),
        rx.el.main(
            problem_notice(),
            rx.el.div(*children, class_name=class_name),
            id="main",
            class_name=f"{WIDTH} py-6 grow",
        ),
        class_name="min-h-screen flex flex-col bg-base-200",
    )
