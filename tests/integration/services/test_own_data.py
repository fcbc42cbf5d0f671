"""Taking one's data along, taking the consent back, being erased; on both databases."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from lk_portal.errors import AccessDeniedError, BadCredentialsError, InputError, ThrottledError
from lk_portal.models import (
    Acceptance,
    Account,
    AccountClaim,
    Channel,
    ClaimReason,
    ConsumptionLimit,
    LetterKind,
    MeteringPoint,
    NotificationChoice,
    NotificationKind,
    PushSubscription,
    SeenMarker,
    Subscriber,
    User,
)
from lk_portal.security.passwords import UNUSABLE
from lk_portal.security.tokens import hash_of
from lk_portal.services import (
    access,
    audit,
    documents,
    email_change,
    notification_choices,
    own_data,
    own_export,
    profile,
    push,
    registration,
    sessions,
)
from lk_portal.services.access import Duty, Role
from lk_portal.services.database import Database
from lk_portal.services.registration import Outcome, RegistrationForm
from lk_portal.services.tables import table_of
from lk_portal.settings import Settings, load_settings
from tests import factories
from tests.integration.services.persons import (
    NOW,
    PASSWORD,
    deeds,
    letters_written,
    person,
    sign_in,
    user_row,
    visit,
)
from tests.push_service import browser

EMAIL, PHONE = "ivanov@example.com", "+79131234567"
ENDPOINT = "https://push.example/send/one"
WRONG = "Wrong-horse-2026"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@dataclass(frozen=True)
class Owner:
    user_id: int
    placed: factories.MeteredPoint
    token: str

    @property
    def session_hash(self) -> str:
        return hash_of(self.token)


async def subscriber(
    database: Database, settings: Settings, name: str = "ivanov", phone: str | None = PHONE
) -> Owner:
    placed = await factories.a_metered_point(database)
    user_id = await person(
        database, settings, name, phone=phone, role=Role.SUBSCRIBER, subscriber_id=placed.subscriber_id
    )
    token = await sign_in(database, settings, f"{name}@example.com")
    return Owner(user_id, placed, token)


async def export(database: Database, settings: Settings, user_id: int) -> dict[str, Any]:
    found = await own_export.export(database, settings, user_id=user_id, visit=visit())
    read: dict[str, Any] = json.loads(json.dumps(found, ensure_ascii=False))
    return read


async def erase(
    database: Database, settings: Settings, user_id: int, *, password: str = PASSWORD, after: int = 0
) -> None:
    await own_data.erase(
        database,
        settings,
        user_id=user_id,
        password=password,
        visit=visit(after=timedelta(seconds=after)),
    )


async def column(database: Database, query: Any) -> list[Any]:
    async with database.reading() as connection:
        return list((await connection.scalars(query)).all())


async def whole_database(database: Database) -> str:
    """Every row of every table, as text."""
    async with database.reading() as connection:
        found = []
        for table in User.metadata.sorted_tables:
            found += [repr(tuple(row)) for row in await connection.execute(select(table))]
    return "\n".join(found)


async def told_of_something(database: Database, own: Any) -> None:
    """She has made a choice, set a threshold and subscribed her browser."""
    me = {"user_id": own.user_id, "visit": visit()}
    await notification_choices.choose(
        database, kind=NotificationKind.NEW_DEVICE, channel=Channel.LETTER, is_wanted=False, **me
    )
    await notification_choices.set_limit(
        database,
        subscriber_id=own.placed.subscriber_id,
        point_id=own.placed.point_id,
        typed="300",
        **me,
    )
    await push.subscribe(
        database, session_hash=own.session_hash, subscription=browser(ENDPOINT), locale="ru", **me
    )
    async with database.writing() as connection:
        marker = {"section": "info", "seen_at": visit().at, "changed_at": visit().at}
        await connection.execute(insert(SeenMarker).values(user_id=own.user_id, **marker))


async def test_the_export_has_everything_of_ones_own(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    await told_of_something(database, own)
    await email_change.start(database, user_id=own.user_id, new_email="new@example.com", visit=visit())

    found = await export(database, settings, own.user_id)

    assert (found["login"]["email"], found["login"]["phone"]) == (EMAIL, PHONE)
    assert found["subscriber"]["full_name"] == "Иванов Иван Иванович"
    [account] = found["accounts"]
    [point] = account["points"]
    assert account["address"].startswith("г. Омск, ул. Ленина")
    assert [meter["serial"] for meter in point["meters"]] == [own.placed.serial]
    assert {document["kind"] for document in found["documents"]} == {"agreement", "consent"}
    assert all(len(document["text_sha256"]) == 64 for document in found["documents"])
    assert found["sessions"][0]["network_address"] == "192.0.2.1"
    assert [entry["action"] for entry in found["history"]][-1] == audit.DATA_EXPORTED
    assert found["notifications"] == [{"kind": "new_device", "channel": "letter", "is_wanted": False}]
    assert found["consumption_limits"] == [{"point": point["code"], "month_wh": 300_000}]
    assert [device.keys() for device in found["notified_devices"]] == [{"browser", "since"}]
    assert found["sections_opened"] == [{"section": "info", "seen_at": visit().at.isoformat()}]
    assert ENDPOINT not in json.dumps(found)
    assert found["new_email"][0]["new_email"] == "new@example.com"
    assert [letter["kind"] for letter in found["letters"]] == ["email_code"]
    assert found["consumption"] == f"{settings.public_url}/readings"


async def test_the_export_has_nothing_of_anybody_else_and_no_secrets(
    database: Database, settings: Settings
) -> None:
    own = await subscriber(database, settings)
    other = await subscriber(database, settings, "petrov", phone="+79139999999")
    await profile.change_name(database, user_id=other.user_id, name="Канареечный", visit=visit())
    await email_change.start(database, user_id=other.user_id, new_email="canary@example.com", visit=visit())

    mine = json.dumps(await export(database, settings, own.user_id), ensure_ascii=False)
    theirs = json.dumps(await export(database, settings, other.user_id), ensure_ascii=False)

    for canary in ("Канареечный", "petrov@", "9999999", "canary@", other.placed.serial):
        assert canary in theirs
        assert canary not in mine
    assert own.placed.serial in mine
    row = await user_row(database, own.user_id)
    for secret in (row.password_hash, own.token, own.session_hash):
        assert secret not in mine


async def test_staff_has_an_export_too(sqlite_database: Database, settings: Settings) -> None:
    await subscriber(sqlite_database, settings, "petrov")
    user_id = await person(sqlite_database, settings)

    found = await export(sqlite_database, settings, user_id)

    assert found["login"]["role"] == "operator"
    assert (found["subscriber"], found["accounts"], found["documents"]) == (None, [], [])


async def test_exports_are_not_to_be_had_without_end(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    for _ in range(own_export.EXPORTS.free):
        await export(sqlite_database, settings, user_id)

    with pytest.raises(ThrottledError):
        await export(sqlite_database, settings, user_id)


async def test_without_the_consent_the_cabinet_is_closed(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    elsewhere = await sign_in(database, settings, EMAIL)

    token = await own_data.withdraw_consent(
        database, user_id=own.user_id, session_hash=own.session_hash, visit=visit()
    )

    identities = [
        await access.identity_of(database, settings, session_hash=hash_of(one), now=NOW)
        for one in (own.token, elsewhere, token)
    ]
    assert identities[:2] == [None, None]
    assert identities[2] is not None
    assert identities[2].duty is Duty.CONSENT
    pending = await documents.pending(database, user_id=own.user_id)
    assert [document.kind.value for document in pending] == ["consent"]
    later = await access.sign_in(database, settings, login=EMAIL, password=PASSWORD, visit=visit())
    assert later.duty is Duty.CONSENT
    kept = await own_data.accepted_documents(database, user_id=own.user_id)
    assert {one.kind.value: one.withdrawn_at is not None for one in kept} == {
        "agreement": False,
        "consent": True,
    }
    assert audit.CONSENT_WITHDRAWN in await deeds(database, own.user_id)


async def test_a_withdrawal_is_ones_own(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    other = await subscriber(database, settings, "petrov", phone=None)

    await own_data.withdraw_consent(
        database, user_id=own.user_id, session_hash=own.session_hash, visit=visit()
    )

    assert await documents.pending(database, user_id=other.user_id) == ()
    found = await access.identity_of(database, settings, session_hash=other.session_hash, now=NOW)
    assert found is not None
    assert found.duty is Duty.NONE


async def test_staff_has_nothing_to_withdraw_or_erase(sqlite_database: Database, settings: Settings) -> None:
    user_id = await person(sqlite_database, settings)
    token = await sign_in(sqlite_database, settings, EMAIL)

    with pytest.raises(AccessDeniedError):
        await own_data.withdraw_consent(
            sqlite_database, user_id=user_id, session_hash=hash_of(token), visit=visit()
        )
    with pytest.raises(AccessDeniedError):
        await erase(sqlite_database, settings, user_id)
    assert await sign_in(sqlite_database, settings, EMAIL)


async def test_an_erased_person_is_nobody(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    await email_change.start(database, user_id=own.user_id, new_email="new@example.com", visit=visit())
    await told_of_something(database, own)
    everything = await whole_database(database)
    assert EMAIL in everything
    assert ENDPOINT in everything

    await erase(database, settings, own.user_id, after=1)

    for login in (EMAIL, PHONE):
        with pytest.raises(BadCredentialsError):
            await sign_in(database, settings, login)
    assert await access.identity_of(database, settings, session_hash=own.session_hash, now=NOW) is None
    assert ENDPOINT not in await whole_database(database)
    for table in (NotificationChoice, ConsumptionLimit, PushSubscription, SeenMarker):
        assert await column(database, select(table_of(table).c.user_id)) == []
    row = await user_row(database, own.user_id)
    assert (row.phone, row.display_name, row.password_hash) == (None, "", UNUSABLE)
    assert (row.subscriber_id, row.is_active) == (None, False)
    with pytest.raises(BadCredentialsError):
        await sign_in(database, settings, row.email)
    with pytest.raises(InputError):
        await email_change.start(
            database, user_id=await person(database, settings, "x"), new_email=row.email, visit=visit()
        )


async def test_the_last_letter_is_all_that_still_knows_the_address(
    database: Database, settings: Settings
) -> None:
    own = await subscriber(database, settings)
    await profile.change_phone(database, user_id=own.user_id, phone="+79130000001", visit=visit())
    await email_change.start(database, user_id=own.user_id, new_email="new@example.com", visit=visit())

    await erase(database, settings, own.user_id)

    [letter] = await letters_written(database)
    assert (letter.kind, letter.to_address, letter.user_id) == (LetterKind.ERASED, EMAIL, None)
    everything = await whole_database(database)
    assert everything.count(EMAIL) == 1
    for gone in ("9131234567", "9130000001", "new@example.com", "Ivanov"):
        assert gone not in everything


async def test_the_registry_and_the_proof_of_agreement_stay(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    table, account, point = table_of(Subscriber), table_of(Account), table_of(MeteringPoint)
    async with database.writing() as connection:
        await connection.execute(update(table).values(email=EMAIL, phone="+73812000000"))
        await connection.execute(update(account).values(note="Бабушкина дача"))

    await erase(database, settings, own.user_id, after=60)

    async with database.reading() as connection:
        kept = (await connection.execute(select(table))).one()
        place = (await connection.execute(select(account))).one()
        names = (await connection.scalars(select(point.c.name))).all()
    assert (kept.full_name, kept.email, kept.phone) == ("Иванов Иван Иванович", "", "+73812000000")
    assert (place.subscriber_id, place.note, list(names)) == (kept.id, "", [""])
    accepted = table_of(Acceptance)
    withdrawn = await column(
        database, select(accepted.c.withdrawn_at).where(accepted.c.user_id == own.user_id)
    )
    assert withdrawn == [NOW + timedelta(seconds=60)] * 2
    assert (await deeds(database, own.user_id))[-1] == audit.DATA_ERASED


async def test_erasing_is_ones_own(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    other = await subscriber(database, settings, "petrov", phone="+79139999999")
    point = table_of(MeteringPoint)
    before = await user_row(database, other.user_id)

    await erase(database, settings, own.user_id)

    assert await user_row(database, other.user_id) == before
    assert await sign_in(database, settings, "petrov@example.com")
    names = await column(database, select(point.c.name).where(point.c.id == other.placed.point_id))
    assert names == ["Дом"]
    assert await documents.pending(database, user_id=other.user_id) == ()


async def test_a_wrong_password_erases_nothing_and_is_counted(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    for _ in range(5):
        with pytest.raises(InputError) as refused:
            await erase(database, settings, own.user_id, password=WRONG)
        assert refused.value.field == "own-password"

    with pytest.raises(ThrottledError):
        await erase(database, settings, own.user_id)
    assert (await user_row(database, own.user_id)).email == EMAIL
    assert (await deeds(database, own.user_id)).count(audit.ERASE_REFUSED) == 5
    await erase(database, settings, own.user_id, after=60)
    assert (await user_row(database, own.user_id)).email != EMAIL


async def test_erasing_twice_at_once_is_once(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)

    outcomes = await asyncio.gather(
        *(erase(database, settings, own.user_id) for _ in range(5)), return_exceptions=True
    )

    assert outcomes.count(None) == 1
    assert len(await letters_written(database, LetterKind.ERASED)) == 1


async def test_a_request_to_the_utility_loses_its_sender(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    claim = table_of(AccountClaim)
    rows = [
        {"email": EMAIL, "full_name": "Иванов", "phone": PHONE},
        {"email": "else@example.com", "full_name": "Сидоров", "phone": PHONE},
    ]
    async with database.writing() as connection:
        for row in rows:
            await connection.execute(
                insert(claim).values(
                    reason=ClaimReason.PHONE_IN_USE,
                    account_id=own.placed.account_id,
                    address="192.0.2.1",
                    created_at=NOW,
                    **row,
                )
            )

    await erase(database, settings, own.user_id)

    async with database.reading() as connection:
        mine, other = (await connection.execute(select(claim).order_by(claim.c.id))).all()
    assert (mine.email, mine.full_name, mine.phone, mine.address) == ("", "", "", "")
    assert mine.closed_at is not None
    assert (other.full_name, other.closed_at) == ("Сидоров", None)


async def number_and_address(database: Database, account_id: int) -> tuple[str, str]:
    account = table_of(Account)
    [number] = await column(database, select(account.c.number).where(account.c.id == account_id))
    async with database.reading() as connection:
        row = (await connection.exec_driver_sql("SELECT settlement, street, house FROM premises")).one()
    return number, f"{row.settlement}, {row.street}, д.{row.house}"


async def register(database: Database, settings: Settings, *, number: str, address: str) -> Outcome:
    ids = tuple(document.id for document in await documents.current(database))
    form = RegistrationForm(
        account=number,
        address=address,
        full_name="Иванов И.",
        email=EMAIL,
        phone=PHONE,
        agreement=True,
        consent=True,
        document_ids=ids,
    )
    return await registration.register(database, settings, form=form, visit=visit(after=timedelta(minutes=5)))


async def test_the_account_can_be_registered_again(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    number, address = await number_and_address(database, own.placed.account_id)
    assert await register(database, settings, number=number, address=address) is Outcome.CLAIM_KEPT

    await erase(database, settings, own.user_id)

    assert await register(database, settings, number=number, address=address) is Outcome.LETTER_SENT
    assert [letter.kind for letter in await letters_written(database, LetterKind.WELCOME)] == [
        LetterKind.WELCOME
    ]
    user = table_of(User)
    owners = await column(database, select(user.c.email).where(user.c.subscriber_id.is_not(None)))
    assert owners == [EMAIL]


async def test_a_subscriber_made_by_her_registration_goes_with_her(
    database: Database, settings: Settings
) -> None:
    place = await factories.premises(database)
    account_id = await factories.account(database, premises_id=place)
    number, address = await number_and_address(database, account_id)
    await register(database, settings, number=number, address=address)
    user, table, account = table_of(User), table_of(Subscriber), table_of(Account)
    [user_id] = await column(database, select(user.c.id))
    assert await column(database, select(table.c.full_name)) == ["Иванов И."]
    await access.reset_password(database, settings, login=EMAIL, password=PASSWORD, now=NOW)

    await erase(database, settings, user_id)

    assert await column(database, select(table.c.id)) == []
    assert await column(database, select(account.c.subscriber_id)) == [None]
    assert "Иванов И." not in await whole_database(database)


async def test_a_foreign_session_cannot_be_ended(database: Database, settings: Settings) -> None:
    own = await subscriber(database, settings)
    other = await subscriber(database, settings, "petrov", phone=None)
    reference = sessions.reference_of(other.session_hash)

    with pytest.raises(Exception, match="Not found"):
        await sessions.end(database, user_id=own.user_id, reference=reference, visit=visit())
    assert await access.identity_of(database, settings, session_hash=other.session_hash, now=NOW)
    await sessions.end(database, user_id=other.user_id, reference=reference, visit=visit())
    assert await access.identity_of(database, settings, session_hash=other.session_hash, now=NOW) is None
