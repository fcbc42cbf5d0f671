"""What the routes of forms with files share: receiving one, its files, and the answer to a page that waits.

The page's script sends the form itself, shows how far it is, and asks for JSON: then nothing that was typed
or chosen has to be typed or chosen again. Sent by the browser alone, the answer is a redirect with a flash.
Whoever calls has asked who is signed in before: not a byte of the files is read for others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.security.files import MAX_FILE_BYTES, MAX_FILES
from lk_portal.services import attachments
from lk_portal.services.attachments import CheckedFile, Upload

TOO_MUCH = N_("The message is too long, or has too many files: at most {most}.")
STILL_SENDING = N_("Your previous message is still being sent. Try again when it has arrived.")
BUSY = N_("Too many files are being sent at the moment. Try again in a minute.")
TOO_SLOW = N_("The message took too long to arrive. Try again, with smaller files.")
AT_ONCE = 4
"""Uploads that are received at the same time, whoever sends them; their files are in memory while checked."""
RECEIVE_S = 600
MAX_PARTS = 20
MAX_TYPED = 65_536
MAX_NUMBER_DIGITS = 12

_sending: set[int] = set()


async def files_in(form: FormData) -> tuple[CheckedFile, ...]:
    """The chosen files; a browser sends one without a name where none was chosen.

    Raises:
        InputError: Too many, or one that cannot be attached; its field is "files".
    """
    chosen = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    if len(chosen) > MAX_FILES:  # before any of them is read
        raise InputError(N_("At most {most} files can be attached."), field="files", most=MAX_FILES)
    # One byte more than allowed is enough to see that it is too large.
    return await attachments.checked(
        [Upload(one.filename or "", await one.read(MAX_FILE_BYTES + 1)) for one in chosen]
    )


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[FormData]:
    """The form, its files in temporary ones on the disk, which are gone after the block.

    Raises:
        InputError: It takes too long, or has more than a page of ours sends.
    """
    try:
        async with asyncio.timeout(RECEIVE_S):
            form = await request.form(max_files=MAX_PARTS, max_fields=MAX_PARTS, max_part_size=MAX_TYPED)
    except TimeoutError:
        raise InputError(TOO_SLOW) from None
    except HTTPException:
        raise InputError(TOO_MUCH, field="text", most=MAX_FILES) from None
    try:
        yield form
    finally:
        await form.close()


@asynccontextmanager
async def turn_of(user_id: int) -> AsyncIterator[None]:
    """One upload of a person's at a time, and a few of all: nobody can fill memory and disk.

    Raises:
        InputError: It is not her turn.
    """
    if user_id in _sending:
        raise InputError(STILL_SENDING)
    if len(_sending) >= AT_ONCE:
        raise InputError(BUSY)
    _sending.add(user_id)
    try:
        yield
    finally:
        _sending.discard(user_id)


def number_in(text: str) -> int:
    """The number of a thing.

    Raises:
        NotFoundError: It can be none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER_DIGITS):
        raise NotFoundError
    return int(text)
