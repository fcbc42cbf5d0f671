"""Pictures of the utility's pages: taking one in, which pages show it, and who may see it.

A picture is public when a public page shows it; one that only drafts show is for the staff. Its address says
what it contains (a hash), so browsers may keep it, and how large it is, so that a page can keep its place.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from sqlalchemy import Select, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import InfoPage, InfoPicture, InfoPictureContent, InfoPictureUse
from lk_portal.security.files import MAX_FILE_BYTES, MAX_NAME, NAMELESS, PICTURES, clean_name, kind_of
from lk_portal.services import audit, pictures
from lk_portal.services.attachments import Upload
from lk_portal.services.content import Reader
from lk_portal.services.database import Database
from lk_portal.services.info_uses import KEY, address_of
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

MAX_SIDE = 1600
"""Twice the width of a column of text: sharp on every screen, and no telephone waits for more."""

_picture, _content = table_of(InfoPicture), table_of(InfoPictureContent)
_use, _page = table_of(InfoPictureUse), table_of(InfoPage)


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture to be served; `is_public`: visitors may see it, so anybody may keep it."""

    media_type: str
    is_public: bool
    content: bytes = field(repr=False)


async def add(database: Database, upload: Upload, *, actor: int | None, visit: Visit) -> str:
    """Keep a picture, drawn anew without metadata; its address. The same picture is kept once.

    Raises:
        InputError: It is no picture, empty, too large, damaged; its field is "files".
    """
    name = clean_name(upload.name)[-MAX_NAME:] or NAMELESS
    _check(upload.content, name)
    media_type, content = await pictures.redraw(upload.content, name=name, side=MAX_SIDE)
    key = _key_of(content)
    row = {"key": key, "media_type": media_type, "author_user_id": actor, "created_at": visit.at}
    try:
        async with database.writing() as connection:
            await _insert(connection, row, content)
            await audit.record(
                connection, action=audit.INFO_PICTURE_ADDED, visit=visit, actor=actor, subject=None, key=key
            )
    except IntegrityError:  # it is there already
        pass
    return address_of(key)


async def shown(database: Database, reader: Reader, key: str, *, is_staff: bool) -> ShownPicture:
    """A picture that the reader may see: one of a page that she may read; staff may see all.

    Raises:
        NotFoundError: There is none for her.
    """
    if not KEY.fullmatch(key):
        raise NotFoundError
    async with database.reading() as connection:
        row = (await connection.execute(_PICTURE.where(_picture.c.key == key))).one_or_none()
        if row is None:
            raise NotFoundError
        is_out = (await connection.scalars(_of_pages(row.id, reader))).all()
    if not is_out and not is_staff:
        raise NotFoundError
    return ShownPicture(row.media_type, any(is_out), bytes(row.content))


_PICTURE: Select[Any] = select(_picture.c.id, _picture.c.media_type, _content.c.content).join(
    _content, _content.c.picture_id == _picture.c.id
)


def _of_pages(picture_id: int, reader: Reader) -> Select[Any]:
    """Of the pages with this picture that the reader may read, whether each is public."""
    return (
        select(_page.c.is_public)
        .join(_use, _use.c.page_id == _page.c.id)
        .where(
            _use.c.picture_id == picture_id,
            _page.c.published_at <= reader.now,
            *([] if reader.is_signed_in else [_page.c.is_public.is_(True)]),
        )
    )


def _check(content: bytes, name: str) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise InputError(
            N_("{name} is larger than {most} MB."), field="files", name=name, most=MAX_FILE_BYTES // 2**20
        )
    if not content:
        raise InputError(N_("{name} is empty."), field="files", name=name)
    if kind_of(content) not in PICTURES:
        raise InputError(N_("{name} is no picture. JPG, PNG and HEIC can be used."), field="files", name=name)


def _key_of(content: bytes) -> str:
    """Of our own drawing, so reading its head is safe."""
    with Image.open(io.BytesIO(content)) as drawn:
        width, height = drawn.size
    return f"{hashlib.sha256(content).hexdigest()[:32]}-{width}x{height}"


async def _insert(connection: AsyncConnection, row: dict[str, Any], content: bytes) -> None:
    made = (await connection.execute(insert(_picture).values(row))).inserted_primary_key
    await connection.execute(insert(_content).values(picture_id=made[0] if made else None, content=content))
