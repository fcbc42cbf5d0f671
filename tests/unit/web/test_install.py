"""The manifest and the icons that make the portal an application on a telephone."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from lk_portal.i18n import using_locale
from lk_portal.web.install import MANIFEST, SIZES
from tests.unit.web.site import Site


async def test_the_manifest_says_what_browsers_ask_for(site: Site) -> None:
    with using_locale("ru"):
        answer = await site.http.get(MANIFEST)

    found = answer.json()
    assert answer.headers["content-type"] == "application/manifest+json"
    assert (found["name"], found["lang"]) == (site.portal.settings.utility_name, "ru")
    assert (found["start_url"], found["scope"], found["display"]) == ("/", "/", "standalone")
    assert found["theme_color"] == site.portal.settings.utility_color
    kinds = {(icon["sizes"], icon["purpose"]) for icon in found["icons"]}
    assert {(f"{size}x{size}", purpose) for size in (192, 512) for purpose in ("any", "maskable")} <= kinds
    assert all(icon["src"].startswith("/icons/") for icon in found["icons"])


@pytest.mark.parametrize("size", SIZES)
async def test_the_icons_are_the_utilitys_colour(site: Site, size: int) -> None:
    answer = await site.http.get(f"/icons/{size}.png")

    picture = Image.open(BytesIO(answer.content))
    red, green, blue = (int(site.portal.settings.utility_color[at : at + 2], 16) for at in (1, 3, 5))
    assert (picture.format, picture.size) == ("PNG", (size, size))
    assert picture.getpixel((1, 1)) == (red, green, blue)
    assert picture.getpixel((size // 2, size // 2)) == (255, 255, 255)
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("address", ["/icons/0.png", "/icons/99999.png", "/icons/-1.png", "/icons/x.png"])
async def test_no_other_icon_is_drawn(site: Site, address: str) -> None:
    assert (await site.http.get(address)).status_code == 404
