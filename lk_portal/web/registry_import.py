"""Files of the registry over plain HTTP: the one that is sent in, the empty one and the report of bad rows.

For administrators; everybody else gets what an address gets that does not exist.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lk_portal.errors import N_, InputError, NotFoundError, PortalError
from lk_portal.security.files import MAX_REGISTRY_UPLOAD, clean_name
from lk_portal.security.navigation import IMPORT, IMPORT_UPLOADS, LOGIN
from lk_portal.services.access import Duty, Identity, Role
from lk_portal.services.context import current
from lk_portal.services.exports.files import MEDIA_TYPES, FileFormat
from lk_portal.services.imports import runs
from lk_portal.services.imports.registry_template import report_csv, template_csv, template_xlsx
from lk_portal.web import forms

RECEIVE_S = 600
FORM = "registry-import"
MAX_NUMBER_DIGITS = 9

log = logging.getLogger(__name__)


async def send(request: Request) -> Response:
    """POST /admin/import/send: the field `file`. The check begins, and its page is shown."""
    identity = await _admin(request)
    if identity is None:
        async for _piece in request.stream():  # else a browser tells of a broken line instead of the sign-in
            pass
        return forms.redirect(forms.with_next(LOGIN, IMPORT))
    try:
        name, content = await _received(request)
        run_id = await runs.begin(current(), name=name, content=content, user_id=identity.user_id)
    except PortalError as error:
        return forms.refused(error, IMPORT, form=FORM)
    log.info("web:registry:send", extra={"run": run_id})
    return forms.redirect(f"{IMPORT}?run={run_id}")


async def _received(request: Request) -> tuple[str, bytes]:
    try:
        async with asyncio.timeout(RECEIVE_S), request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise InputError(N_("Choose a file first."), field="file")
            return clean_name(file.filename), await file.read(MAX_REGISTRY_UPLOAD)
    except (TimeoutError, HTTPException):
        raise InputError(N_("The file could not be received. Try again."), field="file") from None


async def template(request: Request) -> Response:
    """GET /admin/import/template.csv and .xlsx."""
    if await _admin(request) is None:
        return forms.not_found()
    if request.path_params["kind"] == "csv":
        return _file(template_csv(), "registry.csv", FileFormat.CSV)
    return _file(await asyncio.to_thread(template_xlsx), "registry.xlsx", FileFormat.XLSX)


async def report(request: Request) -> Response:
    """GET /admin/import/{run}/report.csv: what is wrong with which row."""
    run = request.path_params["run"]
    try:
        if await _admin(request) is None or len(run) > MAX_NUMBER_DIGITS or not run.isdecimal():
            raise NotFoundError
        portal = current()
        found = await runs.run_of(portal.database, int(run), now=portal.clock())
    except NotFoundError:
        return forms.not_found()
    return _file(report_csv(found.bad_rows), f"registry-{run}-errors.csv", FileFormat.CSV)


async def _admin(request: Request) -> Identity | None:
    identity = await forms.person_of(request, Duty.NONE)
    return identity if identity is not None and identity.role is Role.ADMIN else None


def _file(content: bytes, name: str, kind: FileFormat) -> Response:
    return forms.download(content, name=name, media_type=MEDIA_TYPES[kind])


def registry_import_routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route(IMPORT_UPLOADS, send, methods=["POST"]),
        Route(f"{IMPORT}/template.{{kind:str}}", template, methods=["GET"]),
        Route(f"{IMPORT}/{{run:str}}/report.csv", report, methods=["GET"]),
    ]
