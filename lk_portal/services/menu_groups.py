"""The groups of the staff's menu. Pure; for pages and declared lists, which name theirs, and for the menu."""

from __future__ import annotations

from enum import Enum

from lk_portal.errors import N_


class MenuGroup(Enum):
    """Where an item of the staff's menu stands; the menu shows the groups in this order.

    A group with one page is that page's link, one without any is not shown.
    """

    DESK = "desk"
    REQUESTS = "requests"
    REGISTRY = "registry"
    POLLING = "polling"
    SITE = "site"
    SYSTEM = "system"
    MORE = "more"
    """Of pages that name no group, such as those of packages."""


GROUP_TITLES = {
    MenuGroup.DESK: N_("Desk"),
    MenuGroup.REQUESTS: N_("Requests"),
    MenuGroup.REGISTRY: N_("Registry"),
    MenuGroup.POLLING: N_("Polling"),
    MenuGroup.SITE: N_("Site"),
    MenuGroup.SYSTEM: N_("System"),
    MenuGroup.MORE: N_("More"),
}
"""Message ids."""
