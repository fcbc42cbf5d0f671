"""/admin/info/[info_id]/history: the revisions of a text, what each changed, and bringing one back."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, empty, link, link_button, notice, skeleton
from lk_portal.components.text_editor import diff_lines
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import ADMIN_INFO
from lk_portal.services.access import Role
from lk_portal.state.info_editor import InfoHistoryState

RowVar = rx.Var[dict[str, str]]


@portal_page(
    route=f"{ADMIN_INFO}/[info_id]/history",
    title=_("Revisions"),
    roles={Role.ADMIN},
    on_load=(InfoHistoryState.load,),
)
def info_history() -> rx.Component:
    """The list, and beside it the chosen revision."""
    return rx.cond(
        InfoHistoryState.is_loaded,
        rx.el.div(
            link_button(
                _("To the editor"),
                to=f"{ADMIN_INFO}/" + InfoHistoryState.page,
                icon_name="back",
                class_name="-ml-4 justify-self-start",
            ),
            rx.cond(InfoHistoryState.done != "", notice(InfoHistoryState.done, icon_name="check")),
            rx.cond(
                InfoHistoryState.problem != "",
                notice(InfoHistoryState.problem, kind="error", icon_name="warning"),
            ),
            rx.el.div(_shown(), _list(), class_name="grid gap-4 lg:grid-cols-[2fr_1fr] items-start"),
            class_name="grid gap-3",
        ),
        rx.el.div(skeleton("h-11 w-48 mb-4"), skeleton("h-96 w-full")),
    )


def _shown() -> rx.Component:
    return card(
        rx.el.div(
            rx.el.h2(
                _("What revision {number} changed", number=InfoHistoryState.shown),
                class_name="text-lg font-semibold",
            ),
            rx.cond(
                InfoHistoryState.may_restore,
                rx.el.button(
                    _("Bring this text back"),
                    type="button",
                    on_click=InfoHistoryState.restore,
                    class_name="btn min-h-11 text-base",
                ),
            ),
            class_name="flex flex-wrap items-center justify-between gap-3 mb-3",
        ),
        rx.cond(
            InfoHistoryState.lines.length() > 0,
            diff_lines(InfoHistoryState.lines),
            empty(_("No line differs"), _("Only spaces at the ends of lines were changed.")),
        ),
        class_name="min-w-0",
    )


def _list() -> rx.Component:
    return card(
        rx.el.h2(InfoHistoryState.title, class_name="text-lg font-semibold break-words"),
        rx.el.ol(rx.foreach(InfoHistoryState.rows, _row), class_name="mt-2 divide-y divide-base-300"),
    )


def _row(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.cond(
            row["is_shown"] != "",
            rx.el.span(
                row["name"],
                class_name="font-semibold min-h-11 inline-flex items-center",
                custom_attrs={"aria-current": "true"},
            ),
            link(row["name"], to=row["link"], class_name="link min-h-11 inline-flex items-center"),
        ),
        rx.el.p(row["time"], " · ", row["author"], class_name="text-sm"),
        rx.el.p(row["title"], class_name="text-sm break-words"),
        key=row["link"],
        class_name="py-2",
    )
