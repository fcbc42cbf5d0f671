"""Обращения sent over plain HTTP, for they carry files: new ones, and messages into those there are."""

from __future__ import annotations

import logging

from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import AccessDeniedError, NotFoundError, PortalError
from lk_portal.security.navigation import LOGIN, SUPPORT, UPLOADS
from lk_portal.security.throttle import Policy
from lk_portal.services import throttling, tickets
from lk_portal.services.access import Duty
from lk_portal.services.context import current
from lk_portal.services.throttling import Gate
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.web import forms, uploads

NEW, ANSWER = "new-ticket", "ticket-answer"
SENDS = Policy(free=90, cap_s=300)
"""Attempts in an hour, those that are refused too: pictures cost work."""

log = logging.getLogger(__name__)


async def send(request: Request) -> Response:
    """POST /support/send: fields text, files, send_key and ticket, or subject, category, account, event."""
    identity = await forms.person_of(request, Duty.NONE)
    if identity is None or identity.subscriber_id is None:
        return forms.refused_as_asked(request, AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login")
    author = Author(identity.user_id, identity.subscriber_id)
    page, form_name = f"{SUPPORT}?new=1", NEW
    try:
        async with uploads.turn_of(author.user_id), uploads.received(request) as form:
            if number := forms.field(form, "ticket"):
                page, form_name = f"{SUPPORT}/{uploads.number_in(number)}", ANSWER
            ticket_id = await _keep(request, author, form)
            log.info("web:ticket:send", extra={"ticket": ticket_id})
            return forms.done(request, f"{SUPPORT}/{ticket_id}")
    except NotFoundError as error:
        return forms.refused_as_asked(request, error, "/not-found")
    except PortalError as error:
        return forms.refused_as_asked(request, error, page, form=form_name)
    except ClientDisconnect:  # nobody is there to be told
        return Response(status_code=400)
    except Exception as error:
        return forms.refused_as_asked(request, forms.broken(error), page, form=form_name)


async def _keep(request: Request, author: Author, form: FormData) -> int:
    """Check the files, then do it all in one transaction; gives the ticket's number."""
    portal, visit = current(), forms.visit_of(request)
    gates = (Gate(f"ticket-sends:{author.user_id}", SENDS),)
    await throttling.refuse(portal.database, gates, now=visit.at)
    await throttling.count(portal.database, gates, now=visit.at)
    files = await uploads.files_in(form)
    text, send_key = forms.field(form, "text"), forms.field(form, "send_key")
    if number := forms.field(form, "ticket"):
        ticket_id = uploads.number_in(number)
        await tickets.write(
            portal.database,
            author=author,
            ticket_id=ticket_id,
            text=text,
            send_key=send_key,
            visit=visit,
            files=files,
        )
        return ticket_id
    event = forms.field(form, "event")
    ticket = NewTicket(
        subject=forms.field(form, "subject"),
        category=forms.field(form, "category"),
        account=forms.field(form, "account"),
        text=text,
        event_id=uploads.number_in(event) if event else None,
    )
    return await tickets.create(
        portal.database, author=author, ticket=ticket, send_key=send_key, visit=visit, files=files
    )


def support_routes() -> list[Route]:
    """The one route."""
    return [Route(UPLOADS, send, methods=["POST"])]
