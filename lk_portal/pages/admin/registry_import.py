"""/admin/import: a file of the registry is sent in, checked, looked at, and only then written."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.icons import icon
from lk_portal.components.kit import card, file_button, notice
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import IMPORT, IMPORT_UPLOADS
from lk_portal.services.access import Role
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.registry_import import RegistryImportState as State

HEADING = "text-lg font-semibold mb-3"


@portal_page(
    route=IMPORT,
    title=_("Import of the registry"),
    icon="up",
    menu="admin",
    group=MenuGroup.REGISTRY,
    order=80,
    roles={Role.ADMIN},
    on_load=(State.load,),
)
def registry_import() -> rx.Component:
    """The form, and what became of the last file."""
    return rx.el.div(
        card(
            rx.el.h2(_("File"), class_name=HEADING),
            rx.el.p(
                _(
                    "CSV or XLSX with one row for each meter. The file is checked first; nothing is written "
                    "before you say so, and then all of it or nothing."
                ),
                class_name="mb-3",
            ),
            rx.el.div(
                _download(_("Template CSV"), f"{IMPORT}/template.csv"),
                _download(_("Template XLSX"), f"{IMPORT}/template.xlsx"),
                class_name="flex flex-wrap gap-2 mb-3",
            ),
            rx.cond(State.refused != "", notice(State.refused, kind="error", icon_name="warning")),
            _form(),
        ),
        rx.cond(State.status != "", _run()),
        class_name="grid grid-cols-1 gap-4",
    )


def _form() -> rx.Component:
    return plain_form(
        file_button(_("Choose a file"), field_id="file", name="file", accept=".csv,.xlsx", required=True),
        rx.el.p(class_name="mt-2 wrap-anywhere", role="status", custom_attrs={"data-lk-file": ""}),
        rx.el.button(_("Check"), type="submit", class_name="btn btn-primary min-h-11 text-base mt-3"),
        action=IMPORT_UPLOADS,
        method="post",
        enc_type="multipart/form-data",
        class_name="mt-2",
    )


def _run() -> rx.Component:
    return card(
        rx.el.h2(_("Last file"), class_name=HEADING),
        rx.el.p(State.name, ", ", State.began, class_name="wrap-anywhere"),
        rx.el.div(
            rx.el.p(
                rx.cond(State.is_running, rx.el.span(class_name="loading loading-spinner loading-sm mr-2")),
                rx.el.span(State.status_words, class_name="font-semibold"),
                rx.cond(State.progress != "", rx.el.span(": ", State.progress)),
            ),
            role="status",
            id="import-status",
            class_name="my-2",
        ),
        rx.cond(State.left != "", notice(State.left, kind="warning", icon_name="warning")),
        rx.cond(State.problem != "", notice(State.problem, kind="error", icon_name="warning")),
        rx.cond(State.report != "", rx.el.p(State.report)),
        rx.cond(
            State.status == "checked",
            rx.el.button(
                _("Write into the registry"),
                type="button",
                on_click=State.write,
                class_name="btn btn-primary min-h-11 text-base w-fit mt-2",
            ),
        ),
        rx.cond(State.bad.length() > 0, _bad_rows()),
    )


def _bad_rows() -> rx.Component:
    return rx.el.div(
        _download(_("Report of bad rows, CSV"), State.report_url),
        rx.el.p(State.more_bad, class_name="text-sm empty:hidden"),
        rx.el.div(
            rx.el.table(
                rx.el.caption(_("Bad rows"), class_name="sr-only"),
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(_("Line"), scope="col", class_name="text-right"),
                        rx.el.th(_("Column"), scope="col"),
                        rx.el.th(_("Reason"), scope="col"),
                    )
                ),
                rx.el.tbody(rx.foreach(State.bad, _bad_row)),
                class_name="table rows-as-cards",
            ),
            class_name="overflow-x-auto",
        ),
        class_name="grid gap-2 mt-3",
    )


def _bad_row(row: rx.Var[list[str]]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(row[0], class_name="text-right tabular-nums", custom_attrs={"data-label": _("Line")}),
        rx.el.td(row[1], custom_attrs={"data-label": _("Column")}),
        rx.el.td(row[2], class_name="break-words", custom_attrs={"data-label": _("Reason")}),
    )


def _download(text: str, to: str | rx.Var[str]) -> rx.Component:
    return PlainLink.create(
        icon("download"), text, href=to, class_name="btn btn-ghost min-h-11 w-fit", download=True
    )
