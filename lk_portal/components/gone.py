"""What a page shows when that which it was about has left the cabinet while it was open."""

from __future__ import annotations

import reflex as rx

from lk_portal.components.kit import card, empty, link_button
from lk_portal.i18n import _


def no_longer_here() -> rx.Component:
    """The words of what does not exist, and the way to the accounts that are left."""
    return card(
        rx.el.div(
            empty(_("Not found"), _("There is no such page, or it is not yours.")),
            link_button(_("Personal accounts"), to="/accounts", icon_name="back"),
            role="status",
            class_name="grid justify-items-center",
        )
    )
