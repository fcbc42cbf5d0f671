"""How a page joins the portal: one decorator, from which route, menu, guard and title follow.

    @portal_page(route="/tips", title=_("Saving tips"), menu="main")
    def tips() -> rx.Component: ...

The staff's menu has groups (`menu="admin", group=MenuGroup.POLLING`); who names none is in the last one.
With `badge=Section.EVENTS`, or a `Badge` that counts something of its own, its item in the main menu says how
much is new behind it, until it is opened.

The composition root adds every page that was registered; the shell draws the menu from the same list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from lk_portal.components.menu import MenuItem, MenuPart
from lk_portal.errors import ConfigurationError
from lk_portal.i18n import _
from lk_portal.services.access import Role
from lk_portal.services.badges import Badge, declare
from lk_portal.services.menu_groups import GROUP_TITLES, MenuGroup
from lk_portal.services.seen import Section
from lk_portal.state.sections import lead_to

Menu = Literal["main", "admin", ""]
Layout = Callable[[], rx.Component]


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A registered page.

    Attributes:
        route: Address, e.g. /readings or /meters/[meter].
        title: Heading, browser title and menu text, in the reader's language.
        tab: What the browser's tab says instead as soon as it is not "", of a page with a parameter.
        icon: Name of an icon of `components.icons`, for the menu.
        menu: The menu it stands in; "" for none.
        group: Of the staff's menu.
        roles: Who may see it; empty: everybody, visitors too.
        order: Place in the menu, small first.
        on_load: Event handlers fired after the shell's own when the page opens.
        layout: Gives the page's content.
        has_shell: Whether the menu is drawn around it.
        badge: What its item in the menu counts; None: nothing.
        under: Route of the menu's item it belongs to, where its own route does not begin with that.
    """

    route: str
    title: str
    layout: Layout
    icon: str = ""
    menu: Menu = ""
    group: MenuGroup = MenuGroup.MORE
    roles: frozenset[Role] = frozenset()
    order: int = 100
    on_load: tuple[Any, ...] = ()
    has_shell: bool = True
    badge: Section | Badge | None = None
    under: str = ""
    tab: rx.Var[str] | None = None


_pages: dict[str, PageSpec] = {}


def portal_page(
    *,
    route: str,
    title: str,
    icon: str = "",
    menu: Menu = "",
    group: MenuGroup = MenuGroup.MORE,
    roles: set[Role] | frozenset[Role] = frozenset({Role.SUBSCRIBER}),
    order: int = 100,
    on_load: tuple[Any, ...] = (),
    has_shell: bool = True,
    badge: Section | Badge | None = None,
    under: str = "",
    tab: rx.Var[str] | None = None,
) -> Callable[[Layout], Layout]:
    """Register the decorated layout function as a page.

    Raises:
        ConfigurationError: The route is taken, is no path, a menu page has a parameter in its route, or the
            group is none of the staff's menu. The badge is wrong, or not in the main menu: only subscribers
            have badges.
    """

    def register(layout: Layout) -> Layout:
        if not route.startswith("/"):
            raise ConfigurationError(detail=f"page {layout.__name__}: route {route!r} must begin with /")
        if route in _pages:
            raise ConfigurationError(detail=f"page {layout.__name__}: route {route!r} is taken")
        if menu and "[" in route:
            raise ConfigurationError(detail=f"page {layout.__name__}: a menu cannot lead to {route!r}")
        if badge is not None and menu != "main":
            raise ConfigurationError(detail=f"page {layout.__name__}: only the main menu has badges")
        if group not in tuple(MenuGroup):
            raise ConfigurationError(detail=f"page {layout.__name__}: {group!r} is no group of the menu")
        if group is not MenuGroup.MORE and menu != "admin":
            raise ConfigurationError(detail=f'page {layout.__name__}: groups are of the menu "admin"')
        _pages[route] = PageSpec(
            route=route,
            title=title,
            layout=layout,
            icon=icon,
            menu=menu,
            group=group,
            roles=frozenset(roles),
            order=order,
            on_load=on_load,
            has_shell=has_shell,
            badge=badge,
            under=under,
            tab=tab,
        )
        if badge is not None:
            _lead_to_badge(route, badge)
        return layout

    return register


def _lead_to_badge(route: str, badge: Section | Badge) -> None:
    if isinstance(badge, Badge):
        declare(badge)
    lead_to(route, badge.name if isinstance(badge, Badge) else badge.value)


def all_pages() -> list[PageSpec]:
    """Every registered page, by menu order and route."""
    return sorted(_pages.values(), key=lambda page: (page.order, page.route))


def is_page(route: str) -> bool:
    """Whether there is a page at this route."""
    return route in _pages


def menu_pages(menu: Menu) -> list[PageSpec]:
    """The pages of one menu, in order."""
    return [page for page in all_pages() if page.menu == menu]


def main_menu(roles: frozenset[Role]) -> tuple[MenuItem, ...]:
    """The subscriber's menu, for a page of these roles; empty where no subscriber comes."""
    return tuple(map(_item, menu_pages("main"))) if _is_for(roles, Role.SUBSCRIBER) else ()


def staff_menu(roles: frozenset[Role]) -> list[MenuPart]:
    """The staff's menu in its groups, for a page of these roles; empty where no staff comes."""
    pages = menu_pages("admin") if _is_for(roles, Role.OPERATOR, Role.ADMIN) else []
    groups = [(group, tuple(_item(one) for one in pages if one.group is group)) for group in MenuGroup]
    return [MenuPart(_(GROUP_TITLES[group]), items) for group, items in groups if items]


def _is_for(roles: frozenset[Role], *people: Role) -> bool:
    """Whether any of these people may see a page of these roles; one without any is everybody's."""
    return not roles or not roles.isdisjoint(people)


def _item(page: PageSpec) -> MenuItem:
    return MenuItem(page.route, page.title, page.icon, is_for_admins=page.roles == {Role.ADMIN})
