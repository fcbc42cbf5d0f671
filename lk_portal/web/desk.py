"""The staff's desk over plain HTTP: answers, which carry files, notes, and the words of a template."""

from __future__ import annotations

import logging

from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lk_portal.errors import AccessDeniedError, NotFoundError, PortalError
from lk_portal.security.navigation import DESK, DESK_TEMPLATES, DESK_UPLOADS, LOGIN
from lk_portal.services import answer_templates, ticket_desk
from lk_portal.services.access import Duty, Identity, Role
from lk_portal.services.context import current
from lk_portal.web import forms, uploads

ANSWER, NOTE = "desk-answer", "desk-note"
"""What the forms call themselves, in the field `form`."""

log = logging.getLogger(__name__)


async def send(request: Request) -> Response:
    """POST /admin/tickets/send: fields form, ticket, text, send_key, and files of an answer."""
    staff = await _staff(request)
    if staff is None:
        return forms.refused_as_asked(request, AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login")
    page, form_name = DESK, ""
    try:
        async with uploads.turn_of(staff.user_id), uploads.received(request) as form:
            form_name = forms.field(form, "form")
            page = f"{DESK}/{uploads.number_in(forms.field(form, 'ticket'))}"
            await _keep(request, staff, form)
            return forms.done(request, page)
    except NotFoundError as error:
        return forms.refused_as_asked(request, error, "/not-found")
    except PortalError as error:
        return forms.refused_as_asked(request, error, page, form=form_name)
    except ClientDisconnect:  # nobody is there to be told
        return Response(status_code=400)
    except Exception as error:
        return forms.refused_as_asked(request, forms.broken(error), page, form=form_name)


async def _keep(request: Request, staff: Identity, form: FormData) -> None:
    """An answer or a note. What says to be neither is nothing: a note must never be sent as an answer."""
    ticket_id = uploads.number_in(forms.field(form, "ticket"))
    database, visit = current().database, forms.visit_of(request)
    text, send_key = forms.field(form, "text"), forms.field(form, "send_key")
    what = forms.field(form, "form")
    if what == NOTE:
        await ticket_desk.note(
            database,
            staff_id=staff.user_id,
            ticket_id=ticket_id,
            text=text,
            send_key=send_key,
            visit=visit,
        )
    elif what == ANSWER:
        await ticket_desk.answer(
            database,
            staff_id=staff.user_id,
            ticket_id=ticket_id,
            text=text,
            send_key=send_key,
            visit=visit,
            files=await uploads.files_in(form),
        )
    else:
        raise NotFoundError
    log.info("web:desk:send", extra={"ticket": ticket_id, "form": what})


async def template(request: Request) -> Response:
    """GET /admin/tickets/templates/{number}: the words of a template."""
    try:
        if await _staff(request) is None:
            raise NotFoundError
        template_id = uploads.number_in(request.path_params["number"])
        words = await answer_templates.text_of(current().database, template_id=template_id)
    except NotFoundError:
        return forms.not_found()
    return PlainTextResponse(words, headers={"Cache-Control": "no-store"})


async def _staff(request: Request) -> Identity | None:
    identity = await forms.person_of(request, Duty.NONE)
    return identity if identity is not None and identity.role is not Role.SUBSCRIBER else None


def desk_routes() -> list[Route]:
    """Both routes."""
    return [
        Route(DESK_UPLOADS, send, methods=["POST"]),
        Route(f"{DESK_TEMPLATES}/{{number}}", template, methods=["GET"]),
    ]
