"""What the routes of plain HTML forms share: fields, cookies, the page to go to, and how they refuse.

An answer is always a redirect to a page; what is to be said there travels in a sealed cookie, the flash.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from lk_portal.errors import (
    N_,
    ConflictError,
    InputError,
    NotFoundError,
    PortalError,
    ThrottledError,
    by_field,
)
from lk_portal.i18n import say
from lk_portal.logs import report
from lk_portal.security import cookies
from lk_portal.security.navigation import CONSENT, ENROL, HOME, NEW_PASSWORD, SECOND_FACTOR, safe_next
from lk_portal.security.tokens import hash_of
from lk_portal.services.access import Duty, Identity, Visit, identity_of
from lk_portal.services.context import current
from lk_portal.web.client import client_address

MAX_FORM_FIELD = 1024
SESSION_OVER = N_("You are not signed in any more. Sign in again.")
MAX_REFERER = 4096
PAGES_OF_DUTIES = {
    Duty.NEW_PASSWORD: NEW_PASSWORD,
    Duty.CONSENT: CONSENT,
    Duty.SECOND_FACTOR: SECOND_FACTOR,
    Duty.ENROL: ENROL,
    Duty.VIEWING: HOME,
}


async def form_of(request: Request) -> FormData:
    """The fields of a form; files and endless ones are refused with 400."""
    return await request.form(max_files=0, max_fields=10, max_part_size=8 * MAX_FORM_FIELD)


def field(form: FormData, name: str) -> str:
    """What was typed into a field, without the half characters that some charsets let through."""
    return str(form.get(name, "")).encode("utf-8", "ignore").decode("utf-8")


def visit_of(request: Request) -> Visit:
    """Where a request comes from, and when."""
    portal = current()
    return Visit(
        address=client_address(request.scope, portal.settings.trusted_proxy_hops),
        agent=request.headers.get("user-agent", ""),
        at=portal.clock(),
    )


def cookie_header(request: Request) -> str:
    """All cookies of a request, as `security.cookies` reads them."""
    return "; ".join(request.headers.getlist("cookie"))


def session_token(request: Request) -> str:
    """The session's token, or ""."""
    return cookies.read_cookie(cookie_header(request), cookies.session_cookie(current().settings))


def not_found(headers: Mapping[str, str] | None = None) -> Response:
    """The answer for what is not there, or is somebody else's: the same bytes, in the reader's language."""
    return PlainTextResponse(say(NotFoundError()), 404, headers)


async def identity_behind(request: Request) -> Identity | None:
    """Whoever is signed in, whatever she owes; None: a visitor."""
    return await identity_with(session_token(request))


async def identity_with(token: str) -> Identity | None:
    """Whoever has the session of this token."""
    portal = current()
    return await identity_of(
        portal.database,
        portal.settings,
        session_hash=hash_of(token) if token else "",
        now=portal.clock(),
    )


async def person_of(request: Request, *duties: Duty) -> Identity | None:
    """Whoever is signed in, if what she owes is one of `duties`."""
    identity = await identity_behind(request)
    return identity if identity is not None and identity.duty in duties else None


def wanted_page(request: Request, form: FormData) -> str:
    """Where the form says to go; a form sent before scripts filled that in says it in its own address."""
    given = field(form, "next")[:MAX_FORM_FIELD]
    query = request.headers.get("referer", "")[:MAX_REFERER].partition("?")[2]
    asked = parse_qs(query).get("next", [HOME])[0]
    return safe_next(given if given not in ("", HOME) else asked)


def page_after(duty: Duty, target: str) -> str:
    """The page that was wanted, or first the one of what is owed."""
    page = PAGES_OF_DUTIES.get(duty)
    return with_next(page, target) if page else target


def with_next(page: str, target: str) -> str:
    """A page that leads on to `target`."""
    return page if target == HOME else f"{page}?next={quote(target, safe='')}"


def is_asked_from_here(request: Request) -> bool:
    """Whether no other site makes the browser fetch this."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def download(content: bytes | AsyncIterator[bytes], *, name: str, media_type: str) -> Response:
    """A file to take along: no browser shows it under the portal's name, and none keeps it."""
    headers = {
        "Content-Disposition": f'attachment; filename="{quote(name, safe="")}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    if isinstance(content, bytes):
        return Response(content, media_type=media_type, headers=headers)
    return StreamingResponse(content, media_type=media_type, headers=headers)


def redirect(target: str) -> Response:
    """A page, asked for by GET; it says nothing, nor what an answer before this one had to say."""
    response = RedirectResponse(target, status_code=303)
    cookies.clear_flash(response, current().settings)
    return response


def tell(response: Response, payload: Mapping[str, Any]) -> Response:
    """Let the next page say something; ids of messages, not sentences."""
    portal = current()
    cookies.set_flash(response, portal.settings, dict(payload), now=portal.clock())
    return response


def refused(error: PortalError, page: str, **typed: str) -> Response:
    """Back to the form's page with the reason, the field, and what was typed - never a password."""
    told = {
        "message": error.text,
        "data": error.data,
        "field": error.field if isinstance(error, InputError) else "",
        **typed,
    }
    response = tell(redirect(page), told)
    if isinstance(error, ThrottledError):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def done(request: Request, page: str) -> Response:
    """The page to go on to: as JSON for a script that sent the form, else a redirect."""
    return JSONResponse({"to": page}) if wants_json(request) else redirect(page)


def refused_as_asked(request: Request, error: PortalError, page: str, **told: str) -> Response:
    """As JSON the sentence itself, for the page that is still open; else a redirect with a flash."""
    if not wants_json(request):
        return refused(error, page, **told)
    first, *others = ({"error": say(one), "field": field} for field, one in by_field(error).items())
    return JSONResponse({**first, "others": others}, status_code=_status_of(error))


def wants_json(request: Request) -> bool:
    """Whether a script of ours sent the form, and the page is still there."""
    return request.headers.get("accept", "") == "application/json"


def _status_of(error: PortalError) -> int:
    if isinstance(error, ThrottledError):
        return 429
    return 409 if isinstance(error, ConflictError) else 422


def broken(error: Exception) -> PortalError:
    """What is said about an error inside: its number in the log."""
    return PortalError("Something went wrong. Error number {number}.", number=report(error))
