"""The chain that the audit's entries make: each has the hash of the one before in its own.

For `services.audit`. Whoever changes an entry, takes one out or puts one in behind the portal's back breaks
the chain, and `lk doctor` says where. Whoever may write the whole table can make it anew from there on: note
the newest hash, which `lk doctor` prints, somewhere else from time to time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import AuditEntry, AuditHead
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

NOTHING = "0" * 64
"""What the first entry says is the hash before it."""
BATCH = 2000
TRIGGERS = frozenset({"audit_entry_no_update", "audit_entry_no_delete", "audit_head_no_delete"})

_entry, _head = table_of(AuditEntry), table_of(AuditHead)


@dataclass(frozen=True, slots=True)
class Deed:
    """What an entry tells; see the model."""

    at: datetime
    action: str
    actor_user_id: int | None
    subject_user_id: int | None
    address: str
    agent: str
    detail: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Chain:
    """What a check of the whole audit found.

    Attributes:
        entries: How many there are.
        newest: Hash of the newest one.
        broken_at: Number of the first entry that does not fit the one before, or is not as it was written.
        is_cut: Whether the newest entries are gone, or are not the ones that were written last.
        is_guarded: Whether the database still refuses changes.
    """

    entries: int
    newest: str
    broken_at: int | None = None
    is_cut: bool = False
    is_guarded: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether everything is as it was written, and stays so."""
        return self.broken_at is None and not self.is_cut and self.is_guarded


def hash_of_entry(number: int, deed: Deed, previous: str) -> str:
    """SHA-256 in hex of an entry's canonical JSON: keys sorted, no spaces, UTF-8, time in ms since 1970."""
    told = {**asdict(deed), "at": to_milliseconds(deed.at), "id": number, "previous": previous}
    plain = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


async def append(connection: AsyncConnection, deeds: Sequence[Deed]) -> None:
    """Write entries behind the newest one, in the caller's transaction, right before its end.

    The row of the newest entry is locked until then: on PostgreSQL writers queue up here.
    """
    query = select(_head.c.entry_id, _head.c.hash).where(_head.c.id == 1).with_for_update()
    number, previous = (await connection.execute(query)).one()
    rows = []
    for deed in deeds:
        number += 1
        own = hash_of_entry(number, deed, previous)
        rows.append({**asdict(deed), "id": number, "previous": previous, "hash": own})
        previous = own
    await connection.execute(insert(_entry), rows)
    await connection.execute(update(_head).where(_head.c.id == 1).values(entry_id=number, hash=previous))


async def verify(database: Database) -> Chain:
    """Read the whole audit, in order, and see whether it is as it was written. Memory stays small."""
    async with database.reading() as connection:
        query = select(_head.c.entry_id, _head.c.hash).where(_head.c.id == 1)
        head = (await connection.execute(query)).one_or_none()
        is_guarded = await _triggers(connection, is_sqlite=database.is_sqlite) >= TRIGGERS
        entries, number, previous = 0, 0, NOTHING
        # What is added meanwhile comes after the head that was read.
        last = head.entry_id if head else 2**62
        while rows := await _batch(connection, number, last):
            for row in rows:
                entries, number = entries + 1, row.id
                deed = Deed(*row[1:-2])
                if row.previous != previous or row.hash != hash_of_entry(number, deed, previous):
                    return Chain(entries, row.hash, number, is_guarded=is_guarded)
                previous = row.hash
    is_cut = head is None or (head.entry_id, head.hash) != (number, previous)
    return Chain(entries, previous, is_cut=is_cut, is_guarded=is_guarded)


async def _batch(connection: AsyncConnection, after: int, last: int) -> Sequence[Any]:
    c = _entry.c
    told = (c.at, c.action, c.actor_user_id, c.subject_user_id, c.address, c.agent, c.detail)
    query = select(c.id, *told, c.previous, c.hash).where(c.id > after, c.id <= last)
    return (await connection.execute(query.order_by(c.id).limit(BATCH))).all()


async def _triggers(connection: AsyncConnection, *, is_sqlite: bool) -> frozenset[str]:
    """Names of the triggers that are there and not switched off."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if is_sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return frozenset((await connection.execute(text(query))).scalars())
