"""What an administrator does to logins: gives and takes roles and the right to sign in. For /admin/users.

Whatever is taken away ends the sessions, so it takes effect at the next event and closes open pages. There is
always an administrator left who can sign in, also when two of them demote each other at the same moment: all
administrators' rows are locked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.models import LetterKind, Role, Theme, User
from lk_portal.security.passwords import UNUSABLE
from lk_portal.services import letters, second_factor, sessions
from lk_portal.services.own_data import NOBODY_AT
from lk_portal.services.resource import Doing
from lk_portal.services.tables import table_of
from lk_portal.services.users import normal_email, normal_phone
from lk_portal.services.visit import Visit

_user = table_of(User)
_c = _user.c

IS_SOMEBODYS = not_(_c.email.endswith(f"@{NOBODY_AT}"))
"""The condition that a login was not erased."""


async def invite(connection: AsyncConnection, values: dict[str, Any], visit: Visit) -> int:
    """Add a member of staff, in the caller's transaction; a letter brings a temporary password. Gives the id.

    Raises:
        InputError: The e-mail or phone cannot be used or is taken, or the role is not for staff.
    """
    if values["role"] is Role.SUBSCRIBER:
        raise InputError(N_("Subscribers register themselves."), field="role")
    row = {
        "email": normal_email(values["email"]),
        "phone": normal_phone(values["phone"]) if values.get("phone") else None,
        "role": values["role"],
        "display_name": values["display_name"],
        # Not empty: that would be an unfinished registration, which anybody may begin anew.
        "password_hash": UNUSABLE,
        "temporary_hash": "",
        "locale": "",
        "theme": Theme.SYSTEM,
        "is_active": True,
        "created_at": visit.at,
    }
    try:
        async with connection.begin_nested():
            user_id = int((await connection.execute(insert(_user).values(row).returning(_c.id))).scalar_one())
    except IntegrityError:
        raise InputError(N_("This e-mail or phone is already in use."), field="email") from None
    await _send_password(connection, user_id, visit.at)
    return user_id


async def disable(doing: Doing) -> None:
    """Take the right to sign in away."""
    await _locked(doing, is_own_refused=True)
    await _set(doing, is_active=False, temporary_hash="", temporary_until=None)
    await _end_sessions(doing)
    await _require_an_admin(doing)


async def enable(doing: Doing) -> None:
    """Give the right to sign in back; the password is the old one."""
    await _locked(doing)
    await _set(doing, is_active=True)


async def make_operator(doing: Doing) -> None:
    """Let staff be operators."""
    await _change_role(doing, Role.OPERATOR)


async def make_admin(doing: Doing) -> None:
    """Let staff be administrators."""
    await _change_role(doing, Role.ADMIN)


async def end_sessions(doing: Doing) -> None:
    """Sign them out everywhere."""
    await _locked(doing, is_own_refused=True)
    await _end_sessions(doing)


async def reset_password(doing: Doing) -> None:
    """Make the password void, sign them out everywhere, and send a temporary one by letter."""
    people = await _locked(doing, is_own_refused=True)
    if not all(person.is_active for person in people):
        raise InputError(N_("A disabled login gets no password. Enable it first."))
    await _set(doing, password_hash=UNUSABLE, temporary_hash="", temporary_until=None)
    await _end_sessions(doing)
    for person in people:
        await _send_password(doing.connection, person.id, doing.visit.at)
    await _require_an_admin(doing)


async def drop_second_factor(doing: Doing) -> None:
    """Take a lost second factor away, and sign them out everywhere; the password is enough then."""
    await _locked(doing, is_own_refused=True)
    for user_id in doing.ids:
        await second_factor.forget(doing.connection, user_id=user_id, now=doing.visit.at)
    await _end_sessions(doing)


async def _change_role(doing: Doing, role: Role) -> None:
    people = await _locked(doing, is_own_refused=True)
    if any(person.role is Role.SUBSCRIBER for person in people):
        raise InputError(N_("A subscriber's login cannot be staff. Add another one with its own e-mail."))
    await _set(doing, role=role)
    await _end_sessions(doing)
    await _require_an_admin(doing)


async def _locked(doing: Doing, *, is_own_refused: bool = False) -> Sequence[Row[Any]]:
    """The rows, locked, with those of all administrators: who takes their rights come one after the other.

    Raises:
        InputError: Somebody does it to himself, and may not.
    """
    if is_own_refused and doing.actor in doing.ids:
        raise InputError(N_("You cannot do this to yourself. Ask another administrator."))
    concerned = or_(_c.id.in_(doing.ids), _c.role == Role.ADMIN)
    rows = await doing.connection.execute(select(_user).where(concerned).order_by(_c.id).with_for_update())
    return [row for row in rows if row.id in doing.ids]


async def _set(doing: Doing, **values: Any) -> None:
    await doing.connection.execute(update(_user).where(_c.id.in_(doing.ids)).values(values))


async def _end_sessions(doing: Doing) -> None:
    for user_id in doing.ids:
        await sessions.end_all(doing.connection, user_id=user_id)


async def _require_an_admin(doing: Doing) -> None:
    """Raise unless an administrator is left who is active and has a lasting password."""
    has_password = _c.password_hash.not_in(("", UNUSABLE))
    query = select(_c.id).where(_c.role == Role.ADMIN, _c.is_active, has_password).limit(1)
    if (await doing.connection.execute(query)).first() is None:
        raise InputError(N_("There must be an administrator left who can sign in."))


async def _send_password(connection: AsyncConnection, user_id: int, now: datetime) -> None:
    person = (await connection.execute(select(_user).where(_c.id == user_id))).one()
    await letters.write(
        connection,
        kind=LetterKind.ACCESS_GIVEN,
        to_address=person.email,
        now=now,
        user_id=user_id,
        locale=person.locale,
        data={"name": person.display_name},
    )
