"""The report of consents as a file to take along: a plain GET, for a browser saves what it is given."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lk_portal.i18n import say
from lk_portal.security.navigation import ADMIN_AGREEMENT, CONSENTS_EXPORT, LOGIN
from lk_portal.services import audit
from lk_portal.services.access import Duty, Role
from lk_portal.services.consents import Wish
from lk_portal.services.context import current
from lk_portal.services.exports.consents_file import FORMATS, ConsentsFile
from lk_portal.services.exports.files import FileFormat
from lk_portal.web import forms


async def export(request: Request) -> Response:
    """GET /admin/agreement/consents: query q, owing=1 as in the report's address, and format csv or xlsx."""
    portal, query = current(), request.query_params
    if not forms.is_asked_from_here(request):
        return forms.redirect(ADMIN_AGREEMENT)  # another site may not make a browser fetch it
    identity = await forms.person_of(request, Duty.NONE)
    if identity is None:
        return forms.redirect(forms.with_next(LOGIN, ADMIN_AGREEMENT))
    form = next((one for one in FORMATS if one.value == query.get("format")), None)
    if identity.role is not Role.ADMIN or form is None:
        return forms.not_found()
    wish = Wish(query.get("q", ""), query.get("owing") == "1")
    file = ConsentsFile(portal.database, wish, FileFormat(form), portal.settings.zone, portal.clock())
    try:
        async with portal.database.writing() as connection:
            await audit.record(
                connection,
                action=audit.CONSENTS_EXPORTED,
                visit=forms.visit_of(request),
                actor=identity.user_id,
                subject=None,
                file=file.name,
            )
    except Exception as error:
        return PlainTextResponse(say(forms.broken(error)), 503)
    return forms.download(file.chunks(), name=file.name, media_type=file.media_type)


def consents_routes() -> list[Route]:
    """The one route."""
    return [Route(CONSENTS_EXPORT, export, methods=["GET"])]
