"""/admin/info: the utility's pages, news and blocks with their drafts. Operators read it, admins write."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router import link as router_link

from lk_portal.components.kit import card, empty, link, link_button, skeleton
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import ADMIN_INFO
from lk_portal.services.info_editing import InfoKind, Out
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.guard import STAFF
from lk_portal.state.info_admin import InfoAdminState

RowVar = rx.Var[dict[str, str]]
BADGE = "badge badge-soft text-base-content h-auto py-1"


@portal_page(
    route=ADMIN_INFO,
    title=_("Pages"),
    icon="book",
    menu="admin",
    group=MenuGroup.SITE,
    order=30,
    roles=frozenset(STAFF),
    on_load=(InfoAdminState.load,),
)
def info_admin() -> rx.Component:
    """The kinds, a new one, and what there is of the chosen kind."""
    return rx.cond(
        InfoAdminState.is_loaded,
        rx.el.div(
            rx.el.div(
                rx.cond(InfoAdminState.may_write, _new()),
                rx.el.nav(
                    _tab(_("Pages"), InfoKind.PAGE),
                    _tab(_("News"), InfoKind.NEWS),
                    _tab(_("Blocks of pages"), InfoKind.BLOCK),
                    class_name="flex flex-wrap gap-1",
                    custom_attrs={"aria-label": _("Kinds of texts")},
                ),
                class_name="flex flex-wrap items-center justify-between gap-3 mb-4",
            ),
            rx.cond(
                InfoAdminState.rows.length() + InfoAdminState.unwritten.length() > 0,
                rx.el.ul(
                    rx.foreach(InfoAdminState.rows, _row),
                    rx.foreach(InfoAdminState.unwritten, _unwritten),
                    class_name="grid gap-3",
                ),
                card(
                    empty(
                        _("There are no texts yet"), _("A new one is seen by nobody until it is published.")
                    )
                ),
            ),
            _turning(),
        ),
        rx.el.div(skeleton("h-11 w-64 mb-4"), skeleton("h-24 w-full mb-3"), skeleton("h-24 w-full")),
    )


def _new() -> rx.Component:
    return link(
        _("New text"),
        to=f"{ADMIN_INFO}/new?kind=" + InfoAdminState.kind,
        class_name="btn btn-primary min-h-11 text-base order-first sm:order-last",
    )


def _tab(text: str, kind: InfoKind) -> rx.Component:
    is_here = InfoAdminState.kind == kind.value
    return router_link(
        text,
        to=f"{ADMIN_INFO}?kind={kind.value}",
        class_name=rx.cond(is_here, "menu-link menu-link-here", "menu-link"),
        custom_attrs={"aria-current": rx.cond(is_here, "page", "false")},
    )


def _row(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.cond(
                InfoAdminState.may_write,
                link(
                    row["title"],
                    to=row["link"],
                    class_name="link font-semibold min-h-11 inline-flex items-center break-words min-w-0",
                ),
                rx.el.p(row["title"], class_name="font-semibold break-words min-w-0"),
            ),
            rx.el.span(
                row["state"],
                class_name=_badge_class(row["out"]),
            ),
            class_name="flex flex-wrap items-center justify-between gap-x-3 gap-y-1",
            custom_attrs={"lang": row["locale"]},
        ),
        rx.el.p(
            row["language"],
            " · ",
            rx.el.code(row["slug"], class_name="break-all"),
            " · ",
            _("order"),
            " ",
            row["position"],
            " · ",
            _("seen by"),
            ": ",
            row["audience"],
            class_name="text-sm",
        ),
        rx.el.p(_("Changed"), " ", row["changed"], class_name="text-sm"),
        key=row["link"],
        class_name="card bg-base-100 border border-base-300 p-4",
    )


def _badge_class(out: rx.Var[str]) -> rx.Var[str]:
    of_others = rx.cond(out == Out.SCHEDULED.value, f"{BADGE} badge-info", f"{BADGE} badge-neutral")
    return rx.cond(out == Out.PUBLISHED.value, f"{BADGE} badge-success", of_others)


def _unwritten(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.p(row["title"], class_name="font-semibold"),
        rx.el.p(_("The portal's own words are shown until you write this block."), class_name="text-sm"),
        rx.cond(
            InfoAdminState.may_write,
            link(_("Write it"), to=row["link"], class_name="btn min-h-11 text-base mt-2 self-start"),
        ),
        key=row["link"],
        class_name="card bg-base-100 border border-base-300 p-4 justify-items-start",
    )


def _turning() -> rx.Component:
    return rx.el.div(
        rx.cond(
            InfoAdminState.back != "",
            link_button(_("Earlier in the list"), to=InfoAdminState.back, icon_name="left"),
        ),
        rx.cond(
            InfoAdminState.further != "",
            link_button(_("Further in the list"), to=InfoAdminState.further, icon_name="right"),
        ),
        class_name="flex flex-wrap gap-2 mt-3",
    )
