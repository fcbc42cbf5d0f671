"""Meters that come and go: consumption belongs to the point. On both databases."""

from __future__ import annotations

from decimal import Decimal

from lk_portal.metering.types import Quality
from lk_portal.models import Interval, ReadingReview, RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.segments import count_final_readings
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.services.polled import HOUR, MINUTE, NOW, T0, intervals, poll, rows_of, total_wh


async def test_a_replaced_meter_leaves_no_spike_and_no_hole(database: Database):
    old = await factories.a_metered_point(database)
    await poll(database, old.meter_id, (T0, 900_000), (T0 + HOUR, 901_000))
    swap = T0 + 2 * HOUR
    installation = table_of(factories.Installation)
    async with database.writing() as connection:
        await connection.execute(
            installation.update().where(installation.c.id == old.installation_id).values(removed_at=swap)
        )
    final = {"installation_id": old.installation_id, "value_wh": 901_600, "is_final": True}
    await factories.installation_reading(database, **final)
    new_meter = await factories.meter(database)
    placed = await factories.installation(
        database, meter_id=new_meter, point_id=old.point_id, installed_at=swap, ct_ratio=Decimal(2)
    )
    await factories.installation_reading(database, installation_id=placed, value_wh=5)
    for _ in range(2):
        async with database.writing() as connection:
            await count_final_readings(connection, installation_id=old.installation_id, now=NOW)
    await poll(database, new_meter, (swap + HOUR, 205))
    assert [(start, value, covered) for start, value, covered, *_ in await intervals(database)] == [
        (T0, 1000, 3600),
        (T0 + HOUR, 600, 3600),
        (swap, 400, 3600),
    ]
    assert await rows_of(database, ReadingReview) == []


async def test_readings_outside_the_installation_are_kept_and_not_counted(database: Database):
    placed = await factories.a_metered_point(database, installed_at=T0)
    await poll(database, placed.meter_id, (T0 - HOUR, 100), (T0 - MINUTE, 90_000))
    await poll(database, placed.meter_id, (T0 + HOUR, 200), (T0 + 2 * HOUR, 250))
    assert await total_wh(database) == 50
    assert len(await rows_of(database, RegisterReading)) == 4


async def test_the_first_reading_counts_from_the_initial_value(database: Database):
    placed = await factories.a_metered_point(database, installed_at=T0)
    await factories.installation_reading(database, installation_id=placed.installation_id, value_wh=40)
    await poll(database, placed.meter_id, (T0 + HOUR, 100))
    assert await intervals(database) == [(T0, 60, 3600, Quality.MEASURED, 0)]


async def test_a_meter_that_moves_does_not_bring_its_old_reading_along(database: Database):
    first, second = [await factories.a_metered_point(database, installed_at=NOW) for _ in range(2)]
    meter = await factories.meter(database)
    stays = ((first.point_id, T0, T0 + HOUR), (second.point_id, T0 + 2 * HOUR, T0 + 6 * HOUR))
    for point_id, since, until in stays:
        times = {"installed_at": since, "removed_at": until}
        await factories.installation(database, meter_id=meter, point_id=point_id, **times)
    await poll(database, meter, (T0, 1000), (T0 + 30 * MINUTE, 1040))
    await poll(database, meter, (T0 + 3 * HOUR, 1500), (T0 + 4 * HOUR, 1600))
    counted = [(row.point_id, row.start, row.value_wh) for row in await rows_of(database, Interval)]
    assert counted == [(first.point_id, T0, 40), (second.point_id, T0 + 3 * HOUR, 100)]
    assert await rows_of(database, ReadingReview) == []
