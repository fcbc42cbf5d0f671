"""Asking for a poll at once, and what is shown of a connection, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lk_portal.errors import InputError, MeterTimeoutError, NotFoundError
from lk_portal.metering.types import LoadState, PollOutcome, Quantity, RegisterValue, Snapshot
from lk_portal.models import AuditEntry, MeterConnection, Role
from lk_portal.services.changes import DESK, POLLING, changed_since, connection_topic
from lk_portal.services.connections import ConnectionView, ask_for_poll, ask_now, connection_of
from lk_portal.services.database import Database
from lk_portal.services.poll_view import line_of, poll_view
from lk_portal.services.polling import due_gateways
from lk_portal.services.readings import ReadingStore
from lk_portal.services.tables import table_of
from lk_portal.services.users import create_user
from lk_portal.services.visit import Visit
from lk_portal.settings import load_settings
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
VISIT = Visit(address="192.0.2.1", agent="test", at=NOW)
_link = table_of(MeterConnection)


async def connected(database: Database, **values: Any) -> factories.MeteredPoint:
    point = await factories.a_metered_point(database)
    line = await factories.gateway(database)
    values = {"next_poll_at": NOW + HOUR, **values}
    await factories.connection(database, meter_id=point.meter_id, gateway_id=line, **values)
    return point


async def view(database: Database, serial: str, *, now: datetime = NOW) -> ConnectionView:
    return await connection_of(database, serial=serial, now=now, default_interval_s=900)


async def store(database: Database, *outcomes: PollOutcome) -> None:
    await ReadingStore(database, clock=lambda: NOW, default_interval_s=900).store(outcomes)


async def admin(database: Database) -> int:
    settings = load_settings(bcrypt_rounds=4)
    return await create_user(
        database,
        settings,
        email="admin@example.com",
        phone=None,
        role=Role.ADMIN,
        display_name="Admin",
        password="Correct-horse-2026",
        subscriber_id=None,
        now=NOW,
    )


async def test_what_is_asked_for_is_due_at_once_and_in_the_audit(database: Database) -> None:
    point = await connected(database)
    assert await due_gateways(database, now=NOW, default_interval_s=7200) == ()
    assert not (await view(database, point.serial)).is_waiting

    await ask_for_poll(database, serial=point.serial, staff_id=await admin(database), visit=VISIT)

    [line] = await due_gateways(database, now=NOW, default_interval_s=7200)
    assert [meter.serial for meter in line.meters] == [point.serial]
    assert (await view(database, point.serial)).is_waiting
    async with database.reading() as connection:
        actions = (await connection.scalars(select(table_of(AuditEntry).c.action))).all()
    assert actions == ["command:user:create", "desk:connection:poll"]


async def test_one_that_is_off_keeps_all_from_being_asked_for(database: Database) -> None:
    on, off = await connected(database), await connected(database, is_enabled=False)

    with pytest.raises(InputError, match=off.serial):
        async with database.writing() as connection:
            await ask_now(connection, [on.meter_id, off.meter_id], now=NOW)

    assert not (await view(database, on.serial)).is_waiting
    assert (await view(database, off.serial)).is_suspended


@pytest.mark.parametrize("serial", ["nobody", "", "\0", "x" * 500])
async def test_a_meter_without_a_connection_is_not_found(sqlite_database: Database, serial: str) -> None:
    with pytest.raises(NotFoundError):
        await view(sqlite_database, serial)
    with pytest.raises(NotFoundError):
        await ask_for_poll(sqlite_database, serial=serial, staff_id=1, visit=VISIT)


async def test_what_was_read_and_what_went_wrong_is_shown_and_told(database: Database) -> None:
    point = await connected(database)
    topic = connection_topic(point.meter_id)

    async def told(since: datetime) -> bool:
        found = await changed_since(database, since, now=NOW + 2 * HOUR, followed={topic})
        return any(one == topic for one, _at in found)

    assert not await told(NOW)
    registers = (RegisterValue(Quantity.A_PLUS, 0, 5000), RegisterValue(Quantity.A_PLUS, 1, 5000))
    snapshot = Snapshot(NOW, registers)
    await store(database, PollOutcome(point.meter_id, NOW - SECOND, NOW, snapshot))

    good = await view(database, point.serial)
    assert [(one.zone, one.value_wh, one.at) for one in good.registers] == [(0, 5000, NOW), (1, 5000, NOW)]
    assert (good.failures_in_row, good.attempts, good.successes) == (0, 1, 1)
    assert good.load.state is LoadState.UNKNOWN
    assert await told(NOW)
    assert not await told(NOW + SECOND)

    later = NOW + HOUR
    error = MeterTimeoutError(seconds="3")
    await store(database, PollOutcome(point.meter_id, later, later + SECOND, error=error))

    bad = await view(database, point.serial)
    assert (bad.error_code, bad.failures_in_row, bad.successes) == ("timeout", 1, 1)
    assert bad.registers == good.registers
    assert await told(later)


async def test_what_nobody_follows_is_not_asked_for(database: Database) -> None:
    await connected(database, last_success_at=NOW)

    assert await changed_since(database, NOW - HOUR, now=NOW) == frozenset()
    ticks = await changed_since(database, NOW - HOUR, now=NOW, followed={DESK, POLLING})
    assert {topic for topic, _at in ticks} == {DESK, POLLING}
    again = await changed_since(database, NOW - HOUR, now=NOW + SECOND, followed={DESK, POLLING})
    assert again == ticks, "no more often than every other second"
    later = await changed_since(database, NOW - HOUR, now=NOW + 5 * SECOND, followed={DESK, POLLING})
    assert not later & ticks


async def test_the_polling_is_summed_up(database: Database) -> None:
    first = await connected(database, last_success_at=NOW - 2 * HOUR, next_poll_at=NOW)
    await connected(database, last_success_at=NOW, failures_in_row=2, last_error_code="timeout")
    await connected(database, last_error_code="data")
    await connected(database, is_enabled=False, failures_in_row=9, last_error_code="auth")

    found = await poll_view(database, now=NOW)

    assert (found.polled, found.suspended, found.due) == (3, 1, 1)
    assert found.errors == (("timeout", 1),)
    assert found.oldest_at is None, "one was never read"
    async with database.writing() as connection:
        await connection.execute(
            _link.update().where(_link.c.last_success_at.is_(None)).values(last_success_at=NOW)
        )
    found = await poll_view(database, now=NOW)
    assert (found.oldest, found.oldest_at) == (first.serial, NOW - 2 * HOUR)


async def test_a_gateway_names_its_meters_the_worst_first(database: Database) -> None:
    line = await factories.gateway(database)
    for device_id, failures in ((1, 0), (2, 5)):
        point = await factories.a_metered_point(database)
        await factories.connection(
            database,
            meter_id=point.meter_id,
            gateway_id=line,
            device_id=device_id,
            failures_in_row=failures,
            last_error_code="timeout",
        )

    found = await line_of(database, line)

    assert [(one.device_id, one.error_code) for one in found.meters] == [(2, "timeout"), (1, "")]
    assert found.count == 2
    with pytest.raises(NotFoundError):
        await line_of(database, line + 100)
