"""A resource's list as a file to take along: GET /admin/<name>/export, for those who may see the list.

Who may not, and an address that names no list, get the same answer.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.i18n import _
from lk_portal.security.navigation import LOGIN
from lk_portal.services import audit
from lk_portal.services.access import Duty
from lk_portal.services.context import current
from lk_portal.services.exports.files import MEDIA_TYPES, FileFormat
from lk_portal.services.exports.table_csv import csv_pieces
from lk_portal.services.exports.workbook import table_pieces
from lk_portal.services.resource import Resource, resource_named
from lk_portal.services.resource.address import address_of, first_page
from lk_portal.services.resource.files import rows_of
from lk_portal.web import forms

log = logging.getLogger(__name__)


async def export(request: Request) -> Response:
    """What the list shows with this search and these filters, as CSV or XLSX."""
    portal = current()
    resource = resource_named(request.path_params["name"])
    page = f"/admin/{request.path_params['name']}"
    if not forms.is_asked_from_here(request):
        return forms.redirect("/admin")  # another site may not make a browser fetch it
    identity = await forms.identity_behind(request)
    if identity is None:
        return forms.redirect(forms.with_next(LOGIN, page))
    if identity.duty is not Duty.NONE:
        return forms.redirect(forms.page_after(identity.duty, page))
    form = request.query_params.get("format", "")
    if resource is None or identity.role not in resource.readers or form not in ("csv", "xlsx"):
        return forms.not_found()
    async with portal.database.writing() as connection:
        await audit.record(
            connection,
            action=f"registry:{resource.name}:export",
            visit=forms.visit_of(request),
            actor=identity.user_id,
            subject=None,
        )
    log.info("web:resource:export", extra={"resource": resource.name})
    return _file(request, resource, FileFormat(form))


def _file(request: Request, resource: Resource, form: FileFormat) -> Response:
    portal = current()
    view = first_page(address_of(resource, request.query_params).view)
    now = portal.clock()
    zone = portal.settings.zone
    rows = rows_of(portal.database, resource, view, now=now, zone=zone)
    pieces = csv_pieces(rows) if form is FileFormat.CSV else table_pieces(rows, _(resource.title))
    name = f"{resource.name}_{now.astimezone(zone):%Y-%m-%d}.{form}"
    return forms.download(pieces, name=name, media_type=MEDIA_TYPES[form])


def resource_routes() -> list[Route]:
    """The routes of this module."""
    return [Route("/admin/{name:str}/export", export, methods=["GET"])]
