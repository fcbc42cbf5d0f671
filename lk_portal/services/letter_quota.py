"""How many letters a stranger may have sent to somebody who is known: nobody's mailbox can be filled."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.models import Letter, LetterKind
from lk_portal.services.tables import table_of

MOST = 5
WINDOW = timedelta(hours=1)
KINDS = (LetterKind.WELCOME, LetterKind.RECOVERY, LetterKind.ALREADY_REGISTERED)
"""Letters that anybody can cause who knows an e-mail."""

_letter = table_of(Letter)


async def is_spent(connection: AsyncConnection, *, user_id: int, now: datetime) -> bool:
    """Whether a person has had so many of them that another would only annoy; what came last still works."""
    query = select(func.count()).where(
        _letter.c.user_id == user_id, _letter.c.kind.in_(KINDS), _letter.c.created_at > now - WINDOW
    )
    return (await connection.execute(query)).scalar_one() >= MOST
