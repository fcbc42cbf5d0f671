"""Digits as a picture, for people and not for programs. Pure; slow, so for threads.

The picture is dark on light in both themes: contrast does not depend on a setting of the reader's.
"""

from __future__ import annotations

import io
import secrets
from itertools import pairwise

from captcha.image import ImageCaptcha
from PIL import ImageDraw, ImageOps
from PIL.Image import Image
from PIL.Image import new as new_image

DIGITS = 6
WIDTH, HEIGHT = 600, 192
"""In pixels; pages show it at half of that, so that it is sharp on telephones too."""
_FONT_SIZES = (138, 150, 162)
_COLORS = 8
_DOTS = 60
_MARGIN = 12
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)

Color = tuple[int, int, int]


class _Drawer(ImageCaptcha):
    """The package's way to bend digits, tamed: large, close in size, never lying on their side."""

    character_rotate = (-18, 18)
    character_warp_dx = (0.05, 0.2)
    character_warp_dy = (0.05, 0.2)
    word_space_probability = 1.0
    word_offset_dx = 0.06
    # It pastes digits by their brightness; drawn in white, that is their shape.
    lookup_table = list(range(256))  # noqa: RUF012 - the package's own way


_drawer = _Drawer(WIDTH, HEIGHT, font_sizes=_FONT_SIZES)


def new_digits() -> str:
    """Six random digits; zeros in front too."""
    return "".join(secrets.choice("0123456789") for _ in range(DIGITS))


def picture(digits: str) -> bytes:
    """The digits as a PNG of `WIDTH` x `HEIGHT` pixels, different every time."""
    shape = _centred(_drawer.create_captcha_image(digits, _WHITE, _BLACK).convert("L"))
    for brightness in (255, 255, 0):
        _draw_wire(shape, brightness)
    _draw_dots(shape)
    image = ImageOps.colorize(shape, black=_color(226, 244), white=_color(10, 68))
    out = io.BytesIO()
    image.quantize(_COLORS).save(out, format="PNG", optimize=True)
    return out.getvalue()


def _centred(shape: Image) -> Image:
    """The digits in the middle, with a margin around them."""
    drawn = ImageOps.contain(shape.crop(shape.getbbox()), (WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN))
    centred = new_image("L", (WIDTH, HEIGHT))
    centred.paste(drawn, ((WIDTH - drawn.width) // 2, (HEIGHT - drawn.height) // 2))
    return centred


def _draw_wire(shape: Image, brightness: int) -> None:
    """A thin bent line from edge to edge, through the digits."""
    steps = 5
    points = [(WIDTH * step // steps, _between(HEIGHT // 6, HEIGHT * 5 // 6)) for step in range(steps + 1)]
    ImageDraw.Draw(shape).line(_rounded(points), fill=brightness, width=4, joint="curve")


def _draw_dots(shape: Image) -> None:
    draw = ImageDraw.Draw(shape)
    for _ in range(_DOTS):
        x, y = _between(0, WIDTH), _between(0, HEIGHT)
        draw.ellipse((x, y, x + 4, y + 4), fill=255)


def _rounded(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The corners cut twice (Chaikin), which makes a curve of a zigzag."""
    for _ in range(3):
        cut = [points[0]]
        for (x1, y1), (x2, y2) in pairwise(points):
            cut += [((3 * x1 + x2) // 4, (3 * y1 + y2) // 4), ((x1 + 3 * x2) // 4, (y1 + 3 * y2) // 4)]
        points = [*cut, points[-1]]
    return points


def _color(darkest: int, lightest: int) -> Color:
    red, green, blue = (_between(darkest, lightest) for _ in range(3))
    return red, green, blue


def _between(least: int, most: int) -> int:
    return least + secrets.randbelow(most - least + 1)
