"""The relay's state comes with a snapshot and is kept with it, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lk_portal.errors import StorageError
from lk_portal.metering.types import PollOutcome, RelayState
from lk_portal.models import MeterLoadState, RegisterReading
from lk_portal.services.database import Database
from tests import factories
from tests.integration.services.faults import break_table, mend_table
from tests.integration.services.polled import HOUR, T0, read, rows_of, store_of

ON, OFF = RelayState(True, 1), RelayState(False, 0)


def told(meter_id: int, hours: int, relay: RelayState | None) -> PollOutcome:
    outcome = read(meter_id, T0 + hours * HOUR, 1000 + hours)
    assert outcome.snapshot is not None
    return replace(outcome, snapshot=replace(outcome.snapshot, relay=relay))


async def kept(database: Database) -> list[tuple[bool | None, int | None, int]]:
    rows = await rows_of(database, MeterLoadState)
    return [(row.is_output_on, row.control_state, (row.read_at - T0) // HOUR) for row in rows]


async def test_the_newest_state_is_kept(database: Database) -> None:
    meter = (await factories.a_metered_point(database)).meter_id
    await store_of(database).store((told(meter, 2, OFF), told(meter, 1, ON)))
    assert await kept(database) == [(False, 0, 2)]

    await store_of(database).store((told(meter, 3, ON),))
    await store_of(database).store((told(meter, 1, OFF),))

    assert await kept(database) == [(True, 1, 3)]


async def test_a_meter_without_a_relay_has_no_state(database: Database) -> None:
    meter = (await factories.a_metered_point(database)).meter_id
    await store_of(database).store((told(meter, 1, None),))

    assert len(await rows_of(database, RegisterReading)) == 1
    assert await kept(database) == []


async def test_a_snapshot_without_an_answer_leaves_the_last_one(database: Database) -> None:
    meter = (await factories.a_metered_point(database)).meter_id
    await store_of(database).store((told(meter, 1, ON),))
    await store_of(database).store((told(meter, 2, None),))

    assert await kept(database) == [(True, 1, 1)]


@pytest.mark.parametrize("control", [-1, 256, 10**20])
async def test_a_confused_device_breaks_no_batch(database: Database, control: int) -> None:
    meter = (await factories.a_metered_point(database)).meter_id
    await store_of(database).store((told(meter, 1, RelayState(None, control)),))

    assert await kept(database) == [(None, None, 1)]


async def test_state_and_readings_are_kept_together_or_not_at_all(database: Database) -> None:
    meter = (await factories.a_metered_point(database)).meter_id
    await break_table(database, "meter_load_state")
    with pytest.raises(StorageError):
        await store_of(database).store((told(meter, 1, ON),))
    await mend_table(database, "meter_load_state")
    assert await rows_of(database, RegisterReading) == []

    await store_of(database).store((told(meter, 1, ON),))

    assert len(await rows_of(database, RegisterReading)) == 1
    assert await kept(database) == [(True, 1, 1)]
