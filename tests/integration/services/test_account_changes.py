"""Adding accounts, naming and removing them: who gets one, who gets a claim, and what nobody can find out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from lk_portal.errors import FormError, InputError, NotFoundError, ThrottledError
from lk_portal.models import Account, AccountClaim, AuditEntry, ClaimReason, MeteringPoint, Subscriber, User
from lk_portal.services import account_changes, own_data, own_export
from lk_portal.services.account_changes import Added, read_account
from lk_portal.services.accounts import accounts_of
from lk_portal.services.changes import changed_since, subscriber_topic
from lk_portal.services.consumption import points_of
from lk_portal.services.database import Database
from lk_portal.services.registration import Outcome
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit
from lk_portal.settings import load_settings
from tests import factories
from tests.integration.services.registering import ADDRESS, EMAIL, NOW, PASSWORD, PHONE, Office, visit

HOUR = timedelta(hours=1)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))


@dataclass
class Person:
    """Somebody with a login, and what she does to accounts."""

    office: Office
    user_id: int
    subscriber_id: int

    async def add(self, number: str = "", address: str = ADDRESS, at: Visit | None = None) -> Added:
        form = read_account({"account": number or self.office.number, "address": address})
        return await account_changes.add(
            self.office.database,
            user_id=self.user_id,
            subscriber_id=self.subscriber_id,
            form=form,
            visit=at or visit(),
        )

    async def rename(self, note: str, number: str = "") -> str:
        return await account_changes.rename(
            self.office.database,
            user_id=self.user_id,
            subscriber_id=self.subscriber_id,
            number=number or self.office.number,
            note=note,
            visit=visit(),
        )

    async def remove(self, number: str = "") -> None:
        await account_changes.remove(
            self.office.database,
            user_id=self.user_id,
            subscriber_id=self.subscriber_id,
            number=number or self.office.number,
            visit=visit(),
        )

    async def numbers(self) -> list[str]:
        found = await accounts_of(
            self.office.database, subscriber_id=self.subscriber_id, now=NOW, default_interval_s=1800
        )
        return [line.number for line in found]


async def person(office: Office, email: str = "first@example.com", phone: str | None = None) -> Person:
    subscriber_id = await factories.subscriber(office.database, full_name="Первая")
    user_id = await office.a_user(email, phone=phone, subscriber_id=subscriber_id)
    return Person(office, user_id, subscriber_id)


async def stranger(office: Office) -> Person:
    return await person(office, "stranger@example.com")


async def deeds(office: Office) -> list[str]:
    """What was done by the portal's pages."""
    return [action for action in await office.actions() if action.startswith("web:")]


# ---- adding


async def test_who_knows_number_and_address_gets_a_free_account(office: Office) -> None:
    await office.open_account()
    first = await person(office)

    assert await first.add() is Added.ADDED

    assert await first.numbers() == [office.number]
    assert await deeds(office) == ["web:account:add"]
    assert not await office.rows(AccountClaim)


@pytest.mark.parametrize(
    ("number", "address"),
    [("5500000001", "Омск, Мира, 77"), ("5500000077", ADDRESS), ("x", "<b>x</b>")],
)
async def test_a_wrong_half_is_never_named(office: Office, number: str, address: str) -> None:
    await office.open_account()
    first = await person(office)

    with pytest.raises(InputError) as refused:
        await first.add(number, address)

    assert refused.value.field == "match"
    assert await first.numbers() == []
    assert await deeds(office) == ["web:account:refuse"]


@pytest.mark.parametrize("values", [{}, {"account": "", "address": ""}, {"account": 1, "address": ["x"]}])
async def test_every_empty_field_gets_a_sentence(values: dict[str, object]) -> None:
    with pytest.raises(FormError) as refused:
        read_account(values)

    assert list(refused.value.errors) == ["account", "address"]


async def test_the_registrys_subscriber_without_a_login_holds_nothing_back(office: Office) -> None:
    """As at registration: whoever knows both is taken for the subscriber."""
    owner = await factories.subscriber(office.database, full_name="Из реестра")
    await office.open_account(subscriber_id=owner)
    first = await person(office)

    assert await first.add() is Added.ADDED
    assert await first.numbers() == [office.number]


async def test_an_account_with_an_owner_becomes_a_claim(office: Office) -> None:
    owner = await person(office)
    await office.open_account(subscriber_id=owner.subscriber_id)
    thief = await stranger(office)

    assert await thief.add() is Added.CLAIM_KEPT
    assert await thief.add() is Added.CLAIM_KEPT

    assert (await thief.numbers(), await owner.numbers()) == ([], [office.number])
    [claim] = await office.rows(AccountClaim)
    assert (claim.reason, claim.email) == (ClaimReason.ACCOUNT_OWNED, "stranger@example.com")
    assert await office.letters() == [("claim_kept", "stranger@example.com", "waiting")], "one for each claim"


async def test_so_does_one_of_a_login_that_the_utility_has_disabled(office: Office) -> None:
    owner = await person(office)
    await office.open_account(subscriber_id=owner.subscriber_id)
    await disable(office, owner)

    assert await (await stranger(office)).add() is Added.CLAIM_KEPT


async def disable(office: Office, owner: Person) -> None:
    async with office.database.writing() as connection:
        user = table_of(User)
        await connection.execute(update(user).where(user.c.id == owner.user_id).values(is_active=False))


async def test_an_unfinished_registration_owns_nothing(office: Office) -> None:
    await office.open_account()
    await office.register()
    first = await person(office)

    assert await first.add(at=visit(after=HOUR)) is Added.ADDED

    assert await first.numbers() == [office.number]
    assert [user.email for user in await office.rows(User)] == ["first@example.com"]
    assert [row.id for row in await office.rows(Subscriber)] == [first.subscriber_id]


async def test_one_that_is_there_already_is_told_so(office: Office) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)

    assert await first.add() is Added.THERE_ALREADY
    assert await deeds(office) == []


async def test_two_who_want_the_same_at_once_get_one_account_and_one_claim(office: Office) -> None:
    await office.open_account()
    first, second = await person(office), await stranger(office)

    ended = await asyncio.gather(first.add(), second.add())

    assert sorted(ended) == [Added.ADDED, Added.CLAIM_KEPT]
    assert sorted([*await first.numbers(), *await second.numbers()]) == [office.number]


async def test_guessing_is_slowed_down_and_counts_together_with_registration(office: Office) -> None:
    await office.open_account()
    first = await person(office)
    for house in range(10, 15):
        with pytest.raises(InputError):
            await first.add(address=f"Омск, Мира, {house}")

    with pytest.raises(ThrottledError):
        await first.add()
    with pytest.raises(ThrottledError):
        await office.register()
    assert await first.add(at=visit(after=HOUR)) is Added.ADDED


# ---- removing, and coming back


async def test_a_removed_account_is_gone_and_comes_back_as_it_was(office: Office) -> None:
    first = await person(office)
    account_id = await office.open_account(subscriber_id=first.subscriber_id)
    await factories.point(office.database, account_id=account_id, name="Дом")
    await first.rename("Дача")

    await first.remove()
    assert await first.numbers() == []
    with pytest.raises(NotFoundError):
        await first.remove()

    assert await first.add() is Added.RETURNED
    [account] = await office.rows(Account)
    [point] = await office.rows(MeteringPoint)
    assert (account.note, account.removed_at, point.name) == ("Дача", None, "Дом")
    assert await deeds(office) == ["web:account:rename", "web:account:remove", "web:account:add"]


async def test_the_meters_of_a_removed_account_are_gone_too(office: Office) -> None:
    first = await person(office)
    placed = await factories.a_metered_point(office.database, subscriber_id=first.subscriber_id)
    [number] = [row.number for row in await office.rows(Account)]
    assert len(await points_of(office.database, subscriber_id=placed.subscriber_id)) == 1

    await first.remove(number)

    assert await points_of(office.database, subscriber_id=placed.subscriber_id) == ()


async def test_a_removed_account_becomes_hers_who_adds_it_without_the_first_ones_words(
    office: Office,
) -> None:
    first, second = await person(office), await stranger(office)
    account_id = await office.open_account(subscriber_id=first.subscriber_id)
    await factories.point(office.database, account_id=account_id, name="Моя баня")
    await first.rename("Моя дача")
    await first.remove()

    assert await second.add() is Added.ADDED

    [account] = await office.rows(Account)
    [point] = await office.rows(MeteringPoint)
    assert (account.subscriber_id, account.removed_at) == (second.subscriber_id, None)
    assert (account.note, point.name) == ("", "")
    assert await first.add() is Added.CLAIM_KEPT


async def test_a_removed_account_can_be_registered(office: Office) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.rename("Моя дача")
    await first.remove()

    assert await office.register() is Outcome.LETTER_SENT

    [account] = await office.rows(Account)
    newcomer = next(user for user in await office.rows(User) if user.email == EMAIL)
    assert (account.subscriber_id, account.removed_at) == (newcomer.subscriber_id, None)
    assert (account.note, newcomer.subscriber_id != first.subscriber_id) == ("", True)
    assert await first.numbers() == []


async def test_an_account_that_is_not_removed_cannot(office: Office) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)

    assert await office.register() is Outcome.CLAIM_KEPT
    assert await first.numbers() == [office.number]


async def test_her_own_registration_anew_is_only_a_letter(office: Office) -> None:
    first = await person(office, EMAIL, PHONE)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.remove()

    assert await office.register() is Outcome.LETTER_SENT

    assert await office.letters() == [("already_registered", EMAIL, "waiting")]
    assert await first.add() is Added.RETURNED


async def test_a_registration_of_a_removed_account_that_is_never_finished_leaves_it_free(
    office: Office,
) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.remove()
    await office.register()
    assert await first.numbers() == []

    assert await first.add(at=visit(after=HOUR)) is Added.ADDED
    assert await first.numbers() == [office.number]
    assert [user.id for user in await office.rows(User)] == [first.user_id]


async def test_erasing_leaves_a_removed_account_free(office: Office) -> None:
    first, second = await person(office), await stranger(office)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.remove()
    await own_data.erase(
        office.database, office.settings, user_id=first.user_id, password=PASSWORD, visit=visit()
    )

    assert await second.add() is Added.ADDED
    assert await second.numbers() == [office.number]


async def test_erasing_her_does_not_touch_what_others_took(office: Office) -> None:
    first, second = await person(office), await stranger(office)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.remove()
    await second.add()
    await second.rename("Мое")
    await own_data.erase(
        office.database, office.settings, user_id=first.user_id, password=PASSWORD, visit=visit()
    )

    [account] = await office.rows(Account)
    assert (account.subscriber_id, account.note) == (second.subscriber_id, "Мое")


async def test_the_export_says_what_was_removed_as_long_as_it_is_kept_as_hers(office: Office) -> None:
    first, second = await person(office), await stranger(office)
    await office.open_account(subscriber_id=first.subscriber_id)
    await first.remove()
    [account] = (await exported(office, first))["accounts"]
    assert account["removed_from_the_cabinet_at"] == NOW.isoformat()

    await second.add()

    assert (await exported(office, first))["accounts"] == []
    [account] = (await exported(office, second))["accounts"]
    assert account["removed_from_the_cabinet_at"] is None


async def exported(office: Office, who: Person) -> own_export.Json:
    return await own_export.export(office.database, office.settings, user_id=who.user_id, visit=visit())


# ---- whose


async def test_a_foreign_account_is_not_there(office: Office) -> None:
    owner, thief = await person(office), await stranger(office)
    await office.open_account(subscriber_id=owner.subscriber_id)
    before = await office.everything()

    for number in (office.number, "5500000099", "", "\0", "\ud800", "' OR 1=1 --"):
        with pytest.raises(NotFoundError):
            await thief.rename("x", number)
        with pytest.raises(NotFoundError):
            await thief.remove(number)

    assert await office.everything() == before
    await owner.rename("x")
    assert await office.everything() != before


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Дача \t у реки ", "Дача у реки"),
        ("", ""),
        ("<b>😀</b>", "<b>😀</b>"),
        ("\u200b", ""),
        ("я" * 60, "я" * 60),
    ],
)
async def test_a_note_is_kept_in_one_line(office: Office, typed: str, kept: str) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)

    assert await first.rename(typed) == kept
    assert [row.note for row in await office.rows(Account)] == [kept]


@pytest.mark.parametrize("typed", ["я" * 61, "a\0b", "\ud800", "a\u202eb"])
async def test_what_is_no_note_is_refused(office: Office, typed: str) -> None:
    first = await person(office)
    await office.open_account(subscriber_id=first.subscriber_id)

    with pytest.raises(InputError) as refused:
        await first.rename(typed)

    assert refused.value.field == "note"
    assert [row.note for row in await office.rows(Account)] == [""]


# ---- told to her other pages


async def test_what_she_does_to_her_accounts_is_news_to_her_and_to_nobody_else(office: Office) -> None:
    await office.open_account()
    first = await person(office)
    await stranger(office)
    told = {(subscriber_topic(first.subscriber_id), visit().at)}
    assert await changed_since(office.database, NOW - HOUR, now=NOW) == set()
    async with office.database.writing() as connection:
        on = "" if office.database.is_sqlite else " ON audit_entry"
        await connection.execute(text(f"DROP TRIGGER audit_entry_no_delete{on}"))

    for deed in (first.add, lambda: first.rename("Дача"), first.remove):
        await deed()
        assert await changed_since(office.database, NOW - HOUR, now=NOW) == told
        async with office.database.writing() as connection:
            await connection.execute(delete(table_of(AuditEntry)))

    assert await changed_since(office.database, NOW - HOUR, now=NOW) == set()
