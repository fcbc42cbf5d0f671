"""The agreement and the consent: versions, acceptance, withdrawal; and the claims beside them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from lk_portal.errors import InputError, NotFoundError
from lk_portal.models import Acceptance, DocumentKind
from lk_portal.services import claims, documents
from lk_portal.services.claims import ClaimReason
from lk_portal.services.database import Database
from lk_portal.services.documents import Document
from lk_portal.settings import load_settings
from tests.integration.services.registering import EMAIL, NOW, PHONE, Office, visit


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, load_settings(data_dir=tmp_path, bcrypt_rounds=4))


async def publish(office: Office, text: str, kind: DocumentKind = DocumentKind.AGREEMENT) -> Document:
    return await documents.publish(office.database, kind=kind, title="Соглашение", text=text, visit=visit())


async def accept(office: Office, user_id: int, *ids: int) -> None:
    async with office.database.writing() as connection:
        await documents.accept(connection, user_id=user_id, document_ids=ids, visit=visit())


async def pending(office: Office, user_id: int) -> list[DocumentKind]:
    return [one.kind for one in await documents.pending(office.database, user_id=user_id)]


async def test_a_new_portal_has_both_documents(office: Office) -> None:
    agreement, consent = await documents.current(office.database)

    assert (agreement.kind, agreement.version) == (DocumentKind.AGREEMENT, 1)
    assert (consent.kind, consent.version) == (DocumentKind.CONSENT, 1)


async def test_a_version_stays_when_the_next_comes(office: Office) -> None:
    first, _ = await documents.current(office.database)
    second = await publish(office, "Новое")

    assert second.version == 2
    assert (await documents.current(office.database))[0] == second
    assert await documents.of_version(office.database, DocumentKind.AGREEMENT) == second
    assert await documents.of_version(office.database, DocumentKind.AGREEMENT, 1) == first
    editions = await documents.versions(office.database, DocumentKind.AGREEMENT)
    assert [edition.version for edition in editions] == [2, 1]


@pytest.mark.parametrize("version", [0, -1, 3, 10**9])
async def test_there_is_no_other(office: Office, version: int) -> None:
    with pytest.raises(NotFoundError):
        await documents.of_version(office.database, DocumentKind.AGREEMENT, version)


@pytest.mark.parametrize("text", ["", "  ", "x\0", "x" * 200_001])
async def test_what_cannot_be_published(office: Office, text: str) -> None:
    with pytest.raises(InputError):
        await publish(office, text)


async def test_the_same_text_is_not_published_twice(office: Office) -> None:
    await publish(office, "Новое")

    with pytest.raises(InputError, match="in force already"):
        await publish(office, "Новое")


async def test_two_publishing_at_once_make_two_versions_or_one_sentence(office: Office) -> None:
    ended = await asyncio.gather(*(publish(office, f"Текст {n}") for n in range(4)), return_exceptions=True)

    assert all(isinstance(one, Document | InputError) for one in ended)
    numbers = [one.version for one in ended if isinstance(one, Document)]
    assert len(set(numbers)) == len(numbers) >= 1


async def test_both_are_asked_for_and_kept_with_the_hash_of_the_text(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    both = await documents.current(office.database)
    assert await pending(office, user_id) == [DocumentKind.AGREEMENT, DocumentKind.CONSENT]

    await accept(office, user_id, *(one.id for one in both))

    assert await pending(office, user_id) == []
    kept = {row.document_id: row.text_hash for row in await office.rows(Acceptance)}
    assert kept == {one.id: hashlib.sha256(one.text.encode()).hexdigest() for one in both}


async def test_one_alone_is_not_enough_at_first(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    agreement, _ = await documents.current(office.database)

    with pytest.raises(InputError, match="Both"):
        await accept(office, user_id, agreement.id)
    assert await office.rows(Acceptance) == []


async def test_an_old_version_cannot_be_accepted(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    old = await documents.current(office.database)
    await publish(office, "Новое")

    with pytest.raises(InputError, match="has changed"):
        await accept(office, user_id, *(one.id for one in old))
    with pytest.raises(InputError, match="has changed"):
        await accept(office, user_id, 999_999)


async def test_a_new_version_asks_for_that_one_only(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    await accept(office, user_id, *(one.id for one in await documents.current(office.database)))
    second = await publish(office, "Новое")

    assert await pending(office, user_id) == [DocumentKind.AGREEMENT]
    await accept(office, user_id, second.id)
    assert await pending(office, user_id) == []


async def test_a_withdrawn_consent_is_asked_for_again_and_its_record_stays(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    both = await documents.current(office.database)
    await accept(office, user_id, *(one.id for one in both))
    async with office.database.writing() as connection:
        await documents.withdraw(connection, user_id=user_id, now=NOW)

    assert await pending(office, user_id) == [DocumentKind.CONSENT]
    assert [row.withdrawn_at for row in await office.rows(Acceptance)] == [None, NOW]
    await accept(office, user_id, *(one.id for one in both))
    assert len(await office.rows(Acceptance)) == 3


async def test_accepting_twenty_times_at_once_writes_once(office: Office) -> None:
    user_id = await office.a_user(EMAIL)
    ids = [one.id for one in await documents.current(office.database)]

    await asyncio.gather(*(accept(office, user_id, *ids) for _ in range(20)))

    assert len(await office.rows(Acceptance)) == 2


async def test_claims_wait_until_somebody_has_decided(office: Office) -> None:
    account_id = await office.open_account()
    async with office.database.writing() as connection:
        await claims.keep(
            connection,
            reason=ClaimReason.ACCOUNT_OWNED,
            account_id=account_id,
            full_name="<b>Петров</b>",
            email=EMAIL,
            phone=PHONE,
            visit=visit(),
        )

    [claim] = await claims.open_claims(office.database)
    assert (claim.account_number, claim.full_name, claim.created_at) == (office.number, "<b>Петров</b>", NOW)
    async with office.database.writing() as connection:
        await claims.close(connection, claim_id=claim.id, now=NOW)
    assert await claims.open_claims(office.database) == ()
    with pytest.raises(NotFoundError):
        async with office.database.writing() as connection:
            await claims.close(connection, claim_id=claim.id, now=NOW)
