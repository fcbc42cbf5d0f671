"""Reads Modbus meters: natively over TCP, or RTU frames through a transparent serial gateway.

The poller finds the adapter under `modbus-tcp` and `modbus-rtu-over-tcp`; nobody else needs this module.
pymodbus speaks the protocol; what is added here is what a meter reader needs on top of it: an answer is
never taken for the answer to another question, and every failure is one of our `MeterError` families.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.file_message import FileRecord, ReadFileRecordResponse

from lk_portal.errors import (
    N_,
    ConfigurationError,
    DeviceError,
    MeterError,
    MeterTimeoutError,
    ProtocolError,
    UnreachableError,
    UnsupportedError,
)
from lk_portal.metering.base import register_adapter
from lk_portal.metering.decode import ReadBlock, ReadPlan, decode_block, plan_for, require_sum
from lk_portal.metering.map_fields import ReadFunction
from lk_portal.metering.maps import RegisterMap, map_named
from lk_portal.metering.modbus_profile import Question, RingReader, profile_in
from lk_portal.metering.profile_maps import ProfileFunction
from lk_portal.metering.types import (
    Capability,
    GatewayTarget,
    LoadProfile,
    MeterTarget,
    ProfileRecord,
    RegisterValue,
    Snapshot,
)

_pymodbus_log = logging.getLogger("pymodbus.logging")
if _pymodbus_log.level == logging.NOTSET:
    # It complains of every single timeout; the poller says once that a meter fails, and why.
    _pymodbus_log.setLevel(logging.CRITICAL)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ModbusAdapter:
    """One persistent TCP link to a Modbus meter or to a serial line of them; see `MeterAdapter`.

    A question is asked once (`retries=0`: repeating is the poller's business). After silence, nonsense or
    cancellation the link is dropped, because RTU frames carry no transaction number: an answer that comes
    late would be taken for the answer to the next question. A new link begins with nothing under way.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REGISTERS, Capability.INTERVALS})

    def __init__(
        self, gateway: GatewayTarget, *, framer: FramerType, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._gateway = gateway
        self._framer = framer
        self._clock = clock
        self._client: AsyncModbusTcpClient | None = None
        self._plans: dict[str, ReadPlan] = {}
        self._is_waiting = False
        self._has_heard = False
        self._is_lost = False
        self._connect_failure = ""

    async def read_registers(self, meter: MeterTarget) -> Snapshot:
        """Read every register of the meter's map; `taken_at` is when the last answer arrived, aware UTC.

        Raises:
            UnreachableError: The gateway cannot be connected to, or closed the link.
            MeterTimeoutError: Nothing came within the gateway's timeout.
            ProtocolError: What came is not an answer to the question.
            DeviceError: The meter or the gateway refused (Modbus exception code).
            DataInvalidError: The values cannot be true.
            UnsupportedError: No register map has the name of the meter's model, or the address is none.
        """
        _require_address(meter)
        plan = self._plans.get(meter.model) or self._plan(meter)
        values: list[RegisterValue] = []
        for block in plan.blocks:
            values += decode_block(block, await self._read(block, meter.device_id))
        require_sum(values)
        return Snapshot(self._clock(), tuple(values))

    def profile_of(self, meter: MeterTarget) -> LoadProfile | None:
        """The load profile that the meter's map describes; None of a map without one, and without a map."""
        try:
            return profile_in(map_named(meter.model))
        except ConfigurationError:
            return None

    async def read_profile(
        self, meter: MeterTarget, start: datetime, end: datetime
    ) -> tuple[ProfileRecord, ...]:
        """The records of [start, end), aware UTC; see `ProfileAdapter` and `modbus_profile`.

        Raises:
            UnsupportedError: The meter's map has no profile, or its clock's time zone is not known.
            ClockWrongError: Its clock is wrong.
            MeterError: As `read_registers`.
        """
        _require_address(meter)

        async def ask(question: Question) -> Sequence[int]:
            return await self._ask(question, meter.device_id)

        reader = RingReader(_map_of(meter), meter.options, ask=ask, clock=self._clock)
        return await reader.read(start, end)

    async def close(self) -> None:
        """Give the link up. Never raises; may be called twice."""
        self._drop()
        await asyncio.sleep(0)  # the socket is closed in the loop's next turn

    def _plan(self, meter: MeterTarget) -> ReadPlan:
        plan = self._plans[meter.model] = plan_for(_map_of(meter))
        return plan

    async def _read(self, block: ReadBlock, device_id: int) -> Sequence[int]:
        """The registers of `block`; those of a tariff that this variant has not say "no value"."""
        try:
            return await self._ask(Question(block.function, block.address, block.count), device_id)
        except DeviceError as refusal:
            if block.is_optional and refusal.device_code == ExcCodes.ILLEGAL_ADDRESS:
                return _no_values(block)
            raise

    async def _ask(self, question: Question, device_id: int) -> Sequence[int]:
        """The words that answer; any failure but a refusal leaves no link behind."""
        try:
            return await self._exchange(question, device_id)
        except DeviceError:
            raise
        except MeterError:
            self._drop()
            raise
        except Exception as error:
            failure = self._failure(error)
            self._drop()
            raise failure from error
        except BaseException:  # cancelled: the answer is still under way
            self._drop()
            raise

    async def _exchange(self, question: Question, device_id: int) -> Sequence[int]:
        client = self._client
        if client is None or not client.connected:
            client = await self._connect()
        self._has_heard = False
        self._is_waiting = True
        try:
            answer = await _put(client, question, device_id)
        finally:
            self._is_waiting = False
        if answer.isError():
            raise DeviceError(answer.exception_code)
        words = _words_of(answer)
        if len(words) != question.count or answer.function_code != question.function:
            raise ProtocolError(
                N_("{got} registers came where {expected} were asked for"),
                got=len(words),
                expected=question.count,
            )
        return words

    async def _connect(self) -> AsyncModbusTcpClient:
        self._drop()
        self._is_lost = False
        self._connect_failure = ""
        client = AsyncModbusTcpClient(
            self._gateway.host,
            port=self._gateway.port,
            framer=self._framer,
            timeout=self._gateway.timeout_s,
            retries=0,
            reconnect_delay=0,  # a background reconnect would race with ours
            trace_connect=self._on_connect,
        )
        self._client = client
        self._remember_failure(client)
        self._guard_receiving(client)
        if not await client.connect():
            raise self._unreachable(self._connect_failure or f"no answer in {self._gateway.timeout_s:g} s")
        return client

    def _remember_failure(self, client: AsyncModbusTcpClient) -> None:
        """Keep the reason of a failed connect: pymodbus answers False and forgets why."""
        create = client.ctx.call_create

        async def create_and_remember() -> object:
            try:
                return await create()
            except OSError as error:
                self._connect_failure = _reason(error)
                raise

        client.ctx.call_create = create_and_remember

    def _guard_receiving(self, client: AsyncModbusTcpClient) -> None:
        """Notice that something came while it was waited for, and end the wait at once when it is nonsense.

        pymodbus would let its error fall through to asyncio, which logs a traceback for every bad frame. What
        comes after the time is up, and before the link is dropped, is late, not nonsense.
        """
        receive = client.ctx.callback_data

        def receive_guarded(data: bytes, addr: tuple[object, ...] | None = None) -> int:
            self._has_heard |= self._is_waiting and not client.ctx.response_future.done()
            try:
                return receive(data, addr)
            except Exception as error:
                self._end_wait(error)
                return len(data)

        client.ctx.callback_data = receive_guarded  # type: ignore[method-assign]

    def _on_connect(self, is_connected: bool) -> None:
        """End the wait at once when the gateway hangs up: pymodbus would sit out the timeout."""
        if not is_connected:
            self._is_lost = True
            self._end_wait(ConnectionException("the gateway closed the connection"))

    def _end_wait(self, error: Exception) -> None:
        if self._is_waiting and self._client is not None:
            waiting = self._client.ctx.response_future
            if not waiting.done():
                waiting.set_exception(error)

    def _failure(self, error: Exception) -> MeterError:
        """Which of our families an exception out of pymodbus belongs to."""
        if self._has_heard:
            return ProtocolError(N_("Not understood: what came is not an answer to the question"))
        if not isinstance(error, ModbusIOException | ConnectionException | OSError):
            return ProtocolError(detail=f"{type(error).__name__}: {error}")
        if self._is_lost or isinstance(error, ConnectionException | OSError):
            return self._unreachable("the gateway closed the connection")
        return MeterTimeoutError(seconds=f"{self._gateway.timeout_s:g}")

    def _unreachable(self, detail: str) -> UnreachableError:
        return UnreachableError(endpoint=self._gateway.endpoint, detail=detail)

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _require_address(meter: MeterTarget) -> None:
    if not 0 <= meter.device_id <= 0xFF:
        raise UnsupportedError(N_("Not supported: device address {address}"), address=meter.device_id)


def _map_of(meter: MeterTarget) -> RegisterMap:
    try:
        return map_named(meter.model)
    except ConfigurationError as error:
        raise UnsupportedError(N_("Not supported: no register map {model}"), model=meter.model) from error


async def _put(client: AsyncModbusTcpClient, question: Question, device_id: int) -> ModbusPDU:
    """Ask by the function of the question, and wait for the answer."""
    address, count = question.address, question.count
    if question.function == ProfileFunction.FILE:
        # pymodbus counts bytes here, and words everywhere else.
        part = FileRecord(file_number=question.file, record_number=address, record_length=2 * count)
        return await client.read_file_record([part], device_id=device_id)
    is_holding = question.function == ReadFunction.HOLDING
    read = client.read_holding_registers if is_holding else client.read_input_registers
    return await read(address, count=count, device_id=device_id)


def _words_of(answer: ModbusPDU) -> Sequence[int]:
    if isinstance(answer, ReadFileRecordResponse):
        data = b"".join(part.record_data for part in answer.records)
        return struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2])
    return answer.registers


def _reason(error: OSError) -> str:
    """`Connection refused`; a resolver's errors have numbers of their own (negative) and a text."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error)


def _no_values(block: ReadBlock) -> Sequence[int]:
    """All ones, which decode to "no value" in every type: what a variant without tariffs would say."""
    return (0xFFFF,) * block.count


@register_adapter("modbus-tcp")
def modbus_tcp(gateway: GatewayTarget) -> ModbusAdapter:
    """Native Modbus TCP (MBAP header with a transaction number)."""
    return ModbusAdapter(gateway, framer=FramerType.SOCKET)


@register_adapter("modbus-rtu-over-tcp")
def modbus_rtu_over_tcp(gateway: GatewayTarget) -> ModbusAdapter:
    """RTU frames with their CRC through a transparent serial-to-TCP gateway."""
    return ModbusAdapter(gateway, framer=FramerType.RTU)
