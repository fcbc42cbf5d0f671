"""What a person must do before a session opens the cabinet, and doing it.

A sign-in with a mailed password owes a lasting one; a subscriber who has not accepted the documents in force
owes that; staff with a second factor owe its code (`services.second_factor`). Doing it lets the session go on
under a new token.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lk_portal.errors import N_, InputError
from lk_portal.models import Duty, Role
from lk_portal.security.tokens import hash_of
from lk_portal.services import audit, documents, second_factor, sessions
from lk_portal.services.credentials import context_of, new_hash, require_repeat, store_lasting
from lk_portal.services.database import Database
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings


@dataclass(frozen=True, slots=True)
class Done:
    """A duty was done: the session's new token, and what is owed next."""

    token: str
    duty: Duty


async def owed(database: Database, settings: Settings, *, user_id: int, role: Role) -> Duty:
    """What somebody with a lasting password owes: subscribers the documents, staff a second factor."""
    if role is not Role.SUBSCRIBER:
        return await second_factor.owed(database, settings, user_id=user_id, role=role)
    return Duty.CONSENT if await documents.pending(database, user_id=user_id) else Duty.NONE


async def set_new_password(
    database: Database,
    settings: Settings,
    *,
    user_id: int,
    role: Role,
    session_hash: str,
    password: str,
    repeat: str,
    visit: Visit,
) -> Done:
    """Set the lasting password after a temporary one; every other session ends.

    Raises:
        InputError: It may not be one, or the two differ.
        AccessDeniedError: The session or the right to sign in was taken away meanwhile.
    """
    require_repeat(password, repeat)
    async with database.reading() as connection:
        context = await context_of(connection, user_id)
    hashed = await new_hash(settings, password, context=context)
    duty = await owed(database, settings, user_id=user_id, role=role)
    async with database.writing() as connection:
        token = await sessions.rotate(connection, session_hash=session_hash, duty=duty, now=visit.at)
        await sessions.end_all(connection, user_id=user_id, but=hash_of(token))
        await store_lasting(connection, user_id=user_id, hashed=hashed)
        await audit.record(connection, action=audit.PASSWORD_SET, visit=visit, actor=user_id, subject=user_id)
    return Done(token, duty)


async def accept_documents(
    database: Database, *, user_id: int, session_hash: str, ticked: Collection[int], visit: Visit
) -> Done:
    """Accept what is in force and not accepted yet; all of it, and only what was shown.

    Args:
        database: Where it is kept.
        user_id: Who accepts.
        session_hash: Of the session that owes it.
        ticked: Ids of the documents whose boxes were ticked.
        visit: From where and when; kept with the acceptance.

    Raises:
        InputError: A box was not ticked, or a newer version came into force since the page was opened.
        AccessDeniedError: The session was ended meanwhile.
    """
    pending = await documents.pending(database, user_id=user_id)
    for document in pending:
        if document.id not in ticked:
            raise InputError(N_("Without this the cabinet cannot be used."), field=document.kind.value)
    async with database.writing() as connection:
        if pending:
            await documents.accept(
                connection, user_id=user_id, document_ids=[one.id for one in pending], visit=visit
            )
            await audit.record(
                connection, action=audit.DOCUMENTS_ACCEPTED, visit=visit, actor=user_id, subject=user_id
            )
        token = await sessions.rotate(connection, session_hash=session_hash, duty=Duty.NONE, now=visit.at)
    return Done(token, Duty.NONE)
