"""The state of /admin/as/[subscriber]: whose cabinet would be opened. The form itself is plain HTML."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import reflex as rx

from lk_portal.errors import NotFoundError
from lk_portal.security.navigation import HOME, own_path
from lk_portal.services import viewing
from lk_portal.services.context import current
from lk_portal.state.guard import STAFF, requires


class ViewingState(rx.State):
    """The subscriber's number and name, and where to come back to."""

    is_loaded: bool = False
    subscriber: str = ""
    name: str = ""
    back: str = HOME

    @rx.event
    @requires(*STAFF)
    async def load(self) -> Any:
        """The page was opened."""
        self.is_loaded, self.name = False, ""
        parts = urlsplit(str(self.router.url.path)).path.rstrip("/").split("/")
        number = parts[-1]
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            return rx.redirect("/not-found", replace=True)
        try:
            self.name = await viewing.name_of(current().database, subscriber_id=int(number))
        except NotFoundError:
            return rx.redirect("/not-found", replace=True)
        self.subscriber = number
        self.back = own_path(self.router.url.query_parameters.get("back", HOME))
        self.is_loaded = True
        return None
