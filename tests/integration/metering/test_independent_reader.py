"""What our adapter reads from a simulated SDM630 is what a reader written by somebody else reads."""

from __future__ import annotations

import pytest

from lk_portal.metering.base import adapter_for
from lk_portal.metering.types import Quantity
from tests.integration.metering.independent import read_import_wh
from tests.integration.metering.metering_lines import gateway_target, meter_target, simulated_line


@pytest.mark.parametrize("device_id", [1, 2])
async def test_a_stranger_reads_the_same(device_id: int) -> None:
    async with simulated_line("modbus-tcp", meters=2) as line:
        theirs = await read_import_wh(line.port, device_id=device_id)
        adapter = adapter_for(gateway_target("modbus-tcp", line.port, timeout_s=2))
        snapshot = await adapter.read_registers(meter_target(device_id))
        await adapter.close()
        ours = {r.quantity: r.value_wh for r in snapshot.registers}[Quantity.A_PLUS]
        assert ours == theirs
        other = await read_import_wh(line.port, device_id=3 - device_id)
        assert other != theirs
