"""The Modbus adapter against servers that misbehave in ways a simulator's protocol stack never would."""

from __future__ import annotations

import asyncio
import struct
import time

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.framer.rtu import FramerRTU

from lk_portal.errors import DeviceError, MeterError, MeterTimeoutError, ProtocolError, UnreachableError
from lk_portal.metering.base import adapter_for
from lk_portal.metering.modbus import ModbusAdapter
from lk_portal.metering.types import Quantity
from tests.integration.metering.metering_lines import (
    BENCHES,
    NOW,
    TIMEOUT_S,
    gateway_target,
    meter_target,
    scripted_server,
    simulated_line,
)

LATE_KWH, TIMELY_KWH = 5.0, 77.0
RTU_QUESTION = 8


def rtu(device_id: int, payload: bytes) -> bytes:
    frame = bytes([device_id]) + payload
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def answer(kwh: float) -> bytes:
    """Four float registers of an SDM630, as the payload of function 4."""
    return bytes([4, 16]) + struct.pack(">4f", kwh, 0, 0, 0)


class LateThenTimely:
    """A transparent serial gateway: the first question is answered when the second has come, then that one.

    The order of the questions is that of the line, over all connections; so no clock decides which is late.
    """

    def __init__(self) -> None:
        self._late: asyncio.StreamWriter | None = None

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(await reader.read(RTU_QUESTION)) == RTU_QUESTION:
            if self._late is None:
                self._late = writer
                continue
            self._late.write(rtu(1, answer(LATE_KWH)))
            await asyncio.sleep(TIMEOUT_S / 4)
            writer.write(rtu(1, answer(TIMELY_KWH)))
        if writer is self._late:
            # The line hangs up when all is said: what is asked meanwhile comes over another connection.
            await asyncio.Event().wait()


async def test_bare_rtu_takes_a_late_answer_for_the_next_one() -> None:
    """The hazard itself, so that the next test cannot pass emptily."""
    async with scripted_server(LateThenTimely()) as port:
        client = AsyncModbusTcpClient(
            "127.0.0.1", port=port, framer=FramerType.RTU, timeout=TIMEOUT_S, retries=0
        )
        await client.connect()
        with pytest.raises(ModbusException):
            await client.read_input_registers(0x48, count=8, device_id=1)
        wrong = await client.read_input_registers(0x48, count=8, device_id=1)
        assert client.convert_from_registers(wrong.registers[:2], client.DATATYPE.FLOAT32) == LATE_KWH
        client.close()


async def test_the_adapter_never_takes_a_late_answer_for_the_next_one() -> None:
    async with scripted_server(LateThenTimely()) as port:
        adapter = adapter_for(gateway_target("modbus-rtu-over-tcp", port))
        with pytest.raises(MeterTimeoutError):
            await adapter.read_registers(meter_target())
        snapshot = await adapter.read_registers(meter_target())
        assert snapshot.registers[0].value_wh == TIMELY_KWH * 1000
        await adapter.close()


async def test_an_answer_that_comes_right_after_the_time_is_up_is_no_nonsense() -> None:
    """As when the process was held up: the wait is over, and the answer there before anybody has looked."""

    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(RTU_QUESTION)
        asyncio.get_running_loop().call_later(TIMEOUT_S * 0.9, time.sleep, TIMEOUT_S)
        await asyncio.sleep(TIMEOUT_S * 1.25)
        writer.write(rtu(1, answer(LATE_KWH)))

    async with scripted_server(answer_late) as port:
        adapter = adapter_for(gateway_target("modbus-rtu-over-tcp", port))
        with pytest.raises(MeterTimeoutError):
            await adapter.read_registers(meter_target())
        await adapter.close()


async def test_after_a_cancellation_the_late_answer_is_lost_too() -> None:
    async with scripted_server(LateThenTimely()) as port:
        adapter = adapter_for(gateway_target("modbus-rtu-over-tcp", port))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S * 0.9):
                await adapter.read_registers(meter_target())
        snapshot = await adapter.read_registers(meter_target())
        assert snapshot.registers[0].value_wh == TIMELY_KWH * 1000
        await adapter.close()


@pytest.mark.parametrize("protocol", sorted(BENCHES))
async def test_a_gateway_that_hangs_up_is_noticed_at_once(protocol: str) -> None:
    async def hang_up_on_a_question(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with scripted_server(hang_up_on_a_question) as port:
        adapter = adapter_for(gateway_target(protocol, port, timeout_s=30))
        async with asyncio.timeout(5):
            with pytest.raises(UnreachableError, match="closed the connection"):
                await adapter.read_registers(meter_target())
        await adapter.close()


@pytest.mark.parametrize("protocol", sorted(BENCHES))
async def test_a_link_lost_between_two_readings_is_made_anew(protocol: str) -> None:
    async with simulated_line(protocol) as line:
        adapter = adapter_for(gateway_target(protocol, line.port))
        first = await adapter.read_registers(meter_target())
        await line.stop()
        await line.start()
        await asyncio.sleep(0)
        again = await adapter.read_registers(meter_target())
        assert again.registers == first.registers
        await adapter.close()


@pytest.mark.parametrize("protocol", sorted(BENCHES))
async def test_one_link_serves_many_readings(protocol: str) -> None:
    connections = 0
    async with simulated_line(protocol) as line:

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", line.port)
            try:
                while question := await reader.read(300):
                    upstream.write(question)
                    writer.write(await upstream_reader.read(300))
            finally:
                upstream.close()

        async with scripted_server(relay) as port:
            adapter = adapter_for(gateway_target(protocol, port))
            for _ in range(5):
                await adapter.read_registers(meter_target())
            await adapter.close()
            assert connections == 1


def mbap(transaction: bytes, payload: bytes, *, device_id: int = 1) -> bytes:
    return transaction + b"\0\0" + struct.pack(">HB", len(payload) + 1, device_id) + payload


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes([4]),
        bytes([4, 16]),
        bytes([4, 200]) + bytes(16),
        bytes([4, 15]) + bytes(15),
        bytes([4, 0]),
        bytes([3, 16]) + bytes(16),
        bytes([0x44, 1, 2, 3]),
        bytes([0x84]),
        bytes(200),
        b"\xff" * 250,
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=lambda payload: payload[:6].hex() or "empty",
)
@pytest.mark.parametrize("protocol", sorted(BENCHES))
async def test_nonsense_inside_a_good_frame_is_a_meter_error(
    protocol: str, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await reader.read(300):
            good = payload == b""
            frame = mbap(question[:2], payload) if protocol == "modbus-tcp" else rtu(1, payload)
            writer.write(b"" if good else frame)

    async with scripted_server(nonsense) as port:
        adapter = adapter_for(gateway_target(protocol, port))
        with pytest.raises(MeterError) as failed:
            await adapter.read_registers(meter_target())
        expected = MeterTimeoutError if not payload else (ProtocolError, DeviceError)
        assert isinstance(failed.value, expected)
        await adapter.close()
    assert not [record for record in caplog.records if record.name == "asyncio"]


async def test_the_same_server_with_a_true_answer_is_read() -> None:
    async def true(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await reader.read(300):
            writer.write(mbap(question[:2], answer(1.5)))

    async with scripted_server(true) as port:
        adapter = adapter_for(gateway_target("modbus-tcp", port))
        snapshot = await adapter.read_registers(meter_target())
        assert snapshot.registers[0].value_wh == 1500
        await adapter.close()


@pytest.mark.parametrize("wrong", ["transaction", "device"])
async def test_an_answer_to_somebody_else_is_not_ours(wrong: str) -> None:
    async def misdirected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await reader.read(300):
            transaction = b"\x7f\x7f" if wrong == "transaction" else question[:2]
            writer.write(mbap(transaction, answer(1.5), device_id=2 if wrong == "device" else 1))

    async with scripted_server(misdirected) as port:
        adapter = adapter_for(gateway_target("modbus-tcp", port))
        with pytest.raises(ProtocolError):
            await adapter.read_registers(meter_target())
        await adapter.close()


async def test_a_variant_that_refuses_its_tariff_registers_is_read_without_them() -> None:
    async def no_tariffs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await reader.read(300):
            address = int.from_bytes(question[8:10], "big")
            payload = bytes([3, 40]) + struct.pack(">5Q", *range(1, 6))
            writer.write(mbap(question[:2], payload if address == 0x5000 else bytes([0x83, 2])))

    async with scripted_server(no_tariffs) as port:
        adapter = adapter_for(gateway_target("modbus-tcp", port))
        snapshot = await adapter.read_registers(meter_target(model="abb-b23"))
        assert [(r.quantity, r.value_wh) for r in snapshot.registers] == [
            (Quantity.A_PLUS, 10),
            (Quantity.A_MINUS, 20),
            (Quantity.R_PLUS, 40),
            (Quantity.R_MINUS, 50),
        ]
        await adapter.close()


async def test_the_time_of_a_reading_is_when_the_answer_came() -> None:
    async with simulated_line("modbus-tcp") as line:
        adapter = ModbusAdapter(
            gateway_target("modbus-tcp", line.port), framer=FramerType.SOCKET, clock=lambda: NOW
        )
        assert (await adapter.read_registers(meter_target())).taken_at == NOW
        await adapter.close()


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    target = gateway_target("modbus-tcp", 1)
    nowhere = type(target)(1, "modbus-tcp", "nowhere.invalid", 502, TIMEOUT_S, ())
    adapter = adapter_for(nowhere)
    with pytest.raises(UnreachableError, match=r"nowhere\.invalid:502"):
        await adapter.read_registers(meter_target())
    await adapter.close()
