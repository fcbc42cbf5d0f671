"""Who reads the utility's texts: of the event that is being handled. For states that show them."""

from __future__ import annotations

from lk_portal.i18n import active_locale
from lk_portal.services.content import Reader
from lk_portal.services.context import current
from lk_portal.state.guard import who


def reader() -> Reader:
    """The reader of now. One who owes a duty first is a visitor."""
    portal = current()
    return Reader(
        locale=active_locale(),
        fallback=portal.settings.locale,
        is_signed_in=who() is not None,
        now=portal.clock(),
    )
