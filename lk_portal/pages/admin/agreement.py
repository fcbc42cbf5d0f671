"""/admin/agreement: versions of the agreement and the consent, and who accepted which."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.el.elements.inline import A as PlainLink

from lk_portal.components.kit import card, empty, field, link, link_button, notice, skeleton, text_input
from lk_portal.components.tabs import Tab, tab_list, tab_panel
from lk_portal.components.text_editor import tick
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import ADMIN_AGREEMENT
from lk_portal.services.menu_groups import MenuGroup
from lk_portal.state.agreement_admin import CONSENTS, AgreementAdminState
from lk_portal.state.guard import STAFF

RowVar = rx.Var[dict[str, str]]
PANEL = "agreement"


@portal_page(
    route=ADMIN_AGREEMENT,
    title=_("Agreement"),
    icon="check",
    menu="admin",
    group=MenuGroup.SITE,
    order=35,
    roles=frozenset(STAFF),
    on_load=(AgreementAdminState.load,),
)
def agreement_admin() -> rx.Component:
    """Two tabs: versions, and people."""
    state = AgreementAdminState
    return rx.cond(
        state.is_loaded,
        rx.el.div(
            rx.cond(state.done != "", notice(state.done, icon_name="check")),
            tab_list(
                _("Agreement"),
                Tab("versions", _("Versions"), ADMIN_AGREEMENT, state.tab != CONSENTS),
                Tab(CONSENTS, _("Who accepted"), f"{ADMIN_AGREEMENT}?tab={CONSENTS}", state.tab == CONSENTS),
                panel=PANEL,
            ),
            tab_panel(
                rx.cond(state.tab == CONSENTS, _people(), _versions()), panel=PANEL, open_key=state.tab
            ),
        ),
        rx.el.div(skeleton("h-11 w-64 mb-4"), skeleton("h-24 w-full mb-3"), skeleton("h-24 w-full")),
    )


def _versions() -> rx.Component:
    return rx.el.div(
        rx.cond(
            AgreementAdminState.may_write,
            rx.el.div(
                link(
                    _("New version of the agreement"),
                    to=f"{ADMIN_AGREEMENT}/new?kind=agreement",
                    class_name="btn btn-primary min-h-11 text-base h-auto",
                ),
                link(
                    _("New version of the consent"),
                    to=f"{ADMIN_AGREEMENT}/new?kind=consent",
                    class_name="btn btn-primary min-h-11 text-base h-auto",
                ),
                class_name="flex flex-wrap gap-3 mb-4",
            ),
        ),
        rx.el.ul(rx.foreach(AgreementAdminState.versions, _version), class_name="grid gap-3"),
    )


def _version(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            link(
                row["kind"] + ". " + row["version"],
                to=row["link"],
                class_name="link font-semibold min-h-11 inline-flex items-center",
            ),
            rx.cond(
                row["is_in_force"] != "",
                rx.el.span(_("in force"), class_name="badge badge-soft badge-success text-base-content"),
            ),
            class_name="flex flex-wrap items-center justify-between gap-x-3",
        ),
        rx.el.p(row["title"], class_name="break-words"),
        rx.el.p(_("Published"), " ", row["time"], " · ", row["agreed"], class_name="text-sm"),
        key=row["link"],
        class_name="card bg-base-100 border border-base-300 p-4",
    )


def _people() -> rx.Component:
    state = AgreementAdminState
    return rx.el.div(
        _search(),
        rx.cond(
            state.may_write,
            rx.el.div(_file("CSV", "csv"), _file("XLSX", "xlsx"), class_name="flex flex-wrap gap-2"),
        ),
        rx.cond(
            state.rows.length() > 0,
            rx.el.ul(rx.foreach(state.rows, _person), class_name="grid gap-3"),
            card(empty(_("Nobody was found"), _("Try fewer letters, or look at all."))),
        ),
        rx.el.div(
            rx.cond(state.back != "", link_button(_("To the beginning"), to=state.back, icon_name="left")),
            rx.cond(
                state.further != "",
                link_button(_("Further in the list"), to=state.further, icon_name="right"),
            ),
            class_name="flex flex-wrap gap-2",
        ),
        class_name="grid gap-3",
    )


def _search() -> rx.Component:
    state = AgreementAdminState
    return rx.el.form(
        field(
            _("Name, e-mail, phone or account"),
            text_input("q", type="search", key=state.query, default_value=state.query, max_length=100),
            for_id="q",
            class_name="grow min-w-0 sm:min-w-64",
        ),
        tick(
            "owing",
            _("Only who has not accepted what is in force"),
            key=state.is_owing.to_string(),
            default_checked=state.is_owing,
        ),
        rx.el.button(_("Show"), type="submit", class_name="btn btn-primary min-h-11 text-base"),
        on_submit=state.search,
        reset_on_submit=False,
        role="search",
        class_name="card bg-base-100 border border-base-300 p-4 flex-row flex-wrap items-end gap-3",
    )


def _file(text: str, form: str) -> rx.Component:
    # A plain link: the portal's own would open a page, and this is a file.
    return PlainLink.create(
        f"{_('Export')} {text}",
        href=AgreementAdminState.export + f"&format={form}",
        class_name="btn btn-ghost min-h-11 text-base",
    )


def _person(row: RowVar) -> rx.Component:
    return rx.el.li(
        rx.el.p(row["name"], class_name="font-semibold break-words"),
        rx.el.p(row["email"], class_name="text-sm break-all"),
        rx.el.p(_("Agreement"), ": ", row["agreement"], class_name="text-sm"),
        rx.el.p(_("Consent to processing personal data"), ": ", row["consent"], class_name="text-sm"),
        key=row["id"],
        class_name="card bg-base-100 border border-base-300 p-4",
    )
