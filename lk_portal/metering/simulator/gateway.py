"""A line of simulated meters behind a real pymodbus server on a real TCP port.

What is simulated is the meter, not the protocol: frames are made and read by pymodbus, so a wrong question
gets the refusal a meter would give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from lk_portal.errors import ConfigurationError
from lk_portal.metering.maps import RegisterMap
from lk_portal.metering.simulator.meter import SimulatedMeter

_GARBAGE = bytes.fromhex("dead beef 0bad f00d 5a5a a5a5 0123")
"""Neither an MBAP header (its protocol number is not zero) nor a frame with a fitting CRC."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SimulatedGateway:
    """A TCP endpoint with meters behind it; an asynchronous context manager, or `start` and `stop`.

    Args:
        meters: At least one; each with a device id of its own.
        host: Address to listen on.
        port: TCP port; 0 picks a free one, told by `port` after the start.
        framer: SOCKET for Modbus TCP, RTU for a transparent serial gateway.
        latency_s: How long an answer takes; questions wait for each other as on a serial line.
        clock: The meters' time, aware UTC.
    """

    def __init__(
        self,
        meters: Sequence[SimulatedMeter],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framer: FramerType = FramerType.SOCKET,
        latency_s: float = 0.0,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.meters = {meter.device_id: meter for meter in meters}
        if not meters or len(self.meters) != len(meters):
            raise ConfigurationError(detail="a simulated line needs meters with different device ids")
        self.host = host
        self.port = port
        self.framer = framer
        self.latency_s = latency_s
        self.clock = clock
        self.questions = 0
        self._line = asyncio.Lock()
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Listen; `port` tells where.

        Raises:
            ConfigurationError: The port is taken.
        """
        server = ModbusTcpServer(
            [self._silence(), *(self._device(meter) for meter in self.meters.values())],
            framer=self.framer,
            address=(self.host, self.port),
            ignore_missing_devices=True,
            trace_packet=self._on_packet,
            trace_pdu=self._on_pdu,
        )
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise ConfigurationError(detail=f"cannot listen on {self.host}:{self.port}") from error
        self._server = server
        listening: asyncio.Server = server.transport  # type: ignore[assignment]
        self.port = listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and its connections; may be called twice."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0)  # sockets are closed in the loop's next turn

    async def __aenter__(self) -> SimulatedGateway:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    def _silence(self) -> SimDevice:
        """Device 0 stands for every device id nobody has: on a line that is silence."""

        async def ignore(*_: object) -> ExcCodes | None:
            raise NoSuchIdException

        any_map = next(iter(self.meters.values())).register_map
        return SimDevice(0, list(_spans(any_map)), action=ignore)

    def _device(self, meter: SimulatedMeter) -> SimDevice:
        register_map = meter.register_map

        async def refresh(  # noqa: PLR0917 - pymodbus's signature
            function: int,
            first: int,
            address: int,
            count: int,
            registers: list[int],
            written: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            self.questions += 1
            if function != register_map.function or written is not None:
                return ExcCodes.ILLEGAL_FUNCTION
            await self._wait(meter)
            if meter.faults.silent:
                raise NoSuchIdException
            if meter.faults.refuse_code is not None:
                return ExcCodes(meter.faults.refuse_code)
            self._refresh(meter, range(address, address + count), registers, first)
            return None

        return SimDevice(meter.device_id, list(_spans(register_map)), action=refresh)

    async def _wait(self, meter: SimulatedMeter) -> None:
        if self.latency_s:
            async with self._line:
                await asyncio.sleep(self.latency_s)
        if meter.faults.late_s:
            await asyncio.sleep(meter.faults.late_s)

    def _refresh(self, meter: SimulatedMeter, asked: range, registers: list[int], first: int) -> None:
        """Put into the server's memory what the asked registers hold at this moment, all of one moment."""
        at = self.clock()
        for register in meter.register_map.registers:
            if register.address < asked.stop and register.end > asked.start:
                place = register.address - first
                registers[place : place + register.type.words] = meter.words(at, register)

    def _on_packet(self, is_sending: bool, data: bytes) -> bytes:
        """Replaces the answer's bytes where a meter is to talk nonsense."""
        if is_sending:
            meter = self.meters.get(data[0] if self.framer is FramerType.RTU else data[6])
            if meter is not None and meter.faults.garbage:
                return _GARBAGE
        return data

    def _on_pdu(self, is_sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """Cuts the answer short where a meter is to forget a register."""
        if is_sending and pdu.registers:
            meter = self.meters.get(pdu.dev_id)
            if meter is not None and meter.faults.short:
                pdu.registers = pdu.registers[:-1]
        return pdu


def _spans(register_map: RegisterMap) -> Iterator[SimData]:
    """The addresses the meter knows: the map's registers and the documented gaps between them."""
    start = end = register_map.registers[0].address
    for register in register_map.registers:
        if register.address - end > register_map.max_gap:
            yield _span(start, end)
            start = register.address
        end = register.end
    yield _span(start, end)


def _span(start: int, end: int) -> SimData:
    return SimData(start, values=[0] * (end - start), datatype=DataType.REGISTERS)
