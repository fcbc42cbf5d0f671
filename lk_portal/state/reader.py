"""Who reads the utility's texts: of the event that is being handled. For states that show them."""

from __future__ import annotations

from lk_portal.i18n import active_locale
from lk_portal.services.content import Reader
from lk_portal.services.context import current
from lk_portal.state.guard import STAFF, who


def reader() -> Reader:
    """The reader of now. One who owes a duty first is a visitor."""
    portal, identity = current(), who()
    return Reader(
        locale=active_locale(),
        fallback=portal.settings.locale,
        is_signed_in=identity is not None,
        now=portal.clock(),
        is_staff=identity is not None and identity.role in STAFF,
    )
