"""What becomes of an account that somebody else asked for, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import Account, AccountClaim, AuditEntry, Role, Subscriber, User
from lk_portal.services import users
from lk_portal.services.claim_decisions import accept, refuse
from lk_portal.services.database import Database
from lk_portal.services.registration import Outcome
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests import factories
from tests.integration.services.registering import EMAIL, NOW, PASSWORD, PHONE, Office, visit

OWNER = "owner@example.com"
LATER = visit(after=timedelta(hours=1))


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))


async def claimed(office: Office) -> int:
    """An account of somebody with a login, which another has asked for; gives the request's id."""
    owner = await owner_of(office)
    await office.a_user(OWNER, subscriber_id=owner)
    assert await office.register() is Outcome.CLAIM_KEPT
    [claim] = await office.rows(AccountClaim)
    return int(claim.id)


async def owner_of(office: Office) -> int:
    owner = await factories.subscriber(office.database)
    await office.open_account(subscriber_id=owner)
    return owner


async def admin(office: Office) -> int:
    return await users.create_user(
        office.database,
        office.settings,
        email="admin@example.com",
        phone=None,
        role=Role.ADMIN,
        display_name="Admin",
        password=PASSWORD,
        subscriber_id=None,
        now=NOW,
    )


async def decide(office: Office, decision: Any, *claim_ids: int) -> None:
    staff_id = await admin(office)
    async with office.database.writing() as connection:
        await decision(connection, claim_ids, staff_id=staff_id, visit=LATER)


async def user(office: Office, email: str) -> Any:
    return next(row for row in await office.rows(User) if row.email == email)


async def test_accepted_the_account_begins_a_new_login_and_its_owner_is_told(office: Office) -> None:
    claim_id = await claimed(office)

    await decide(office, accept, claim_id)

    newcomer, before = await user(office, EMAIL), await user(office, OWNER)
    [account] = await office.rows(Account)
    assert account.subscriber_id == newcomer.subscriber_id != before.subscriber_id
    assert (newcomer.password_hash, newcomer.phone, newcomer.role) == ("", PHONE, Role.SUBSCRIBER)
    assert {letter[:2] for letter in await office.letters()} >= {("welcome", EMAIL), ("account_moved", OWNER)}
    [closed] = await office.rows(AccountClaim)
    assert closed.closed_at == LATER.at
    told = {row.action: row.subject_user_id for row in await office.rows(AuditEntry)}
    assert told["desk:claim:accept"] == newcomer.id
    assert told["desk:account:move"] == before.id


async def test_accepted_it_goes_to_the_login_that_is_there(office: Office) -> None:
    claim_id = await claimed(office)
    own = await factories.subscriber(office.database)
    await office.a_user(EMAIL, subscriber_id=own)

    await decide(office, accept, claim_id)

    [account] = await office.rows(Account)
    assert account.subscriber_id == own
    kinds = [kind for kind, to, _status in await office.letters() if to == EMAIL]
    assert kinds == ["claim_kept", "claim_accepted"]


async def test_a_phone_that_is_somebodys_login_stays_with_that_one(office: Office) -> None:
    await office.open_account()
    other = await factories.subscriber(office.database)
    await office.a_user("other@example.com", phone=PHONE, subscriber_id=other)
    await office.register()
    [claim] = await office.rows(AccountClaim)

    await decide(office, accept, claim.id)

    newcomer = await user(office, EMAIL)
    [account] = await office.rows(Account)
    assert newcomer.phone is None
    assert (await user(office, "other@example.com")).phone == PHONE
    assert account.subscriber_id == newcomer.subscriber_id
    assert not [kind for kind, _to, _status in await office.letters() if kind == "account_moved"]


async def test_refused_nothing_changes_but_a_letter_says_so(office: Office) -> None:
    claim_id = await claimed(office)
    accounts, people = await office.rows(Account), await office.rows(Subscriber)

    await decide(office, refuse, claim_id)

    assert (await office.rows(Account), await office.rows(Subscriber)) == (accounts, people)
    assert ("claim_refused", EMAIL, "waiting") in await office.letters()
    assert EMAIL not in [row.email for row in await office.rows(User)]
    assert "desk:claim:refuse" in await office.actions()


@pytest.mark.parametrize("decision", [accept, refuse])
async def test_what_was_decided_is_not_decided_again(office: Office, decision: Any) -> None:
    claim_id = await claimed(office)
    claim = table_of(AccountClaim)
    async with office.database.writing() as connection:
        await connection.execute(update(claim).values(closed_at=NOW))
    before = await office.everything()

    with pytest.raises(NotFoundError):
        await decide(office, decision, claim_id)

    after = await office.everything()
    assert [row for row in after["User"] if row.role is not Role.ADMIN] == list(before["User"])
    assert after["Letter"] == before["Letter"]


async def test_one_of_the_staff_gets_no_account(office: Office) -> None:
    claim_id = await claimed(office)
    claim = table_of(AccountClaim)
    async with office.database.writing() as connection:
        await connection.execute(update(claim).values(email="admin@example.com"))

    with pytest.raises(InputError, match="staff"):
        await decide(office, accept, claim_id)

    [kept] = await office.rows(AccountClaim)
    assert kept.closed_at is None
