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
from lk_portal.metering.profile_maps import ProfileFunction
from lk_portal.metering.simulator.archive import SimulatedArchive
from lk_portal.metering.simulator.files import file_question
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
            custom_pdu=[file_question(self._answer_file)],
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
            if function != register_map.function or written is not None:
                self.questions += 1
                return ExcCodes.ILLEGAL_FUNCTION
            refusal = await self._hear(meter)
            if refusal is None:
                self._refresh(meter, range(address, address + count), registers, first)
            return refusal

        return SimDevice(meter.device_id, list(_spans(register_map)), action=refresh)

    async def _hear(self, meter: SimulatedMeter) -> ExcCodes | None:
        """Take a question as the meter's faults will have it; gives the refusal, if it refuses."""
        self.questions += 1
        await self._wait(meter)
        if meter.faults.silent:
            raise NoSuchIdException
        return None if meter.faults.refuse_code is None else ExcCodes(meter.faults.refuse_code)

    async def _answer_file(
        self, device_id: int, file: int, first: int, count: int
    ) -> tuple[int, ...] | ExcCodes:
        """The words of a file (function 20), or why there are none."""
        meter = self.meters.get(device_id)
        if meter is None:
            raise NoSuchIdException
        refusal = await self._hear(meter)
        if refusal is not None:
            return refusal
        archive = meter.archive
        if archive is None or archive.ring.function is not ProfileFunction.FILE:
            return ExcCodes.ILLEGAL_FUNCTION
        if archive.faults.is_silent:
            raise NoSuchIdException
        return archive.file_words(self.clock(), file, first, count) or ExcCodes.ILLEGAL_ADDRESS

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
        if meter.archive is not None:
            for address, words in _archive_words(meter.archive, at, asked):
                registers[address - first : address - first + len(words)] = words

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


def _archive_words(
    archive: SimulatedArchive, at: datetime, asked: range
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """What registers of a load profile hold, as far as they are asked for: (address, words)."""
    ring = archive.ring
    if ring.clock_address in asked:
        yield ring.clock_address, archive.clock_words(at)
    if ring.newest_address in asked:
        yield ring.newest_address, (archive.newest_word(at),)
    whole = range(ring.first, ring.first + ring.records * ring.record_words)
    if ring.function is not ProfileFunction.FILE and asked.start in whole:
        yield asked.start, archive.words(at, asked.start - ring.first, len(asked))


def _spans(register_map: RegisterMap) -> Iterator[SimData]:
    """The addresses the meter knows: the map's registers and the documented gaps between them."""
    start = end = -1
    for first, after in sorted(_known(register_map)):
        if end < 0 or first - end > register_map.max_gap:
            if end >= 0:
                yield _span(start, end)
            start = first
        end = after
    yield _span(start, end)


def _known(register_map: RegisterMap) -> Iterator[tuple[int, int]]:
    """Where registers begin and end."""
    for register in register_map.registers:
        yield register.address, register.end
    ring = register_map.profile
    if ring is not None:
        yield ring.newest_address, ring.newest_address + 1
        yield ring.clock_address, ring.clock_address + ring.stamp.words
        if ring.function is not ProfileFunction.FILE:
            yield ring.first, ring.first + ring.records * ring.record_words


def _span(start: int, end: int) -> SimData:
    return SimData(start, values=[0] * (end - start), datatype=DataType.REGISTERS)
