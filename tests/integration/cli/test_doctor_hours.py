"""What `lk doctor` says of stored hours that contradict a meter's register."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from lk_portal.metering.types import Quality, Quantity
from lk_portal.models import RegisterReading
from lk_portal.models.types import to_milliseconds
from lk_portal.services.database import Database
from lk_portal.services.intervals import IntervalRow, import_intervals
from lk_portal.services.tables import table_of
from tests import factories
from tests.integration.cli.command import Command

HOUR = timedelta(hours=1)


async def test_a_meter_whose_hours_contradict_its_register_is_named(
    sqlite_address: str, sqlite_database: Database, tmp_path: Path
) -> None:
    lk = Command(sqlite_address, tmp_path / "data")
    placed = await factories.a_metered_point(sqlite_database)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    key = {"meter_id": placed.meter_id, "quantity": Quantity.A_PLUS, "zone": 0}
    read = [{**key, "taken_at": now - ago * HOUR, "value_wh": wh} for ago, wh in ((20, 0), (2, 9_000))]
    async with sqlite_database.writing() as connection:
        await connection.execute(insert(table_of(RegisterReading)), read)
    assert "hours: agree" in (await lk("doctor")).out

    rows = [
        IntervalRow(
            placed.point_id,
            Quantity.A_PLUS,
            to_milliseconds(now - ago * HOUR),
            3600,
            5_000,
            3600,
            Quality.MEASURED,
            0,
        )
        for ago in range(2, 21)
    ]
    await import_intervals(sqlite_database, rows, clock=lambda: now)
    ran = await lk("doctor")

    assert ran.code == 1
    assert f"! hours: do not agree with the register: {placed.serial}" in ran.out.splitlines()
