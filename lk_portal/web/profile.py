"""A person's rights over her data as plain HTTP: a file to take along, the consent taken back, erasure.

The last two change the session's cookie, so they are forms that load a page.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import N_, AccessDeniedError, InputError, PortalError
from lk_portal.security import cookies
from lk_portal.security.navigation import CONSENT, LOGIN, SETTINGS
from lk_portal.services import own_data, own_export
from lk_portal.services.access import Duty, Identity
from lk_portal.services.context import current
from lk_portal.web import forms

NOT_CONFIRMED = N_("Tick the box if you are sure.")
ERASED = N_("Your data were erased.")
WITHDRAWN = N_("The consent was withdrawn. Without it the cabinet cannot be used.")

log = logging.getLogger(__name__)

Deed = Callable[[Request, FormData, Identity], Awaitable[Response]]
IN_THE_CABINET = {Duty.NONE: SETTINGS}
ALSO_BEFORE_AGREEING = {Duty.NONE: SETTINGS, Duty.CONSENT: CONSENT}
"""By what a session owes: the page whose form it is. A right over one's data does not hang on agreeing."""


async def export(request: Request) -> Response:
    """GET /profile/export: the person's own data as a JSON file."""
    portal = current()
    identity = await forms.person_of(request, *ALSO_BEFORE_AGREEING)
    if identity is None:
        return forms.redirect(forms.with_next(LOGIN, SETTINGS))
    page = ALSO_BEFORE_AGREEING[identity.duty]
    if not forms.is_asked_from_here(request):
        return forms.redirect(page)  # another site may not make a browser fetch it
    visit = forms.visit_of(request)
    try:
        found = await own_export.export(
            portal.database, portal.settings, user_id=identity.user_id, visit=visit
        )
    except PortalError as error:
        return forms.refused(error, page, form="export")
    except Exception as error:
        return forms.refused(forms.broken(error), page, form="export")
    name = f"lk-data-{visit.at.astimezone(portal.settings.zone):%Y-%m-%d}.json"
    content = json.dumps(found, ensure_ascii=False, indent=2).encode()
    return forms.download(content, name=name, media_type="application/json")


async def withdraw(request: Request) -> Response:
    """POST /profile/withdraw: field sure; takes the consent back."""
    return await _answer(request, _withdraw, pages=IN_THE_CABINET, form_name="withdraw")


async def erase(request: Request) -> Response:
    """POST /profile/erase: fields sure and own-password; erases the person's data."""
    return await _answer(request, _erase, pages=ALSO_BEFORE_AGREEING, form_name="erase")


def profile_routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/profile/export", export, methods=["GET"]),
        Route("/profile/withdraw", withdraw, methods=["POST"]),
        Route("/profile/erase", erase, methods=["POST"]),
    ]


async def _answer(request: Request, deed: Deed, *, pages: Mapping[Duty, str], form_name: str) -> Response:
    """Do it for the person behind the cookie, or say on the form's page why not."""
    form = await forms.form_of(request)
    page = SETTINGS
    try:
        identity = await forms.person_of(request, *pages)
        if identity is None:
            raise AccessDeniedError
        page = pages[identity.duty]
        if not forms.field(form, "sure"):
            raise InputError(NOT_CONFIRMED, field="sure")
        return await deed(request, form, identity)
    except AccessDeniedError:  # signed out, or ended by another request at the same time
        return forms.refused(AccessDeniedError(forms.SESSION_OVER), LOGIN, login="", next=SETTINGS)
    except PortalError as error:
        return forms.refused(error, page, form=form_name)
    except Exception as error:
        return forms.refused(forms.broken(error), page, form=form_name)


async def _withdraw(request: Request, _form: FormData, identity: Identity) -> Response:
    portal = current()
    token = await own_data.withdraw_consent(
        portal.database,
        user_id=identity.user_id,
        session_hash=identity.session_hash,
        visit=forms.visit_of(request),
    )
    log.info("web:documents:withdraw")
    response = forms.tell(forms.redirect(CONSENT), {"notice": WITHDRAWN, "form": "consent"})
    cookies.set_session(response, portal.settings, token)
    return response


async def _erase(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    await own_data.erase(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        password=forms.field(form, "own-password"),
        visit=forms.visit_of(request),
    )
    log.info("web:data:erase")
    response = forms.tell(forms.redirect(LOGIN), {"notice": ERASED, "form": "login"})
    cookies.clear_session(response, portal.settings)
    return response
