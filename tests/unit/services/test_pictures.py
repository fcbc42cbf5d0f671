"""Pictures are drawn anew in a process with bounds: what is seen stays, what is not is gone."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from lk_portal.errors import InputError
from lk_portal.security import pictures as program
from lk_portal.services import pictures
from tests.attached import CANARY, HEIC, bomb, has_place, jpeg, png


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


async def test_a_photograph_loses_its_place_and_its_camera() -> None:
    taken = jpeg()
    assert has_place(taken)
    assert CANARY in taken

    media_type, drawn = await pictures.redraw(taken, name="a.jpg")

    assert media_type == "image/jpeg"
    assert not has_place(drawn)
    assert CANARY not in drawn
    assert opened(drawn).size == (64, 48)
    red, green, _blue = opened(drawn).convert("RGB").getpixel((10, 10))  # type: ignore[misc]
    assert red > 200 > green


async def test_a_turned_photograph_is_put_upright() -> None:
    _type, drawn = await pictures.redraw(jpeg(64, 48, orientation=6), name="a.jpg")

    assert opened(drawn).size == (48, 64)


async def test_a_telephones_format_becomes_one_that_everybody_can_open() -> None:
    assert CANARY in HEIC

    media_type, drawn = await pictures.redraw(HEIC, name="a.heic")

    assert media_type == "image/jpeg"
    assert opened(drawn).format == "JPEG"
    assert opened(drawn).size == (64, 48)
    assert CANARY not in drawn
    assert not has_place(drawn)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_a_drawing_stays_one(mode: str) -> None:
    media_type, drawn = await pictures.redraw(png(mode=mode), name="a.png")

    assert media_type == "image/png"
    assert opened(drawn).size == (64, 48)


async def test_a_large_one_is_made_smaller() -> None:
    _type, drawn = await pictures.redraw(png(program.MAX_SIDE * 2, 100), name="a.png")

    assert opened(drawn).size == (program.MAX_SIDE, 50)


async def test_a_bomb_is_refused_at_once() -> None:
    with pytest.raises(InputError, match=r"bomb\.png: the picture has more than 64 million pixels"):
        await pictures.redraw(bomb(), name="bomb.png")


@pytest.mark.parametrize("content", [b"\xff\xd8\xff" + b"x" * 100, jpeg()[:300], png()[:60], HEIC[:200], b""])
async def test_a_damaged_one_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="damaged") as refused:
        await pictures.redraw(content, name="a.jpg")

    assert refused.value.field == "files"


async def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "TIMEOUT_S", 0.001)

    with pytest.raises(InputError, match="damaged"):
        await pictures.redraw(jpeg(), name="a.jpg")


async def test_a_decoder_that_wants_too_much_memory_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound itself: the same program with less than it needs for a picture that is allowed."""
    source = program.__file__
    with open(source, encoding="utf-8") as file:  # noqa: ASYNC230, PTH123
        small = file.read().replace("MAX_MEMORY = 1_500_000_000", "MAX_MEMORY = 120_000_000")
    assert "120_000_000" in small
    copy = io.StringIO(small).getvalue()

    done = await _run(copy, png(6000, 6000, mode="RGBA"))

    assert done != 0
    assert await _run(small.replace("120_000_000", "1_500_000_000"), png(6000, 6000, mode="RGBA")) == 0


async def _run(source: str, content: bytes) -> int:
    import asyncio
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", source, stdin=-1, stdout=-3, stderr=-3
    )
    await process.communicate(content)
    return process.returncode or 0
