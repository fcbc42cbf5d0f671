"""What makes the portal an application on a telephone's Home Screen: the manifest and the icons.

They carry the utility's name and colour, so they are made here and not with the pages. There is nothing of
anybody in them. The service worker is assets/sw.js.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lk_portal.i18n import active_locale
from lk_portal.services.context import current

MANIFEST = "/manifest.webmanifest"
SIZES = (180, 192, 512)
"""The first is Apple's."""
BOLT = ((13, 3), (5, 14), (11, 14), (10, 21), (18, 10), (12, 10))
"""The shape of favicon.svg in a square of 24; it lies in the circle that masks leave of an icon."""
SMOOTHING = 4
ONE_DAY = "public, max-age=86400"


async def manifest(_request: Request) -> Response:
    """GET /manifest.webmanifest: the web application manifest in the reader's language."""
    settings = current().settings
    icons = [{"src": f"/icons/{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in SIZES]
    return JSONResponse(
        {
            "id": "/",
            "name": settings.utility_name,
            "short_name": settings.utility_name,
            "lang": active_locale(),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "theme_color": settings.utility_color,
            "background_color": "#ffffff",
            "icons": [{**icon, "purpose": purpose} for icon in icons for purpose in ("any", "maskable")],
        },
        media_type="application/manifest+json",
        headers={"Vary": "Cookie"},
    )


async def icon(request: Request) -> Response:
    """GET /icons/{size}.png."""
    size = int(request.path_params["size"])
    if size not in SIZES:
        raise HTTPException(404)
    content = _drawn(size, current().settings.utility_color)
    return Response(content, media_type="image/png", headers={"Cache-Control": ONE_DAY})


def install_routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route(MANIFEST, manifest, methods=["GET"]),
        Route("/icons/{size:int}.png", icon, methods=["GET"]),
    ]


@lru_cache(maxsize=len(SIZES))
def _drawn(size: int, color: str) -> bytes:
    """A white bolt on the utility's colour, without corners cut: telephones cut their own."""
    large = size * SMOOTHING
    picture = Image.new("RGB", (large, large), color)
    ImageDraw.Draw(picture).polygon([(x * large / 24, y * large / 24) for x, y in BOLT], fill="white")
    written = BytesIO()
    picture.resize((size, size), Image.Resampling.LANCZOS).save(written, "PNG")
    return written.getvalue()
