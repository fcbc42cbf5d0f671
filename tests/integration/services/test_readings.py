"""The poller's sink: from snapshots to consumption, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lk_portal.errors import DeviceError, MeterError, MeterTimeoutError, StorageError
from lk_portal.metering.types import IntervalFlag, PollOutcome, Quality, Quantity, RegisterValue, Snapshot
from lk_portal.models import (
    DayRollup,
    Interval,
    MeterConnection,
    PointFreshness,
    ReadingReview,
    RegisterMark,
    RegisterReading,
    ReviewReason,
)
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from tests import factories
from tests.integration.services.faults import break_table, mend_table
from tests.integration.services.polled import (
    ALL,
    HOUR,
    MINUTE,
    NOW,
    T0,
    dump,
    failed,
    intervals,
    poll,
    read,
    rows_of,
    store_of,
    total_wh,
)


async def test_growth_becomes_the_consumption_of_its_hours(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0, 1000), (T0 + 30 * MINUTE, 1500), (T0 + 90 * MINUTE, 2100))
    assert await intervals(database) == [
        (T0, 800, 3600, Quality.MEASURED, IntervalFlag.SPLIT),
        (T0 + HOUR, 300, 1800, Quality.MEASURED, IntervalFlag.SPLIT),
    ]
    (day,) = await rows_of(database, DayRollup)
    assert (day.day, day.total_wh, day.covered_s) == (date(2026, 11, 10), 1100, 5400)
    (fresh,) = await rows_of(database, PointFreshness)
    assert (fresh.data_until, fresh.changed_at) == (T0 + 90 * MINUTE, NOW)


async def test_polling_every_minute_counts_what_the_register_grew_by(database: Database):
    tariff = await factories.tariff(database)
    meter = (await factories.a_metered_point(database, tariff_id=tariff)).meter_id
    evening = datetime(2026, 11, 10, 16, 37, tzinfo=UTC)  # 22:37 in Omsk, before the night zone
    late = [timedelta(milliseconds=371 * number % 1900) for number in range(50)]
    polls = [(evening + number * MINUTE + late[number], 70_000 + number * number) for number in range(50)]
    await poll(database, meter, *polls)
    first, second = await intervals(database)
    assert first[1] + second[1] == 49 * 49
    assert {quality for *_, quality, _ in (first, second)} == {Quality.MEASURED}
    assert (first[2], second[2]) == (23 * 60, 26 * 60 + 2)  # rounded up to whole seconds
    (day,) = await rows_of(database, DayRollup)
    assert (day.t1_wh, day.t2_wh, day.total_wh) == (first[1], second[1], 49 * 49)


async def test_the_first_reading_counts_nothing(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0, 123_456))
    assert await intervals(database) == []
    (mark,) = await rows_of(database, RegisterMark)
    assert (mark.taken_at, mark.value_wh) == (T0, 123_456)


async def test_the_same_outcomes_again_change_nothing(database: Database):
    placed = await factories.a_metered_point(database)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway)
    store = store_of(database)
    batches = [
        (read(placed.meter_id, T0, 1000),),
        (read(placed.meter_id, T0 + HOUR, 1500), failed(placed.meter_id, T0 + 2 * HOUR, DeviceError(2))),
        (read(placed.meter_id, T0 + 3 * HOUR, 10**14),),
        (read(placed.meter_id, T0 + 4 * HOUR, 10**14 + 5),),
    ]
    for batch in batches:
        await store.store(batch)
    before = await dump(database)
    assert await total_wh(database) == 500
    for batch in [*reversed(batches), *batches]:
        await store.store(batch)
    assert await dump(database) == before


async def test_the_same_batch_twice_at_once_counts_once(database: Database):
    placed = await factories.a_metered_point(database, installed_at=T0)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway)
    # The initial value makes even the first reading count, when there is no mark yet to lock.
    await factories.installation_reading(database, installation_id=placed.installation_id, value_wh=100)
    batch = (read(placed.meter_id, T0 + HOUR, 700), read(placed.meter_id, T0 + 2 * HOUR, 900))
    await asyncio.gather(*(store_of(database).store(batch) for _ in range(4)))
    assert await total_wh(database) == 800
    (link,) = await rows_of(database, MeterConnection)
    assert (link.attempts, link.successes) == (2, 2)


async def test_readings_of_one_hour_in_one_batch_add_up(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0 - 30 * MINUTE, 0))
    # Not in the order of time; the earliest of them lies beyond the hour's edge.
    pairs = ((T0 + 40 * MINUTE, 190), (T0 + 10 * MINUTE, 80), (T0 + 20 * MINUTE, 110))
    await store_of(database).store(tuple(read(meter, at, value_wh) for at, value_wh in pairs))
    assert await intervals(database) == [
        (T0 - HOUR, 60, 1800, Quality.MEASURED, IntervalFlag.SPLIT),
        (T0, 130, 2400, Quality.MEASURED, IntervalFlag.SPLIT),
    ]


async def test_an_estimated_part_makes_the_hour_estimated(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0 - 2 * HOUR, 0))
    later = ((T0 + 30 * MINUTE, 500), (T0 + 40 * MINUTE, 600))
    await store_of(database).store(tuple(read(meter, at, value_wh) for at, value_wh in later))
    *_, last = await intervals(database)
    assert last == (T0, 200, 2400, Quality.ESTIMATED, IntervalFlag.SPLIT)


async def test_meters_of_one_batch_do_not_mix(database: Database):
    placed = [await factories.a_metered_point(database) for _ in range(5)]
    store = store_of(database)
    await store.store(tuple(read(p.meter_id, T0, 1000 * p.meter_id) for p in placed))
    later = tuple(read(p.meter_id, T0 + HOUR, 1000 * p.meter_id + p.meter_id) for p in placed)
    await store.store((*later, read(999_999, T0, 5)))
    found = {r.point_id: r.value_wh for r in await rows_of(database, Interval)}
    assert found == {p.point_id: p.meter_id for p in placed}


async def test_all_quantities_are_counted_apart(database: Database):
    placed = await factories.a_metered_point(database)
    store = store_of(database)
    for at, step in ((T0, 0), (T0 + HOUR, 10)):
        registers = tuple(RegisterValue(q, 0, q * 100 + step * q) for q in Quantity)
        await store.store((PollOutcome(placed.meter_id, at, at, Snapshot(at, registers)),))
    found = {r.quantity: r.value_wh for r in await rows_of(database, Interval)}
    assert found == {q: 10 * q for q in Quantity}


async def test_ratios_are_applied_once_and_lose_nothing(database: Database):
    ratios = {"ct_ratio": Decimal("33.3333"), "vt_ratio": Decimal("1.1")}
    placed = await factories.a_metered_point(database, **ratios)
    values = [1000 + 7 * number for number in range(40)]
    await poll(
        database, placed.meter_id, *((T0 + number * 13 * MINUTE, v) for number, v in enumerate(values))
    )
    ratio = Decimal("33.3333") * Decimal("1.1")
    assert await total_wh(database) == int(ratio * values[-1]) - int(ratio * values[0])


async def test_two_tariff_zones_split_at_their_edge(database: Database):
    tariff = await factories.tariff(database)
    placed = await factories.a_metered_point(database, tariff_id=tariff)
    evening = datetime(2026, 11, 10, 16, 30, tzinfo=UTC)  # 22:30 in Omsk
    await poll(database, placed.meter_id, (evening, 1000), (evening + HOUR, 2000))
    (day,) = await rows_of(database, DayRollup)
    assert (day.t1_wh, day.t2_wh, day.total_wh) == (500, 500, 1000)


async def test_without_a_sum_register_the_tariff_registers_make_it(database: Database):
    placed = await factories.a_metered_point(database)
    store = store_of(database)
    await store.store((read(placed.meter_id, T0, 1000, 500),))
    await store.store((read(placed.meter_id, T0 + HOUR, 1200, 550),))
    assert await total_wh(database) == 250
    assert {r.zone for r in await rows_of(database, RegisterReading)} == {1, 2}


async def test_a_sum_of_tariff_registers_goes_on_when_one_of_them_wraps(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    for at, values in ((T0, (10**9 - 100, 500)), (T0 + HOUR, (100, 600)), (T0 + 2 * HOUR, (150, 600))):
        await store_of(database).store((read(meter, at, *values),))
    assert [(value, flags) for _, value, _, _, flags in await intervals(database)] == [
        (300, IntervalFlag.ROLLOVER),
        (50, 0),
    ]
    assert await rows_of(database, ReadingReview) == []


async def test_a_sum_of_tariff_registers_that_falls_without_a_wrap_goes_to_review(database: Database):
    """It stood just below where one register wraps, but neither of them did."""
    meter = (await factories.a_metered_point(database)).meter_id
    for at, values in ((T0, (499_999_900, 500_000_000)), (T0 + HOUR, (10, 10))):
        await store_of(database).store((read(meter, at, *values),))
    assert await total_wh(database) == 0
    reviews = {(row.zone, row.reason) for row in await rows_of(database, ReadingReview)}
    assert reviews == {(zone, ReviewReason.FELL) for zone in (0, 1, 2)}


async def test_with_a_sum_register_the_tariff_registers_are_not_counted_again(database: Database):
    placed = await factories.a_metered_point(database)
    for at, values in ((T0, (1500, 1000, 500)), (T0 + HOUR, (1750, 1200, 550))):
        registers = tuple(RegisterValue(Quantity.A_PLUS, zone, v) for zone, v in enumerate(values))
        await store_of(database).store((PollOutcome(placed.meter_id, at, at, Snapshot(at, registers)),))
    assert await total_wh(database) == 250


async def test_a_jump_of_a_terawatt_hour_is_no_bar_but_a_review(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    spike, later = (T0 + HOUR, 10**12), (T0 + 2 * HOUR, 10**12 + 7)
    await poll(database, meter, (T0, 1000), spike, later, (T0 + 3 * HOUR, 4000))
    assert await total_wh(database) == 3000
    (review,) = await rows_of(database, ReadingReview)
    assert (review.reason, review.value_wh, review.previous_wh) == (ReviewReason.SPIKE, 10**12 + 7, 1000)
    assert (review.is_open, review.is_rebased) == (True, False)
    assert len(await rows_of(database, RegisterReading)) == 4


async def test_a_meter_that_began_anew_goes_on_with_a_hole(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    anew = ((T0 + 2 * HOUR, 10), (T0 + 3 * HOUR, 110), (T0 + 4 * HOUR, 210), (T0 + 5 * HOUR, 260))
    await poll(database, meter, (T0, 500_000), (T0 + HOUR, 500_700), *anew)
    assert await intervals(database) == [
        (T0, 700, 3600, Quality.MEASURED, 0),
        (T0 + 2 * HOUR, 100, 3600, Quality.ESTIMATED, IntervalFlag.SPREAD | IntervalFlag.RESET),
        (T0 + 3 * HOUR, 100, 3600, Quality.ESTIMATED, IntervalFlag.SPREAD),
        (T0 + 4 * HOUR, 50, 3600, Quality.MEASURED, 0),
    ]
    (review,) = await rows_of(database, ReadingReview)
    assert (review.reason, review.is_rebased) == (ReviewReason.FELL, True)
    (day,) = await rows_of(database, DayRollup)
    assert day.covered_s == 4 * 3600


async def test_a_register_that_wraps_counts_across(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0, 10**9 - 400), (T0 + HOUR, 300))
    ((_, value_wh, *_, flags),) = await intervals(database)
    assert (value_wh, flags) == (700, IntervalFlag.ROLLOVER)
    assert await rows_of(database, ReadingReview) == []


async def test_an_older_reading_is_kept_and_not_counted(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0, 1000), (T0 + 2 * HOUR, 3000), (T0 + HOUR, 1500))
    assert await total_wh(database) == 2000
    assert len(await rows_of(database, RegisterReading)) == 3


async def test_a_gap_is_spread_evenly_and_marked_where_nothing_is_known(database: Database):
    meter = (await factories.a_metered_point(database)).meter_id
    await poll(database, meter, (T0, 0), (T0 + 10 * HOUR, 5000))
    found = await intervals(database)
    assert [value for _, value, *_ in found] == [500] * 10
    assert {(quality, flags) for *_, quality, flags in found} == {(Quality.ESTIMATED, IntervalFlag.SPREAD)}
    (day,) = await rows_of(database, DayRollup)
    assert day.estimated_s == day.covered_s == 36_000


async def test_a_long_gap_follows_the_points_own_days(database: Database):
    placed = await factories.a_metered_point(database)
    await factories.a_metered_point(database)  # somebody without data
    first = T0 - timedelta(days=14)
    history = [first + number * HOUR for number in range(14 * 24)]
    stamps = [(int(at.timestamp() * 1000), 900 if at.hour == 8 else 100) for at in history]
    rows = [IntervalRow(placed.point_id, 1, start_ms, 3600, wh, 3600, 1) for start_ms, wh in stamps]
    await import_intervals(database, rows, clock=lambda: NOW)
    before = await total_wh(database)
    await poll(database, placed.meter_id, (T0, 0), (T0 + 5 * HOUR, 2600))
    gap = [value for start, value, *_ in await intervals(database) if start >= T0]
    assert gap == [200, 200, 1800, 200, 200]
    assert await total_wh(database) - before == 2600


async def test_the_day_clocks_go_back_has_25_hours_of_consumption(database: Database):
    meter = (await factories.a_metered_point(database, timezone="Europe/Berlin")).meter_id
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)
    await poll(database, meter, *((midnight + number * HOUR, 100 * number) for number in range(27)))
    days = {r.day: (r.total_wh, r.covered_s) for r in await rows_of(database, DayRollup)}
    assert days == {date(2026, 10, 25): (2500, 25 * 3600), date(2026, 10, 26): (100, 3600)}


async def test_how_the_connection_goes(database: Database):
    placed = await factories.a_metered_point(database)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway, interval_s=600)
    store = store_of(database)

    async def link() -> Any:
        return (await rows_of(database, MeterConnection))[0]

    await store.store((failed(placed.meter_id, T0, MeterTimeoutError(seconds=5)),))
    first = await link()
    assert (first.last_error_code, first.failures_in_row) == ("timeout", 1)
    assert first.next_poll_at == T0 + timedelta(seconds=30)
    await store.store((failed(placed.meter_id, T0 + MINUTE, DeviceError(6)),))
    second = await link()
    assert (second.last_error_code, second.failures_in_row) == ("device", 2)
    assert second.last_error == "The meter refused with code 6"
    assert second.next_poll_at == T0 + 11 * MINUTE
    await store.store((read(placed.meter_id, T0 + 2 * MINUTE, 5),))
    third = await link()
    assert (third.failures_in_row, third.attempts, third.successes) == (0, 3, 1)
    assert (third.last_success_at, third.last_error_at) == (T0 + 2 * MINUTE, T0 + MINUTE)
    assert third.next_poll_at == T0 + 12 * MINUTE


async def test_strange_bytes_in_an_error_are_no_second_error(database: Database):
    placed = await factories.a_metered_point(database)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway)
    error = MeterError(detail="a\tb\nc\\N\0 " + "ы" * 500)
    await store_of(database).store((failed(placed.meter_id, T0, error),))
    (link,) = await rows_of(database, MeterConnection)
    assert link.last_error.startswith("The meter could not be read: a\tb\nc\\N ы")
    assert len(link.last_error) == 400


@pytest.mark.parametrize("table", ["month_rollup", "register_mark"])
async def test_a_failing_database_keeps_nothing_and_the_same_batch_may_come_again(
    database: Database, table: str
):
    placed = await factories.a_metered_point(database)
    gateway = await factories.gateway(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway)
    await poll(database, placed.meter_id, (T0, 100))
    await break_table(database, table)
    kept = [model for model in ALL if model.__tablename__ != table]
    before = await dump(database, kept)
    batch = (read(placed.meter_id, T0 + HOUR, 400),)
    with pytest.raises(StorageError):
        await store_of(database).store(batch)
    assert await dump(database, kept) == before
    await mend_table(database, table)
    await store_of(database).store(batch)
    assert await total_wh(database) == 300


async def test_nothing_to_store_is_no_error(database: Database):
    await store_of(database).store(())
    assert await dump(database) == [[] for _ in ALL]
