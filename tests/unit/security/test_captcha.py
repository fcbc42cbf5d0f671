"""The picture of digits: what it is as a file, and that a person can read it. Nobody can test that here, so
contrast and size are measured; the pictures themselves were looked at."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from lk_portal.security import captcha

DIGITS = "0123456789"[:6]
MAX_BYTES = 12 * 1024


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(png: bytes) -> float:
    """Of the darkest to the lightest colour of a picture."""
    colors = [color for _count, color in opened(png).convert("RGB").getcolors(maxcolors=256) or []]
    shades = sorted(luminance(color) for color in colors)  # type: ignore[arg-type]
    return (shades[-1] + 0.05) / (shades[0] + 0.05)


def ink(png: bytes) -> Image.Image:
    """White where something is drawn."""
    grey = opened(png).convert("L")
    return grey.point([255 if value < 150 else 0 for value in range(256)])


def test_digits_are_random_and_six() -> None:
    many = {captcha.new_digits() for _ in range(200)}

    assert len(many) > 190
    assert all(re.fullmatch(r"[0-9]{6}", digits) for digits in many)
    assert {digit for digits in many for digit in digits} == set("0123456789")


@pytest.mark.parametrize("digits", ["000000", "111111", "888888", DIGITS])
def test_a_picture_is_a_small_png_of_the_promised_size(digits: str) -> None:
    for _ in range(5):
        png = captcha.picture(digits)

        assert opened(png).format == "PNG"
        assert opened(png).size == (captcha.WIDTH, captcha.HEIGHT)
        assert len(png) <= MAX_BYTES
        assert opened(png).info.keys() <= {"transparency"}


def test_the_same_digits_never_look_the_same() -> None:
    assert len({captcha.picture(DIGITS) for _ in range(20)}) == 20


def test_digits_are_dark_on_light_and_large() -> None:
    for _ in range(20):
        png = captcha.picture("888888")
        left, top, right, bottom = ink(png).getbbox() or (0, 0, 0, 0)

        assert contrast(png) >= 7
        assert right - left > captcha.WIDTH * 0.6
        assert bottom - top > captcha.HEIGHT * 0.5


def test_what_is_drawn_depends_on_the_digits() -> None:
    """The twin of the tests above, which noise alone might pass: an eight takes more ink than a one.

    It takes 1.29 times as much on average, and a picture varies by 7 %: of sixty, that is six deviations off.
    """
    eights, ones = (
        sum(ink(captcha.picture(digit * 6)).histogram()[255] for _ in range(60)) for digit in ("8", "1")
    )

    assert eights > 1.2 * ones
