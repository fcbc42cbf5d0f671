"""Registration: an account and its address, matched against the registry, become somebody's login.

Whoever knows both is taken for the subscriber, unless the account has an owner (`account_owner`); then the
utility decides. What the page says tells nobody which half of account and address was wrong, nor whether an
e-mail or a phone number is known here. The password goes by letter, to the e-mail that was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from lk_portal.errors import N_, InputError
from lk_portal.models import ClaimReason, LetterKind, User
from lk_portal.security.throttle import BY_LOGIN_AND_ADDRESS
from lk_portal.services import audit, claims, documents, letters, throttling
from lk_portal.services.account_owner import holder_of, lock_account, match_gates, require_match
from lk_portal.services.database import Database
from lk_portal.services.letter_quota import is_spent
from lk_portal.services.new_login import Newcomer, begin_login
from lk_portal.services.registration_form import RegistrationForm, read_form
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate
from lk_portal.services.turns import take_turns
from lk_portal.services.unfinished import is_unfinished, undo
from lk_portal.services.visit import Visit
from lk_portal.settings import KNOWN_LOCALES, Settings

__all__ = ["Outcome", "RegistrationForm", "read_form", "register"]

BEGUN = "web:registration:begin"
REFUSED = "web:registration:refuse"
CLAIMED = "web:registration:claim"
REPEATED = "web:registration:repeat"
audit.TEXTS.update(
    {
        BEGUN: N_("Registered; a temporary password was sent"),
        REPEATED: N_("Somebody tried to register with your e-mail again"),
    }
)

_user = table_of(User)


class Outcome(StrEnum):
    """What the page may say. LETTER_SENT is also said when the letter tells its reader something else."""

    LETTER_SENT = "letter_sent"
    CLAIM_KEPT = "claim_kept"


async def register(
    database: Database, settings: Settings, *, form: RegistrationForm, visit: Visit
) -> Outcome:
    """Register, or begin an unfinished registration anew; all of it in one transaction, or nothing.

    Raises:
        ThrottledError: Too many attempts from here, or of one's own for this account or e-mail.
        InputError: Account and address do not belong together (field "match"); a document has changed since
            the page was opened ("documents"); somebody does the same at this moment (no field).
    """
    gates = _gates(form, visit)
    await throttling.refuse(database, gates, now=visit.at)
    if set(form.document_ids) != {document.id for document in await documents.current(database)}:
        raise InputError(N_("A document has changed meanwhile. Read the new version."), field="documents")
    account_id = await require_match(database, form, gates, refused=REFUSED, user_id=None, visit=visit)
    try:
        async with database.writing() as connection:
            await take_turns(
                connection, f"email:{form.email}", f"phone:{form.phone}", f"account:{account_id}"
            )
            await throttling.count_in(connection, gates, now=visit.at)
            return await _Registration(connection, settings, form, visit).of(account_id)
    except IntegrityError:
        raise InputError(
            N_("Somebody is registering with the same data at this moment. Try again in a minute.")
        ) from None


def _gates(form: RegistrationForm, visit: Visit) -> tuple[Gate, ...]:
    """Besides those of an account: nobody's mailbox is filled."""
    gates = match_gates(form, visit)
    return (*gates, Gate(f"register:email:{form.email}", BY_LOGIN_AND_ADDRESS, clock=gates[0].key))


@dataclass(frozen=True, slots=True)
class _Registration:
    """One registration inside its transaction."""

    connection: AsyncConnection
    settings: Settings
    form: RegistrationForm
    visit: Visit

    async def of(self, account_id: int) -> Outcome:
        """Decide what becomes of it, and do that."""
        account = await lock_account(self.connection, account_id)
        owner_id = holder_of(account)
        people = await self._people(owner_id)
        settled = [person for person in people if not is_unfinished(person)]
        by_email = next((person for person in settled if person.email == self.form.email), None)
        if any(person.subscriber_id == owner_id for person in settled if person.subscriber_id):
            await self._claim(account, ClaimReason.ACCOUNT_OWNED, by_email)
            return Outcome.CLAIM_KEPT
        if by_email is not None:
            await self._tell_owner(by_email)
        elif settled:
            await self._claim(account, ClaimReason.PHONE_IN_USE, None)
        else:
            for person in people:
                await undo(self.connection, person)
            await self._begin(await lock_account(self.connection, account_id))
        return Outcome.LETTER_SENT

    async def _people(self, subscriber_id: int | None) -> list[Row[Any]]:
        """Everybody who has this e-mail, this phone, or this account."""
        conditions = [_user.c.email == self.form.email, _user.c.phone == self.form.phone]
        if subscriber_id is not None:
            conditions.append(_user.c.subscriber_id == subscriber_id)
        return list((await self.connection.execute(select(_user).where(or_(*conditions)))).all())

    async def _claim(self, account: Row[Any], reason: ClaimReason, known: Row[Any] | None) -> None:
        """Leave it to the utility; who has the e-mail already is told that instead."""
        form = self.form
        await claims.keep(
            self.connection,
            reason=reason,
            account_id=account.id,
            full_name=form.full_name,
            email=form.email,
            phone=form.phone,
            visit=self.visit,
        )
        await self._record(CLAIMED, None, account=account.number, reason=reason.value)
        if known is not None:
            await self._tell_owner(known)
            return
        await letters.write(
            self.connection,
            kind=LetterKind.CLAIM_KEPT,
            to_address=form.email,
            now=self.visit.at,
            locale=self._locale(),
            data={"name": form.full_name, "account": account.number},
        )

    async def _tell_owner(self, person: Row[Any]) -> None:
        """Nothing changes; the owner of the e-mail learns that somebody tried, and how to sign in."""
        kind = LetterKind.ALREADY_REGISTERED
        is_silent = await is_spent(self.connection, user_id=person.id, now=self.visit.at)
        await self._record(REPEATED, person.id)
        if not is_silent:
            await letters.write(
                self.connection,
                kind=kind,
                to_address=person.email,
                now=self.visit.at,
                user_id=person.id,
                locale=person.locale,
                data={"name": person.display_name},
            )

    async def _begin(self, account: Row[Any]) -> None:
        """A user without a password yet, and what she agreed to."""
        user_id = await begin_login(self.connection, account, self._newcomer(), now=self.visit.at)
        await documents.accept(
            self.connection, user_id=user_id, document_ids=self.form.document_ids, visit=self.visit
        )
        await self._record(BEGUN, user_id, account=account.number)

    def _newcomer(self) -> Newcomer:
        form = self.form
        return Newcomer(form.full_name, form.email, form.phone, self._locale())

    async def _record(self, action: str, subject: int | None, **detail: str) -> None:
        await audit.record(
            self.connection, action=action, visit=self.visit, actor=None, subject=subject, **detail
        )

    def _locale(self) -> str:
        """Of letters: the page's language, "" when it is the portal's own."""
        locale = self.form.locale
        return locale if locale in KNOWN_LOCALES and locale != self.settings.locale else ""
