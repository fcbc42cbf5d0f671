"""Taking turns by name. For use cases that look first and write then, on things with unique names.

On SQLite all writers take turns anyway. PostgreSQL lets them run side by side: two that want the same e-mail
each lock what the other needs next, and one of them is killed as a deadlock.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.security.tokens import hash_of

_BITS = 63


async def take_turns(connection: AsyncConnection, *names: str) -> None:
    """Wait until no other transaction has taken one of `names`; ours has them until it ends."""
    if connection.dialect.name != "postgresql":
        return
    # In one order for everybody, so that two never wait for each other.
    for key in sorted({int(hash_of(name), 16) % 2**_BITS for name in names}):
        await connection.execute(select(func.pg_advisory_xact_lock(key)))
