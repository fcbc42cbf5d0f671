"""Polls meters: many lines at once, one question at a time on each, every failure told and none fatal.

Jobs build a `Poller` over a sink and call `poll`; nothing here knows a database or a protocol. One poller
belongs to one event loop and may be called again and again, also concurrently: links stay open between the
calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from lk_portal.errors import (
    N_,
    ConfigurationError,
    MeterError,
    MeterTimeoutError,
    ProtocolError,
    StorageError,
    UnreachableError,
    UnsupportedError,
)
from lk_portal.metering.base import MeterAdapter, ProfileAdapter, ReadingSink, adapter_for
from lk_portal.metering.types import GatewayTarget, MeterTarget, PollOutcome, ProfileRecord, Snapshot

logger = logging.getLogger(__name__)

PROFILE_PIECE = timedelta(days=2)
"""So much of a load profile is asked for at once; between two pieces others may use the line."""

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """How much the poller does at once and how long it tries.

    Attributes:
        lines: Endpoints polled at once.
        attempts: Tries of one meter; only transient errors are tried again.
        meter_deadline_s: Overall time for one meter, all tries and pauses included.
        backoff_s: Pause after the first failure; doubles, up to `backoff_max_s`, times 0.5 to 1.5.
        backoff_max_s: The longest pause before jitter.
        batch: Outcomes given to the sink at once.
        store_attempts: Tries to store a batch.
        idle_s: A link not used for so long is closed.
    """

    lines: int = 200
    attempts: int = 3
    meter_deadline_s: float = 30.0
    backoff_s: float = 0.5
    backoff_max_s: float = 5.0
    batch: int = 250
    store_attempts: int = 4
    idle_s: float = 3600.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Line:
    """A kept adapter and what it was made for."""

    adapter: MeterAdapter
    timeout_s: float
    used_at: float


class Poller:
    """Reads meters through adapters and hands the outcomes to a sink.

    Args:
        sink: Keeps the outcomes.
        limits: See `PollLimits`.
        clock: Aware UTC now.
        random: For the jitter of pauses.
        adapters: Makes an adapter for a gateway.
    """

    def __init__(
        self,
        sink: ReadingSink,
        *,
        limits: PollLimits | None = None,
        clock: Callable[[], datetime] = _utc_now,
        random: Random | None = None,
        adapters: Callable[[GatewayTarget], MeterAdapter] = adapter_for,
    ) -> None:
        self._sink = sink
        self._limits = limits or PollLimits()
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._adapters = adapters
        self._lines: dict[tuple[str, str], _Line] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(self._limits.lines)
        self._failing: dict[int, int] = {}

    async def poll(self, gateways: Sequence[GatewayTarget]) -> tuple[PollOutcome, ...]:
        """Read every meter of `gateways` once and store what came of it.

        The outcomes are in no particular order, one for each meter, and stored in batches while others are
        still being read. A meter's failure is an outcome, never an exception.

        Raises:
            StorageError: Some outcomes could not be stored, however often it was tried.
        """
        collected = _Batches(self._sink, self._limits, self._pause)
        async with asyncio.TaskGroup() as group:
            for gateway in gateways:
                group.create_task(self._poll_gateway(gateway, collected))
        await collected.finish()
        await self._close_idle()
        return tuple(collected.outcomes)

    async def read_profile(
        self, gateway: GatewayTarget, meter: MeterTarget, start: datetime, end: datetime
    ) -> tuple[ProfileRecord, ...]:
        """What a meter's load profile has of [start, end), aware UTC, by the link its polls use.

        Asked for in pieces, each under the line's lock and the meter's deadline, and tried again like a poll.

        Raises:
            MeterError: A piece could not be read, and nothing of the whole is told.
        """
        found: list[ProfileRecord] = []
        while start < end:
            piece_end = min(start + PROFILE_PIECE, end)
            found += await self._read_piece(gateway, meter, start, piece_end)
            start = piece_end
        return tuple(found)

    async def _read_piece(
        self, gateway: GatewayTarget, meter: MeterTarget, start: datetime, end: datetime
    ) -> tuple[ProfileRecord, ...]:
        async def ask(adapter: MeterAdapter) -> tuple[ProfileRecord, ...]:
            if not isinstance(adapter, ProfileAdapter):
                raise UnsupportedError(N_("Not supported: the meter keeps no load profile"))
            return await adapter.read_profile(meter, start, end)

        lock = self._locks.setdefault(gateway.endpoint, asyncio.Lock())
        async with lock, self._slots:
            try:
                return await self._in_time(gateway, self._limits.attempts, ask)
            except MeterError:
                raise
            except Exception as bug:
                raise _bug(bug, gateway, meter) from bug

    async def close(self) -> None:
        """Close every link. Never raises; may be called twice, and the poller used again."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            await _close(line.adapter)

    async def _poll_gateway(self, gateway: GatewayTarget, collected: _Batches) -> None:
        """The lock is taken before the slot, so that waiting for a line holds nobody up."""
        lock = self._locks.setdefault(gateway.endpoint, asyncio.Lock())
        async with lock, self._slots:
            in_a_row = 0
            outcome: PollOutcome | None = None
            for meter in gateway.meters:
                # Some gateways hang up on a silent meter, so one unreachable meter does not condemn the
                # line; but its neighbour gets one try only, and after two in a row the rest get none.
                attempts = 1 if in_a_row else self._limits.attempts
                dead = outcome.error if outcome and in_a_row >= 2 else None
                outcome = await self._poll_meter(gateway, meter, attempts=attempts, dead=dead)
                in_a_row = in_a_row + 1 if isinstance(outcome.error, UnreachableError) else 0
                self._log(gateway, meter, outcome)
                await collected.add(outcome)

    async def _poll_meter(
        self, gateway: GatewayTarget, meter: MeterTarget, *, attempts: int, dead: MeterError | None
    ) -> PollOutcome:
        started_at = self._clock()
        snapshot: Snapshot | None = None
        error = dead
        if error is None:
            try:
                snapshot = await self._in_time(gateway, attempts, lambda of: of.read_registers(meter))
            except MeterError as failure:
                error = failure
            except Exception as bug:
                error = _bug(bug, gateway, meter)
        return PollOutcome(meter.meter_id, started_at, self._clock(), snapshot, error)

    async def _in_time(
        self, gateway: GatewayTarget, attempts: int, ask: Callable[[MeterAdapter], Awaitable[_Read]]
    ) -> _Read:
        deadline_s = self._limits.meter_deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                return await self._read(gateway, attempts, ask)
        except TimeoutError as error:
            raise MeterTimeoutError(seconds=f"{deadline_s:g}") from error

    async def _read(
        self, gateway: GatewayTarget, attempts: int, ask: Callable[[MeterAdapter], Awaitable[_Read]]
    ) -> _Read:
        adapter = await self._adapter(gateway)
        tried = 1
        while True:
            try:
                return await ask(adapter)
            except MeterError as error:
                if not error.is_transient or tried >= attempts:
                    raise
            await self._pause(tried)
            tried += 1

    async def _pause(self, failures: int) -> None:
        """Exponential back-off with jitter, so that lines do not come back all at once."""
        limits = self._limits
        pause_s = min(limits.backoff_s * 2 ** (failures - 1), limits.backoff_max_s)
        await asyncio.sleep(pause_s * (0.5 + self._random.random()))

    async def _adapter(self, gateway: GatewayTarget) -> MeterAdapter:
        """The kept adapter of the line, or a new one; the caller holds the line's lock."""
        now = asyncio.get_running_loop().time()
        key = (gateway.endpoint, gateway.protocol)
        line = self._lines.get(key)
        if line is not None and line.timeout_s != gateway.timeout_s:
            del self._lines[key]
            await _close(line.adapter)
            line = None
        if line is None:
            try:
                line = _Line(self._adapters(gateway), gateway.timeout_s, now)
            except ConfigurationError as error:
                raise UnsupportedError(detail=str(error)) from error
            self._lines[key] = line
        line.used_at = now
        return line.adapter

    async def _close_idle(self) -> None:
        """A gateway that is no longer polled gets its connection back."""
        oldest = asyncio.get_running_loop().time() - self._limits.idle_s
        for key, line in list(self._lines.items()):
            if line.used_at < oldest and not self._locks[key[0]].locked():
                self._lines.pop(key, None)
                await _close(line.adapter)

    def _log(self, gateway: GatewayTarget, meter: MeterTarget, outcome: PollOutcome) -> None:
        """A failure once, and its recovery once."""
        error = outcome.error
        if error is None:
            if self._failing:
                failed = self._failing.pop(meter.meter_id, 0)
                if failed:
                    logger.info(
                        "meter is read again", extra={**_context(gateway, meter), "failed_polls": failed}
                    )
            return
        failed = self._failing.get(meter.meter_id, 0)
        self._failing[meter.meter_id] = failed + 1
        if not failed:
            details = {**_context(gateway, meter), "error_code": error.code, "error": str(error)}
            logger.warning("meter cannot be read: %s", error, extra=details)


class _Batches:
    """Collects the outcomes of one call and stores them as they fill batches."""

    def __init__(
        self, sink: ReadingSink, limits: PollLimits, pause: Callable[[int], Awaitable[None]]
    ) -> None:
        self.outcomes: list[PollOutcome] = []
        self._sink = sink
        self._limits = limits
        self._pause = pause
        self._waiting: list[PollOutcome] = []
        self._lock = asyncio.Lock()
        self._failure: StorageError | None = None

    async def add(self, outcome: PollOutcome) -> None:
        self.outcomes.append(outcome)
        self._waiting.append(outcome)
        if len(self._waiting) >= self._limits.batch:
            await self._store_waiting()

    async def finish(self) -> None:
        """Store the rest; only now tell of what could not be stored."""
        await self._store_waiting()
        if self._failure is not None:
            raise self._failure

    async def _store_waiting(self) -> None:
        batch, self._waiting = tuple(self._waiting), []
        if not batch:
            return
        async with self._lock:  # one transaction at a time is kinder to the database than many
            await self._store(batch)

    async def _store(self, batch: tuple[PollOutcome, ...]) -> None:
        for attempt in range(1, self._limits.store_attempts + 1):
            try:
                await self._sink.store(batch)
            except StorageError as error:
                failure = error
            else:
                return
            if attempt < self._limits.store_attempts:
                await self._pause(attempt)
        logger.error("readings could not be stored", extra={"outcomes": len(batch), "error": str(failure)})
        self._failure = failure


async def _close(adapter: MeterAdapter) -> None:
    """An adapter must not raise here; one that does must not keep the others open."""
    try:
        await adapter.close()
    except Exception:
        logger.exception("a meter's adapter failed to close")


def _bug(bug: Exception, gateway: GatewayTarget, meter: MeterTarget) -> MeterError:
    """An adapter broke its contract: that is told as a failure of the meter, and logged as what it is."""
    logger.exception("a meter's adapter failed unexpectedly", extra=_context(gateway, meter))
    return ProtocolError(detail=f"{type(bug).__name__}: {bug}")


def _context(gateway: GatewayTarget, meter: MeterTarget) -> dict[str, object]:
    return {
        "meter_id": meter.meter_id,
        "serial": meter.serial,
        "gateway_id": gateway.gateway_id,
        "endpoint": gateway.endpoint,
        "protocol": gateway.protocol,
    }
