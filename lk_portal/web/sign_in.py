"""Signing in and out as plain HTTP: it works before any script has loaded.

The session cookie is read when the page's websocket connects, so both end in a redirect that loads a page.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response

from lk_portal.errors import PortalError
from lk_portal.security import cookies
from lk_portal.security.navigation import LOGIN
from lk_portal.services import access
from lk_portal.services.context import current
from lk_portal.web import forms, preferences

FORM = "login"

log = logging.getLogger(__name__)


async def login(request: Request) -> Response:
    """POST /auth/login: fields login, password, next."""
    portal = current()
    form = await forms.form_of(request)
    typed = forms.field(form, "login")[: forms.MAX_FORM_FIELD]
    target = forms.wanted_page(request, form)
    visit = forms.visit_of(request)
    known = cookies.read_devices(forms.cookie_header(request), portal.settings, now=visit.at)
    try:
        signed_in = await access.sign_in(
            portal.database,
            portal.settings,
            login=typed,
            password=forms.field(form, "password"),
            visit=visit,
            devices_known=known,
            old_token=forms.session_token(request),
        )
    except PortalError as error:
        log.info("web:session:refuse", extra={"reason": type(error).__name__})
        return forms.refused(error, LOGIN, form=FORM, login=typed, next=target)
    except Exception as error:
        return forms.refused(forms.broken(error), LOGIN, form=FORM, login=typed, next=target)
    log.info("web:session:begin")
    response = forms.redirect(forms.page_after(signed_in.duty, target))
    cookies.set_session(response, portal.settings, signed_in.token)
    await preferences.remember(response, token=signed_in.token)
    cookies.set_device(
        response, portal.settings, known, user_id=signed_in.user_id, mark=signed_in.device, now=visit.at
    )
    return response


async def logout(request: Request) -> Response:
    """POST /auth/logout: ends the session here and in the browser."""
    portal = current()
    token = forms.session_token(request)
    response = forms.redirect(LOGIN)
    try:
        if token:
            await access.sign_out(portal.database, token=token, visit=forms.visit_of(request))
    except PortalError as error:
        response = forms.refused(error, LOGIN, form=FORM)
    cookies.clear_session(response, portal.settings)
    return response
