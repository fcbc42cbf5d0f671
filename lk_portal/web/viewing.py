"""Looking through a subscriber's eyes, as plain HTTP: the session goes on under a new cookie. For staff."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import AccessDeniedError, PortalError
from lk_portal.security import cookies
from lk_portal.security.navigation import HOME, LOGIN, own_path
from lk_portal.services import viewing
from lk_portal.services.access import Duty
from lk_portal.services.context import current
from lk_portal.web import forms

log = logging.getLogger(__name__)


async def begin(request: Request) -> Response:
    """POST /auth/view: fields subscriber (its id), back (the page to come back to)."""
    form = await forms.form_of(request)
    identity = await forms.person_of(request, Duty.NONE)
    given = forms.field(form, "subscriber")
    if identity is None or identity.role not in viewing.STAFF:
        return forms.redirect("/not-found" if identity else LOGIN)
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        return forms.redirect("/not-found")
    portal = current()
    try:
        token = await viewing.begin(
            portal.database,
            actor=identity.user_id,
            session_hash=identity.session_hash,
            subscriber_id=int(given),
            back_to=own_path(forms.field(form, "back")),
            visit=forms.visit_of(request),
        )
    except AccessDeniedError:
        return forms.redirect(LOGIN)
    except PortalError:
        return forms.redirect("/not-found")
    log.info("desk:cabinet:open")
    response = forms.redirect(HOME)
    cookies.set_session(response, portal.settings, token)
    return response


async def end(request: Request) -> Response:
    """POST /auth/view/end: back to the page it was begun from."""
    portal = current()
    identity = await forms.person_of(request, Duty.VIEWING)
    if identity is None:  # its time was over, or the session
        return forms.redirect(HOME)
    try:
        token, back_to = await viewing.end(
            portal.database, session_hash=identity.session_hash, visit=forms.visit_of(request)
        )
    except PortalError:
        return forms.redirect(HOME)
    log.info("desk:cabinet:close")
    response = forms.redirect(own_path(back_to))
    cookies.set_session(response, portal.settings, token)
    return response


def viewing_routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/auth/view", begin, methods=["POST"]),
        Route("/auth/view/end", end, methods=["POST"]),
    ]
