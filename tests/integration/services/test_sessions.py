"""Sessions: rotated, listed under names that open nothing, and ended by whose they are; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lk_portal.errors import AccessDeniedError, BadCredentialsError, NotFoundError
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, audit, sessions
from lk_portal.services.access import Duty
from lk_portal.services.sessions import OwnSession, reference_of
from tests.integration.services.people import NOW, Portal, visit

MINUTE = timedelta(minutes=1)


async def listed(
    portal: Portal, user_id: int, token: str, *, after: timedelta = timedelta()
) -> tuple[OwnSession, ...]:
    return await sessions.own_sessions(
        portal.database, portal.settings, user_id=user_id, session_hash=hash_of(token), now=NOW + after
    )


async def test_a_person_sees_her_own_sessions_only(portal: Portal) -> None:
    user_id = await portal.add()
    await portal.add(email="other@example.com", phone=None)
    first = await portal.sign_in()
    second = await portal.sign_in(after=MINUTE, address="203.0.113.9")
    await portal.sign_in("other@example.com")

    found = await listed(portal, user_id, first.token, after=MINUTE)

    assert [(one.is_current, one.address, one.agent) for one in found] == [
        (True, "192.0.2.1", "test"),
        (False, "203.0.113.9", "test"),
    ]
    assert [one.began_at for one in found] == [NOW, NOW + MINUTE]
    for one, signed_in in zip(found, (first, second), strict=True):
        assert one.reference == reference_of(hash_of(signed_in.token))
        assert one.reference not in hash_of(signed_in.token)


async def test_what_is_idle_or_over_is_not_listed(portal: Portal) -> None:
    user_id = await portal.add()
    old = await portal.sign_in()
    new = await portal.sign_in(after=20 * MINUTE)

    assert len(await listed(portal, user_id, new.token, after=29 * MINUTE)) == 2
    assert len(await listed(portal, user_id, new.token, after=30 * MINUTE)) == 1
    assert not await listed(portal, user_id, old.token, after=timedelta(hours=13))


async def test_one_of_ones_own_is_ended(portal: Portal) -> None:
    user_id = await portal.add()
    here, there = await portal.sign_in(), await portal.sign_in()

    await sessions.end(
        portal.database, user_id=user_id, reference=reference_of(hash_of(there.token)), visit=visit()
    )

    assert await portal.identity(there.token) is None
    assert await portal.identity(here.token)
    assert (await portal.actions(user_id))[-1] == audit.SESSION_ENDED


async def test_nobody_elses_is(portal: Portal) -> None:
    await portal.add()
    stranger = await portal.add(email="other@example.com", phone=None)
    mine = await portal.sign_in()

    for reference in (reference_of(hash_of(mine.token)), hash_of(mine.token), mine.token, "", "' OR 1=1 --"):
        with pytest.raises(NotFoundError):
            await sessions.end(portal.database, user_id=stranger, reference=reference, visit=visit())
    assert await portal.identity(mine.token)


async def test_all_others_are_ended_at_once(portal: Portal) -> None:
    user_id = await portal.add()
    stranger = await portal.add(email="other@example.com", phone=None)
    theirs = await portal.sign_in("other@example.com")
    here, *others = [await portal.sign_in() for _ in range(3)]

    ended = await sessions.end_others(
        portal.database, user_id=user_id, session_hash=hash_of(here.token), visit=visit()
    )

    assert ended == 2
    assert [bool(await portal.identity(one.token)) for one in (here, theirs, *others)] == [
        True,
        True,
        False,
        False,
    ]
    assert (await portal.actions(stranger))[-1] == audit.SIGNED_IN


async def test_the_session_a_browser_came_with_ends_at_sign_in(portal: Portal) -> None:
    await portal.add()
    before = await portal.sign_in()
    elsewhere = await portal.sign_in()

    after = await portal.sign_in(old_token=before.token)

    assert await portal.identity(before.token) is None
    assert await portal.identity(elsewhere.token)
    assert await portal.identity(after.token)


async def test_a_failed_sign_in_ends_nothing(portal: Portal) -> None:
    await portal.add()
    before = await portal.sign_in()

    with pytest.raises(BadCredentialsError):
        await portal.sign_in(password="wrong", old_token=before.token)

    assert await portal.identity(before.token)


async def test_a_rotated_session_keeps_its_end(portal: Portal) -> None:
    await portal.add()
    before = (await portal.sign_in()).token
    async with portal.database.writing() as connection:
        after = await sessions.rotate(
            connection, session_hash=hash_of(before), duty=Duty.CONSENT, now=NOW + 20 * MINUTE
        )

    identity = await portal.identity(after, after=40 * MINUTE)
    assert identity is not None
    assert identity.duty is Duty.CONSENT
    assert await portal.identity(before) is None
    for minutes in range(60, 12 * 60, 20):
        assert await portal.identity(after, after=minutes * MINUTE)
    assert await portal.identity(after, after=timedelta(hours=12)) is None


async def test_a_session_that_was_ended_is_not_rotated(portal: Portal) -> None:
    await portal.add()
    token = (await portal.sign_in()).token
    await access.sign_out(portal.database, token=token, visit=visit())

    with pytest.raises(AccessDeniedError):
        async with portal.database.writing() as connection:
            await sessions.rotate(connection, session_hash=hash_of(token), duty=Duty.NONE, now=NOW)


async def test_odd_headers_cannot_keep_anybody_out(portal: Portal) -> None:
    await portal.add()

    strange = access.Visit(address="a\0" * 100, agent="\ud800\0" + "x" * 1000, at=NOW)
    signed_in = await access.sign_in(
        portal.database,
        portal.settings,
        login="ivanov@example.com",
        password="Correct-horse-2026",
        visit=strange,
    )

    assert await portal.identity(signed_in.token)
