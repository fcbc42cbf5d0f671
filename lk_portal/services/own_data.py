"""A person's rights over her data (152-ФЗ): to take the consent back, and to have the data erased.

What the utility needs for the contract - the subscriber's name, accounts, meters, readings - is the
registry's and stays; the account can be registered again. The record of what was accepted and when it ended
stays too, under the number of a login that names nobody any more. What she may take along is
`services.own_export`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, AccessDeniedError, InputError
from lk_portal.models import (
    Acceptance,
    Account,
    AccountClaim,
    AuditEntry,
    ConsumptionLimit,
    DocumentKind,
    DocumentVersion,
    Duty,
    EmailChange,
    Letter,
    LetterKind,
    MeteringPoint,
    NotificationChoice,
    Notified,
    PushSubscription,
    Role,
    SeenMarker,
    Subscriber,
    Theme,
    Ticket,
    TicketMessage,
    User,
)
from lk_portal.security import throttle
from lk_portal.security.passwords import UNUSABLE
from lk_portal.services import audit, documents, letters, personal, sessions, throttling
from lk_portal.services.credentials import fits
from lk_portal.services.database import Database
from lk_portal.services.registration import BEGUN
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.visit import Visit
from lk_portal.settings import Settings

NOBODY_AT = "erased.invalid"
"""No mail can be sent to this domain (RFC 2606), and no form takes an address of it."""

_user, _subscriber, _account = table_of(User), table_of(Subscriber), table_of(Account)
_point, _claim, _letter = table_of(MeteringPoint), table_of(AccountClaim), table_of(Letter)
_acceptance, _change = table_of(Acceptance), table_of(EmailChange)
_entry, _ticket = table_of(AuditEntry), table_of(Ticket)
_document = table_of(DocumentVersion)
_HABITS = tuple(
    table_of(one) for one in (NotificationChoice, ConsumptionLimit, Notified, PushSubscription, SeenMarker)
)
"""What she is told of and how, and has looked at; what waits to be pushed to her browsers goes with them."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One text a person agreed to; `withdrawn_at` is set when that is over. Times are UTC."""

    kind: DocumentKind
    version: int
    title: str
    accepted_at: datetime
    withdrawn_at: datetime | None


async def accepted_documents(database: Database, *, user_id: int) -> tuple[Accepted, ...]:
    """What a person has ever agreed to, newest first."""
    query = (
        select(
            _document.c.kind,
            _document.c.version,
            _document.c.title,
            _acceptance.c.accepted_at,
            _acceptance.c.withdrawn_at,
        )
        .join(_document, _document.c.id == _acceptance.c.document_id)
        .where(_acceptance.c.user_id == user_id)
        .order_by(_acceptance.c.accepted_at.desc(), _document.c.kind, _document.c.version.desc())
    )
    async with database.reading() as connection:
        return tuple(Accepted(*row) for row in await connection.execute(query))


async def withdraw_consent(database: Database, *, user_id: int, session_hash: str, visit: Visit) -> str:
    """Take the consent to processing personal data back: the cabinet closes until it is given again.

    Other sessions end; this one goes on and owes the consent. Gives its new token.

    Raises:
        AccessDeniedError: No subscriber, or the session was ended meanwhile.
    """
    async with database.writing() as connection:
        await _lock(connection, user_id)
        await documents.withdraw(connection, user_id=user_id, now=visit.at)
        await sessions.end_all(connection, user_id=user_id, but=session_hash)
        await audit.record(
            connection, action=audit.CONSENT_WITHDRAWN, visit=visit, actor=user_id, subject=user_id
        )
        return await sessions.rotate(connection, session_hash=session_hash, duty=Duty.CONSENT, now=visit.at)


async def erase(database: Database, settings: Settings, *, user_id: int, password: str, visit: Visit) -> None:
    """Erase a subscriber's login and what she gave the portal; every session ends, and a letter says so.

    Raises:
        InputError: The password is wrong.
        ThrottledError: It was wrong too often.
        AccessDeniedError: No subscriber, or it was erased or the password changed meanwhile.
        PortalError: What an installed package keeps could not be erased; so nothing was.
    """
    # Counted together with the old password in the settings: two forms are not twice the guesses.
    gates = (Gate(f"own-password:{user_id}", throttle.BY_LOGIN_AND_ADDRESS),)
    await throttling.refuse(database, gates, now=visit.at)
    async with database.reading() as connection:
        stored = await connection.scalar(select(_user.c.password_hash).where(_user.c.id == user_id)) or ""
    if not await fits(settings, password, stored):
        async with database.writing() as connection:
            await throttling.count_in(connection, gates, now=visit.at)
            await audit.record(
                connection, action=audit.ERASE_REFUSED, visit=visit, actor=user_id, subject=user_id
            )
        raise InputError(N_("The password is wrong."), field="own-password")
    async with database.writing() as connection:
        person = await _lock(connection, user_id)
        if person.password_hash != stored:
            raise AccessDeniedError
        await _erase(connection, person, visit)
        await throttling.forget(connection, gates)


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    subscriber_id: int | None
    email: str
    phone: str | None
    password_hash: str
    locale: str
    created_at: datetime


async def _lock(connection: AsyncConnection, user_id: int) -> _Person:
    """A subscriber's row - staff have nothing to withdraw; her deeds happen one after the other."""
    query = select(
        _user.c.id,
        _user.c.subscriber_id,
        _user.c.email,
        _user.c.phone,
        _user.c.password_hash,
        _user.c.locale,
        _user.c.created_at,
    ).where(_user.c.id == user_id, _user.c.is_active, _user.c.role == Role.SUBSCRIBER)
    found = (await connection.execute(query.with_for_update())).one_or_none()
    if found is None:
        raise AccessDeniedError
    return _Person(*found)


async def _erase(connection: AsyncConnection, person: _Person, visit: Visit) -> None:
    await sessions.end_all(connection, user_id=person.id)
    # First: their rows are found by what is still hers here.
    await personal.erase(connection, personal.Whose(person.id, person.subscriber_id))
    await _clear_registry(connection, person)
    await connection.execute(delete(_change).where(_change.c.user_id == person.id))
    for habit in _HABITS:
        await connection.execute(delete(habit).where(habit.c.user_id == person.id))
    await connection.execute(
        update(_acceptance)
        .where(_acceptance.c.user_id == person.id, _acceptance.c.withdrawn_at.is_(None))
        .values(withdrawn_at=visit.at)
    )
    await _close_claims(connection, person, visit)
    await _sign_no_tickets(connection, person)
    await letters.forget_person(connection, user_id=person.id)
    await connection.execute(delete(_letter).where(_letter.c.to_address == person.email))
    await connection.execute(update(_user).where(_user.c.id == person.id).values(**_nobody(person.id)))
    await _forget_made_here(connection, person)
    await audit.record(connection, action=audit.DATA_ERASED, visit=visit, actor=person.id, subject=person.id)
    await letters.write(
        connection,
        kind=LetterKind.ERASED,
        to_address=person.email,
        now=visit.at,
        locale=person.locale,
    )


def _nobody(user_id: int) -> dict[str, object]:
    """A login's row that names nobody and lets nobody in; it keeps its number for what refers to it.

    The password is `UNUSABLE` and not empty: that would be an unfinished registration, which may be deleted.
    """
    return {
        "email": f"erased-{user_id}@{NOBODY_AT}",
        "phone": None,
        "display_name": "",
        "password_hash": UNUSABLE,
        "temporary_hash": "",
        "temporary_until": None,
        "locale": "",
        "theme": Theme.SYSTEM,
        "is_active": False,
        "subscriber_id": None,
    }


async def _clear_registry(connection: AsyncConnection, person: _Person) -> None:
    """What the person wrote into the registry by the portal: e-mail, phone, own names of things."""
    if person.subscriber_id is None:
        return
    own = _subscriber.c.id == person.subscriber_id
    for column, given in ((_subscriber.c.email, person.email), (_subscriber.c.phone, person.phone)):
        if given:
            await connection.execute(
                update(_subscriber).where(own, column == given).values({column.name: ""})
            )
    accounts = select(_account.c.id).where(_account.c.subscriber_id == person.subscriber_id)
    await connection.execute(update(_point).where(_point.c.account_id.in_(accounts)).values(name=""))
    await connection.execute(
        update(_account).where(_account.c.subscriber_id == person.subscriber_id).values(note="")
    )


async def _forget_made_here(connection: AsyncConnection, person: _Person) -> None:
    """A subscriber whom the registry did not know but her registration made; the account is nobody's again.

    Who has sent the utility something stays as its sender without a name.

    Registration makes both rows at the same moment (see `services.unfinished`), and says so in the audit.
    """
    begun = select(_entry.c.id).where(_entry.c.subject_user_id == person.id, _entry.c.action == BEGUN)
    if await connection.scalar(begun.limit(1)) is None:
        return
    made_here = select(_subscriber.c.id).where(
        _subscriber.c.id == person.subscriber_id, _subscriber.c.created_at == person.created_at
    )
    await connection.execute(
        update(_account)
        .where(_account.c.subscriber_id.in_(made_here))
        .values(subscriber_id=None, removed_at=None)
    )
    has_tickets = exists().where(_ticket.c.subscriber_id == _subscriber.c.id)
    await connection.execute(delete(_subscriber).where(_subscriber.c.id.in_(made_here), ~has_tickets))
    await connection.execute(
        update(_subscriber).where(_subscriber.c.id.in_(made_here)).values(full_name="", email="", phone="")
    )


async def _sign_no_tickets(connection: AsyncConnection, person: _Person) -> None:
    """The correspondence about the contract stays with the utility, and names no login any more."""
    for table in (_ticket, table_of(TicketMessage)):
        await connection.execute(
            update(table).where(table.c.author_user_id == person.id).values(author_user_id=None)
        )


async def _close_claims(connection: AsyncConnection, person: _Person, visit: Visit) -> None:
    """Requests sent with her e-mail; one that only names the same phone is somebody else's."""
    mine = _claim.c.email == person.email
    await connection.execute(
        update(_claim).where(mine, _claim.c.closed_at.is_(None)).values(closed_at=visit.at)
    )
    await connection.execute(update(_claim).where(mine).values(full_name="", email="", phone="", address=""))
