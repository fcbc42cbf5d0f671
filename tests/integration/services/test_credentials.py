"""The lasting password: what may be one, changing it, and changing the portal's secret; on both databases."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import update

from lk_portal.errors import AccessDeniedError, BadCredentialsError, InputError, ThrottledError
from lk_portal.models import User
from lk_portal.security import passwords
from lk_portal.security.tokens import hash_of
from lk_portal.services import audit, credentials, temporary_passwords, users
from lk_portal.services.access import Role, SignedIn
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.conftest import SECRET_KEY
from tests.integration.services.people import EMAIL, NOW, OTHER_PASSWORD, PASSWORD, Portal, visit

NEW_KEY = SECRET_KEY[::-1]


async def change(portal: Portal, signed_in: SignedIn, **changes: str) -> str:
    values = {"old": PASSWORD, "password": OTHER_PASSWORD, "repeat": OTHER_PASSWORD, **changes}
    return await credentials.change_password(
        portal.database,
        portal.settings,
        user_id=signed_in.user_id,
        session_hash=hash_of(signed_in.token),
        visit=visit(),
        **values,
    )


async def test_a_change_ends_the_other_sessions_and_rotates_this_one(portal: Portal) -> None:
    await portal.add()
    here, there = await portal.sign_in(), await portal.sign_in()

    token = await change(portal, here)

    assert await portal.identity(token)
    assert await portal.identity(here.token) is None
    assert await portal.identity(there.token) is None
    assert await portal.sign_in(password=OTHER_PASSWORD)
    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password=PASSWORD)


async def test_a_change_is_told_and_audited(portal: Portal) -> None:
    user_id = await portal.add()

    await change(portal, await portal.sign_in())

    assert await portal.letters() == [("password_changed", EMAIL)]
    assert (await portal.actions(user_id))[-1] == audit.PASSWORD_CHANGED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"old": "wrong"}, "old"),
        ({"old": ""}, "old"),
        ({"old": "\ud800\0"}, "old"),
        ({"repeat": "Another-horse-2027"}, "password2"),
        ({"password": PASSWORD, "repeat": PASSWORD}, "password"),
        ({"password": "short", "repeat": "short"}, "password"),
        ({"password": "п" * 129, "repeat": "п" * 129}, "password"),
        ({"password": "password12345", "repeat": "password12345"}, "password"),
        ({"password": "Иванов-1985-", "repeat": "Иванов-1985-"}, "password"),
        ({"password": "79131234567!", "repeat": "79131234567!"}, "password"),
        ({"password": "a\0" * 12, "repeat": "a\0" * 12}, "password"),
        ({"password": "яг\ud800" * 12, "repeat": "яг\ud800" * 12}, "password"),
    ],
)
async def test_a_refused_change_names_the_field_and_changes_nothing(
    portal: Portal, changes: dict[str, str], field: str
) -> None:
    await portal.add()
    signed_in = await portal.sign_in()

    with pytest.raises(InputError) as refused:
        await change(portal, signed_in, **changes)

    assert refused.value.field == field
    assert await portal.identity(signed_in.token)
    assert await portal.letters() == []
    assert await portal.sign_in()


async def test_a_hundred_cyrillic_letters_all_count(portal: Portal) -> None:
    await portal.add()
    long = "п" * 100

    await change(portal, await portal.sign_in(), password=long, repeat=long)

    assert await portal.sign_in(password=long)
    for wrong in (long[:-1] + "р", long[:-1], long + "п"):
        with pytest.raises(BadCredentialsError):
            await portal.sign_in(password=wrong)


async def test_the_own_account_number_is_no_password(portal: Portal) -> None:
    owner = await factories.subscriber(portal.database)
    premises = await factories.premises(portal.database)
    await factories.account(portal.database, premises_id=premises, subscriber_id=owner, number="550071829364")
    user_id = await portal.add(role=Role.SUBSCRIBER, subscriber_id=owner)
    await factories.documents_accepted(portal.database, user_id=user_id)

    with pytest.raises(InputError, match="own data"):
        await change(portal, await portal.sign_in(), password="550071829364-ab", repeat="550071829364-ab")


async def test_guessing_the_old_one_grows_slow(portal: Portal) -> None:
    user_id = await portal.add()
    signed_in = await portal.sign_in()
    for _ in range(5):
        with pytest.raises(InputError):
            await change(portal, signed_in, old="wrong")

    with pytest.raises(ThrottledError):
        await change(portal, signed_in)
    assert (await portal.actions(user_id)).count(audit.OLD_PASSWORD_WRONG) == 5
    assert await portal.sign_in(), "the sign-in is another matter"


async def test_of_two_changes_at_once_one_is_refused(portal: Portal) -> None:
    await portal.add()
    signed_in = await portal.sign_in()

    answers = await asyncio.gather(
        *(
            change(portal, signed_in, password=new, repeat=new)
            for new in ("First-horse-2026", "Second-horse-2026", "Third-horse-2026")
        ),
        return_exceptions=True,
    )

    kinds = Counter("token" if isinstance(one, str) else type(one).__name__ for one in answers)
    assert kinds["token"] == 1
    assert set(kinds) <= {"token", "AccessDeniedError", "InputError"}
    assert await portal.count("user_session") == 1


async def test_a_session_taken_away_changes_nothing(portal: Portal) -> None:
    await portal.add()
    signed_in = await portal.sign_in()
    await users.disable_user(portal.database, login=EMAIL, now=NOW)

    with pytest.raises(AccessDeniedError):
        await change(portal, signed_in)


async def test_a_change_kills_a_mailed_password(portal: Portal) -> None:
    user_id = await portal.add()
    mailed = await temporary_passwords.renew(portal.database, portal.settings, user_id=user_id, now=NOW)
    assert mailed is not None

    await change(portal, await portal.sign_in())

    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password=mailed)


async def test_a_mailed_password_is_not_kept_as_the_lasting_one(portal: Portal) -> None:
    await portal.add()
    mailed = passwords.new_temporary()

    with pytest.raises(InputError, match="from the letter"):
        await change(portal, await portal.sign_in(), password=mailed, repeat=mailed)


async def test_a_sign_in_makes_an_outdated_hash_anew(portal: Portal) -> None:
    user_id = await portal.add()
    before = (await portal.user(user_id)).password_hash
    dearer = portal.settings.model_copy(update={"bcrypt_rounds": 5})

    await replace(portal, settings=dearer).sign_in()

    after = (await portal.user(user_id)).password_hash
    assert "$2b$04$" in before
    assert "$2b$05$" in after
    await replace(portal, settings=dearer).sign_in()
    assert (await portal.user(user_id)).password_hash == after
    with pytest.raises(BadCredentialsError):
        await replace(portal, settings=dearer).sign_in(password="wrong")


async def test_the_secret_can_be_changed(portal: Portal) -> None:
    user_id = await portal.add()
    await portal.add(email="other@example.com", phone=None)
    changed = portal.settings.model_copy(update=_keys(NEW_KEY, SECRET_KEY))

    await replace(portal, settings=changed).sign_in()

    only_new = replace(portal, settings=portal.settings.model_copy(update=_keys(NEW_KEY)))
    current = passwords.pepper_id(credentials.peppers_of(only_new.settings).current)
    assert (await portal.user(user_id)).password_hash.startswith(current)
    assert await only_new.sign_in()
    with pytest.raises(BadCredentialsError):
        await only_new.sign_in("other@example.com")


async def test_a_hash_from_before_there_were_ids_signs_in(portal: Portal) -> None:
    user_id = await portal.add()
    stored = (await portal.user(user_id)).password_hash
    bare = stored[stored.index("$2b$") :]
    async with portal.database.writing() as connection:
        await connection.execute(update(table_of(User)).values(password_hash=bare))

    assert await portal.sign_in()

    assert (await portal.user(user_id)).password_hash != bare


def _keys(new: str, *old: str) -> dict[str, object]:
    from pydantic import SecretStr

    return {"secret_key": SecretStr(new), "old_secret_keys": SecretStr(", ".join(old))}
