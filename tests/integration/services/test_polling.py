"""Which meters are due, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lk_portal.errors import NotFoundError
from lk_portal.metering.types import MeterTarget
from lk_portal.services.database import Database
from lk_portal.services.polling import due_gateways
from tests import factories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def a_polled_meter(database: Database, gateway_id: int, **values: Any) -> factories.MeteredPoint:
    placed = await factories.a_metered_point(database)
    await factories.connection(database, meter_id=placed.meter_id, gateway_id=gateway_id, **values)
    return placed


async def due_serials(database: Database, **changes: Any) -> set[str]:
    found = await due_gateways(database, **{"now": NOW, "default_interval_s": 1800, **changes})
    return {meter.serial for gateway in found for meter in gateway.meters}


async def test_meters_come_grouped_by_gateway_with_what_the_adapter_needs(database: Database):
    first, second = await factories.gateway(database), await factories.gateway(database, protocol="rtu")
    near = await a_polled_meter(database, first, device_id=2, options={"password": "x"})
    far = await a_polled_meter(database, first, device_id=1)
    other = await a_polled_meter(database, second, device_id=1)
    found = await due_gateways(database, now=NOW, default_interval_s=1800)
    assert [(g.gateway_id, g.protocol, g.host) for g in found] == [
        (first, "modbus-tcp", "127.0.0.1"),
        (second, "rtu", "127.0.0.1"),
    ]
    assert found[0].meters == (
        MeterTarget(far.meter_id, far.serial, "МИР С-07", 1, {}),
        MeterTarget(near.meter_id, near.serial, "МИР С-07", 2, {"password": "x"}),
    )
    assert [meter.meter_id for meter in found[1].meters] == [other.meter_id]


async def test_only_those_whose_time_has_come(database: Database):
    gateway = await factories.gateway(database)
    never = await a_polled_meter(database, gateway)
    now = await a_polled_meter(database, gateway, next_poll_at=NOW)
    later = await a_polled_meter(database, gateway, next_poll_at=NOW + MINUTE)
    assert await due_serials(database) == {never.serial, now.serial}
    assert await due_serials(database, now=NOW + MINUTE) == {never.serial, now.serial, later.serial}


async def test_a_time_beyond_the_interval_is_due_after_the_setting_was_lowered(database: Database):
    gateway = await factories.gateway(database)
    by_setting = await a_polled_meter(database, gateway, next_poll_at=NOW + 25 * MINUTE)
    await a_polled_meter(database, gateway, next_poll_at=NOW + 25 * MINUTE, interval_s=1800)
    assert await due_serials(database) == set()
    assert await due_serials(database, default_interval_s=60) == {by_setting.serial}


async def test_chosen_meters_whether_due_or_not(database: Database):
    gateway = await factories.gateway(database)
    later = await a_polled_meter(database, gateway, next_poll_at=NOW + MINUTE)
    await a_polled_meter(database, gateway)
    assert await due_serials(database, serials=[later.serial]) == {later.serial}
    assert await due_serials(database, serials=[]) == set()


async def test_an_unknown_serial_is_named(database: Database):
    known = await a_polled_meter(database, await factories.gateway(database))
    with pytest.raises(NotFoundError) as caught:
        await due_serials(database, serials=[known.serial, "no-such-meter"])
    assert "no-such-meter" in str(caught.value)
    assert known.serial not in str(caught.value)


async def test_a_known_meter_that_is_not_polled_is_left_out(database: Database):
    gateway = await factories.gateway(database)
    polled = await a_polled_meter(database, gateway)
    disabled = await a_polled_meter(database, gateway, is_enabled=False)
    assert await due_serials(database, serials=[polled.serial, disabled.serial]) == {polled.serial}


async def test_a_meter_is_read_until_the_moment_it_is_removed(database: Database):
    gateway = await factories.gateway(database)
    point_id = (await factories.a_metered_point(database, installed_at=NOW + MINUTE)).point_id
    meter_id = await factories.meter(database, serial="leaving")
    await factories.installation(database, meter_id=meter_id, point_id=point_id, removed_at=NOW + MINUTE)
    await factories.connection(database, meter_id=meter_id, gateway_id=gateway)
    assert await due_serials(database) == {"leaving"}
    assert await due_serials(database, now=NOW + MINUTE) == set()


async def test_disabled_and_dismounted_meters_are_left_alone(database: Database):
    gateway = await factories.gateway(database)
    disabled = await factories.gateway(database, is_enabled=False)
    await a_polled_meter(database, gateway, is_enabled=False)
    await a_polled_meter(database, disabled)
    in_store = await factories.meter(database)
    await factories.connection(database, meter_id=in_store, gateway_id=gateway)
    shown = await a_polled_meter(database, gateway)
    assert await due_serials(database) == {shown.serial}
