"""What the utility decides on a request for an account: for the list /admin/claims.

Accepted, the account goes to whoever asked: to her login, by the e-mail, or to a new one that begins with a
letter. Who had it before is told by letter, and sees it in her history; nobody loses an account silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError, NotFoundError
from lk_portal.models import AccountClaim, LetterKind, Role, User
from lk_portal.services import audit, claims, letters
from lk_portal.services.account_owner import hand_over, holder_of, lock_account
from lk_portal.services.new_login import Newcomer, begin_login
from lk_portal.services.tables import table_of
from lk_portal.services.turns import take_turns
from lk_portal.services.unfinished import is_unfinished, undo
from lk_portal.services.visit import Visit

ACCEPTED = "desk:claim:accept"
REFUSED = "desk:claim:refuse"
ACCOUNT_LOST = "desk:account:move"
audit.TEXTS.update(
    {
        ACCEPTED: N_("The utility gave you an account you had asked for"),
        REFUSED: N_("The utility refused your request for an account"),
        ACCOUNT_LOST: N_("The utility gave an account to somebody else"),
    }
)

_claim, _user = table_of(AccountClaim), table_of(User)


async def accept(
    connection: AsyncConnection, claim_ids: Sequence[int], *, staff_id: int, visit: Visit
) -> None:
    """Give the accounts to whoever asked for them, in the caller's transaction.

    Raises:
        InputError: Somebody asked who can have none; nothing was decided.
        NotFoundError: One of the requests was decided on already.
    """
    for claim in await _open(connection, claim_ids):
        await take_turns(
            connection, f"email:{claim.email}", f"phone:{claim.phone}", f"account:{claim.account_id}"
        )
        account = await lock_account(connection, claim.account_id)
        await _give(connection, claim, account, staff_id, visit)
        await claims.close(connection, claim_id=claim.id, now=visit.at)


async def refuse(
    connection: AsyncConnection, claim_ids: Sequence[int], *, staff_id: int, visit: Visit
) -> None:
    """Say no by letter, in the caller's transaction; nothing else changes.

    Raises:
        NotFoundError: One of the requests was decided on already.
    """
    for claim in await _open(connection, claim_ids):
        account = await lock_account(connection, claim.account_id)
        person = await _person(connection, claim.email)
        await claims.close(connection, claim_id=claim.id, now=visit.at)
        await _tell(connection, LetterKind.CLAIM_REFUSED, account, visit, person=person, claim=claim)
        await _record(connection, REFUSED, account, person, staff_id=staff_id, visit=visit)


async def _open(connection: AsyncConnection, claim_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Locked, so that two of the staff cannot decide differently."""
    query = select(_claim).where(_claim.c.id.in_(claim_ids), _claim.c.closed_at.is_(None))
    found = (await connection.execute(query.order_by(_claim.c.id).with_for_update())).all()
    if len(found) != len(set(claim_ids)):
        raise NotFoundError(N_("Somebody has decided on this already."))
    return found


async def _give(
    connection: AsyncConnection, claim: Row[Any], account: Row[Any], staff_id: int, visit: Visit
) -> None:
    person = await _person(connection, claim.email)
    if person is not None and is_unfinished(person):
        await undo(connection, person)
        account, person = await lock_account(connection, account.id), None
    if person is not None and (person.role is not Role.SUBSCRIBER or person.subscriber_id is None):
        raise InputError(N_("{email} is a login of the staff."), email=claim.email)
    previous = await _owner(connection, account)
    if previous is not None and is_unfinished(previous):
        await undo(connection, previous)
        account, previous = await lock_account(connection, account.id), None
    if person is not None and person.subscriber_id == account.subscriber_id and account.removed_at is None:
        return
    if previous is not None:
        await _tell(connection, LetterKind.ACCOUNT_MOVED, account, visit, person=previous)
        await _record(connection, ACCOUNT_LOST, account, previous, staff_id=staff_id, visit=visit)
    if person is None:
        person = await _begin(connection, claim, account, previous, visit)
    else:
        await hand_over(connection, account, person.subscriber_id)
        await _tell(connection, LetterKind.CLAIM_ACCEPTED, account, visit, person=person)
    await _record(connection, ACCEPTED, account, person, staff_id=staff_id, visit=visit)


async def _begin(
    connection: AsyncConnection,
    claim: Row[Any],
    account: Row[Any],
    previous: Row[Any] | None,
    visit: Visit,
) -> Row[Any]:
    """A login for who has none; a phone number that is somebody's login stays with that one."""
    if previous is not None:
        await hand_over(connection, account, None)
        account = await lock_account(connection, account.id)
    taken = select(_user.c.id).where(_user.c.phone == claim.phone)
    phone = "" if await connection.scalar(taken) is not None else claim.phone
    newcomer = Newcomer(claim.full_name, claim.email, phone)
    await begin_login(connection, account, newcomer, now=visit.at)
    person = await _person(connection, claim.email)
    assert person is not None  # noqa: S101 - it was just written
    return person


async def _person(connection: AsyncConnection, email: str) -> Row[Any] | None:
    return (await connection.execute(select(_user).where(_user.c.email == email))).one_or_none()


async def _owner(connection: AsyncConnection, account: Row[Any]) -> Row[Any] | None:
    """Who has the account in her cabinet now."""
    holder = holder_of(account)
    query = select(_user).where(_user.c.subscriber_id == holder)
    return None if holder is None else (await connection.execute(query)).one_or_none()


async def _tell(
    connection: AsyncConnection,
    kind: LetterKind,
    account: Row[Any],
    visit: Visit,
    *,
    person: Row[Any] | None,
    claim: Row[Any] | None = None,
) -> None:
    """A letter about an account: to a login, or to who asked and has none."""
    to_whom = person or claim
    if to_whom is None:
        return
    await letters.write(
        connection,
        kind=kind,
        to_address=to_whom.email,
        now=visit.at,
        user_id=person.id if person else None,
        locale=person.locale if person else "",
        data={"name": person.display_name if person else claim.full_name, "account": account.number},  # type: ignore[union-attr]
    )


async def _record(
    connection: AsyncConnection,
    action: str,
    account: Row[Any],
    person: Row[Any] | None,
    *,
    staff_id: int,
    visit: Visit,
) -> None:
    await audit.record(
        connection,
        action=action,
        visit=visit,
        actor=staff_id,
        subject=person.id if person else None,
        account=account.number,
    )
