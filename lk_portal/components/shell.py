"""The frame around every signed-in page: name, menu, the person's own menu, problems, connection.

An item of the menu whose page counts what is new (`badge=` of `portal_page`) shows the number beside its
text, and the button of the folded menu the sum of them.
"""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors
from reflex_components_core.el.elements.inline import A as PlainLink
from reflex_components_core.react_router import link as router_link

from lk_portal.components.icons import icon
from lk_portal.components.kit import skeleton
from lk_portal.components.menu import MenuItem, MenuPart, menu_badge, menu_items, staff_column, staff_row
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.security.navigation import SETTINGS
from lk_portal.state.shell import ShellState


def shell(
    content: rx.Component,
    *,
    title: str | rx.Var[str],
    route: str,
    utility: str,
    main: tuple[MenuItem, ...],
    admin: list[MenuPart],
) -> rx.Component:
    """The page `content` inside the frame; until the person is known, a skeleton of the same size.

    `main` is the subscriber's menu and `admin` the staff's; one that nobody sees on this page is empty.
    """
    return rx.el.div(
        # `rx.el.a` is a router's link: it would lead to the page without what its address asks for.
        PlainLink.create(_("Skip to content"), href="#main", class_name="skip-link"),
        _viewing_banner(),
        _header(utility, route, main, admin),
        rx.el.main(
            rx.el.h1(title, class_name="text-2xl font-semibold mb-4"),
            problem_notice(),
            rx.cond(ShellState.role != "", content, page_skeleton()),
            id="main",
            class_name="mx-auto w-full max-w-6xl px-4 py-5 grow",
        ),
        class_name="min-h-screen flex flex-col bg-base-200",
    )


def _viewing_banner() -> rx.Component:
    """Whose cabinet staff look at, and the way out of it."""
    return rx.cond(
        ShellState.viewing != "",
        rx.el.section(
            rx.el.p(ShellState.viewing, class_name="grow font-semibold"),
            plain_form(
                rx.el.button(_("Finish"), type="submit", class_name="btn min-h-11 text-base"),
                method="post",
                action="/auth/view/end",
            ),
            class_name="bg-warning text-warning-content px-4 py-2 flex flex-wrap items-center gap-3 "
            "sticky top-0 z-40",
            custom_attrs={"aria-label": _("Through the subscriber's eyes")},
        ),
    )


def page_skeleton() -> rx.Component:
    """What is seen while the portal looks who is there."""
    return rx.el.div(
        skeleton("h-28 w-full mb-4"),
        skeleton("h-96 w-full"),
        rx.el.span(_("Loading"), class_name="sr-only", role="status"),
    )


def offline_banner() -> rx.Component:
    """Says that the connection is lost; it comes back by itself."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            _("No connection to the server. The page will go on by itself when it is back."),
            role="status",
            class_name="fixed bottom-0 inset-x-0 z-50 bg-warning text-warning-content p-3 text-center",
        ),
    )


def theme_switch() -> rx.Component:
    """A button that changes between light and dark; assets/theme.js does it and remembers."""
    return rx.el.button(
        icon("sun"),
        type="button",
        title=_("Light or dark"),
        class_name="btn btn-ghost btn-square min-h-11 min-w-11",
        custom_attrs={"aria-label": _("Light or dark"), "data-lk-theme": "toggle"},
    )


def brand(utility: str) -> rx.Component:
    """The utility's name; leads home."""
    return router_link(
        icon("bolt", class_name="size-6 text-primary"),
        rx.el.span(utility, class_name="font-semibold text-lg truncate"),
        to="/",
        class_name="flex items-center gap-2 min-h-11 min-w-0",
    )


def _header(utility: str, route: str, main: tuple[MenuItem, ...], admin: list[MenuPart]) -> rx.Component:
    return rx.el.header(
        rx.el.div(
            rx.el.div(brand(utility), class_name="grow min-w-0"),
            theme_switch(),
            rx.cond(ShellState.role != "", _own_menu()),
            *_folded_menus(route, main, admin),
            class_name="mx-auto w-full max-w-6xl px-4 flex items-center gap-2 min-h-14",
        ),
        rx.el.nav(
            *([rx.cond(ShellState.is_subscriber, menu_items(main, route, "flex flex-wrap"))] if main else []),
            *([rx.cond(ShellState.is_staff, staff_row(admin, route))] if admin else []),
            custom_attrs={"aria-label": _("Main menu")},
            class_name="mx-auto w-full max-w-6xl px-1 min-h-11 hidden "
            + ("md:block" if main else "lg:block"),
        ),
        class_name="bg-base-100 border-b border-base-300",
    )


def _folded_menus(route: str, main: tuple[MenuItem, ...], admin: list[MenuPart]) -> list[rx.Component]:
    """The menus behind a button, where there is no room for a line of theirs."""
    folded = []
    if main:
        items = menu_items(main, route, "flex flex-col")
        folded.append(rx.cond(ShellState.is_subscriber, _folded_menu(items, route, "md:hidden")))
    if admin:
        groups = staff_column(admin, route)
        folded.append(rx.cond(ShellState.is_staff, _folded_menu(groups, route, "lg:hidden")))
    return folded


def _folded_menu(items: rx.Component, route: str, class_name: str) -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            icon("menu"),
            menu_badge(ShellState.all_news, "absolute -top-1 -right-2"),
            class_name="btn btn-ghost btn-square min-h-11 min-w-11 list-none relative",
            custom_attrs={
                "aria-label": rx.cond(
                    ShellState.all_news != "",
                    _("{section}, new: {count}", section=_("Menu"), count=ShellState.all_news),
                    _("Menu"),
                )
            },
        ),
        rx.el.div(items, class_name="pop-up left-0 right-0"),
        class_name=class_name,
        # A new page gets a new, closed menu.
        key=f"menu-{route}",
    )


def _own_menu() -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            icon("user"),
            rx.el.span(ShellState.name, class_name="hidden sm:inline max-w-64 truncate"),
            class_name="btn btn-ghost min-h-11 list-none",
            # What is read out contains what is seen, so that the menu can be opened by voice.
            custom_attrs={"aria-label": ShellState.name + ". " + _("Your menu")},
        ),
        rx.el.div(
            rx.el.p(ShellState.name, class_name="px-3 py-2 font-semibold sm:hidden"),
            router_link(
                icon("gear"),
                _("Settings"),
                to=SETTINGS,
                class_name="btn btn-ghost min-h-11 w-full justify-start",
            ),
            plain_form(
                rx.el.button(
                    icon("exit"),
                    _("Sign out"),
                    type="submit",
                    class_name="btn btn-ghost min-h-11 w-full justify-start",
                ),
                method="post",
                action="/auth/logout",
            ),
            class_name="pop-up right-0 w-56",
        ),
        class_name="relative",
    )


def problem_notice() -> rx.Component:
    """What went wrong with an event of this page, with its number; can be put away."""
    return rx.cond(
        ShellState.problem != "",
        rx.el.div(
            icon("warning"),
            rx.el.span(ShellState.problem, class_name="grow"),
            rx.el.button(
                icon("close"),
                type="button",
                on_click=ShellState.dismiss_problem,
                class_name="btn btn-ghost btn-square",
                custom_attrs={"aria-label": _("Close")},
            ),
            role="alert",
            class_name="alert alert-error alert-soft text-base-content mb-4",
        ),
    )
