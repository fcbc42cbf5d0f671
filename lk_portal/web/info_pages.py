"""What an admin's editor sends - texts, previews, pictures, versions of documents -, and the pages' pictures.

Plain HTTP and not events: a text of any length goes without the websocket, and a form whose answer never came
is still on the page and in the browser's drafts (assets/tickets.js). Who is signed in is asked before a
byte of a form is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lk_portal.errors import N_, AccessDeniedError, ConflictError, InputError, NotFoundError, PortalError
from lk_portal.i18n import _, active_locale, moment_text, say
from lk_portal.security.files import MAX_FILE_BYTES, MAX_WRITTEN
from lk_portal.security.navigation import (
    ADMIN_AGREEMENT,
    ADMIN_INFO,
    AGREEMENT_PUBLISH,
    INFO_PREVIEW,
    INFO_SAVE,
    INFO_UPLOAD,
    LOGIN,
)
from lk_portal.services import documents, info_editing, info_pictures
from lk_portal.services.access import Duty, Identity, Role
from lk_portal.services.attachments import Upload
from lk_portal.services.content import MAX_POSITION, Draft, InfoKind, Reader
from lk_portal.services.context import current
from lk_portal.services.documents import DocumentKind
from lk_portal.services.info_editing import PageText, Release
from lk_portal.services.info_render import rendered
from lk_portal.services.info_uses import FOLDER
from lk_portal.services.text_diff import differences
from lk_portal.web import forms

MAX_FIELDS = 20
RECEIVE_S = 120
NO_PICTURE = N_("Choose a picture.")
TOO_MUCH = N_("This is too much at once.")
YEAR = 31_536_000

Deed = Callable[[Request, Identity], Awaitable[Response]]
Choice = TypeVar("Choice", InfoKind, Release, DocumentKind)


async def save(request: Request) -> Response:
    """POST /admin/info/save: a page with what becomes of its publication; 409 when it changed meanwhile."""
    return await _as_admin(request, _save, ADMIN_INFO)


async def preview(request: Request) -> Response:
    """POST /admin/info/preview: the HTML of a text, by the renderer and sanitiser of the public pages."""
    return await _as_admin(request, _preview, ADMIN_INFO)


async def upload(request: Request) -> Response:
    """POST /admin/info/pictures: keeps a picture; its address for the text."""
    return await _as_admin(request, _upload, ADMIN_INFO)


async def publish(request: Request) -> Response:
    """POST /admin/agreement/publish: the next version of a document."""
    return await _as_admin(request, _publish, ADMIN_AGREEMENT)


async def picture(request: Request) -> Response:
    """GET /info/pictures/{key}: a picture, to whoever may read a page with it."""
    portal = current()
    identity = await forms.person_of(request, Duty.NONE)
    reader = Reader(active_locale(), portal.settings.locale, identity is not None, portal.clock())
    is_staff = identity is not None and identity.role is not Role.SUBSCRIBER
    key = request.path_params["key"]
    try:
        found = await info_pictures.shown(portal.database, reader, key, is_staff=is_staff)
    except NotFoundError:
        return forms.not_found({"Cache-Control": "no-store"})
    etag = f'"{key}"'
    headers = {
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        # What only some may see is asked for again each time, and costs an answer without content.
        "Cache-Control": f"public, max-age={YEAR}, immutable" if found.is_public else "private, no-cache",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


def info_page_routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route(INFO_SAVE, save, methods=["POST"]),
        Route(INFO_PREVIEW, preview, methods=["POST"]),
        Route(INFO_UPLOAD, upload, methods=["POST"]),
        Route(AGREEMENT_PUBLISH, publish, methods=["POST"]),
        Route(f"{FOLDER}/{{key}}", picture, methods=["GET"]),
    ]


async def _as_admin(request: Request, deed: Deed, page: str) -> Response:
    """Do it for an admin; for all others the address does not exist."""
    identity = await forms.person_of(request, Duty.NONE)
    if identity is None:
        return forms.refused_as_asked(request, AccessDeniedError(forms.SESSION_OVER), LOGIN, form="login")
    if identity.role is not Role.ADMIN:
        return forms.refused_as_asked(request, NotFoundError(), "/not-found")
    try:
        return await deed(request, identity)
    except PortalError as error:
        return forms.refused_as_asked(request, error, page, form="info")
    except ClientDisconnect:  # nobody is there to be told
        return Response(status_code=400)
    except Exception as error:
        return forms.refused_as_asked(request, forms.broken(error), page, form="info")


async def _save(request: Request, identity: Identity) -> Response:
    form = await _form_of(request)
    portal, visit = current(), forms.visit_of(request)
    draft, page_id = _draft_of(form), _number(forms.field(form, "page"))
    release = _choice(Release, forms.field(form, "release") or Release.KEEP, "release")
    at = None
    if release is Release.AT:
        at = info_editing.local_moment(forms.field(form, "release_at"), portal.settings.zone)
    try:
        saved = await info_editing.write(
            portal.database,
            draft,
            page_id=page_id,
            version=_number(forms.field(form, "version")) or 0,
            release=release,
            at=at,
            actor=identity.user_id,
            visit=visit,
        )
    except ConflictError as error:
        if page_id is None or not forms.wants_json(request):
            raise
        return await _conflict(error, await info_editing.page(portal.database, page_id), draft)
    return forms.done(request, f"{ADMIN_INFO}/{saved}?saved=1")


async def _conflict(error: ConflictError, theirs: PageText, mine: Draft) -> Response:
    """Both texts, and what differs; the writer's own are still in her form."""
    lines = await asyncio.to_thread(differences, _all_of(theirs), _all_of(mine))
    note = _("{author}, {time}", author=theirs.author or "—", time=_moment(theirs))
    told = {
        "version": theirs.version,
        "note": note,
        "title": theirs.title,
        "text": theirs.text,
        "lines": [[line.change.value, line.text] for line in lines],
    }
    return JSONResponse({"error": say(error), "field": "", "conflict": told}, status_code=409)


def _all_of(text: PageText | Draft) -> str:
    """A text with its settings as lines, so that one difference shows all."""
    is_public = _("yes") if text.is_public else _("no")
    return "\n".join(
        (
            f"{_('Title')}: {text.title}",
            f"{_('Address of the page')}: {text.slug} ({text.locale}, {text.kind.value})",
            f"{_('Order')}: {text.position}",
            f"{_('Visible before signing in')}: {is_public}",
            "",
            text.text.strip().replace("\r\n", "\n"),
        )
    )


def _moment(theirs: PageText) -> str:
    return moment_text(theirs.updated_at, current().settings.zone)


async def _preview(request: Request, _identity: Identity) -> Response:
    text = forms.field(await _form_of(request), "text")
    return JSONResponse({"html": (await asyncio.to_thread(rendered, text)).html})


async def _upload(request: Request, identity: Identity) -> Response:
    form = await _form_of(request, max_files=1)
    chosen = form.get("files")
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        raise InputError(NO_PICTURE, field="files")
    # One byte more than allowed is enough to see that it is too large.
    sent = Upload(chosen.filename, await chosen.read(MAX_FILE_BYTES + 1))
    await form.close()
    address = await info_pictures.add(
        current().database, sent, actor=identity.user_id, visit=forms.visit_of(request)
    )
    return JSONResponse({"address": address})


async def _publish(request: Request, identity: Identity) -> Response:
    form = await _form_of(request)
    kind = _choice(DocumentKind, forms.field(form, "kind"), "kind")
    if forms.field(form, "confirm") != "on":
        raise InputError(N_("Confirm that this version may be published."), field="confirm")
    await documents.publish(
        current().database,
        kind=kind,
        title=forms.field(form, "title"),
        text=_lines(forms.field(form, "text")),
        after=_number(forms.field(form, "version")),
        actor=identity.user_id,
        visit=forms.visit_of(request),
    )
    return forms.done(request, f"{ADMIN_AGREEMENT}?published={kind.value}")


async def _form_of(request: Request, *, max_files: int = 0) -> FormData:
    try:
        async with asyncio.timeout(RECEIVE_S):
            return await request.form(max_files=max_files, max_fields=MAX_FIELDS, max_part_size=MAX_WRITTEN)
    except (TimeoutError, HTTPException):
        raise InputError(TOO_MUCH) from None


def _draft_of(form: FormData) -> Draft:
    position = forms.field(form, "position").strip() or "0"
    if not (position.isascii() and position.isdecimal() and len(position) <= len(str(MAX_POSITION))):
        raise InputError(N_("This must be a number from 0 to {most}."), field="position", most=MAX_POSITION)
    return Draft(
        slug=forms.field(form, "slug").strip(),
        locale=forms.field(form, "locale"),
        kind=_choice(InfoKind, forms.field(form, "kind"), "kind"),
        title=forms.field(form, "title"),
        text=_lines(forms.field(form, "text")),
        position=int(position),
        is_public=forms.field(form, "is_public") == "on",
    )


def _lines(text: str) -> str:
    """As typed: browsers send every end of line as two characters."""
    return text.replace("\r\n", "\n")


def _choice(kind: type[Choice], value: str, field: str) -> Choice:
    try:
        return kind(value)
    except ValueError:
        raise InputError(N_("Choose one of the list."), field=field) from None


def _number(text: str) -> int | None:
    """A number of a hidden field; None for a new thing.

    Raises:
        NotFoundError: It is no number of ours.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFoundError
    return int(text)
