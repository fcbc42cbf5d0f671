"""Language and look over plain HTTP: a person's choice, kept in her browser and, signed in, with her account.

A page is in one language, so another one means another page: the answer is a redirect that loads it.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from lk_portal.errors import InputError, ThrottledError
from lk_portal.i18n import say
from lk_portal.security.navigation import HOME, own_path
from lk_portal.security.preferences import set_preference_cookies
from lk_portal.services import profile
from lk_portal.services.access import Theme
from lk_portal.services.context import current
from lk_portal.web import forms

ADDRESS = "/profile/preferences"


class Preferences(BaseModel):
    """The form: each choice may be left out, and then stays what it is."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    locale: Literal["", "ru", "en"] = ""
    theme: Literal["", "system", "light", "dark"] = ""
    next: str = ""


async def save(request: Request) -> Response:
    """POST /profile/preferences: fields locale, theme, next. For visitors too."""
    try:
        chosen = Preferences.model_validate(dict(await forms.form_of(request)))
        await _store(request, chosen)
    except ValidationError:
        return PlainTextResponse(say(InputError()), status_code=400)
    except ThrottledError as error:
        return PlainTextResponse(say(error), status_code=429, headers={"Retry-After": str(error.seconds)})
    response = forms.redirect(_page(request, chosen.next))
    set_preference_cookies(response, current().settings, locale=chosen.locale, theme=chosen.theme)
    return response


async def remember(response: Response, *, token: str) -> None:
    """Let the browser take over what the person who has just signed in chose, wherever that was.

    Who never chose a look keeps what she may have switched to a moment ago, above the form.
    """
    identity = await forms.identity_with(token)
    if identity is not None:
        theme = "" if identity.theme is Theme.SYSTEM else identity.theme.value
        set_preference_cookies(response, current().settings, locale=identity.locale, theme=theme)


async def _store(request: Request, chosen: Preferences) -> None:
    """Keep the choice with the account; of a visitor there is none."""
    identity = await forms.identity_behind(request)
    if identity is not None and not identity.is_viewing:
        await profile.set_preferences(
            current().database,
            user_id=identity.user_id,
            locale=chosen.locale or identity.locale,
            theme=Theme(chosen.theme) if chosen.theme else identity.theme,
            visit=forms.visit_of(request),
        )


def _page(request: Request, given: str) -> str:
    """Where the form says to go, else the page it was sent from."""
    if given:
        return own_path(given)
    origin, path = _parted(request.headers.get("referer", "")[: forms.MAX_REFERER])
    return own_path(path) if origin in current().settings.own_origins else HOME


def _parted(address: str) -> tuple[str, str]:
    """The origin of an address, and its path with the query."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", HOME
    return f"{parts.scheme}://{parts.netloc}", parts._replace(scheme="", netloc="", fragment="").geturl()


def preferences_routes() -> list[Route]:
    """The one route."""
    return [Route(ADDRESS, save, methods=["POST"])]
