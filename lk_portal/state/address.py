"""The suggestions under an address field. Forms that ask for an address show them by `address_field`."""

from __future__ import annotations

import reflex as rx

from lk_portal.i18n import _
from lk_portal.security.allowance import Allowance
from lk_portal.security.throttle import host_of
from lk_portal.services.addresses import MAX_ROWS, suggest
from lk_portal.services.context import current
from lk_portal.state.guard import public
from lk_portal.state.visits import visit_of

SEARCHES = Allowance(burst=300, per_s=1)
"""Ample for whoever types an address; at 20 rows a search nobody soon has a copy of the registry."""


class AddressState(rx.State):
    """What fits the text typed last, and how that is put into words."""

    rows: list[str] = []
    status: str = ""

    @rx.event
    @public
    async def search(self, typed: str = "") -> None:
        """The person typed; anything but a text is nothing typed."""
        if not isinstance(typed, str) or not typed.strip():
            self.rows, self.status = [], ""
            return
        visit = visit_of(self)
        if not SEARCHES.take(host_of(visit.address), at=visit.at):
            self.rows = []
            self.status = _("Too many searches; type the address in full.")
            return
        found = await suggest(current().database, typed=typed)
        self.rows = list(found)
        self.status = status_of(found, typed=typed)


def status_of(found: tuple[str, ...], *, typed: str) -> str:
    """A sentence on what was found, for the eye and for screen readers; none while little is typed."""
    if len(found) >= MAX_ROWS:
        return _("The first {n} addresses are shown; type on to narrow the list").format(n=len(found))
    if found:
        return _("Addresses found: {n}").format(n=len(found))
    if sum(map(str.isalpha, typed)) < 3:
        return ""
    return _("No such address was found. Type it as it stands in your bill.")
