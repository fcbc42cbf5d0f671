"""/advice: what Acme says to a subscriber; its item in the menu counts the new days of readings."""

import reflex as rx

from lk_portal.components.kit import card
from lk_portal.i18n import _
from lk_portal.pages.registry import portal_page
from lk_portal.services.seen import Section


@portal_page(route="/advice", title=_("Acme's advice"), icon="info", menu="main", badge=Section.READINGS)
def advice() -> rx.Component:
    """The page."""
    return card(rx.el.p(_("Wash at night."), id="advice"))
