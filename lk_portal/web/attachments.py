"""Files of обращения over plain HTTP: to their owner and to staff, always as a download.

Whatever is in a file, no browser shows or runs it under the portal's name. A file of somebody else's is
answered like one that does not exist.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import NotFoundError
from lk_portal.security.navigation import FILES, LOGIN
from lk_portal.services import attachments
from lk_portal.services.access import Duty, Identity, Role
from lk_portal.services.attachments import CheckedFile
from lk_portal.services.context import current
from lk_portal.web import forms

MAX_KEY = 64
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def download(request: Request) -> Response:
    """GET /support/files/{key}: one file, whole."""
    identity = await forms.person_of(request, Duty.NONE, Duty.VIEWING)
    if identity is None:
        return forms.redirect(forms.with_next(LOGIN, request.url.path))
    try:
        found = await _file(identity, request.path_params["key"])
    except NotFoundError:
        return forms.not_found(HEADERS)
    return Response(
        found.content,
        headers={
            **HEADERS,
            "Content-Type": found.media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        },
    )


async def _file(identity: Identity, key: str) -> CheckedFile:
    if not key.isascii() or len(key) > MAX_KEY:
        raise NotFoundError
    database = current().database
    if identity.role is not Role.SUBSCRIBER:
        return await attachments.any_file(database, key=key)
    if identity.subscriber_id is None:
        raise NotFoundError
    return await attachments.own_file(database, subscriber_id=identity.subscriber_id, key=key)


def attachment_routes() -> list[Route]:
    """The one route."""
    return [Route(f"{FILES}/{{key}}", download, methods=["GET"])]
