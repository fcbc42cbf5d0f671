"""Whose an account is, and how it becomes somebody's. For `services.registration` and `services.accounts`.

Whoever knows the number and the address is taken for the subscriber, unless the account has an owner:
somebody with a login who has it in her cabinet. So an account is free when it is nobody's, when the
registry's subscriber has no login, when its owner's registration was never finished, and when she has
removed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.models import Account, MeteringPoint, Premises
from lk_portal.models.address_text import one_line
from lk_portal.security.throttle import BY_LOGIN_AND_ADDRESS
from lk_portal.services import audit, throttling
from lk_portal.services.addresses import is_same_address
from lk_portal.services.database import Database
from lk_portal.services.registration_form import AccountForm, compact_number
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit

# Compared with when there is no such account, so that this takes as long.
_NOWHERE = one_line("г. Нигде", "ул. Несуществующая", "1", "1")

_account, _premises, _point = table_of(Account), table_of(Premises), table_of(MeteringPoint)


def match_gates(form: AccountForm, visit: Visit) -> tuple[Gate, ...]:
    """What slows down who tries out accounts: the visitor's own gates, and that of the account.

    Registration and adding an account count in the same ones, so the two are no two ways to guess.
    """
    own = throttling.visit_gates("register", visit)
    key = f"register:account:{compact_number(form.account)}"
    return (*own, Gate(key, BY_LOGIN_AND_ADDRESS, clock=own[0].key))


async def require_match(
    database: Database,
    form: AccountForm,
    gates: Sequence[Gate],
    *,
    refused: str,
    user_id: int | None,
    visit: Visit,
) -> int:
    """The account whose number and address were typed.

    Args:
        database: Where from.
        form: The number and the address.
        gates: Which count a failure.
        refused: The audit's action for one.
        user_id: Who typed; None: nobody is signed in.
        visit: Whence.

    Raises:
        InputError: They do not belong together (field "match"); never which half is wrong.
    """
    account_id = await _matching_account(database, form)
    if account_id is not None:
        return account_id
    async with database.writing() as connection:
        await throttling.count_in(connection, gates, now=visit.at)
        await audit.record(connection, action=refused, visit=visit, actor=user_id, subject=user_id)
    raise InputError(
        N_("The account number and the address do not belong together in our registry. Check both."),
        field="match",
    )


async def _matching_account(database: Database, form: AccountForm) -> int | None:
    """The account whose number and address were typed; None when either is wrong, in the same time."""
    numbers = {form.account, compact_number(form.account)}
    query = (
        select(
            _account.c.id,
            _account.c.number,
            _premises.c.settlement,
            _premises.c.street,
            _premises.c.house,
            _premises.c.flat,
        )
        .join(_premises, _premises.c.id == _account.c.premises_id)
        .where(_account.c.number.in_(numbers))
    )
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    found = next((row for row in rows if row.number == form.account), rows[0] if rows else None)
    line = one_line(found.settlement, found.street, found.house, found.flat) if found else _NOWHERE
    is_same = is_same_address(form.address, line)
    return int(found.id) if found is not None and is_same else None


async def lock_account(connection: AsyncConnection, account_id: int) -> Row[Any]:
    """The account as it is now; whoever else wants it waits until we are through."""
    query = select(_account).where(_account.c.id == account_id).with_for_update()
    return (await connection.execute(query)).one()


def holder_of(account: Row[Any]) -> int | None:
    """The subscriber whose the account is; None for nobody's, and for one its owner has removed."""
    return None if account.removed_at is not None else account.subscriber_id


async def hand_over(connection: AsyncConnection, account: Row[Any], subscriber_id: int | None) -> None:
    """Make the account a subscriber's, or nobody's.

    What somebody else had called it and its points is not for her.
    """
    values: dict[str, object] = {"subscriber_id": subscriber_id, "removed_at": None}
    if account.subscriber_id not in (None, subscriber_id):
        values["note"] = ""
        await connection.execute(update(_point).where(_point.c.account_id == account.id).values(name=""))
    await connection.execute(update(_account).where(_account.c.id == account.id).values(values))
