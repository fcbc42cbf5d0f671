"""/admin/as/[subscriber]: before a member of staff looks through a subscriber's eyes."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card
from lk_portal.components.own_forms import submit
from lk_portal.components.plain_form import plain_form
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.access import Role
from lk_portal.state.viewing import ViewingState


@portal_page(
    route="/admin/as/[subscriber]",
    title=_("Through the subscriber's eyes"),
    roles={Role.OPERATOR, Role.ADMIN},
    on_load=(ViewingState.load,),
)
def viewing() -> rx.Component:
    """Whose cabinet, what it means, and the button."""
    return rx.cond(
        ViewingState.is_loaded,
        card(
            rx.el.p(
                _("The cabinet of subscriber {name}", name=ViewingState.name), class_name="font-semibold"
            ),
            rx.el.p(
                _(
                    "You will see what the subscriber sees, for 30 minutes at most, and can change nothing. "
                    "The subscriber finds it in the history of the settings."
                ),
                class_name="my-3",
            ),
            plain_form(
                rx.el.input(type="hidden", name="subscriber", value=ViewingState.subscriber, read_only=True),
                rx.el.input(type="hidden", name="back", value=ViewingState.back, read_only=True),
                submit(_("Open the cabinet")),
                method="post",
                action="/auth/view",
            ),
            class_name="max-w-3xl",
        ),
    )
