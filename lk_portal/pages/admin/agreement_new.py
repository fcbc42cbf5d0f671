"""/admin/agreement/new: the next version of the agreement or of the consent, in the editor of texts."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import link_button, notice, skeleton
from lk_portal.components.text_editor import one_line, text_editor, tick
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.security.navigation import ADMIN_AGREEMENT, AGREEMENT_PUBLISH
from lk_portal.services.access import Role
from lk_portal.state.agreement_admin import AgreementNewState


@portal_page(
    route=f"{ADMIN_AGREEMENT}/new",
    title=_("New version of a document"),
    roles={Role.ADMIN},
    on_load=(AgreementNewState.load,),
)
def agreement_new() -> rx.Component:
    """What it means to publish, and the form."""
    state = AgreementNewState
    return rx.cond(
        state.is_loaded,
        rx.el.div(
            link_button(
                _("To the versions"),
                to=ADMIN_AGREEMENT,
                icon_name="back",
                class_name="-ml-4 justify-self-start",
            ),
            rx.el.p(state.name, class_name="text-lg font-semibold"),
            notice(
                _(
                    "A published version can never be changed. Every subscriber is asked to accept it at the"
                    " next sign-in."
                ),
                kind="warning",
                icon_name="warning",
            ),
            text_editor(
                rx.el.input(type="hidden", name="kind", value=state.kind, read_only=True),
                one_line("title", _("Title"), default_value=state.title),
                state=state,
                action=AGREEMENT_PUBLISH,
                kept="title",
                button=_("Publish"),
                closing=tick("confirm", _("I have read the whole text. It may be published.")),
            ),
            class_name="grid gap-3 justify-items-stretch",
        ),
        rx.el.div(skeleton("h-11 w-48 mb-4"), skeleton("h-96 w-full")),
    )
