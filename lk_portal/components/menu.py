"""The items of the menus: the subscriber's in a row, the staff's in groups that unfold.

Both are drawn twice, for a desk and for a telephone; the style sheet shows one. What lies over the page is a
`.pop-up`: assets/theme.js closes it by Escape, by a press elsewhere, and when the keyboard leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.icons import icon
from lk_portal.i18n import _
from lk_portal.security.navigation import ADMIN, HOME
from lk_portal.state.sections import section_of
from lk_portal.state.shell import ShellState


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page in a menu: its address, its name, its icon, and whether operators may not go there."""

    route: str
    title: str
    icon: str = ""
    is_for_admins: bool = False


@dataclass(frozen=True, slots=True)
class MenuPart:
    """A group of the staff's menu that has pages."""

    title: str
    items: tuple[MenuItem, ...]

    @property
    def is_for_admins(self) -> bool:
        """Whether an operator has nothing in it."""
        return all(item.is_for_admins for item in self.items)


def menu_items(items: tuple[MenuItem, ...], route: str, class_name: str) -> rx.Component:
    """The items as a list; those that only admins may go to are not there for an operator."""
    return rx.el.ul(
        *(_for_whom(item, rx.el.li(_item(item, route))) for item in items),
        class_name=f"menu-list {class_name}",
    )


def staff_row(parts: list[MenuPart], route: str) -> rx.Component:
    """The staff's menu on a desk: one line, whose groups unfold over the page."""
    return rx.el.ul(
        *(_for_whom(part, rx.el.li(_fold(part, route), class_name="relative")) for part in parts),
        class_name="menu-list hidden lg:flex",
    )


def staff_column(parts: list[MenuPart], route: str) -> rx.Component:
    """The staff's menu on a telephone: the groups one under another, the one of this page unfolded."""
    return rx.el.ul(
        *(_for_whom(part, rx.el.li(_unfold(part, route))) for part in parts),
        class_name="menu-list flex flex-col",
    )


def menu_badge(number: rx.Var[str], class_name: str = "") -> rx.Component:
    """How much is new. The style sheet writes the number: the name of what it belongs to says it in words."""
    return rx.cond(
        number,
        rx.el.span(class_name=f"menu-badge {class_name}", custom_attrs={"data-number": number}),
    )


def _for_whom(what: MenuItem | MenuPart, drawn: rx.Component) -> rx.Component:
    return rx.cond(ShellState.is_admin, drawn) if what.is_for_admins else drawn


def _fold(part: MenuPart, route: str) -> rx.Component:
    if len(part.items) == 1:
        return _item(part.items[0], route)
    return rx.el.details(
        _summary(part, route),
        rx.el.div(menu_items(part.items, route, "flex flex-col"), class_name="pop-up left-0 w-72"),
        # A new page gets a new, closed menu.
        key=f"{part.title}-{route}",
    )


def _unfold(part: MenuPart, route: str) -> rx.Component:
    if len(part.items) == 1:
        return _item(part.items[0], route)
    return rx.el.details(
        _summary(part, route),
        menu_items(part.items, route, "flex flex-col pl-4"),
        open=_has(part, route),
        key=f"{part.title}-{route}",
    )


def _summary(part: MenuPart, route: str) -> rx.Component:
    is_here = _has(part, route)
    return rx.el.summary(
        rx.el.span(part.title, class_name="grow"),
        icon("unfold", class_name="size-4 menu-sign"),
        class_name="menu-link list-none cursor-pointer" + (" menu-link-here" if is_here else ""),
        custom_attrs={"aria-current": "true"} if is_here else {},
    )


def _item(item: MenuItem, route: str) -> rx.Component:
    section = section_of(item.route)
    # Until the frame is filled it knows no badges of packages: such a one is nothing, not "".
    new = ShellState.news[section] if section else None
    attributes: dict[str, str | rx.Var[str]] = {"aria-current": "page"} if item.route == route else {}
    if new is not None:
        attributes["aria-label"] = rx.cond(
            new, _("{section}, new: {count}", section=item.title, count=new), item.title
        )
    return router_link(
        *([icon(item.icon)] if item.icon else []),
        rx.el.span(item.title),
        *([menu_badge(new)] if new is not None else []),
        to=item.route,
        class_name="menu-link" + (" menu-link-here" if _is_within(route, item.route) else ""),
        custom_attrs=attributes,
    )


def _has(part: MenuPart, route: str) -> bool:
    return any(_is_within(route, item.route) for item in part.items)


def _is_within(route: str, to: str) -> bool:
    """Whether the page at `route` is the item's own or one below it."""
    return route == to or (route.startswith(f"{to.rstrip('/')}/") and to not in (HOME, ADMIN))
