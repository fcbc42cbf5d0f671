"""Readings that were refused: who learns of them, and that they harm nobody else. On both databases."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from lk_portal.errors import DeviceError, StorageError
from lk_portal.metering.types import PollOutcome, Quantity, RegisterValue, Snapshot
from lk_portal.models import MeterConnection, ReadingReview, RegisterMark, RegisterReading, ReviewReason
from lk_portal.services.database import Database
from lk_portal.services.readings_rejected import MAX_REGISTER_WH
from tests import factories
from tests.integration.services.faults import break_table, mend_table
from tests.integration.services.polled import HOUR, T0, failed, poll, read, rows_of, store_of, total_wh

NOISE = "lk_portal.services.readings_rejected"


async def a_connected_meter(database: Database) -> int:
    placed = await factories.a_metered_point(database)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway)
    return placed.meter_id


async def link_of(database: Database, meter_id: int) -> Any:
    return next(row for row in await rows_of(database, MeterConnection) if row.meter_id == meter_id)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(r.getMessage(), r.__dict__["meter_id"]) for r in caplog.records if r.name == NOISE]


async def test_the_reason_is_the_connections_last_error(database: Database):
    meter = await a_connected_meter(database)
    await poll(database, meter, (T0, 500_000), (T0 + HOUR, 10))
    link = await link_of(database, meter)
    assert link.last_error == "Impossible value: A_PLUS.0 fell from 500000 to 10 Wh within 3600 s"
    assert (link.last_error_code, link.last_error_at) == ("data", T0 + HOUR)
    # The meter did answer.
    assert (link.last_success_at, link.failures_in_row, link.successes) == (T0 + HOUR, 0, 2)


async def test_a_good_reading_after_it_says_that_it_is_over(database: Database):
    meter = await a_connected_meter(database)
    await poll(database, meter, (T0, 1000), (T0 + HOUR, 10**12), (T0 + 2 * HOUR, 1200))
    link = await link_of(database, meter)
    assert link.last_error == "Impossible value: A_PLUS.0 grew from 1000 to 1000000000000 Wh within 3600 s"
    assert (link.last_error_at, link.last_success_at) == (T0 + HOUR, T0 + 2 * HOUR)


async def test_all_refused_registers_are_named_and_the_others_counted(database: Database):
    meter = await a_connected_meter(database)
    for at, values in ((T0, (1000, 1000, 1000)), (T0 + HOUR, (1100, 5, 10**12))):
        kinds = (Quantity.A_PLUS, Quantity.A_MINUS, Quantity.R_PLUS)
        registers = tuple(RegisterValue(kind, 0, value) for kind, value in zip(kinds, values, strict=True))
        await store_of(database).store((PollOutcome(meter, at, at, Snapshot(at, registers)),))
    link = await link_of(database, meter)
    assert "A_MINUS.0 fell from 1000 to 5 Wh" in link.last_error
    assert "R_PLUS.0 grew from 1000 to 1000000000000 varh" in link.last_error
    assert "A_PLUS" not in link.last_error
    assert await total_wh(database) == 100


async def test_a_later_failure_stays_the_last_error(database: Database):
    meter = await a_connected_meter(database)
    await poll(database, meter, (T0, 1000))
    batch = (read(meter, T0 + HOUR, 10**12), failed(meter, T0 + 2 * HOUR, DeviceError(6)))
    await store_of(database).store(batch)
    link = await link_of(database, meter)
    assert (link.last_error_code, link.last_error_at) == ("device", T0 + 2 * HOUR)


async def test_the_reading_from_which_a_meter_goes_on_is_no_error(database: Database):
    meter = await a_connected_meter(database)
    await poll(database, meter, (T0, 500_000), *((T0 + n * HOUR, 100 * n) for n in (1, 2, 3)))
    link = await link_of(database, meter)
    assert (link.last_error_at, link.last_success_at) == (T0 + 2 * HOUR, T0 + 3 * HOUR)
    assert await total_wh(database) == 200


async def test_a_new_base_settles_all_open_reviews_of_the_register(database: Database):
    meter, other = await a_connected_meter(database), await a_connected_meter(database)
    await poll(database, other, (T0, 500_000), (T0 + HOUR, 10))
    values = (500_000, 10, 10**12, 20, 30, 40)
    await poll(database, meter, *((T0 + hour * HOUR, value) for hour, value in enumerate(values)))
    found = {(row.meter_id, row.reason, row.is_rebased) for row in await rows_of(database, ReadingReview)}
    assert found == {
        (meter, ReviewReason.FELL, True),
        (meter, ReviewReason.SPIKE, True),
        (other, ReviewReason.FELL, False),
    }


async def test_a_run_of_refused_readings_and_its_end_are_told_once(
    database: Database, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, logger=NOISE)
    meter = await a_connected_meter(database)
    store = store_of(database)
    for hour, value_wh in enumerate((1000, 10**12, 10**13, 10**14, 1400, 1500)):
        await store.store((read(meter, T0 + hour * HOUR, value_wh),))
    assert told(caplog) == [("readings.rejected", meter), ("readings.accepted_again", meter)]
    await store.store((read(meter, T0 + 9 * HOUR, 10**12),))
    assert told(caplog)[2:] == [("readings.rejected", meter)]


async def test_a_meter_that_goes_on_from_a_new_base_is_told(
    database: Database, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, logger=NOISE)
    meter = await a_connected_meter(database)
    store = store_of(database)
    for hour, value_wh in enumerate((500_000, 10, 20, 30, 40)):
        await store.store((read(meter, T0 + hour * HOUR, value_wh),))
    assert [event for event, _ in told(caplog)] == [
        "readings.rejected",
        "readings.rebased",
        "readings.accepted_again",
    ]


async def test_what_was_undone_is_told_only_when_it_is_kept(
    database: Database, caplog: pytest.LogCaptureFixture
):
    meter = await a_connected_meter(database)
    store, batch = store_of(database), (read(meter, T0 + HOUR, 10**12),)
    await store.store((read(meter, T0, 1000),))
    await break_table(database, "register_mark")
    with pytest.raises(StorageError):
        await store.store(batch)
    assert told(caplog) == []
    assert (await link_of(database, meter)).last_error == ""
    await mend_table(database, "register_mark")
    await store.store(batch)
    assert told(caplog) == [("readings.rejected", meter)]


@pytest.mark.parametrize(
    "value_wh", [MAX_REGISTER_WH + 1, 2**63, 10**5000, -1], ids=["60", "63", "huge", "-1"]
)
async def test_a_value_no_database_can_hold_does_not_keep_the_others_out(
    database: Database, caplog: pytest.LogCaptureFixture, value_wh: int
):
    broken, sound = await a_connected_meter(database), await a_connected_meter(database)
    store = store_of(database)
    for number in range(3):
        at = T0 + number * HOUR
        await store.store((read(broken, at, value_wh), read(sound, at, 100 * number)))
    assert await total_wh(database) == 200
    assert {row.meter_id for row in await rows_of(database, RegisterReading)} == {sound}
    link = await link_of(database, broken)
    assert link.last_error.startswith("Impossible value: A_PLUS.0 = ")
    assert (link.last_error_code, link.failures_in_row, link.successes) == ("data", 3, 0)
    assert (await link_of(database, sound)).successes == 3
    assert told(caplog) == [("readings.rejected", broken)]


async def test_the_largest_values_and_their_sum_are_kept(database: Database):
    meter = await a_connected_meter(database)
    await store_of(database).store((read(meter, T0, *[MAX_REGISTER_WH] * 8),))
    assert {row.value_wh for row in await rows_of(database, RegisterReading)} == {MAX_REGISTER_WH}
    marks = {row.zone: row.value_wh for row in await rows_of(database, RegisterMark)}
    assert marks[0] == 8 * MAX_REGISTER_WH
