"""Addresses of the pages' pictures, and which page shows which. For `content` and `info_pictures`."""

from __future__ import annotations

import re

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import InfoPicture, InfoPictureUse
from lk_portal.services.tables import table_of

FOLDER = "/info/pictures"
KEY = re.compile(r"[0-9a-f]{32}-[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")
"""A hash of what is in a picture, its width and its height."""
MOST_PICTURES = 200
"""Of one page; further ones are shown to the staff only."""
_ADDRESS = re.compile(rf"{FOLDER}/({KEY.pattern})")

_picture, _use = table_of(InfoPicture), table_of(InfoPictureUse)


def address_of(key: str) -> str:
    """Where the picture of a key is fetched."""
    return f"{FOLDER}/{key}"


def size_of(address: str) -> tuple[int, int] | None:
    """Width and height, in pixels, of the picture at an address of ours; None for any other address."""
    if not _ADDRESS.fullmatch(address):
        return None
    width, _, height = address.rpartition("-")[2].partition("x")
    return int(width), int(height)


async def keep_uses(connection: AsyncConnection, *, page_id: int, text: str) -> None:
    """Note which pictures a page shows, in the transaction that writes it."""
    await connection.execute(delete(_use).where(_use.c.page_id == page_id))
    keys = list(dict.fromkeys(_ADDRESS.findall(text)))[:MOST_PICTURES]
    if not keys:
        return
    shown = await connection.scalars(select(_picture.c.id).where(_picture.c.key.in_(keys)))
    rows = [{"page_id": page_id, "picture_id": one} for one in shown]
    if rows:
        await connection.execute(insert(_use), rows)
