"""Обращения sent over plain HTTP, for they carry files: new ones, and messages into those there are.

The page's script sends the form itself, shows how far it is, and asks for JSON: then nothing that was typed
or chosen has to be typed or chosen again. Sent by the browser alone, the answer is a redirect with a flash.
Who is signed in is asked before a byte of the files is read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import (
    N_,
    AccessDeniedError,
    InputError,
    NotFoundError,
    PortalError,
)
from lk_portal.security.files import MAX_FILE_BYTES, MAX_FILES
from lk_portal.security.navigation import LOGIN, SUPPORT, UPLOADS
from lk_portal.security.throttle import Policy
from lk_portal.services import attachments, throttling, tickets
from lk_portal.services.access import Duty
from lk_portal.services.attachments import CheckedFile, Upload
from lk_portal.services.context import current
from lk_portal.services.throttling import Gate
from lk_portal.services.tickets import Author, NewTicket
from lk_portal.web import forms

TOO_MUCH = N_("The message is too long, or has too many files: at most {most}.")
STILL_SENDING = N_("Your previous message is still being sent. Try again when it has arrived.")
BUSY = N_("Too many files are being sent at the moment. Try again in a minute.")
TOO_SLOW = N_("The message took too long to arrive. Try again, with smaller files.")
NEW, ANSWER = "new-ticket", "ticket-answer"
AT_ONCE = 4
"""Uploads that are received at the same time, whoever sends them; their files are in memory while checked."""
RECEIVE_S = 600
MAX_PARTS = 20
MAX_TYPED = 65_536
MAX_NUMBER_DIGITS = 12
SENDS = Policy(free=90, cap_s=300)
"""Attempts in an hour, those that are refused too: pictures cost work."""

log = logging.getLogger(__name__)
_sending: set[int] = set()


async def send(request: Request) -> Response:
    """POST /support/send: fields text, files, send_key and ticket, or subject, category, account, event."""
    identity = await forms.person_of(request, Duty.NONE)
    if identity is None or identity.subscriber_id is None:
        return forms.refused_as_asked(request, AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login")
    author = Author(identity.user_id, identity.subscriber_id)
    page, form_name = f"{SUPPORT}?new=1", NEW
    try:
        async with _turn(author.user_id), _received(request) as form:
            if number := forms.field(form, "ticket"):
                page, form_name = f"{SUPPORT}/{_number(number)}", ANSWER
            return _done(request, await _keep(request, author, form))
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
    files = await _files(form)
    text, send_key = forms.field(form, "text"), forms.field(form, "send_key")
    if number := forms.field(form, "ticket"):
        ticket_id = _number(number)
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
        event_id=_number(event) if event else None,
    )
    return await tickets.create(
        portal.database, author=author, ticket=ticket, send_key=send_key, visit=visit, files=files
    )


async def _files(form: FormData) -> tuple[CheckedFile, ...]:
    """The chosen files; a browser sends one without a name where none was chosen."""
    chosen = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    if len(chosen) > MAX_FILES:  # before any of them is read
        raise InputError(N_("At most {most} files can be attached."), field="files", most=MAX_FILES)
    # One byte more than allowed is enough to see that it is too large.
    return await attachments.checked(
        [Upload(one.filename or "", await one.read(MAX_FILE_BYTES + 1)) for one in chosen]
    )


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[FormData]:
    """The form, its files in temporary ones on the disk, which are gone after the block."""
    try:
        async with asyncio.timeout(RECEIVE_S):
            form = await request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS, max_part_size=MAX_TYPED)
    except TimeoutError:
        raise InputError(TOO_SLOW) from None
    except HTTPException:
        raise InputError(TOO_MUCH, field="text", most=MAX_FILES) from None
    try:
        yield form
    finally:
        await form.close()


@asynccontextmanager
async def _turn(user_id: int) -> AsyncIterator[None]:
    """One upload of a person's at a time, and a few of all: nobody can fill memory and disk."""
    if user_id in _sending:
        raise InputError(STILL_SENDING)
    if len(_sending) >= AT_ONCE:
        raise InputError(BUSY)
    _sending.add(user_id)
    try:
        yield
    finally:
        _sending.discard(user_id)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS):
        raise NotFoundError
    return int(text)


def _done(request: Request, ticket_id: int) -> Response:
    log.info("web:ticket:send", extra={"ticket": ticket_id})
    page = f"{SUPPORT}/{ticket_id}"
    return forms.done(request, page)


def support_routes() -> list[Route]:
    """The one route."""
    return [Route(UPLOADS, send, methods=["POST"])]
