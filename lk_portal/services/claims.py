"""Registrations and accounts to add that only the utility's staff can decide on, e.g. when one has an owner.

Kept like tickets until the staff desk shows and closes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import NotFoundError
from lk_portal.models import Account, AccountClaim, ClaimReason
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.texts import storable
from lk_portal.services.visit import Visit

__all__ = ["Claim", "ClaimReason", "close", "keep", "open_claims"]

_claim, _account = table_of(AccountClaim), table_of(Account)
_c = _claim.c


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to decide on: who asks for which account, and why it could not be given at once.

    Attributes:
        address: Network address the request came from.
        created_at: Aware UTC.
    """

    id: int
    reason: ClaimReason
    account_number: str
    full_name: str
    email: str
    phone: str
    address: str
    created_at: datetime


async def keep(
    connection: AsyncConnection,
    *,
    reason: ClaimReason,
    account_id: int,
    full_name: str,
    email: str,
    phone: str,
    visit: Visit,
) -> bool:
    """Keep a request in the caller's transaction; the same one, still open, is not kept twice.

    Gives whether it is new.
    """
    same = select(_c.id).where(
        _c.account_id == account_id,
        _c.email == email,
        _c.phone == phone,
        _c.reason == reason,
        _c.closed_at.is_(None),
    )
    if await connection.scalar(same.limit(1)) is not None:
        return False
    await connection.execute(
        insert(_claim).values(
            reason=reason,
            account_id=account_id,
            full_name=full_name,
            email=email,
            phone=phone,
            address=storable(visit.address, 45),
            created_at=visit.at,
            closed_at=None,
        )
    )
    return True


async def open_claims(database: Database, *, limit: int = 500) -> tuple[Claim, ...]:
    """The requests nobody has decided on yet, oldest first. For staff only."""
    columns = [_account.c.number if name == "account_number" else _c[name] for name in Claim.__slots__]
    query = (
        select(*columns)
        .join(_account, _account.c.id == _c.account_id)
        .where(_c.closed_at.is_(None))
        .order_by(_c.created_at, _c.id)
        .limit(limit)
    )
    async with database.reading() as connection:
        return tuple(Claim(*row) for row in await connection.execute(query))


async def close(connection: AsyncConnection, *, claim_id: int, now: datetime) -> None:
    """Note that a request was decided on, in the caller's transaction.

    Raises:
        NotFoundError: There is no such open request.
    """
    closed = await connection.execute(
        update(_claim).where(_c.id == claim_id, _c.closed_at.is_(None)).values(closed_at=now)
    )
    if not closed.rowcount:
        raise NotFoundError
