"""Draws a stranger's picture anew, so that nothing but what is seen is left of it. A program of its own.

`services.pictures` starts this file as a process with bounds on memory and time, for what decodes pictures
is written in C and is fed by strangers. So it imports nothing of ours. It reads the picture from standard
input, and writes the media type, a line break and the new picture to standard output.
"""

from __future__ import annotations

import contextlib
import io
import resource
import sys

from PIL import Image, ImageOps

MAX_PIXELS = 64_000_000
"""A telephone's picture has 12 to 50 million; a file of 10 MB could unfold to a thousand times as many."""
MAX_SIDE = 4096
MAX_MEMORY = 1_500_000_000
MAX_CPU_S = 20
TOO_LARGE, BROKEN = 3, 4
"""Exit codes."""
BOUNDS = {
    resource.RLIMIT_AS: MAX_MEMORY,
    resource.RLIMIT_CPU: MAX_CPU_S,
    resource.RLIMIT_FSIZE: 0,
}
JPEG, PNG = "image/jpeg", "image/png"
MAX_PNG = 10 * 2**20


def redrawn(content: bytes, side: int = MAX_SIDE) -> tuple[str, bytes]:
    """The picture without metadata - place, time, camera, comments -, at most `side` wide and high.

    A PNG stays one, unless that is very large; everything else becomes a JPEG. Of several frames the first
    is taken.

    Raises:
        Image.DecompressionBombError: It has more than `MAX_PIXELS`; nothing was decoded.
        OSError: It is no JPEG, PNG or HEIF, or is damaged. So may other errors of the decoders.
    """
    from pi_heif import options, register_heif_opener

    options.DECODE_THREADS = 1
    register_heif_opener(thumbnails=False)
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "HEIF")) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        is_png = picture.format == "PNG"
        picture.thumbnail((side, side))
        upright = ImageOps.exif_transpose(picture)
    if is_png:
        written = _written(upright.convert("RGBA" if upright.has_transparency_data else "RGB"), "PNG")
        if len(written) <= MAX_PNG:
            return PNG, written
    return JPEG, _written(_opaque(upright), "JPEG")


def _opaque(picture: Image.Image) -> Image.Image:
    """In plain RGB; what is transparent becomes white, as on paper."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    over = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")


def _written(picture: Image.Image, form: str) -> bytes:
    picture.info.clear()  # profiles and comments would be written again
    target = io.BytesIO()
    picture.save(target, form, quality=88, optimize=False)
    return target.getvalue()


def main() -> int:
    """Read, redraw, write; the exit code says what was wrong."""
    for bound, most in BOUNDS.items():
        with contextlib.suppress(ValueError, OSError):  # macOS knows no bound of memory
            resource.setrlimit(bound, (most, most))
    try:
        media_type, picture = redrawn(sys.stdin.buffer.read(), *map(int, sys.argv[1:]))
    except (Image.DecompressionBombError, MemoryError):
        return TOO_LARGE
    except Exception:
        return BROKEN
    sys.stdout.buffer.write(media_type.encode("ascii") + b"\n" + picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
