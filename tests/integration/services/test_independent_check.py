"""What the portal stored of a simulated SDM630 is what a reader written by somebody else reads of it."""

from __future__ import annotations

from sqlalchemy import select

import lk_portal.metering.modbus  # noqa: F401 - registers the adapters
from lk_portal.metering.poller import Poller
from lk_portal.metering.simulator import SimulatedGateway, SimulatedMeter
from lk_portal.metering.types import Quantity
from lk_portal.models import RegisterReading
from lk_portal.services.database import Database
from lk_portal.services.polling import due_gateways
from lk_portal.services.readings import ReadingStore
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.metering.independent import read_import_wh
from tests.integration.metering.metering_lines import NOW


async def test_a_stranger_reads_what_the_portal_stored(database: Database) -> None:
    made = await factories.a_metered_point(database, map_name="eastron-sdm630")
    async with SimulatedGateway(
        [SimulatedMeter(made.serial, "eastron-sdm630", 7)], clock=lambda: NOW
    ) as line:
        gateway_id = await factories.gateway(database, port=line.port)
        await factories.connection(database, meter_id=made.meter_id, gateway_id=gateway_id, device_id=7)
        await _poll(database)
        stored = await _stored_wh(database, made.meter_id)
        theirs = await read_import_wh(line.port, device_id=7)

    assert theirs > 0
    assert stored == theirs


async def _poll(database: Database) -> None:
    store = ReadingStore(database, clock=lambda: NOW, default_interval_s=60)
    poller = Poller(store, clock=lambda: NOW)
    outcomes = await poller.poll(await due_gateways(database, now=NOW, default_interval_s=60))
    await poller.close()
    assert [outcome.error for outcome in outcomes] == [None]


async def _stored_wh(database: Database, meter_id: int) -> int:
    reading = table_of(RegisterReading)
    query = select(reading.c.value_wh).where(
        reading.c.meter_id == meter_id, reading.c.quantity == Quantity.A_PLUS, reading.c.zone == 0
    )
    async with database.reading() as connection:
        return int((await connection.execute(query)).scalar_one())
