"""Browsers that are pushed to: whose they are, when that ends, and what waits for them; on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from lk_portal.errors import InputError, NotFoundError, ThrottledError
from lk_portal.models import NotificationKind, PushMessage, PushSubscription
from lk_portal.security.tokens import hash_of
from lk_portal.services import access, audit, credentials, push, sessions
from lk_portal.services.database import Database
from lk_portal.services.push import GIVE_UP_AFTER, LEASE, MOST_DEVICES
from lk_portal.settings import Settings, load_settings
from tests.integration.services.persons import NOW, PASSWORD, deeds, visit
from tests.integration.services.told import Owner, Told
from tests.push_service import Browser, browser

ANSWER, CRITICAL = NotificationKind.ANSWER, NotificationKind.CRITICAL_EVENT
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, bcrypt_rounds=4)


@pytest.fixture
def told(database: Database, settings: Settings) -> Told:
    return Told(database, settings)


async def write(owner: Owner, kind: NotificationKind = ANSWER, page: str = "/support/1") -> None:
    async with owner.told.database.writing() as connection:
        await push.write(connection, kind=kind, pages={owner.user_id: page}, now=owner.told.now)


async def sign_in(owner: Owner, known: dict[int, str] | None = None, old: str = "") -> access.SignedIn:
    """A sign-in with a browser that remembers the persons in `known`."""
    return await access.sign_in(
        owner.told.database,
        owner.told.settings,
        login=owner.email,
        password=PASSWORD,
        visit=visit(),
        devices_known=known or {},
        old_token=old,
    )


async def test_a_browser_is_listed_and_taken_away(told: Told) -> None:
    owner, other = await told.subscriber(), await told.subscriber()
    here, there = await owner.session(), await owner.session()
    await owner.subscribe(Browser("/a"), session_hash=here)
    await owner.subscribe(Browser("/b"), session_hash=there)
    await other.subscribe()

    found = await push.devices_of(told.database, user_id=owner.user_id, session_hash=here)

    assert sorted(device.is_current for device in found) == [False, True]
    assert {device.since for device in found} == {NOW}
    current = next(device for device in found if device.is_current)
    for stranger in (other.user_id, 999):
        with pytest.raises(NotFoundError):
            await push.unsubscribe(
                told.database, user_id=stranger, reference=current.reference, visit=visit()
            )
    await push.unsubscribe(told.database, user_id=owner.user_id, reference=current.reference, visit=visit())
    assert await owner.endpoints() == ["https://push.example/b"]
    for reference in (current.reference, "", "x", "-1", "9" * 50, "١"):
        with pytest.raises(NotFoundError):
            await push.unsubscribe(told.database, user_id=owner.user_id, reference=reference, visit=visit())
    done = await deeds(told.database, owner.user_id)
    assert (done.count(audit.PUSH_BEGUN), done.count(audit.PUSH_ENDED)) == (2, 1)


async def test_a_browser_that_was_anothers_moves_and_brings_nothing_along(told: Told) -> None:
    before, after = await told.subscriber(), await told.subscriber()
    await before.subscribe(Browser("/shared"))
    await write(before)
    device = Browser("/shared")

    await after.subscribe(device)

    assert (await before.endpoints(), await after.endpoints()) == ([], [device.subscription.endpoint])
    assert await told.pushes() == []
    [row] = await told.rows(PushSubscription)
    assert row.p256dh == device.subscription.p256dh


@pytest.mark.parametrize(
    "endpoint", ["", "http://push.example/x", "https://127.0.0.1/x", "https://push.example:22/x"]
)
async def test_what_is_no_browser_is_not_kept(told: Told, endpoint: str) -> None:
    owner = await told.subscriber()
    with pytest.raises(InputError):
        await push.subscribe(
            told.database,
            user_id=owner.user_id,
            session_hash="",
            subscription=browser(endpoint),
            locale="ru",
            visit=visit(),
        )
    assert await told.rows(PushSubscription) == []


async def test_devices_have_a_bound_and_so_has_trying(told: Told) -> None:
    owner = await told.subscriber()
    for number in range(push.SUBSCRIPTIONS.free):
        await owner.subscribe(Browser(f"/{number}"))
    assert len(await owner.endpoints()) == MOST_DEVICES
    assert f"https://push.example/{push.SUBSCRIPTIONS.free - 1}" in await owner.endpoints()

    with pytest.raises(ThrottledError):
        await owner.subscribe(Browser("/more"))


async def test_signing_out_ends_the_pushes_to_this_browser_only(told: Told) -> None:
    owner = await told.subscriber()
    here, there = await sign_in(owner), await sign_in(owner)
    await owner.subscribe(Browser("/here"), session_hash=hash_of(here.token))
    await owner.subscribe(Browser("/there"), session_hash=hash_of(there.token))
    await write(owner)

    await access.sign_out(told.database, token=here.token, visit=visit())

    assert await owner.endpoints() == ["https://push.example/there"]
    assert len(await told.pushes()) == 1


async def test_the_next_session_of_the_same_browser_ends_them_too(told: Told) -> None:
    owner = await told.subscriber()
    first = await sign_in(owner)
    await owner.subscribe(session_hash=hash_of(first.token))

    again = await sign_in(owner, {owner.user_id: first.device}, old=first.token)
    assert len(await owner.endpoints()) == 1
    await access.forget_expired(told.database, now=NOW + timedelta(days=2))
    assert len(await owner.endpoints()) == 1

    later = await sign_in(owner, {owner.user_id: again.device})
    [device] = await push.devices_of(told.database, user_id=owner.user_id, session_hash=hash_of(later.token))
    assert device.is_current
    await access.sign_out(told.database, token=later.token, visit=visit())
    assert await owner.endpoints() == []


async def test_who_takes_a_browser_over_ends_the_pushes_of_who_left(told: Told) -> None:
    left, other, elsewhere = [await told.subscriber() for _ in range(3)]
    before = await sign_in(left)
    await left.subscribe(session_hash=hash_of(before.token))
    await elsewhere.subscribe(session_hash=await elsewhere.session())

    await sign_in(other, {left.user_id: before.device, elsewhere.user_id: "a mark of another browser"})

    assert await left.endpoints() == []
    assert len(await elsewhere.endpoints()) == 1


async def test_a_session_ended_from_elsewhere_takes_its_pushes_along(told: Told) -> None:
    owner = await told.subscriber()
    here, lost = await owner.session(), await owner.session()
    await owner.subscribe(Browser("/here"), session_hash=here)
    await owner.subscribe(Browser("/lost"), session_hash=lost)

    await sessions.end(
        told.database, user_id=owner.user_id, reference=sessions.reference_of(lost), visit=visit()
    )

    assert await owner.endpoints() == ["https://push.example/here"]


async def test_ending_all_others_leaves_this_browser_alone(told: Told) -> None:
    owner, other = await told.subscriber(), await told.subscriber()
    here, there = await owner.session(), await owner.session()
    for path, session in (("/here", here), ("/there", there), ("/long-ago", "")):
        await owner.subscribe(Browser(path), session_hash=session)
    await other.subscribe(Browser("/other"))

    await sessions.end_others(told.database, user_id=owner.user_id, session_hash=here, visit=visit())

    assert await owner.endpoints() == ["https://push.example/here"]
    assert len(await other.endpoints()) == 1


async def test_a_new_password_keeps_the_browser_it_was_typed_in(told: Told, settings: Settings) -> None:
    owner = await told.subscriber()
    here, there = await owner.session(), await owner.session()
    await owner.subscribe(Browser("/here"), session_hash=here)
    await owner.subscribe(Browser("/there"), session_hash=there)

    await credentials.change_password(
        told.database,
        settings,
        user_id=owner.user_id,
        session_hash=here,
        old=PASSWORD,
        password="Another-horse-2026",
        repeat="Another-horse-2026",
        visit=visit(),
    )

    assert await owner.endpoints() == ["https://push.example/here"]


async def test_news_goes_to_all_browsers_and_the_newer_takes_the_olders_place(told: Told) -> None:
    owner, other = await told.subscriber(), await told.subscriber()
    for path in ("/a", "/b"):
        await owner.subscribe(Browser(path))
    await other.subscribe(Browser("/c"))

    await write(owner)
    await write(owner, page="/support/2")
    await write(owner, CRITICAL, "/diagnostics")

    assert await told.pushes() == [("answer", "/support/2")] * 2 + [("critical_event", "/diagnostics")] * 2


async def test_a_message_is_claimed_by_one_and_again_when_that_one_died(told: Told) -> None:
    owner = await told.subscriber()
    device = await owner.subscribe()
    await write(owner)
    [message] = await push.due(told.database, now=NOW, limit=10)

    claims = await asyncio.gather(*(push.claim(told.database, message, now=NOW) for _ in range(5)))

    [claimed] = [claim for claim in claims if claim]
    assert (claimed.endpoint, claimed.page) == (device.subscription.endpoint, "/support/1")
    assert await push.due(told.database, now=NOW, limit=10) == ()
    again = await push.claim(told.database, message, now=NOW + LEASE)
    assert again is not None
    await push.forget(told.database, claimed)
    assert len(await told.pushes()) == 1
    await push.forget(told.database, again)
    assert await told.pushes() == []


async def test_pauses_grow_and_after_a_day_it_is_dropped(told: Told) -> None:
    owner = await told.subscriber()
    await owner.subscribe()
    await write(owner)
    now, pauses = NOW, []
    while rows := await told.rows(PushMessage):
        now = rows[0].next_attempt_at
        claimed = await push.claim(told.database, rows[0].id, now=now)
        assert claimed is not None
        if await push.put_off(told.database, claimed, now=now):
            [row] = await told.rows(PushMessage)
            pauses.append(row.next_attempt_at - now)

    assert pauses == sorted(pauses)
    assert now <= NOW + GIVE_UP_AFTER
    assert 5 < len(pauses) < 30
    assert len(await owner.endpoints()) == 1


async def test_a_browser_the_service_forgot_goes_with_all_that_waits(told: Told) -> None:
    owner = await told.subscriber()
    await owner.subscribe()
    await write(owner)
    await write(owner, CRITICAL)
    [first, _second] = await push.due(told.database, now=NOW, limit=10)
    claimed = await push.claim(told.database, first, now=NOW)
    assert claimed is not None

    await push.forget_subscription(told.database, claimed)

    assert await owner.endpoints() == await told.pushes() == []
