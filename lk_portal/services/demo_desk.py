"""What waits for the demo utility's staff, so that none of their lists is empty. For `services.demo` only.

A registration to decide on, a letter that could not be delivered, and a request that nobody has taken. The
rows are written as they would stand by now; nobody gets letters about them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.letters.fields import AT
from lk_portal.models import Account, AccountClaim, ClaimReason, Letter, LetterKind, LetterStatus
from lk_portal.security.tokens import new_token
from lk_portal.services import demo_plan
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of

CLAIM_AGE, LETTER_AGE = timedelta(hours=20), timedelta(days=4)
_claim, _letter, _account = table_of(AccountClaim), table_of(Letter), table_of(Account)


async def add(database: Database, *, now: datetime) -> None:
    """Write them, each unless there ever was one of its kind; `now` is aware UTC."""
    async with database.writing() as connection:
        if await _is_without(connection, _claim):
            await connection.execute(insert(_claim), await _claims(connection, now))
        if await _is_without(connection, _letter):
            await connection.execute(insert(_letter).values(_dead_letter(now)))


async def _is_without(connection: AsyncConnection, table: Any) -> bool:
    return await connection.scalar(select(table.c.id).limit(1)) is None


async def _claims(connection: AsyncConnection, now: datetime) -> list[dict[str, Any]]:
    """Somebody who has bought the flat of a subscriber asks for its account."""
    number = demo_plan.SUBSCRIBERS[1].accounts[0].number
    account_id = await connection.scalar(select(_account.c.id).where(_account.c.number == number))
    if account_id is None:
        return []
    return [
        {
            "reason": ClaimReason.ACCOUNT_OWNED,
            "account_id": account_id,
            "full_name": "Семенова Анна Викторовна",
            "email": "semenova@energomir.example",
            "phone": "+79130000017",
            "address": "192.0.2.17",
            "created_at": now - CLAIM_AGE,
        }
    ]


def _dead_letter(now: datetime) -> dict[str, Any]:
    """The mail server of an address that somebody mistyped knows no such person."""
    written = now - LETTER_AGE
    return {
        "kind": LetterKind.CLAIM_KEPT,
        "to_address": "semenowa@energomir.example",
        "locale": "ru",
        "data": {"account": demo_plan.SUBSCRIBERS[1].accounts[0].number, AT: written.isoformat()},
        "message_id": new_token(),
        "status": LetterStatus.DEAD,
        "created_at": written,
        "next_attempt_at": written,
        "attempts": 1,
        "last_error": "550 5.1.1 No such user here",
    }
