"""Pictures that strangers send, drawn anew in a process with bounds. For `services.attachments`.

A decoder that crashes, hangs or eats memory takes its own process with it and not the portal.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from lk_portal.errors import N_, InputError
from lk_portal.security import pictures

TIMEOUT_S = 30.0
AT_ONCE = 2
MILLIONS = pictures.MAX_PIXELS // 1_000_000

log = logging.getLogger(__name__)
_threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="pictures")


async def redraw(content: bytes, *, name: str, side: int = pictures.MAX_SIDE) -> tuple[str, bytes]:
    """Media type and bytes of the picture without metadata, at most `side` pixels wide and high.

    `name` is for the sentence on what is wrong.

    Raises:
        InputError: It has too many pixels, or cannot be read; its field is "files".
    """
    code, output = await asyncio.get_running_loop().run_in_executor(_threads, _run, content, side)
    if code == 0:
        media_type, _break, picture = output.partition(b"\n")
        return media_type.decode("ascii"), picture
    log.info("pictures:refuse", extra={"code": code})
    if code == pictures.TOO_LARGE:
        raise InputError(
            N_("{name}: the picture has more than {millions} million pixels. Send a smaller one."),
            field="files",
            name=name,
            millions=MILLIONS,
        )
    raise InputError(N_("{name}: the picture is damaged and cannot be read."), field="files", name=name)


def _run(content: bytes, side: int) -> tuple[int, bytes]:
    """Exit code and output; whatever else ends the process - a signal, the time - is a damaged picture."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program; what is a stranger's goes in as its input
            [sys.executable, "-I", pictures.__file__, str(side)],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return pictures.BROKEN, b""
    return done.returncode, done.stdout
