"""A new password, and agreement to documents, as plain HTTP: the session goes on under a new cookie."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from lk_portal.errors import N_, AccessDeniedError, PortalError
from lk_portal.security import cookies
from lk_portal.security.navigation import (
    CONSENT,
    ENROL,
    HOME,
    LOGIN,
    NEW_PASSWORD,
    OWN_SECOND_FACTOR,
    SECOND_FACTOR,
    SETTINGS,
)
from lk_portal.services import credentials, duties, second_factor
from lk_portal.services.access import Duty, Identity
from lk_portal.services.context import current
from lk_portal.web import forms

PASSWORD_CHANGED = N_("The password was changed. Your other sessions were ended.")

log = logging.getLogger(__name__)

Deed = Callable[[Request, FormData, Identity], Awaitable[Response]]


async def new_password(request: Request) -> Response:
    """POST /auth/new-password: fields password, password2, next; after a temporary password."""
    return await _answer(request, _new_password, page=NEW_PASSWORD, form_name="new-password")


async def change_password(request: Request) -> Response:
    """POST /auth/password: fields old, password, password2; from the settings."""
    return await _answer(request, _change_password, page=SETTINGS, form_name="password")


async def consent(request: Request) -> Response:
    """POST /auth/consent: fields agreement and consent, each the id of the document ticked; next."""
    return await _answer(request, _consent, page=CONSENT, form_name="consent")


async def enter_second_factor(request: Request) -> Response:
    """POST /auth/second-factor: fields code, next; after the password of staff."""
    return await _answer(request, _enter, page=SECOND_FACTOR, form_name="second-factor")


async def enrol(request: Request) -> Response:
    """POST /auth/second-factor/enrol: fields code, next; of staff who must have one."""
    return await _answer(request, _turn_on, page=ENROL, form_name="second-factor")


async def turn_on_second_factor(request: Request) -> Response:
    """POST /auth/second-factor/on: field code; of staff who want one."""
    return await _answer(request, _turn_on, page=OWN_SECOND_FACTOR, form_name="second-factor")


async def turn_off_second_factor(request: Request) -> Response:
    """POST /auth/second-factor/off: field code."""
    return await _answer(request, _turn_off, page=OWN_SECOND_FACTOR, form_name="second-factor-off")


OWED_AT = {
    NEW_PASSWORD: Duty.NEW_PASSWORD,
    SETTINGS: Duty.NONE,
    CONSENT: Duty.CONSENT,
    SECOND_FACTOR: Duty.SECOND_FACTOR,
    ENROL: Duty.ENROL,
    OWN_SECOND_FACTOR: Duty.NONE,
}
"""What a session owes that may send the form of a page."""


async def _answer(request: Request, deed: Deed, *, page: str, form_name: str) -> Response:
    """Do it for the person behind the cookie, or say why not on the form's page."""
    form = await forms.form_of(request)
    target = forms.wanted_page(request, form)
    try:
        identity = await forms.identity_behind(request)
        if identity is None:
            return forms.refused(AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login", next=target)
        if identity.duty is not OWED_AT[page]:
            return forms.redirect(forms.page_after(identity.duty, HOME))
        return await deed(request, form, identity)
    except AccessDeniedError:  # the session was ended by another request at the same time
        return forms.refused(AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login", next=target)
    except PortalError as error:
        return forms.refused(error, _back_to(page, target), form=form_name, next=target)
    except Exception as error:
        return forms.refused(forms.broken(error), _back_to(page, target), form=form_name, next=target)


async def _new_password(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    done = await duties.set_new_password(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        role=identity.role,
        session_hash=identity.session_hash,
        password=forms.field(form, "password"),
        repeat=forms.field(form, "password2"),
        visit=forms.visit_of(request),
    )
    log.info("web:password:set")
    return _go_on(done, forms.wanted_page(request, form))


async def _change_password(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    token = await credentials.change_password(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        session_hash=identity.session_hash,
        old=forms.field(form, "old"),
        password=forms.field(form, "password"),
        repeat=forms.field(form, "password2"),
        visit=forms.visit_of(request),
    )
    log.info("web:password:change")
    response = forms.tell(forms.redirect(SETTINGS), {"notice": PASSWORD_CHANGED, "form": "password"})
    cookies.set_session(response, portal.settings, token)
    return response


async def _consent(request: Request, form: FormData, identity: Identity) -> Response:
    ticked = [forms.field(form, name) for name in ("agreement", "consent")]
    done = await duties.accept_documents(
        current().database,
        user_id=identity.user_id,
        session_hash=identity.session_hash,
        ticked=[int(value) for value in ticked if value.isascii() and value.isdigit()],
        visit=forms.visit_of(request),
    )
    log.info("web:documents:accept")
    return _go_on(done, forms.wanted_page(request, form))


async def _enter(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    token = await second_factor.enter(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        session_hash=identity.session_hash,
        code=forms.field(form, "code"),
        visit=forms.visit_of(request),
    )
    log.info("web:second-factor:pass")
    return _go_on(duties.Done(token, Duty.NONE), forms.wanted_page(request, form))


async def _turn_on(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    token = await second_factor.turn_on(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        session_hash=identity.session_hash,
        code=forms.field(form, "code"),
        visit=forms.visit_of(request),
    )
    log.info("web:second-factor:begin")
    if identity.duty is Duty.ENROL:
        return _go_on(duties.Done(token, Duty.NONE), forms.wanted_page(request, form))
    response = forms.redirect(OWN_SECOND_FACTOR)
    cookies.set_session(response, portal.settings, token)
    return response


async def _turn_off(request: Request, form: FormData, identity: Identity) -> Response:
    portal = current()
    await second_factor.turn_off(
        portal.database,
        portal.settings,
        user_id=identity.user_id,
        role=identity.role,
        code=forms.field(form, "code"),
        visit=forms.visit_of(request),
    )
    log.info("web:second-factor:end")
    return forms.redirect(OWN_SECOND_FACTOR)


def _go_on(done: duties.Done, target: str) -> Response:
    response = forms.redirect(forms.page_after(done.duty, target))
    cookies.set_session(response, current().settings, done.token)
    return response


def _back_to(page: str, target: str) -> str:
    """The form's page, which still knows where the person was going."""
    return page if OWED_AT[page] is Duty.NONE else forms.with_next(page, target)
