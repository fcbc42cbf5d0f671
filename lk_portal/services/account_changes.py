"""Adding accounts to one's cabinet, naming them and taking them out. For the states of /accounts.

Ownership is in every change: a foreign account is found no more than one that does not exist. An account that
is removed from the cabinet stays the utility's contract as it was; it is only free for who adds it next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, NotFoundError
from lk_portal.models import Account, ClaimReason, LetterKind, User
from lk_portal.security.throttle import Policy
from lk_portal.services import audit, claims, letters, throttling
from lk_portal.services.account_owner import hand_over, holder_of, lock_account, match_gates, require_match
from lk_portal.services.database import Database
from lk_portal.services.own_names import MAX_OWN_NAME, own_name
from lk_portal.services.owned import is_owned
from lk_portal.services.profile import SETTINGS_CHANGES
from lk_portal.services.registration_form import AccountForm, read_account
from lk_portal.services.tables import table_of
from lk_portal.services.texts import is_storable
from lk_portal.services.throttling import Gate
from lk_portal.services.turns import take_turns
from lk_portal.services.unfinished import is_unfinished, undo
from lk_portal.services.visit import Visit

__all__ = ["MAX_OWN_NAME", "Added", "add", "read_account", "remove", "rename"]

ADDED = "web:account:add"
REFUSED = "web:account:refuse"
CLAIMED = "web:account:claim"
RENAMED = "web:account:rename"
REMOVED = "web:account:remove"
audit.TEXTS.update(
    {
        ADDED: N_("An account was added to the cabinet"),
        REFUSED: N_("An account could not be added: number and address do not belong together"),
        CLAIMED: N_("An account that has an owner was asked for"),
        RENAMED: N_("The note of an account was changed"),
        REMOVED: N_("An account was removed from the cabinet"),
    }
)
ADDITIONS = Policy(free=10, cap_s=900)
"""Whoever has more accounts waits a little between them."""

_user, _account = table_of(User), table_of(Account)


class Added(StrEnum):
    """What became of a request for an account."""

    ADDED = "added"
    RETURNED = "returned"
    THERE_ALREADY = "there_already"
    CLAIM_KEPT = "claim_kept"


async def add(
    database: Database, *, user_id: int, subscriber_id: int, form: AccountForm, visit: Visit
) -> Added:
    """Add an account to a person's own; one that has another owner becomes a claim for the utility.

    Raises:
        ThrottledError: Too many attempts from here, of hers, or for this account.
        InputError: Number and address do not belong together (field "match").
    """
    gates = (*match_gates(form, visit), Gate(f"account-add:{user_id}", ADDITIONS))
    await throttling.refuse(database, gates, now=visit.at)
    account_id = await require_match(database, form, gates, refused=REFUSED, user_id=user_id, visit=visit)
    async with database.writing() as connection:
        await take_turns(connection, f"account:{account_id}")
        await throttling.count_in(connection, gates, now=visit.at)
        return await _Addition(connection, user_id, subscriber_id, visit).of(account_id)


@dataclass(frozen=True, slots=True)
class _Addition:
    """One request for an account inside its transaction."""

    connection: AsyncConnection
    user_id: int
    subscriber_id: int
    visit: Visit

    async def of(self, account_id: int) -> Added:
        """Decide what becomes of it, and do that."""
        account = await lock_account(self.connection, account_id)
        if account.subscriber_id == self.subscriber_id:
            if account.removed_at is None:
                return Added.THERE_ALREADY
            return await self._take(account, Added.RETURNED)
        people = await self._owners(holder_of(account))
        if any(not is_unfinished(person) for person in people):
            return await self._claim(account)
        for person in people:
            await undo(self.connection, person)
        return await self._take(account, Added.ADDED)

    async def _owners(self, subscriber_id: int | None) -> list[Row[Any]]:
        if subscriber_id is None:
            return []
        query = select(_user).where(_user.c.subscriber_id == subscriber_id)
        return list((await self.connection.execute(query)).all())

    async def _take(self, account: Row[Any], outcome: Added) -> Added:
        await hand_over(self.connection, account, self.subscriber_id)
        await _record(self.connection, ADDED, self.user_id, self.visit, account=account.number)
        return outcome

    async def _claim(self, account: Row[Any]) -> Added:
        """Leave it to the utility; a letter says so, once for each claim."""
        query = select(_user).where(_user.c.id == self.user_id)
        person = (await self.connection.execute(query)).one()
        is_new = await claims.keep(
            self.connection,
            reason=ClaimReason.ACCOUNT_OWNED,
            account_id=account.id,
            full_name=person.display_name,
            email=person.email,
            phone=person.phone or "",
            visit=self.visit,
        )
        if is_new:
            await _record(self.connection, CLAIMED, self.user_id, self.visit, account=account.number)
            await letters.write(
                self.connection,
                kind=LetterKind.CLAIM_KEPT,
                to_address=person.email,
                now=self.visit.at,
                user_id=self.user_id,
                locale=person.locale,
                data={"name": person.display_name, "account": account.number},
            )
        return Added.CLAIM_KEPT


async def rename(
    database: Database, *, user_id: int, subscriber_id: int, number: str, note: str, visit: Visit
) -> str:
    """Give an account a note ("примечание"), or take it away with ""; gives it as it is stored.

    Raises:
        InputError: It is longer than `MAX_OWN_NAME`, or has characters no keyboard types (field "note").
        NotFoundError: She has no such account.
        ThrottledError: Changed too often.
    """
    kept = own_name(note, field="note")
    await _change(
        database, RENAMED, user_id=user_id, subscriber_id=subscriber_id, number=number, visit=visit, note=kept
    )
    return kept


async def remove(database: Database, *, user_id: int, subscriber_id: int, number: str, visit: Visit) -> None:
    """Take an account out of her cabinet; adding it again brings it back as it was.

    Raises:
        NotFoundError: She has no such account.
        ThrottledError: Changed too often.
    """
    await _change(
        database,
        REMOVED,
        user_id=user_id,
        subscriber_id=subscriber_id,
        number=number,
        visit=visit,
        removed_at=visit.at,
    )


async def _change(
    database: Database,
    action: str,
    *,
    user_id: int,
    subscriber_id: int,
    number: str,
    visit: Visit,
    **values: object,
) -> None:
    if not is_storable(number):
        raise NotFoundError
    gates = (Gate(f"settings:{user_id}", SETTINGS_CHANGES),)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.writing() as connection:
        changed = await connection.execute(
            update(_account).where(is_owned(subscriber_id), _account.c.number == number).values(values)
        )
        if not changed.rowcount:
            raise NotFoundError
        await throttling.count_in(connection, gates, now=visit.at)
        await _record(connection, action, user_id, visit, account=number)


async def _record(
    connection: AsyncConnection, action: str, user_id: int, visit: Visit, **detail: str
) -> None:
    await audit.record(connection, action=action, visit=visit, actor=user_id, subject=user_id, **detail)
