"""Registration: who gets in, who gets a letter instead, and what nobody can find out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from lk_portal.errors import InputError, ThrottledError
from lk_portal.models import Acceptance, Account, AccountClaim, ClaimReason, DocumentKind, Subscriber, User
from lk_portal.services import documents, unfinished
from lk_portal.services.database import Database
from lk_portal.services.registration import Outcome
from lk_portal.services.tables import table_of
from lk_portal.settings import load_settings
from tests import factories
from tests.integration.services.registering import ADDRESS, EMAIL, NOW, PHONE, Office, visit

HOUR = timedelta(hours=1)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))


async def finish(office: Office, user_id: int, **values: object) -> None:
    """The person has set a lasting password."""
    user = table_of(User)
    async with office.database.writing() as connection:
        await connection.execute(
            update(user).where(user.c.id == user_id).values({"password_hash": "x", **values})
        )


async def test_who_knows_account_and_address_gets_a_letter(office: Office) -> None:
    account_id = await office.open_account()

    assert await office.register() is Outcome.LETTER_SENT

    [user] = await office.rows(User)
    [subscriber] = await office.rows(Subscriber)
    [account] = await office.rows(Account)
    assert (user.email, user.phone, user.password_hash, user.temporary_hash) == (EMAIL, PHONE, "", "")
    assert (user.subscriber_id, account.subscriber_id) == (subscriber.id, subscriber.id)
    assert (subscriber.full_name, subscriber.email, account.id) == (user.display_name, EMAIL, account_id)
    assert await office.letters() == [("welcome", EMAIL, "waiting")]
    assert await office.actions() == ["web:registration:begin"]


async def test_what_was_accepted_is_kept_with_hash_time_and_address(office: Office) -> None:
    await office.open_account()
    await office.register(visit(address="2001:db8::7"))

    kept = await office.rows(Acceptance)

    assert {row.document_id for row in kept} == {one.id for one in await documents.current(office.database)}
    assert {row.address for row in kept} == {"2001:db8::7"}
    assert {row.accepted_at for row in kept} == {NOW}
    assert all(len(row.text_hash) == 64 for row in kept)


async def test_the_registrys_subscriber_is_taken_and_not_changed(office: Office) -> None:
    owner = await factories.subscriber(office.database, full_name="Петров П. П.")
    await office.open_account(subscriber_id=owner)
    before = await office.rows(Subscriber)

    await office.register(full_name="")

    [user] = await office.rows(User)
    assert (user.subscriber_id, user.display_name) == (owner, "Петров П. П.")
    assert await office.rows(Subscriber) == before


@pytest.mark.parametrize(
    "typed", ["5500 000 001", "55-0000-0001", " 5500000001 ", "№ 5500000001", "５５００000001"]
)
async def test_an_account_number_is_understood_as_people_type_it(office: Office, typed: str) -> None:
    await office.open_account()

    assert await office.register(account=typed) is Outcome.LETTER_SENT


async def test_a_number_that_has_dashes_in_the_registry_is_found(office: Office) -> None:
    await office.open_account("55-17/А")

    assert await office.register(account="55-17/А") is Outcome.LETTER_SENT


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "5500000009"},
        {"address": "Омск, улица Мира, дом 6"},
        {"account": "5500000009", "address": "Омск, улица Мира, дом 6"},
        {"account": "' OR 1=1 --"},
        {"address": "<script>alert(1)</script>"},
    ],
)
async def test_a_wrong_account_and_a_wrong_address_look_the_same(
    office: Office, changes: dict[str, str]
) -> None:
    await office.open_account()
    await office.open_account("5500000002", house="6")
    before = await office.everything()

    with pytest.raises(InputError, match="do not belong together") as refused:
        await office.register(**changes)

    assert refused.value.field == "match"
    assert await office.everything() == before
    assert await office.actions() == ["web:registration:refuse"]


async def test_an_account_with_an_owner_is_left_to_the_utility(office: Office) -> None:
    owner = await factories.subscriber(office.database)
    account_id = await office.open_account(subscriber_id=owner)
    await office.a_user("owner@example.com", subscriber_id=owner)

    assert await office.register() is Outcome.CLAIM_KEPT

    [claim] = await office.rows(AccountClaim)
    assert (claim.reason, claim.account_id, claim.email) == (ClaimReason.ACCOUNT_OWNED, account_id, EMAIL)
    assert len(await office.rows(User)) == 1
    assert await office.letters() == [("claim_kept", EMAIL, "waiting")]


async def test_the_same_claim_is_kept_once(office: Office) -> None:
    owner = await factories.subscriber(office.database)
    await office.open_account(subscriber_id=owner)
    await office.a_user("owner@example.com", subscriber_id=owner)

    for _ in range(2):
        await office.register()
    await office.register(email="another@example.com")

    assert [row.email for row in await office.rows(AccountClaim)] == [EMAIL, "another@example.com"]


@pytest.mark.parametrize("is_owners", [True, False])
async def test_an_owned_account_does_not_tell_whether_an_email_is_known(
    office: Office, is_owners: bool
) -> None:
    owner = await factories.subscriber(office.database)
    await office.open_account(subscriber_id=owner)
    await office.a_user("owner@example.com", subscriber_id=owner)
    await office.a_user(EMAIL)
    email = "owner@example.com" if is_owners else EMAIL

    assert await office.register(email=email) is Outcome.CLAIM_KEPT
    assert await office.letters() == [("already_registered", email, "waiting")]


async def test_a_known_email_gets_a_letter_and_nothing_changes(office: Office) -> None:
    await office.open_account()
    user_id = await office.a_user(EMAIL)
    before = await office.everything()

    assert await office.register() is Outcome.LETTER_SENT

    assert await office.letters() == [("already_registered", EMAIL, "waiting")]
    assert {**await office.everything(), "Letter": []} == before
    assert user_id in [row.id for row in await office.rows(User)]


async def test_nobodys_mailbox_can_be_filled(office: Office) -> None:
    await office.open_account()
    await office.a_user(EMAIL)

    for number in range(8):
        await office.register(visit(address=f"192.0.{number}.1"))

    assert len(await office.letters()) == 5


async def test_a_known_phone_is_left_to_the_utility_in_the_same_words(office: Office) -> None:
    await office.open_account()
    await office.a_user("somebody@example.com", phone=PHONE)

    assert await office.register() is Outcome.LETTER_SENT

    [claim] = await office.rows(AccountClaim)
    assert claim.reason is ClaimReason.PHONE_IN_USE
    assert len(await office.rows(User)) == 1
    assert await office.letters() == [("claim_kept", EMAIL, "waiting")]


async def test_an_unfinished_registration_is_begun_anew(office: Office) -> None:
    await office.open_account()
    await office.register(email="stranger@example.com", full_name="Чужой")

    assert await office.register(visit(after=HOUR)) is Outcome.LETTER_SENT

    [user] = await office.rows(User)
    [subscriber] = await office.rows(Subscriber)
    [account] = await office.rows(Account)
    assert (user.email, user.display_name) == (EMAIL, "Петров Петр Петрович")
    assert (subscriber.full_name, account.subscriber_id) == ("Петров Петр Петрович", user.subscriber_id)
    assert len(await office.rows(Acceptance)) == 2


async def test_beginning_anew_with_another_account_gives_the_first_back(office: Office) -> None:
    await office.open_account()
    await office.open_account("5500000002", house="6")
    await office.register()

    await office.register(visit(after=HOUR), account="5500000002", address="Омск, Мира, 6")

    [user] = await office.rows(User)
    first, second = await office.rows(Account)
    assert (first.subscriber_id, second.subscriber_id) == (None, user.subscriber_id)
    assert len(await office.rows(Subscriber)) == 1


async def test_a_finished_one_is_not_begun_anew(office: Office) -> None:
    await office.open_account()
    await office.register(email="first@example.com", phone="+79130000001")
    await finish(office, (await office.rows(User))[0].id)

    assert await office.register() is Outcome.CLAIM_KEPT
    assert [user.email for user in await office.rows(User)] == ["first@example.com"]


async def test_nor_is_one_that_the_utility_has_disabled(office: Office) -> None:
    await office.open_account()
    await office.register(email="first@example.com", phone="+79130000001")
    await finish(office, (await office.rows(User))[0].id, password_hash="", is_active=False)

    assert await office.register() is Outcome.CLAIM_KEPT
    assert [user.email for user in await office.rows(User)] == ["first@example.com"]


async def test_two_at_once_for_one_account_leave_one_login(office: Office) -> None:
    await office.open_account()

    ended = await asyncio.gather(
        office.register(),
        office.register(email="other@example.com", phone="+79130000001"),
        return_exceptions=True,
    )

    assert Outcome.LETTER_SENT in ended
    assert all(isinstance(one, Outcome | InputError) for one in ended)
    [user] = await office.rows(User)
    [subscriber] = await office.rows(Subscriber)
    [account] = await office.rows(Account)
    assert user.subscriber_id == subscriber.id == account.subscriber_id
    waiting = [to for kind, to, status in await office.letters() if status == "waiting"]
    assert user.email in waiting


async def test_two_at_once_with_one_email_leave_one_login(office: Office) -> None:
    await office.open_account()
    await office.open_account("5500000002", house="6")

    ended = await asyncio.gather(
        *(
            office.register(account=number, address=f"Омск, Мира, {house}", phone=f"+7913000000{house}")
            for number, house in (("5500000001", 5), ("5500000002", 6)) * 3
        ),
        return_exceptions=True,
    )

    assert Outcome.LETTER_SENT in ended
    assert all(isinstance(one, Outcome | InputError) for one in ended), ended
    [user] = await office.rows(User)
    owned = [row for row in await office.rows(Account) if row.subscriber_id is not None]
    assert [row.subscriber_id for row in owned] == [user.subscriber_id]


async def test_a_new_version_of_a_document_is_asked_for_again(office: Office) -> None:
    await office.open_account()
    old = tuple(one.id for one in await documents.current(office.database))
    await documents.publish(
        office.database,
        kind=DocumentKind.AGREEMENT,
        title="Соглашение",
        text="Новое",
        visit=visit(),
    )
    before = await office.everything()

    with pytest.raises(InputError, match="has changed") as refused:
        await office.register(document_ids=old)

    assert refused.value.field == "documents"
    assert await office.everything() == before
    assert await office.register() is Outcome.LETTER_SENT


async def test_guessing_is_slowed_down_without_a_picture(office: Office) -> None:
    await office.open_account()
    for number in range(5):
        with pytest.raises(InputError):
            await office.register(address=f"Омск, Мира, {number + 10}")

    with pytest.raises(ThrottledError):
        await office.register()
    assert not await office.rows(User)


async def test_but_not_for_who_did_not_guess(office: Office) -> None:
    await office.open_account()
    for number in range(9):
        with pytest.raises(InputError):
            await office.register(visit(address=f"198.51.{number}.1"), address="Омск, Мира, 77")

    assert await office.register() is Outcome.LETTER_SENT


async def test_letters_speak_the_pages_language(office: Office) -> None:
    await office.open_account()
    await office.register(locale="en")

    [user] = await office.rows(User)
    assert user.locale == "en"


async def test_what_was_never_finished_is_forgotten_after_a_month(office: Office) -> None:
    await office.open_account()
    await office.register()

    assert await unfinished.forget_unfinished(office.database, now=NOW + timedelta(days=29)) == 0
    assert await unfinished.forget_unfinished(office.database, now=NOW + timedelta(days=31)) == 1

    [account] = await office.rows(Account)
    assert account.subscriber_id is None
    assert not [*await office.rows(User), *await office.rows(Subscriber), *await office.rows(Acceptance)]


async def test_but_not_what_was_finished_or_disabled(office: Office) -> None:
    await office.open_account()
    await office.open_account("5500000002", house="6")
    await office.register()
    await office.register(
        account="5500000002", address="Омск, Мира, 6", email="second@example.com", phone="+79130000002"
    )
    first, second = await office.rows(User)
    await finish(office, first.id)
    await finish(office, second.id, password_hash="", is_active=False)

    assert await unfinished.forget_unfinished(office.database, now=NOW + timedelta(days=99)) == 0


async def test_hostile_texts_are_texts(office: Office) -> None:
    await office.open_account()
    name = "'; DROP TABLE portal_user; -- <b onload=alert(1)>👨‍👩‍👧 {user_id} %s"

    await office.register(full_name=name)

    [user] = await office.rows(User)
    assert user.display_name == name


async def test_the_address_may_be_written_otherwise(office: Office) -> None:
    await office.open_account()

    assert await office.register(address=ADDRESS.upper()) is Outcome.LETTER_SENT
