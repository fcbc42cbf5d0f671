"""Files of messages: what may be attached, keeping it, and who gets it back.

Files are checked before the message's transaction and kept inside it: a message is there with all its files
or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import Account, Attachment, AttachmentContent, Ticket, TicketMessage
from lk_portal.security.files import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_NAME,
    NAMELESS,
    PICTURES,
    FileKind,
    clean_name,
    kind_of,
    label_of,
    renamed,
    text_of,
)
from lk_portal.security.tokens import new_token
from lk_portal.services import pictures
from lk_portal.services.database import Database
from lk_portal.services.owned import is_owned
from lk_portal.services.tables import table_of

_file, _content = table_of(Attachment), table_of(AttachmentContent)
_message, _ticket, _account = table_of(TicketMessage), table_of(Ticket), table_of(Account)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: the sender's name for it, and its bytes."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept: a clean label, the type by its content, the bytes that will be served."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


async def checked(uploads: Sequence[Upload]) -> tuple[CheckedFile, ...]:
    """The files as they are kept; pictures are drawn anew, without metadata.

    Raises:
        InputError: Too many, too large, empty, of another type, damaged; its field is "files".
    """
    if len(uploads) > MAX_FILES:
        raise InputError(N_("At most {most} files can be attached."), field="files", most=MAX_FILES)
    kinds = [_kind_of(upload) for upload in uploads]  # all of them before the work begins
    return tuple([await _checked(upload, kind) for upload, kind in zip(uploads, kinds, strict=True)])


async def store(
    connection: AsyncConnection, *, message_id: int, files: Sequence[CheckedFile], now: datetime
) -> None:
    """Keep the files of a message, in the caller's transaction."""
    for one in files:
        row = {
            "message_id": message_id,
            "key": new_token(),
            "name": one.name,
            "media_type": one.media_type,
            "size": len(one.content),
            "sha256": hashlib.sha256(one.content).hexdigest(),
            "created_at": now,
        }
        key = (await connection.execute(insert(_file).values(row))).inserted_primary_key
        await connection.execute(
            insert(_content).values(attachment_id=key[0] if key else None, content=one.content)
        )


async def own_file(database: Database, *, subscriber_id: int, key: str) -> CheckedFile:
    """A file of a subscriber's own dialogue; those of internal notes are not in it.

    Raises:
        NotFoundError: There is none of this key, or it is not hers.
    """
    query = _FILE.join(_account, _account.c.id == _ticket.c.account_id).where(
        is_owned(subscriber_id), _ticket.c.subscriber_id == subscriber_id, _message.c.is_internal.is_(False)
    )
    return await _found(database, query, key)


async def any_file(database: Database, *, key: str) -> CheckedFile:
    """A file of any message. For staff; the caller checks the role.

    Raises:
        NotFoundError: There is none of this key.
    """
    return await _found(database, _FILE, key)


def _kind_of(upload: Upload) -> FileKind:
    name = clean_name(upload.name)[-MAX_NAME:] or NAMELESS
    if len(upload.content) > MAX_FILE_BYTES:
        raise InputError(
            N_("{name} is larger than {most} MB."), field="files", name=name, most=MAX_FILE_BYTES // 2**20
        )
    if not upload.content:
        raise InputError(N_("{name} is empty."), field="files", name=name)
    kind = kind_of(upload.content)
    if kind is None:
        raise InputError(
            N_("{name} cannot be attached. Pictures (JPG, PNG, HEIC), PDF and plain text can."),
            field="files",
            name=name,
        )
    return kind


async def _checked(upload: Upload, kind: FileKind) -> CheckedFile:
    label = label_of(upload.name, kind)
    if kind is FileKind.TEXT:
        return CheckedFile(label, kind.value, (text_of(upload.content) or "").encode())
    if kind not in PICTURES:
        return CheckedFile(label, kind.value, upload.content)
    media_type, content = await pictures.redraw(upload.content, name=label)
    return CheckedFile(renamed(label, FileKind(media_type)), media_type, content)


_FILE: Select[tuple[str, str, bytes]] = (
    select(_file.c.name, _file.c.media_type, _content.c.content)
    .join(_content, _content.c.attachment_id == _file.c.id)
    .join(_message, _message.c.id == _file.c.message_id)
    .join(_ticket, _ticket.c.id == _message.c.ticket_id)
)


async def _found(database: Database, query: Select[tuple[str, str, bytes]], key: str) -> CheckedFile:
    async with database.reading() as connection:
        row = (await connection.execute(query.where(_file.c.key == key))).one_or_none()
    if row is None:
        raise NotFoundError
    return CheckedFile(row.name, row.media_type, bytes(row.content))
