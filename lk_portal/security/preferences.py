"""Language and look as a browser remembers them: two cookies. For routes, guards and the sign-in.

They hold one known word each, nothing of a person; `lk_theme` is read and written by assets/theme.js too.
A browser without `lk_locale` gets the portal's own language, LK_LOCALE, and not what its `Accept-Language`
asks for: that is the language of the machine, often English where people read Russian, while one click
chooses for a year.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.responses import Response

from lk_portal.security.cookies import LOCALE_COOKIE, read_cookie
from lk_portal.settings import KNOWN_LOCALES, Settings

THEME_COOKIE = "lk_theme"
LASTING_THEMES = ("light", "dark")
SYSTEM_THEME = "system"
LANGUAGE_PARAMETER = "lang"
"""Says in a websocket's address which language its page is in."""
ONE_YEAR_S = 31_536_000


def chosen_locale(cookies: str, *, query: bytes = b"") -> str:
    """The language a connection asks for; "" when it asks for none that the portal knows.

    A page says its own in the websocket's address: it stays in its language when another tab of the same
    browser has chosen another.
    """
    asked = parse_qs(query.decode("latin-1")).get(LANGUAGE_PARAMETER, [""])[0]
    wanted = (asked, read_cookie(cookies, LOCALE_COOKIE))
    return next((name for name in wanted if name in KNOWN_LOCALES), "")


def set_preference_cookies(response: Response, settings: Settings, *, locale: str, theme: str) -> None:
    """Let the browser remember a language and a look; "" leaves what it has, "system" forgets the look."""
    if locale in KNOWN_LOCALES:
        _remember(response, settings, name=LOCALE_COOKIE, value=locale)
    if theme in LASTING_THEMES:
        _remember(response, settings, name=THEME_COOKIE, value=theme)
    elif theme == SYSTEM_THEME:
        response.delete_cookie(THEME_COOKIE, path="/", secure=settings.is_https, samesite="lax")


def _remember(response: Response, settings: Settings, *, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=ONE_YEAR_S,
        httponly=name != THEME_COOKIE,
        secure=settings.is_https,
        samesite="lax",
        path="/",
    )
