"""The recording of a picture check, as plain HTTP: players fetch it themselves, and in parts.

Its address is a secret of the tab that was shown the picture. It tells the digits of that picture alone, as
long as it waits for an answer, and opens nothing: an answer must come from the tab as well.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.i18n import active_locale, say
from lk_portal.services import captcha
from lk_portal.services.context import current
from lk_portal.web import forms

MAX_REQUESTS = 30
"""Of one recording. A player asks two to four times for one listening."""
MAX_REMEMBERED = captcha.MAX_LIVE
KEY = re.compile(r"[A-Za-z0-9_-]{43}")
TOO_OFTEN = N_("The code was played too often. Refresh the picture.")
RANGE = re.compile(r"bytes=(\d{0,9})-(\d{0,9})")
HEADERS = {
    "Cache-Control": "no-store",
    "Accept-Ranges": "bytes",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "inline",
    "X-Robots-Tag": "noindex",
}


class Requests:
    """How often each recording was asked for, in this process; the longest unasked are forgotten first."""

    def __init__(self, *, most: int = MAX_REQUESTS, remembered: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._remembered = remembered
        self._counts: OrderedDict[str, int] = OrderedDict()

    def is_one_too_many(self, key: str) -> bool:
        """Count one more, and say whether it goes beyond."""
        self._counts[key] = self._counts.pop(key, 0) + 1
        if len(self._counts) > self._remembered:
            self._counts.popitem(last=False)
        return self._counts[key] > self._most


_requests = Requests()


async def recording(request: Request) -> Response:
    """GET /captcha/{key}.wav?lang=ru: the digits read out, whole or the part that a Range header names."""
    portal = current()
    key = request.path_params["key"]
    if not KEY.fullmatch(key):
        return forms.not_found(HEADERS)
    if _requests.is_one_too_many(key):
        return PlainTextResponse(say(InputError(TOO_OFTEN)), 429, headers=HEADERS)
    try:
        sound = await captcha.recording(
            portal.database,
            portal.settings,
            audio_key=key,
            locale=request.query_params.get("lang") or active_locale(),
            now=portal.clock(),
        )
    except NotFoundError:
        return forms.not_found(HEADERS)
    return _part(sound, request.headers.get("range", ""))


def captcha_routes() -> list[Route]:
    """What `make_routes` adds."""
    return [Route("/captcha/{key}.wav", recording, methods=["GET"])]


def _part(sound: bytes, asked: str) -> Response:
    """The whole, or one part of it (RFC 9110, 14.2); Safari plays nothing that it cannot have in parts."""
    found = RANGE.fullmatch(asked.strip())
    if found is None or found.group() == "bytes=-":
        return Response(sound, media_type="audio/wav", headers=HEADERS)
    first, last = _bounds(found[1], found[2], len(sound))
    if first > last:
        return Response(status_code=416, headers={**HEADERS, "Content-Range": f"bytes */{len(sound)}"})
    headers = {**HEADERS, "Content-Range": f"bytes {first}-{last}/{len(sound)}"}
    return Response(sound[first : last + 1], 206, media_type="audio/wav", headers=headers)


def _bounds(first: str, last: str, length: int) -> tuple[int, int]:
    """The first and the last byte of "first-", "first-last" or "-how many from the end"."""
    if not first:
        return max(0, length - int(last)), length - 1
    return int(first), min(int(last), length - 1) if last else length - 1
