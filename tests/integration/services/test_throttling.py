"""Waits that grow, keep nobody out, and survive a restart; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Event

import pytest

from lk_portal.errors import BadCredentialsError, ThrottledError
from lk_portal.models import Attempt
from lk_portal.security import passwords, throttle
from lk_portal.security.throttle import Policy
from lk_portal.services import access, audit, throttling
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.throttling import Gate, visit_gates
from tests.integration.services.people import EMAIL, ENEMY, HOME, NOW, PHONE, Portal, visit

SECOND = timedelta(seconds=1)
NARROW = Policy(free=3, cap_s=8)


@asynccontextmanager
async def held_workers() -> AsyncIterator[list[asyncio.Task[bool]]]:
    """As many checks as may wait, of which none ends before the block does, however slow the database is."""
    go_on = Event()
    flood = [asyncio.create_task(passwords.in_turn(go_on.wait)) for _ in range(access.MAX_BACKLOG)]
    await asyncio.sleep(0)
    try:
        yield flood
    finally:
        go_on.set()


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.exec_driver_sql("SELECT count(*) FROM attempt")).scalar_one())


async def waits(database: Database, gates: Sequence[Gate], *, after: timedelta = timedelta()) -> int:
    try:
        await throttling.refuse(database, gates, now=NOW + after)
    except ThrottledError as error:
        return error.seconds
    return 0


async def test_waits_double_from_the_last_failure_on(database: Database) -> None:
    gates = [Gate("one", NARROW)]
    seen = []
    for _ in range(8):
        seen.append(await waits(database, gates))
        await throttling.count(database, gates, now=NOW)

    assert seen == [0, 0, 0, 1, 2, 4, 8, 8]
    assert await waits(database, gates, after=8 * SECOND) == 0
    assert await waits(database, gates, after=5 * SECOND) == 3
    assert await waits(database, [Gate("another", NARROW)]) == 0
    assert await waits(database, gates, after=timedelta(hours=1)) == 0
    assert await waits(database, []) == 0


async def test_the_longest_of_several_waits_counts(database: Database) -> None:
    patient = Gate("one", Policy(free=1, cap_s=100))
    for _ in range(4):
        await throttling.count(database, [patient, Gate("two", NARROW)], now=NOW)

    assert await waits(database, [Gate("two", NARROW), patient]) == 8


async def test_which_gate_a_failure_closed_is_told_once(database: Database) -> None:
    gates = [Gate("one", NARROW), Gate("two", Policy(free=2, cap_s=8))]
    closed = [await throttling.count(database, gates, now=NOW) for _ in range(5)]

    assert [[gate.key for gate in some] for some in closed] == [[], ["two"], ["one"], [], []]


async def test_a_success_opens_the_gate_again(database: Database) -> None:
    gates = [Gate("one", NARROW), Gate("two", NARROW)]
    for _ in range(5):
        await throttling.count(database, gates, now=NOW)

    async with database.writing() as connection:
        await throttling.forget(connection, gates[:1])

    assert await waits(database, gates[:1]) == 0
    assert await waits(database, gates[1:]) == 4


async def test_everybodys_failures_wait_from_ones_own_last(database: Database) -> None:
    """The shared gate counts strangers' failures too, but who has not failed herself does not wait."""
    shared = [Gate(f"host {number}", Policy(free=100, cap_s=1)) for number in range(5)]
    of_all = [Gate("all", NARROW, clock=own.key) for own in shared]
    for own, everybody in zip(shared[:4], of_all[:4], strict=True):
        await throttling.count(database, [own, everybody], now=NOW)
        await throttling.count(database, [own, everybody], now=NOW)

    assert await waits(database, of_all[:1]) == 8
    assert await waits(database, of_all[:1], after=8 * SECOND) == 0
    assert await waits(database, of_all[4:]) == 0
    await throttling.count(database, [shared[4], of_all[4]], now=NOW)
    assert await waits(database, of_all[4:]) == 8


async def test_a_flood_keeps_few_rows_and_waits_as_long(database: Database) -> None:
    gates = [Gate("one", NARROW)]
    for number in range(50):
        await throttling.count(database, gates, now=NOW + number * SECOND)

    assert await rows(database) <= NARROW.saturation
    assert await waits(database, gates, after=49 * SECOND) == 8


async def test_the_table_has_a_bound(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MAX_ROWS", 20)
    for number in range(60):
        await throttling.count(database, [Gate(f"key {number}", NARROW)], now=NOW)

    assert await rows(database) <= 20
    assert await waits(database, [Gate("key 59", Policy(free=1, cap_s=5))]) == 1
    assert await waits(database, [Gate("key 0", Policy(free=1, cap_s=5))]) == 0


async def test_a_restart_does_not_forget(database_address: str, database: Database) -> None:
    gates = [Gate("one", NARROW)]
    for _ in range(5):
        await throttling.count(database, gates, now=NOW)
    await database.close()

    again = Database(database_address)
    try:
        assert await waits(again, gates) == 4
        await throttling.forget_old(again, now=NOW + timedelta(hours=2))
        assert await rows(again) == 0
    finally:
        await again.close()


async def test_nothing_that_is_counted_can_be_read(database: Database) -> None:
    await throttling.count(database, visit_gates("register", visit(address="203.0.113.77")), now=NOW)

    async with database.reading() as connection:
        kept = (await connection.execute(table_of(Attempt).select())).all()
    assert len(kept) == 3
    assert "203.0.113" not in str(kept)
    assert "register" not in str(kept)


async def test_a_network_of_many_addresses_is_one_guesser(database: Database) -> None:
    for number in range(throttle.BY_NETWORK.free):
        gates = visit_gates("register", visit(address=f"2001:db8:7:{number:x}::1"))
        assert await waits(database, gates) == 0
        await throttling.count(database, gates, now=NOW)

    assert await waits(database, visit_gates("register", visit(address="2001:db8:7:ffff::1"))) == 1
    assert await waits(database, visit_gates("register", visit(address="2001:db8:8::1"))) == 0
    assert await waits(database, visit_gates("recover", visit(address="2001:db8:7:1::1"))) == 0


# Signing in


async def fail(portal: Portal, times: int, login: str = EMAIL, **where: object) -> None:
    for _ in range(times):
        with pytest.raises(BadCredentialsError):
            await portal.sign_in(login, "wrong", **where)


async def test_strangers_who_guess_keep_nobody_out(portal: Portal) -> None:
    """Sixty networks guess at one login: each waits, but its owner signs in at once, from a new browser."""
    await portal.add()
    for network in range(throttle.BY_LOGIN.free + 10):
        await fail(portal, 1, address=f"198.51.{network}.1")

    with pytest.raises(ThrottledError) as waiting:
        await portal.sign_in(address="198.51.7.1")
    assert waiting.value.seconds == throttle.BY_LOGIN.cap_s
    assert await portal.sign_in(address=HOME)


async def test_a_neighbour_who_guesses_keeps_nobody_out(portal: Portal) -> None:
    """What he may try in an hour from one address of the same network does not close the network's gate."""
    await portal.add()
    second = 0
    while second < 3600:
        try:
            await fail(portal, 1, address="192.0.2.200", after=second * SECOND)
            second += 1
        except ThrottledError as waiting:
            second += waiting.seconds

    assert await portal.sign_in(address=HOME, after=3600 * SECOND)


async def test_both_logins_of_a_person_are_one(portal: Portal) -> None:
    await portal.add()
    await fail(portal, 3)
    await fail(portal, 2, PHONE)

    for login in (EMAIL, PHONE):
        with pytest.raises(ThrottledError):
            await portal.sign_in(login)


async def test_an_unknown_login_waits_like_a_known_one(portal: Portal) -> None:
    await portal.add()
    for login, address in ((EMAIL, HOME), ("nobody@example.com", ENEMY)):
        await fail(portal, 5, login, address=address)
        with pytest.raises(ThrottledError) as waiting:
            await portal.sign_in(login, "wrong", address=address)
        assert waiting.value.seconds == 1


async def test_ones_own_browser_is_not_held_up(portal: Portal) -> None:
    """Also in the guesser's own network, from his own address: two people behind one router."""
    user_id = await portal.add()
    known = {user_id: (await portal.sign_in()).device}
    await fail(portal, 5, address=ENEMY)
    with pytest.raises(ThrottledError):
        await portal.sign_in(address=ENEMY)

    assert await portal.sign_in(address=ENEMY, devices=known)


async def test_a_known_browser_that_guesses_waits_too(portal: Portal) -> None:
    """And its failures are not held against the owner anywhere else."""
    user_id = await portal.add()
    stolen = {user_id: (await portal.sign_in()).device}
    await fail(portal, 5, devices=stolen)

    with pytest.raises(ThrottledError):
        await portal.sign_in(devices=stolen)
    assert await portal.sign_in()
    assert await portal.sign_in(devices={user_id: "another mark"})


async def test_a_browser_known_to_one_person_is_not_known_to_another(portal: Portal) -> None:
    mine = await portal.add()
    await portal.add(email="other@example.com", phone=None)
    known = {mine: (await portal.sign_in()).device}

    await fail(portal, 5, "other@example.com", devices=known)
    with pytest.raises(ThrottledError):
        await portal.sign_in("other@example.com", devices=known)


async def test_many_logins_from_one_address_are_slowed(portal: Portal) -> None:
    await portal.add()
    for number in range(throttle.BY_ADDRESS.free):
        await fail(portal, 1, f"nobody{number}@example.com", address=ENEMY)

    with pytest.raises(ThrottledError):
        await portal.sign_in(address=ENEMY)
    assert await portal.sign_in(address=HOME)


async def test_a_gate_that_closes_is_audited_once(portal: Portal) -> None:
    user_id = await portal.add()
    await fail(portal, 5)
    for _ in range(20):
        with pytest.raises(ThrottledError):
            await portal.sign_in(password="wrong")

    actions = await portal.actions(user_id)
    assert actions.count(audit.SIGN_IN_FAILED) == 5
    assert actions.count(audit.SIGN_IN_THROTTLED) == 1


async def test_a_flood_does_not_queue_up_before_known_browsers(portal: Portal) -> None:
    """So many passwords wait to be checked that others are told to come back; who is known is served."""
    user_id = await portal.add()
    known = {user_id: (await portal.sign_in()).device}
    async with held_workers() as flood:
        assert passwords.backlog() == access.MAX_BACKLOG

        served = asyncio.create_task(portal.sign_in(devices=known))
        with pytest.raises(ThrottledError) as waiting:
            await portal.sign_in()
        # Her way to the queue asks the database.
        while passwords.backlog() == access.MAX_BACKLOG and not served.done():  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0.01)

    assert waiting.value.seconds == access.BACKLOG_S
    assert await served
    await asyncio.gather(*flood)
    assert passwords.backlog() == 0
    assert await portal.sign_in()
