"""Sign-in, sign-out and health as plain HTTP: they work before any script has loaded.

The session cookie is read when the page's websocket connects, so both end in a redirect that loads a page.
"""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lk_portal.errors import PortalError, ThrottledError
from lk_portal.logs import report
from lk_portal.security import cookies
from lk_portal.security.navigation import HOME, LOGIN, safe_next
from lk_portal.services import access
from lk_portal.services.context import current
from lk_portal.services.health import check_health
from lk_portal.web.client import client_address

MAX_FORM_FIELD = 1024
MAX_REFERER = 4096

log = logging.getLogger(__name__)


async def login(request: Request) -> Response:
    """POST /auth/login: fields login, password, next."""
    portal = current()
    form = await request.form(max_files=0, max_fields=10, max_part_size=8 * MAX_FORM_FIELD)
    typed = _field(form, "login")[:MAX_FORM_FIELD]
    target = _wanted_page(request, _field(form, "next")[:MAX_FORM_FIELD])
    visit = access.Visit(
        address=client_address(request.scope, portal.settings.trusted_proxy_hops),
        agent=request.headers.get("user-agent", ""),
        at=portal.clock(),
    )
    try:
        token = await access.sign_in(
            portal.database,
            portal.settings,
            login=typed,
            password=_field(form, "password"),
            visit=visit,
        )
    except PortalError as error:
        return _refused(error, typed, target)
    except Exception as error:
        number = report(error)
        return _refused(
            PortalError("Something went wrong. Error number {number}.", number=number), typed, target
        )
    log.info("web:login:success", extra={"address": visit.address})
    response = RedirectResponse(target, status_code=303)
    cookies.set_session(response, portal.settings, token)
    return response


async def logout(request: Request) -> Response:
    """POST /auth/logout: ends the session here and in the browser."""
    portal = current()
    token = request.cookies.get(cookies.session_cookie(portal.settings), "")
    if token:
        await access.sign_out(portal.database, token=token)
    response = RedirectResponse(LOGIN, status_code=303)
    cookies.clear_session(response, portal.settings)
    return response


async def healthz(_request: Request) -> Response:
    """GET /healthz: 200 when the database answers and polling is alive, else 503 with what is not."""
    health = await check_health(current())
    return JSONResponse(
        {"status": "ok" if health.is_well else "failing", "failing": list(health.failing)},
        status_code=200 if health.is_well else 503,
        headers={"Cache-Control": "no-store"},
    )


def make_routes() -> Starlette:
    """The plain routes as one small application."""
    return Starlette(
        routes=[
            Route("/auth/login", login, methods=["POST"]),
            Route("/auth/logout", logout, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def _field(form: FormData, name: str) -> str:
    """What was typed into a field, without the half characters that some charsets let through."""
    return str(form.get(name, "")).encode("utf-8", "ignore").decode("utf-8")


def _wanted_page(request: Request, given: str) -> str:
    """Where the form says to go; a form sent before scripts filled that in says it in its own address."""
    query = request.headers.get("referer", "")[:MAX_REFERER].partition("?")[2]
    asked = parse_qs(query).get("next", [HOME])[0]
    return safe_next(given if given not in ("", HOME) else asked)


def _refused(error: PortalError, typed: str, target: str) -> Response:
    portal = current()
    seconds = error.seconds if isinstance(error, ThrottledError) else None
    response = RedirectResponse(LOGIN, status_code=303)
    payload = {"message": error.text, "data": error.data, "login": typed, "next": target}
    cookies.set_flash(response, portal.settings, payload, now=portal.clock())
    if seconds:
        response.headers["Retry-After"] = str(seconds)
    return response
