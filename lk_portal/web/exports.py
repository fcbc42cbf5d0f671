"""What /readings shows as a file to take along: a plain GET, for a browser saves what it is given.

A foreign meter, an unknown one and an address that means nothing get the same answer, byte for byte.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lk_portal.errors import InputError, NotFoundError
from lk_portal.i18n import say
from lk_portal.security.navigation import LOGIN
from lk_portal.services import audit
from lk_portal.services.access import Duty, Identity
from lk_portal.services.context import Portal, current
from lk_portal.services.exports.files import ExportFile, FileFormat
from lk_portal.services.exports.register_file import RegisterFile
from lk_portal.services.exports.rows import STEP_OF, Wish
from lk_portal.services.exports.source import find_point
from lk_portal.services.periods import Basis, Grain, Period, ReadingDays
from lk_portal.services.reading_days import reading_days
from lk_portal.services.register_table import register_page
from lk_portal.services.table_choice import TABLE, TableChoice, quantity_of, serial_of, table_choice_of
from lk_portal.web import forms

READINGS = "/readings"
PATH = f"{READINGS}/export"

log = logging.getLogger(__name__)


async def export(request: Request) -> Response:
    """GET /readings/export: what an address of /readings has, of the chart or of the table, and format."""
    portal = current()
    page = f"{READINGS}?{request.url.query}" if request.url.query else READINGS
    if not forms.is_asked_from_here(request):
        return forms.redirect(READINGS)  # another site may not make a browser fetch it
    identity = await forms.identity_behind(request)
    if identity is None:
        return forms.redirect(forms.with_next(LOGIN, page))
    if identity.duty is not Duty.NONE:
        return forms.redirect(forms.page_after(identity.duty, page))
    try:
        file = await _file(portal, request.query_params, identity)
        await _record(portal, request, identity, file)
    except (InputError, NotFoundError):
        return forms.not_found()
    except Exception as error:
        return PlainTextResponse(say(forms.broken(error)), 503)
    log.info("web:consumption:export")
    return forms.download(file.chunks(), name=file.name, media_type=file.media_type)


def export_routes() -> list[Route]:
    """The routes of this module."""
    return [Route(PATH, export, methods=["GET"])]


async def _file(portal: Portal, query: Mapping[str, str], identity: Identity) -> ExportFile | RegisterFile:
    """What the address asks for, of the person's own.

    Raises:
        InputError: The address means nothing.
        NotFoundError: She has no such meter.
    """
    if identity.subscriber_id is None:
        raise NotFoundError
    try:
        form = FileFormat(query.get("format", ""))
        asked = _asked(query, await reading_days(portal.database, portal.settings))
    except ValueError:
        raise NotFoundError from None
    point = await find_point(portal.database, serial=asked.serial, subscriber_id=identity.subscriber_id)
    author, now = portal.settings.utility_name, portal.clock()
    if isinstance(asked, Wish):
        return ExportFile(portal.database, point, asked, form, author, now)
    page = await register_page(
        portal.database,
        subscriber_id=identity.subscriber_id,
        serial=asked.serial,
        quantity=asked.quantity,
        before=asked.before or asked.day or now,
    )
    return RegisterFile(point, page, asked.quantity, form, author, now)


def _asked(query: Mapping[str, str], days: ReadingDays) -> Wish | TableChoice:
    """The tab of /readings decides which of the two."""
    return table_choice_of(query) if query.get("tab") == TABLE else _wish(query, days)


def _wish(query: Mapping[str, str], days: ReadingDays) -> Wish:
    grain, basis = Grain(query.get("interval", "")), Basis(query.get("basis", Basis.CALENDAR))
    period = Period.parse(grain, query.get("period", ""), basis=basis, reading_days=days)
    return Wish(
        serial=serial_of(query),
        quantity=quantity_of(query),
        first=period.start,
        after=period.end,
        step=STEP_OF[grain],
        basis=basis,
        reading_days=days,
    )


async def _record(
    portal: Portal, request: Request, identity: Identity, file: ExportFile | RegisterFile
) -> None:
    async with portal.database.writing() as connection:
        await audit.record(
            connection,
            action=audit.CONSUMPTION_EXPORTED,
            visit=forms.visit_of(request),
            actor=identity.user_id,
            subject=identity.user_id,
            file=file.name,
        )
