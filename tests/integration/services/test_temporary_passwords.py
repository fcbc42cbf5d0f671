"""Mailed passwords: random, for a day, for one use, good for a new password only; on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import bcrypt
import pytest

from lk_portal.errors import BadCredentialsError
from lk_portal.security import passwords
from lk_portal.services import audit, temporary_passwords, users
from lk_portal.services.access import Duty, SignedIn, forget_expired
from tests.integration.services.people import EMAIL, NOW, PASSWORD, Portal

DAY = timedelta(hours=24)


async def renew(portal: Portal, user_id: int, *, after: timedelta = timedelta()) -> str:
    made = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW + after)
    assert made is not None
    return made


async def refused(portal: Portal, password: str, **where: object) -> bool:
    try:
        await portal.sign_in(password=password, **where)
    except BadCredentialsError:
        return True
    return False


async def test_it_opens_a_new_password_and_nothing_else(portal: Portal) -> None:
    user_id = await portal.add()
    signed_in = await portal.sign_in(password=await renew(portal, user_id))

    assert signed_in.duty is Duty.NEW_PASSWORD
    identity = await portal.identity(signed_in.token)
    assert identity is not None
    assert identity.duty is Duty.NEW_PASSWORD


async def test_the_lasting_one_works_until_it_is_used(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)

    signed_in = await portal.sign_in()
    assert signed_in.duty is Duty.NONE
    assert await portal.sign_in(password=temporary)

    assert await refused(portal, PASSWORD)
    assert await portal.identity(signed_in.token) is None, "every session ended"
    assert (await portal.user(user_id)).password_hash == passwords.UNUSABLE, (
        "there was one: the account is owned"
    )


async def test_a_first_one_leaves_the_registration_unfinished(portal: Portal) -> None:
    user_id = await portal.add()
    async with portal.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE portal_user SET password_hash = ''")

    assert await portal.sign_in(password=await renew(portal, user_id))

    assert (await portal.user(user_id)).password_hash == ""


async def test_it_works_once(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)

    assert await portal.sign_in(password=temporary)

    assert await refused(portal, temporary)
    assert await portal.count("user_session") == 1


async def test_of_two_at_once_one_gets_in(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)

    answers = await asyncio.gather(
        *(portal.sign_in(password=temporary) for _ in range(6)), return_exceptions=True
    )

    assert Counter(type(answer) for answer in answers) == {SignedIn: 1, BadCredentialsError: 5}
    assert await portal.count("user_session") == 1


@pytest.mark.parametrize(("after", "works"), [(DAY - timedelta(seconds=1), True), (DAY, False)])
async def test_it_is_good_for_a_day(portal: Portal, after: timedelta, *, works: bool) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)

    assert await refused(portal, temporary, after=after) != works
    if not works:
        assert await portal.sign_in(after=after), "the lasting one goes on working"


async def test_another_attempt_to_mail_it_makes_another(portal: Portal) -> None:
    user_id = await portal.add()
    first, second = await renew(portal, user_id), await renew(portal, user_id)

    assert first != second
    assert await refused(portal, first)
    assert await portal.sign_in(password=second)


async def test_nobody_gets_one_who_may_not_sign_in(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)
    await users.disable_user(portal.database, login=EMAIL, now=NOW)

    for gone in (user_id, user_id + 1):
        made = await temporary_passwords.renew(portal.database, portal.settings, user_id=gone, now=NOW)
        assert made is None
    assert await refused(portal, temporary)
    assert (await portal.user(user_id)).temporary_hash == ""


async def test_a_reset_by_the_utility_kills_it(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)

    await users.reset_password(
        portal.database, portal.settings, login=EMAIL, password="Another-horse-2026", now=NOW
    )

    assert await refused(portal, temporary)


async def test_its_text_is_nowhere_in_the_database(portal: Portal) -> None:
    user_id = await portal.add()
    temporary = await renew(portal, user_id)
    await portal.sign_in(password=temporary)
    await renew(portal, user_id)

    for table in ("portal_user", "user_session", "audit_entry", "letter", "attempt"):
        async with portal.database.reading() as connection:
            kept = str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all())
        assert temporary not in kept
        assert temporary.replace("-", "") not in kept


async def test_what_was_not_used_in_time_is_forgotten(portal: Portal) -> None:
    user_id = await portal.add()
    await renew(portal, user_id)

    await forget_expired(portal.database, now=NOW + DAY - timedelta(minutes=1))
    assert (await portal.user(user_id)).temporary_hash
    await forget_expired(portal.database, now=NOW + DAY)
    assert not (await portal.user(user_id)).temporary_hash


async def test_its_use_is_audited(portal: Portal) -> None:
    user_id = await portal.add()
    await portal.sign_in(password=await renew(portal, user_id))

    assert await portal.actions(user_id) == [audit.USER_CREATED, audit.TEMPORARY_USED, audit.SIGNED_IN]


async def test_no_sign_in_asks_bcrypt_more_than_another(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known, unknown, disabled, with and without a temporary password: one check each."""
    with_temporary = await portal.add()
    await renew(portal, with_temporary)
    await portal.add(email="plain@example.com", phone=None)
    await portal.add(email="gone@example.com", phone=None)
    await users.disable_user(portal.database, login="gone@example.com", now=NOW)
    checks: list[bytes] = []
    real = bcrypt.checkpw

    def counting(password: bytes, stored: bytes) -> bool:
        checks.append(stored)
        return real(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    for login in (
        EMAIL,
        "plain@example.com",
        "gone@example.com",
        "nobody@example.com",
        "",
        "+7 913 000-00-00",
    ):
        checks.clear()
        with pytest.raises(BadCredentialsError):
            await portal.sign_in(login, "wrong")
        assert [stored.split(b"$")[2] for stored in checks] == [b"04"]
